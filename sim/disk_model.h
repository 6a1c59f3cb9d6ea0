// DiskModel: how long a device takes and how much it holds. A call waits for one of `queue_depth`
// places, then for its bytes to pass (`bandwidth`), and takes a drawn latency by its kind.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/result.h"
#include "sim/disk_image.h"
#include "sim/distribution.h"

namespace ringside::sim {

// A device that must make room (garbage collection): writes, truncations and syncs that would start
// during a stall start when it ends. Stalls come by bytes and by time, whichever is given; both are
// drawn by the disk and the n-th of their kind. Off by default, in the presets too.
struct DiskStalls {
  uint64_t bytes_between = 0;  // the write that completes so many begins a stall; 0: none
  Distribution between;        // from the end of one to the begin of the next; constant 0: none
  Distribution length;

  // By order of magnitude: a drive that was written full pauses for some milliseconds (NVMe), some
  // tens (SSD), now and then for ten times as long.
  static DiskStalls nvme();
  static DiskStalls ssd();
};

struct DiskModel {
  Distribution read;
  Distribution write;        // into the device's cache: nothing is durable before a sync
  Distribution sync;         // of a file or a directory
  Distribution metadata;     // open, close, rename, remove, …
  uint32_t queue_depth = 0;  // calls at once; 0: without limit
  uint64_t bandwidth_bytes_per_second = 0;  // 0: without limit
  // A sync of a file writes out the pages that are dirty when it is called, at this rate, on top of
  // its latency. 0: it does not.
  uint64_t flush_bytes_per_second = 0;
  DiskStalls stalls;
  uint64_t capacity_bytes = uint64_t{1} << 40;
  PowerLossRules power_loss;

  // Presets, by order of magnitude of devices on the market. `free` takes no time at all.
  static DiskModel nvme();
  static DiskModel ssd();
  static DiskModel hdd();
  static DiskModel free() { return {}; }
  // "NVME", "SSD", "HDD" or "FREE".
  static Result<DiskModel> named(std::string_view kind);
};

}  // namespace ringside::sim
