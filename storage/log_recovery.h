// Recovery of the log: yields a prefix of what was submitted that holds everything that was known
// durable. It only reads, so that it may crash and be repeated. Each segment is read once, through
// a window; what is in memory is a window and the groups that nothing proves yet. The exceptions
// are one page of each file, by which they are ordered, and whatever ends the log: that is read
// twice before anything is believed to be missing.
//
// Every good group says how far the log was durable when it was written; the greatest such mark is
// what is *proven*. Segments are walked in the order of their ids, a later one superseding the LSNs
// that it repeats, and the walk stops where the next LSN is missing. The batches beyond the proven
// mark may sit in the page cache alone; the engine logs them again, in one group, before it serves:
// whatever an old segment says beyond the first LSN of a newer one is void.
//
// | Fault                           | Rule                                        | Probe |
// |---------------------------------|---------------------------------------------|------------------|
// | torn tail: nothing proves what  | cut                                         | torn_tail_cut |
// |   is missing                    |                                             | | | a proven
// group is unreadable    | never cut: kCorrupt, or with LostLog::kReport durable_group_lost | | |
// reported, and the groups behind it count  |                  | | a hole that nothing proves: |
// stop at the hole: what is behind it goes    | stopped_at_hole  | |   newer on disk, older not |
// |                  | | two reads of what ends the log  | kIo: nothing is believed, open again |
// reads_differ     | |   differ                        | |                  | | a read fails or is
// short        | that error: nothing is believed             | (none)           | | two files with
// one segment id   | kCorrupt                                    | segment_twice    | | a newer
// segment starts below    | kCorrupt, or reported: two histories        | histories_differ | | what
// older ones prove         |                                             |                  | |
// sealed with another key, or     | kCorrupt; without a key, or with one and    | not_opened | |
// tampered with                 |   not sealed: kInvalid                      |                  |
// | a sync fails                    | poisoned; never synced again (log.cc)       | sync_failed |
// | a write fails                   | poisoned; nothing is written again (log.cc) | write_failed |
//
// (The probes' names begin with "wal.".) What one node alone cannot know stays: a disk that returns
// the same wrong pages twice, a lying sync at the tail, and rot in the last group before the log
// sealed itself.
#pragma once

#include <string>
#include <vector>

#include "runtime/host.h"
#include "storage/engine_options.h"
#include "storage/log_segments.h"

namespace ringside {

class Cipher;

class BatchSink {
 public:
  virtual ~BatchSink() = default;
  // In order, without gaps but for the lost ranges. `proven`: known durable; otherwise the batch
  // must be logged again.
  virtual void replay(Lsn lsn, std::string_view batch, bool proven) = 0;
};

struct LogRecoveryOptions {
  const Cipher* cipher = nullptr;
  LostLog lost = LostLog::kRefuse;
};

// Batches that were durable and are not there: [first, last]. `file` and `offset`: where the first
// of them should be.
struct LostBatches {
  Lsn first = 0;
  Lsn last = 0;
  std::string file;
  uint64_t offset = 0;
};

struct LogRecovery {
  LogStart start;     // start.next_lsn: where the new log continues, after what is proven
  Lsn end = 0;        // the last batch that was replayed (or lost), or `flushed`
  bool empty = true;  // no good group was found at all
  bool torn_tail = false;
  uint64_t manifest_sequence = 0;  // manifest records that the log saw durable
  std::vector<LostBatches> lost;   // ascending; the same again at every recovery until flushed
};

// `flushed`: tables hold every batch up to here. `manifest_sequence`: of the manifest's last
// record; a log that has seen a later one proves that the manifest lost its tail.
Task<Result<LogRecovery>> recover_log(Host& host, std::string directory, Lsn flushed,
                                      BatchSink& sink, LogRecoveryOptions options = {});

}  // namespace ringside
