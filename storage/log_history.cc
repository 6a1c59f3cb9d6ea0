#include "storage/log_history.h"

#include <algorithm>

namespace ringside {

void LogHistory::prove(const LogGroupHeader& header) {
  any_ = true;
  durable_ = std::max(durable_, header.durable);
  manifest_sequence_ = std::max(manifest_sequence_, header.manifest_sequence);
  segment_max_ = std::max(segment_max_, header.segment);
}

void LogHistory::supersede(Lsn first) {
  while (!held_.empty() && held_.back().first >= first) held_.pop_back();
  if (!held_.empty()) held_.back().end = std::min(held_.back().end, first);
  next_ = std::max(std::min(next_, first), released_ + 1);
}

bool LogHistory::add(const LogGroupHeader& header, std::string_view payload) {
  CHECK(header.first <= next_);
  LogGroupReader reader(payload);
  Lsn count = 0;
  for (std::string_view batch; reader.next(batch);) ++count;
  if (!reader.ok() || count != header.count) return false;
  if (header.end() > next_) {
    held_.push_back({header.first, header.end(), std::string(payload)});
    next_ = header.end();
  }
  release(/*all=*/false);
  return true;
}

void LogHistory::finish() { release(/*all=*/true); }

void LogHistory::release(bool all) {
  while (!held_.empty() && (all || held_.front().end <= durable_ + 1)) {
    const Held& held = held_.front();
    LogGroupReader reader(held.payload);
    Lsn lsn = held.first;
    for (std::string_view batch; lsn < held.end && reader.next(batch); ++lsn) {
      if (lsn <= released_) continue;
      sink_.replay(lsn, batch, lsn <= durable_);
      ++batches;
    }
    released_ = std::max(released_, held.end - 1);
    held_.pop_front();
  }
}

}  // namespace ringside
