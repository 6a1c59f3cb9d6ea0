#include "storage/log.h"

#include <algorithm>
#include <utility>

#include "runtime/bug.h"

namespace ringside {
namespace {

constexpr uint64_t kFillBytes = 256u << 10;  // in one write
// Told by a probe, for those who look for a gray disk.
constexpr Duration kSlowSync = 100 * kMillisecond;

}  // namespace

Log::Log(Host& host, LogOptions options, DurableMark& durable, EngineStats& stats, LogStart start)
    : host_(host),
      options_(std::move(options)),
      durable_(durable),
      stats_(stats),
      next_lsn_(start.next_lsn),
      life_(host.random("storage.log").next()),
      synced_(start.next_lsn - 1),
      next_segment_(start.next_segment),
      cut_(std::move(start.cut)),
      segments_(host.ready(), options_.directory, start),
      archive_(host, segments_, options_.archive_bytes_max, std::move(start.doubled)),
      reader_(host, segments_, durable, options_.cipher),
      seal_timer_(*this),
      scope_(host.ready()) {
  for (LogSegment& segment : segments_.needed) {
    bytes_in_use_ += segment.bytes;
    segment.end = std::min(segment.end, next_lsn_);  // what is not proven is logged again
  }
  archive_.start(scope_);
  stats_.log_segments = segments_.needed.size() + segments_.free.size();
  make_spare_ahead();
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
    if (done.ok() && !cut_.empty()) done = co_await cut_leftovers();
    if (!done.ok()) {
      durable_.poison(done.error());  // wakes every waiter; a second sync would prove nothing
      break;
    }
    unsealed_ = kind == LogGroupKind::kBatches;
    group_bytes_hint_ = bytes;
    pending_bytes_ = 0;
    for (const LogGroup& waiting : pending_) pending_bytes_ += waiting.used();
    segments_.active_written = segments_.active.bytes;
    if (options_.sync) synced_ = last;
    if (segments_.newest_durable != segments_.active.id) {
      segments_.newest_durable = segments_.active.id;
      archive_.start(scope_);
    }
    durable_.advance(last);  // wakes those at or below `last`
  }
  running_ = false;
  last_group_at_ = host_.clock().now();
  if (unsealed_ && options_.sync && options_.seal_after > 0 && !seal_timer_.pending() &&
      !durable_.poisoned()) {
    seal_timer_.start(last_group_at_ + options_.seal_after);
  }
}

Task<Result<void>> Log::commit(LogGroup group, LogGroupKind kind) {
  const uint64_t bytes = group.bytes(options_.cipher);
  LogSegment& active = segments_.active;
  if (active.id == 0 || active.bytes + bytes > options_.segment_bytes) {
    Result<void> ready = co_await next_segment();
    if (!ready.ok()) co_return ready;
  }
  const Lsn first = group.first();
  const Lsn end = group.end();
  const uint64_t offset = active.bytes;
  if (offset == 0) active.first = first;
  active.bytes += bytes;
  bytes_in_use_ += bytes;
  active.end = end;
  active.remember(first, offset);
  const std::size_t payload_bytes = group.used() - kLogHeaderBytes;
  if (reader_.wanted() && options_.cipher != nullptr)
    reader_.keep(first, end, Buffer::copy_of(group.payload()), 0, payload_bytes);
  Buffer sealed = std::move(group).finish({.kind = kind,
                                           .segment = active.id,
                                           .life = life_,
                                           .durable = synced_,
                                           .manifest_sequence = manifest_sequence_},
                                          options_.cipher, offset);
  if (reader_.wanted() && options_.cipher == nullptr)
    reader_.keep(first, end, sealed, kLogHeaderBytes, payload_bytes);
  ++(kind == LogGroupKind::kSeal ? stats_.seals : stats_.groups);
  stats_.log_bytes += bytes;
  Result<void> done = co_await host_.disk().write_at(active.file, offset, std::move(sealed));
  if (!done.ok()) host_.trace().probe("wal.write_failed");
  if (!done.ok() || !options_.sync) co_return done;
  if (RINGSIDE_BUG(wal_never_syncs)) co_return Result<void>();
  if (RINGSIDE_BUG(wal_acknowledges_before_sync)) durable_.advance(end - 1);
  ++stats_.syncs;
  const Time asked = host_.clock().now();
  done = co_await host_.disk().sync(active.file);
  if (host_.clock().now() - asked >= kSlowSync) host_.trace().probe("wal.sync_slow");
  if (!done.ok()) host_.trace().probe("wal.sync_failed");
  if (!done.ok() && RINGSIDE_BUG(log_retries_failed_sync))
    done = co_await host_.disk().sync(active.file);
  co_return done;
}

// What recovery passed over behind a hole would seem to go on from here once the segments between
// were written over. Cut when this life's first group is there: its segment has a greater id, so
// that no id which only the cut part bears is used again.
Task<Result<void>> Log::cut_leftovers() {
  for (const LogCut& cut : std::exchange(cut_, {})) {
    if (cut.file == segments_.active.file) continue;  // written over: what is left is older
    host_.trace().probe("wal.leftover_cut");
    Result<void> done = co_await host_.disk().truncate(cut.file, cut.bytes);
    if (done.ok()) done = co_await host_.disk().sync(cut.file);
    if (!done.ok()) co_return done;
  }
  co_return Result<void>();
}

// The next file to write: one that is free, or a new one, whose name must be durable before
// anything in it counts.
Task<Result<void>> Log::next_segment() {
  if (segments_.active.id != 0)
    segments_.needed.push_back(std::exchange(segments_.active, LogSegment{}));
  LogSegment segment;
  if (!segments_.free.empty()) {
    host_.trace().probe("wal.segment_recycled");
    ++stats_.log_segments_recycled;
    segment = segments_.free.back();
    segments_.free.pop_back();
  } else {
    Result<LogSegment> made = co_await new_segment();
    if (!made.ok()) co_return made.error();
    segment = *std::move(made);
  }
  make_spare_ahead();
  segment.id = next_segment_++;
  segments_.active = std::move(segment);
  segments_.active_written = 0;
  co_return Result<void>();
}

Task<Result<LogSegment>> Log::new_segment() {
  LogSegment segment;
  segment.slot = segments_.next_slot++;
  const std::string name = log_file_name(options_.directory, segment.slot);
  Result<FileId> file = co_await host_.disk().open(name, Disk::kCreate);
  if (!file.ok()) co_return file.error();
  Result<void> named = co_await host_.disk().sync_directory(options_.directory);
  if (!named.ok()) co_return named.error();
  segment.file = *file;
  ++stats_.log_segments;
  co_return segment;
}

void Log::make_spare_ahead() {
  if (!options_.fill_segments || !options_.sync || !segments_.free.empty() || making_spare_) return;
  making_spare_ = true;
  scope_.spawn(make_spare());
}

// Whatever goes wrong here is met again, and told, by who needs a segment.
Task<void> Log::make_spare() {
  Result<LogSegment> made = co_await new_segment();
  Result<void> done = made.ok() ? Result<void>() : made.error();
  for (uint64_t at = 0; done.ok() && at < options_.segment_bytes; at += kFillBytes) {
    const uint64_t bytes = std::min(kFillBytes, options_.segment_bytes - at);
    done =
        co_await host_.disk().write_at(made->file, at, Buffer::copy_of(std::string(bytes, '\0')));
  }
  if (done.ok()) done = co_await host_.disk().sync(made->file);
  if (done.ok()) host_.trace().probe("wal.segment_filled");
  if (made.ok()) (done.ok() ? segments_.free : segments_.abandoned).push_back(*std::move(made));
  making_spare_ = false;
}

void Log::recycle(Lsn flushed) {
  synced_ = std::max(synced_, std::min(flushed, durable_.lsn()));
  while (!segments_.needed.empty() && segments_.needed.front().end <= flushed + 1) {
    bytes_in_use_ -= segments_.needed.front().bytes;
    segments_.needed.front().places = {};
    segments_.leaving.push_back(std::move(segments_.needed.front()));
    segments_.needed.pop_front();
  }
  archive_.start(scope_);
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
  if (held.ok() && unsealed_ && options_.sync) {
    seal_wanted_ = true;
    start_loop();
  }
  seal_timer_.cancel();
  co_await scope_.join();
  Result<void> done = durable_.poisoned() ? Result<void>(durable_.error()) : Result<void>();
  std::vector<LogSegment> open = std::exchange(segments_.free, {});
  open.insert(open.end(), segments_.abandoned.begin(), segments_.abandoned.end());
  open.insert(open.end(), segments_.leaving.begin(), segments_.leaving.end());
  open.insert(open.end(), segments_.needed.begin(), segments_.needed.end());
  if (segments_.active.id != 0) open.push_back(segments_.active);
  for (const LogSegment& segment : open) {
    Result<void> closed = co_await host_.disk().close(segment.file);
    if (done.ok()) done = closed;
  }
  co_return done;
}

}  // namespace ringside
