// Recovery of the log: yields a prefix of what was submitted that holds everything that was known
// durable. It only reads, so that it may crash and be repeated.
//
// Every good group says how far the log was durable when the group was sealed; the greatest such
// mark is what is *proven*. Segments are walked in the order of their ids, a later one superseding
// the LSNs that it repeats, and the walk stops where the next LSN is missing. What is missing
// beyond the proven mark is a torn tail or a hole left by writes that were never synced: it is cut.
// What is missing below it was durable once: that is kCorrupt, never a cut. The batches beyond the
// proven mark may sit in the page cache alone; the engine logs them again, in one group, before it
// serves: whatever an old segment says beyond the first LSN of a newer one is void.
#pragma once

#include <string>

#include "runtime/host.h"
#include "storage/log.h"

namespace ringside {

class BatchSink {
 public:
  virtual ~BatchSink() = default;
  // In order, without gaps. `proven`: known durable; otherwise the batch must be logged again.
  virtual void replay(Lsn lsn, std::string_view batch, bool proven) = 0;
};

struct LogRecovery {
  LogStart start;     // start.next_lsn: where the new log continues, after what is proven
  Lsn end = 0;        // the last batch that was replayed, or `flushed`
  bool empty = true;  // no good group was found at all
  bool torn_tail = false;
  uint64_t manifest_sequence = 0;  // manifest records that the log saw durable
};

// `flushed`: tables hold every batch up to here. `manifest_sequence`: of the manifest's last
// record; a log that has seen a later one proves that the manifest lost its tail.
Task<Result<LogRecovery>> recover_log(Host& host, std::string directory, Lsn flushed,
                                      BatchSink& sink);

}  // namespace ringside
