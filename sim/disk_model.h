// DiskModel: how long a device takes and how much it holds. A call waits for one of `queue_depth`
// places, then for its bytes to pass (`bandwidth`), and takes a drawn latency by its kind.
#pragma once

#include <cstdint>
#include <string_view>

#include "runtime/result.h"
#include "sim/disk_image.h"
#include "sim/distribution.h"

namespace ringside::sim {

struct DiskModel {
  Distribution read;
  Distribution write;        // into the device's cache: nothing is durable before a sync
  Distribution sync;         // of a file or a directory
  Distribution metadata;     // open, close, rename, remove, …
  uint32_t queue_depth = 0;  // calls at once; 0: without limit
  uint64_t bandwidth_bytes_per_second = 0;  // 0: without limit
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
