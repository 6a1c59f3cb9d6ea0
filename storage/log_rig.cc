#include "storage/log_rig.h"

#include <algorithm>
#include <utility>

namespace ringside {

LogRig::LogRig(uint64_t seed, LogOptions what)
    : host(seed), options(std::move(what)), random_(mix(seed, 99)) {}

LogOptions LogRig::small() {
  return {.directory = "log",
          .segment_bytes = 4 * kPageBytes,
          .group_bytes_max = kPageBytes,
          .seal_after = kMillisecond};
}

void LogRig::violated(const std::string& what) {
  if (wrong.empty()) wrong = what;
}

void LogRig::replay(Lsn lsn, std::string_view batch, bool proven) {
  if (lost_policy == LostLog::kReport && lsn > replayed_ + 1) {
    holes_.push_back({replayed_ + 1, lsn - 1, "", 0});
    replayed_ = lsn - 1;
  }
  if (lsn != replayed_ + 1) {
    return violated("replayed " + std::to_string(lsn) + " after " + std::to_string(replayed_));
  }
  replayed_ = lsn;
  if (lsn > batches.size() || batch != batches[lsn - 1]) {
    return violated("batch " + std::to_string(lsn) + " is not what was appended");
  }
  if (!proven) again_.emplace_back(batch);
}

Task<void> LogRig::start(LogRig& rig) {
  Disk& disk = rig.host.disk();
  Result<void> done = co_await disk.make_directory("log");
  if (done.ok()) done = co_await disk.sync_directory("");
  if (done.ok()) done = co_await disk.sync_directory("log");
  rig.again_.clear();
  rig.replayed_ = rig.flushed;
  rig.holes_.clear();
  rig.recovery = {};
  Result<LogRecovery> recovered = co_await recover_log(
      rig.host, "log", rig.flushed, rig, {.cipher = rig.options.cipher, .lost = rig.lost_policy});
  if (!recovered.ok()) {
    rig.error = recovered.error();
    co_return;
  }
  rig.recovery = *std::move(recovered);
  rig.durable = std::make_unique<DurableMark>(rig.host.ready());
  rig.durable->advance(rig.recovery.start.next_lsn - 1);
  rig.log = std::make_unique<Log>(rig.host, rig.options, *rig.durable, rig.stats_,
                                  std::move(rig.recovery.start));
  rig.log->append_again(rig.again_);
  if (rig.log->last() != rig.recovery.end) {
    rig.violated("logged again up to " + std::to_string(rig.log->last()) + ", recovered " +
                 std::to_string(rig.recovery.end));
    co_return;
  }
  Result<void> held = co_await rig.durable->wait(rig.recovery.end);
  if (held.ok()) {
    rig.opened_ = true;
  } else {
    rig.error = held.error();
  }
}

bool LogRig::open(uint64_t steps) {
  opened_ = false;
  error = {};
  host.spawn(start(*this));
  for (; steps > 0 && !opened_ && error.message.empty() && wrong.empty(); --steps) {
    ++steps_taken;
    if (!host.step()) break;
  }
  if (opened_) check_recovered();
  if (!opened_) die();
  return opened_;
}

void LogRig::check_recovered() {
  const Lsn end = recovery.end;
  if (end < std::max({acknowledged, flushed, consumed}) || end > batches.size()) {
    return violated("recovered " + std::to_string(end) + ", acknowledged " +
                    std::to_string(acknowledged) + ", flushed " + std::to_string(flushed) +
                    ", consumed " + std::to_string(consumed) + ", appended " +
                    std::to_string(batches.size()));
  }
  if (replayed_ < end) holes_.push_back({replayed_ + 1, end, "", 0});
  const auto same = [](const LostBatches& a, const LostBatches& b) {
    return a.first == b.first && a.last == b.last;
  };
  if (!std::equal(holes_.begin(), holes_.end(), recovery.lost.begin(), recovery.lost.end(), same))
    violated("what was not replayed is not what was reported lost");
  lost += batches.size() - end;
  batches.resize(end);
  acknowledged = end;  // a reader may have seen it from here on
}

bool LogRig::idle(uint64_t steps) {
  for (; steps > 0; --steps) {
    ++steps_taken;
    if (!host.step()) return true;
  }
  return false;
}

void LogRig::append(uint64_t bytes) {
  std::string batch(std::max<uint64_t>(bytes, 1), '\0');
  for (char& byte : batch) byte = static_cast<char>(random_.next());
  const Lsn lsn = log->append(batch);
  batches.push_back(std::move(batch));
  CHECK(lsn == batches.size());
  host.spawn(acknowledge(*this, *durable, lsn));
}

Task<void> LogRig::acknowledge(LogRig& rig, DurableMark& mark, Lsn lsn) {
  Result<void> held = co_await mark.wait(lsn);
  if (held.ok()) rig.acknowledged = std::max(rig.acknowledged, lsn);
}

void LogRig::flush(Lsn up_to) {
  if (up_to <= flushed || up_to > durable->lsn()) return;
  flushed = up_to;
  log->recycle(flushed);
}

void LogRig::read_on(ChangeLimits limits) { host.spawn(consume(*this, limits)); }

Task<void> LogRig::consume(LogRig& rig, ChangeLimits limits) {
  const Lsn before = rig.consumed;
  const Lsn due = std::min(rig.acknowledged, limits.until);
  Result<std::vector<LoggedBatch>> read = co_await rig.log->read(before, limits);
  if (!read.ok()) {
    if (read.code() != Code::kNotFound) co_return rig.violated("read: " + read.error().text());
    // Only what tables hold may be gone; the message names where reading goes on.
    const std::string& text = read.error().message;
    const Lsn oldest = std::stoull(text.substr(text.rfind(' ')));
    if (before >= rig.flushed || oldest <= before + 1 || oldest > rig.flushed + 1) {
      rig.violated("read after " + std::to_string(before) + ", flushed " +
                   std::to_string(rig.flushed) + ": " + text);
    }
    ++rig.gaps;
    rig.consumed = std::max(rig.consumed, oldest - 1);
    co_return;
  }
  Lsn lsn = before;
  for (const LoggedBatch& one : *read) {
    if (one.lsn != ++lsn || lsn > rig.durable->lsn() || one.batch != rig.batches[lsn - 1])
      co_return rig.violated("the stream says something else of batch " + std::to_string(lsn));
  }
  if (read->empty() && before < due)
    rig.violated("the stream stopped at " + std::to_string(before));
  rig.streamed += read->size();
  rig.consumed = std::max(rig.consumed, lsn);
}

void LogRig::die() {
  host.end_tasks();  // first those who wait, then the log they wait for
  log.reset();
  durable.reset();
  host.kill();
}

void LogRig::power_loss(TestDisk::Fate pages, TestDisk::Fate names) {
  host.disk().power_loss(pages, names);
  if (options.sync) return;
  // What was handed to the operating system may be gone, and the stream had it.
  acknowledged = std::min(acknowledged, flushed);
  consumed = std::min(consumed, flushed);
}

}  // namespace ringside
