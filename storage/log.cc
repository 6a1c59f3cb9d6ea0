#include "storage/log.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "runtime/bug.h"

namespace ringside {

std::string log_file_name(const std::string& directory, uint32_t slot) {
  char name[16];
  std::snprintf(name, sizeof name, "/%06u", slot);
  return directory + name;
}

Log::Log(Host& host, LogOptions options, DurableMark& durable, EngineStats& stats, LogStart start)
    : host_(host),
      options_(std::move(options)),
      durable_(durable),
      stats_(stats),
      next_lsn_(start.next_lsn),
      life_(host.random("storage.log").next()),
      in_use_(start.in_use.begin(), start.in_use.end()),
      free_(std::move(start.free)),
      next_segment_(start.next_segment),
      next_slot_(start.next_slot),
      seal_timer_(*this),
      scope_(host.ready()) {
  for (const LogSegment& segment : in_use_) bytes_in_use_ += segment.bytes;
  stats_.log_segments = in_use_.size() + free_.size();
}

Lsn Log::append(std::string_view batch) {
  CHECK(!batch.empty());
  if (pending_.empty() || pending_.back().used() + batch.size() > options_.group_bytes_max) {
    pending_.emplace_back(next_lsn_, std::max(group_bytes_hint_, batch.size() + kPageBytes / 2));
  }
  pending_.back().append(batch);
  pending_bytes_ += batch.size();
  const Lsn lsn = next_lsn_++;
  CHECK(pending_.back().end() == next_lsn_);
  ++stats_.batches;
  start_loop();
  return lsn;
}

void Log::append_again(const std::vector<std::string>& batches) {
  if (batches.empty()) return;
  CHECK(!running_ && pending_.empty());
  LogGroup& group = pending_.emplace_back(next_lsn_, kPageBytes);
  for (const std::string& batch : batches) group.append(batch);
  next_lsn_ = group.end();
  pending_bytes_ = group.used();
  start_loop();
}

void Log::start_loop() {
  if (running_ || durable_.poisoned()) return;
  running_ = true;
  scope_.spawn(flush_loop());
}

Task<void> Log::flush_loop() {
  while ((!pending_.empty() || seal_wanted_) && !durable_.poisoned()) {
    const LogGroupKind kind = pending_.empty() ? LogGroupKind::kSeal : LogGroupKind::kBatches;
    if (kind == LogGroupKind::kSeal) pending_.emplace_back(next_lsn_, 0);
    LogGroup group = std::move(pending_.front());
    pending_.pop_front();
    seal_wanted_ = false;
    const Lsn last = group.end() - 1;
    const uint64_t bytes = group.used();
    Result<void> done = co_await commit(std::move(group), kind);
    if (!done.ok()) {
      durable_.poison(done.error());  // wakes every waiter; a second sync would prove nothing
      break;
    }
    unsealed_ = kind == LogGroupKind::kBatches;
    group_bytes_hint_ = bytes;
    pending_bytes_ = 0;
    for (const LogGroup& waiting : pending_) pending_bytes_ += waiting.used();
    durable_.advance(last);  // wakes those at or below `last`
  }
  running_ = false;
  last_group_at_ = host_.clock().now();
  if (unsealed_ && options_.seal_after > 0 && !seal_timer_.pending() && !durable_.poisoned()) {
    seal_timer_.start(last_group_at_ + options_.seal_after);
  }
}

Task<Result<void>> Log::commit(LogGroup group, LogGroupKind kind) {
  const uint64_t bytes = group.bytes();
  if (active_.id == 0 || active_.bytes + bytes > options_.segment_bytes) {
    Result<void> ready = co_await next_segment();
    if (!ready.ok()) co_return ready;
  }
  const Lsn end = group.end();
  const uint64_t offset = active_.bytes;
  active_.bytes += bytes;
  bytes_in_use_ += bytes;
  active_.end = end;
  Buffer sealed = std::move(group).seal({.kind = kind,
                                         .segment = active_.id,
                                         .life = life_,
                                         .durable = options_.sync ? durable_.lsn() : 0,
                                         .manifest_sequence = manifest_sequence_});
  ++(kind == LogGroupKind::kSeal ? stats_.seals : stats_.groups);
  stats_.log_bytes += bytes;
  Result<void> done = co_await host_.disk().write_at(active_.file, offset, std::move(sealed));
  if (!done.ok() || !options_.sync) co_return done;
  if (RINGSIDE_BUG(wal_never_syncs)) co_return Result<void>();
  if (RINGSIDE_BUG(wal_acknowledges_before_sync)) durable_.advance(end - 1);
  ++stats_.syncs;
  co_return co_await host_.disk().sync(active_.file);
}

// The next file to write: one that is free, or a new one, whose name must be durable before
// anything in it counts.
Task<Result<void>> Log::next_segment() {
  if (active_.id != 0) in_use_.push_back(std::exchange(active_, LogSegment{}));
  LogSegment segment;
  if (!free_.empty()) {
    host_.trace().probe("wal.segment_recycled");
    ++stats_.log_segments_recycled;
    segment = free_.back();
    free_.pop_back();
  } else {
    segment.slot = next_slot_++;
    const std::string name = log_file_name(options_.directory, segment.slot);
    Result<FileId> file = co_await host_.disk().open(name, Disk::kCreate);
    if (!file.ok()) co_return file.error();
    Result<void> named = co_await host_.disk().sync_directory(options_.directory);
    if (!named.ok()) co_return named;
    segment.file = *file;
    ++stats_.log_segments;
  }
  segment.id = next_segment_++;
  segment.bytes = 0;
  segment.end = 0;
  active_ = segment;
  co_return Result<void>();
}

void Log::recycle(Lsn flushed) {
  while (!in_use_.empty() && in_use_.front().end <= flushed + 1) {
    LogSegment segment = in_use_.front();
    in_use_.pop_front();
    bytes_in_use_ -= segment.bytes;
    segment.id = 0;
    free_.push_back(segment);
  }
}

void Log::seal_when_idle() {
  if (!unsealed_ || running_) return;
  const Time due = last_group_at_ + options_.seal_after;
  if (host_.clock().now() < due) {
    seal_timer_.start(due);
    return;
  }
  seal_wanted_ = true;
  start_loop();
}

Task<Result<void>> Log::close() {
  Result<void> held = co_await durable_.wait(last());
  if (held.ok() && unsealed_) {
    seal_wanted_ = true;
    start_loop();
  }
  seal_timer_.cancel();
  co_await scope_.join();
  Result<void> done = durable_.poisoned() ? Result<void>(durable_.error()) : Result<void>();
  std::vector<LogSegment> open = std::exchange(free_, {});
  open.insert(open.end(), in_use_.begin(), in_use_.end());
  if (active_.id != 0) open.push_back(active_);
  for (const LogSegment& segment : open) {
    Result<void> closed = co_await host_.disk().close(segment.file);
    if (done.ok()) done = closed;
  }
  co_return done;
}

}  // namespace ringside
