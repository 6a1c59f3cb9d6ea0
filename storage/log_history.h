// LogHistory: puts the good groups of all segments, met in the order of segments and offsets, into
// the one order of batches, and hands them to the sink. A batch is handed on as proven once a group
// says so; until then it is held, because a newer segment may supersede it. It decides nothing: who
// meets a hole asks (storage/log_recovery.h).
#pragma once

#include <algorithm>
#include <deque>
#include <string>

#include "storage/log_format.h"
#include "storage/log_recovery.h"

namespace ringside {

class LogHistory {
 public:
  LogHistory(Lsn flushed, BatchSink& sink)
      : flushed_(flushed), next_(flushed + 1), released_(flushed), sink_(sink) {}

  Lsn next() const { return next_; }  // the first batch that is missing
  // The last batch that no newer segment can supersede any more.
  Lsn released() const { return released_; }
  Lsn durable() const { return durable_; }
  uint64_t manifest_sequence() const { return manifest_sequence_; }
  uint64_t segment_max() const { return segment_max_; }
  bool any() const { return any_; }

  // What a good group proves, wherever it was found.
  void prove(const LogGroupHeader& header);
  // A segment id that was used, whether or not its groups are whole.
  void meet(uint64_t segment) { segment_max_ = std::max(segment_max_, segment); }
  // Planted bugs alone take back a proof.
  void disprove(Lsn beyond) { durable_ = std::min(durable_, beyond); }
  // A newer segment begins with `first`: what older ones say from there on is void.
  void supersede(Lsn first);
  void skip_to(Lsn next) { next_ = std::max(next_, next); }
  // The next group; it starts at or before `next`. False when its batches do not add up.
  bool add(const LogGroupHeader& header, std::string_view payload);
  // Everything that is held; no group follows.
  void finish();

  uint64_t batches = 0;  // handed on

 private:
  struct Held {
    Lsn first, end;  // `end`: less than the group's when superseded
    std::string payload;
  };
  void release(bool all);

  const Lsn flushed_;
  Lsn next_;
  Lsn released_;
  Lsn durable_ = 0;
  uint64_t manifest_sequence_ = 0;
  uint64_t segment_max_ = 0;
  bool any_ = false;
  std::deque<Held> held_;
  BatchSink& sink_;
};

}  // namespace ringside
