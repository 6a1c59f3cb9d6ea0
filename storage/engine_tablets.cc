// Tablets come, go and travel; checkpoints pin tables; a scrubber reads what nobody has read for
// long.

#include <algorithm>
#include <utility>

#include "storage/engine_impl.h"

namespace ringside {
namespace {

constexpr uint64_t kUnitsPerScrubbedEntry = 30;

std::string shown(const KeyRange& range) {
  return "[" + range.begin + ", " + (range.end.empty() ? "end" : range.end) + ")";
}

}  // namespace

std::vector<TabletInfo> EngineImpl::tablets() const {
  std::vector<TabletInfo> all;
  for (const std::shared_ptr<Tablet>& tablet : tablets_) {
    TabletInfo info{.id = tablet->id, .range = tablet->range};
    info.memory_bytes = tablet->active->bytes();
    info.keys = tablet->active->keys() + tablet->version->entries();
    for (const Tablet::Frozen& old : tablet->frozen) {
      info.memory_bytes += old.memtable->bytes();
      info.keys += old.memtable->keys();
    }
    info.table_bytes = tablet->version->bytes();
    info.tables = tablet->version->tables();
    all.push_back(std::move(info));
  }
  return all;
}

std::shared_ptr<Tablet> EngineImpl::find_tablet(const KeyRange& range) const {
  for (const std::shared_ptr<Tablet>& tablet : tablets_) {
    if (tablet->range == range) return tablet;
  }
  return nullptr;
}

bool EngineImpl::overlaps_tablet(const KeyRange& range) const {
  return std::any_of(tablets_.begin(), tablets_.end(),
                     [&](const auto& tablet) { return tablet->range.overlaps(range); });
}

void EngineImpl::place(std::shared_ptr<Tablet> tablet) {
  if (options_.hold_removes) tablet->repaired = 0;
  if (options_.merkle_depth > 0) {
    tablet->merkle = std::make_unique<MerkleTree>(tablet->range, options_.merkle_depth);
    tablet->merkle_turn = std::make_unique<Semaphore>(host_.ready(), 1);
  }
  add_tablet(std::move(tablet));
}

Task<Result<void>> EngineImpl::create_tablets(std::vector<KeyRange> ranges) {
  std::vector<NewTablet> tablets;
  for (KeyRange& range : ranges) tablets.push_back({std::move(range), {}});
  co_return co_await add_tablets(std::move(tablets));
}

// All of them in one edit. Their tables are nobody's; they are the tablets' when this returns well,
// and nobody's otherwise.
Task<Result<void>> EngineImpl::add_tablets(std::vector<NewTablet> asked) {
  for (const NewTablet& one : asked) {
    if (one.range.empty())
      co_return Error{Code::kInvalid, "a tablet of no keys: " + shown(one.range)};
  }
  Permit permit = co_await manifest_lock_.acquire();
  if (durable_.poisoned()) co_return durable_.error();
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const bool twice =
        std::any_of(asked.begin(), asked.begin() + static_cast<std::ptrdiff_t>(i),
                    [&](const auto& one) { return one.range.overlaps(asked[i].range); });
    if (twice || overlaps_tablet(asked[i].range)) {
      co_return Error{Code::kExists, "a tablet of this engine overlaps " + shown(asked[i].range)};
    }
  }
  const Lsn created = log_->last();
  std::vector<std::shared_ptr<Tablet>> tablets;
  ManifestEdit edit{.flushed = manifest_->state().flushed, .next_table = next_table_};
  for (NewTablet& one : asked) {
    auto tablet = std::make_shared<Tablet>();
    tablet->id = next_tablet_++;
    tablet->range = one.range;
    tablet->created = created;
    TabletState state{.id = tablet->id, .range = one.range, .created = created};
    const uint64_t level = options_.compaction == Compaction::kLeveled ? kLevelsMax - 1 : 0;
    std::vector<std::pair<uint64_t, std::shared_ptr<Table>>> added;
    for (const std::shared_ptr<Table>& table : one.tables) {
      added.emplace_back(level, table);
      state.tables.push_back({level, table->description()});
    }
    tablet->version = TabletVersion().with({}, added, {});
    edit.created.push_back(std::move(state));
    tablets.push_back(std::move(tablet));
  }
  edit.next_tablet = next_tablet_;
  // What the log says of these keys up to here is void once the edit is there; it must not be
  // there before the log is.
  coming_ = tablets;  // removes of ranges that are submitted meanwhile are for them, too
  Result<void> done = co_await durable_.wait(created);
  if (done.ok()) done = co_await manifest_->apply(std::move(edit));
  coming_.clear();
  if (!done.ok()) {
    for (const std::shared_ptr<Tablet>& tablet : tablets) {
      tablet->dropped = true;
      active_bytes_ -= tablet->active->bytes();
    }
    if (done.code() != Code::kNoSpace) durable_.poison(done.error());
    co_return done;
  }
  log_->set_manifest_sequence(manifest_->state().sequence);
  for (std::shared_ptr<Tablet>& tablet : tablets) place(std::move(tablet));
  co_return done;
}

Task<Result<void>> EngineImpl::drop_tablet(KeyRange range) {
  Permit permit = co_await manifest_lock_.acquire();
  if (durable_.poisoned()) co_return durable_.error();
  const std::shared_ptr<Tablet> tablet = find_tablet(range);
  if (tablet == nullptr) {
    co_return Error{Code::kNotFound, "there is no tablet of exactly " + shown(range)};
  }
  // Nothing may be written to it from here on; what is under way is thrown away.
  ManifestEdit edit{.flushed = manifest_->state().flushed,
                    .next_table = next_table_,
                    .next_tablet = next_tablet_};
  edit.dropped.push_back(tablet->id);
  remove_tablet(tablet);
  tablet->dropped = true;
  active_bytes_ -= tablet->active->bytes();
  Result<void> done = co_await manifest_->apply(std::move(edit));
  if (!done.ok()) {
    durable_.poison(done.error());  // it is neither there nor gone: a restart knows
    co_return done;
  }
  log_->set_manifest_sequence(manifest_->state().sequence);
  for (const TableSet& level : tablet->version->levels) {
    retired_.insert(retired_.end(), level.begin(), level.end());
  }
  tablet->version = std::make_shared<TabletVersion>();
  weigh_debt();
  changed_.pulse();
  start_background();
  co_return done;
}

Task<Result<Lsn>> EngineImpl::create_checkpoint(std::string name) {
  if (name.empty()) co_return Error{Code::kInvalid, "a checkpoint without a name"};
  Result<void> done = co_await flush();
  if (!done.ok()) co_return done.error();
  Permit permit = co_await manifest_lock_.acquire();
  if (durable_.poisoned()) co_return durable_.error();
  if (checkpoints_.contains(name)) {
    co_return Error{Code::kExists, "there is a checkpoint " + name + " already"};
  }
  const ManifestState& state = manifest_->state();
  Checkpoint checkpoint{.lsn = state.flushed};
  for (const std::shared_ptr<Tablet>& tablet : tablets_) {
    checkpoint.tablets.emplace_back(tablet->range, tablet->version);
  }
  ManifestEdit edit{
      .flushed = state.flushed, .next_table = next_table_, .next_tablet = next_tablet_};
  edit.checkpoints.push_back({name, checkpoint.lsn, state.tablets});
  done = co_await manifest_->apply(std::move(edit));
  if (!done.ok()) {
    if (done.code() != Code::kNoSpace) durable_.poison(done.error());
    co_return done.error();
  }
  log_->set_manifest_sequence(manifest_->state().sequence);
  const Lsn lsn = checkpoint.lsn;
  checkpoints_.emplace(std::move(name), std::move(checkpoint));
  co_return lsn;
}

Task<Result<void>> EngineImpl::drop_checkpoint(std::string name) {
  Permit permit = co_await manifest_lock_.acquire();
  if (durable_.poisoned()) co_return durable_.error();
  const auto found = checkpoints_.find(name);
  if (found == checkpoints_.end()) {
    co_return Error{Code::kNotFound, "there is no checkpoint " + name};
  }
  ManifestEdit edit{.flushed = manifest_->state().flushed,
                    .next_table = next_table_,
                    .next_tablet = next_tablet_};
  edit.checkpoints_dropped.push_back(name);
  Result<void> done = co_await manifest_->apply(std::move(edit));
  if (!done.ok()) {
    if (done.code() != Code::kNoSpace) durable_.poison(done.error());
    co_return done;
  }
  log_->set_manifest_sequence(manifest_->state().sequence);
  const Checkpoint checkpoint = std::move(found->second);
  checkpoints_.erase(found);
  for (const auto& [range, version] : checkpoint.tablets) retire(*version);
  start_background();
  co_return done;
}

// Tables that no tablet and no checkpoint has any more.
void EngineImpl::retire(const TabletVersion& version) {
  for (const TableSet& level : version.levels) {
    for (const std::shared_ptr<Table>& table : level) {
      if (manifest_->state().names_table(table->description().id)) continue;
      if (std::find(retired_.begin(), retired_.end(), table) == retired_.end()) {
        retired_.push_back(table);
      }
    }
  }
}

std::vector<std::string> EngineImpl::checkpoints() const {
  std::vector<std::string> names;
  for (const auto& [name, checkpoint] : checkpoints_) names.push_back(name);
  return names;
}

Task<Result<std::vector<LoggedBatch>>> EngineImpl::changes(Lsn after, ChangeLimits limits) {
  co_return co_await log_->read(after, limits);
}

void EngineImpl::repaired(const KeyRange& range, Lsn up_to) {
  const std::shared_ptr<Tablet> tablet = find_tablet(range);
  if (tablet != nullptr && options_.hold_removes) {
    tablet->repaired = std::max(tablet->repaired, up_to);
  }
}

std::vector<Suspect> EngineImpl::suspects() const {
  std::vector<Suspect> all;
  for (const std::shared_ptr<Tablet>& tablet : tablets_) {
    if (!tablet->suspect.empty()) all.push_back({tablet->range, tablet->suspect});
    for (const TableSet& level : tablet->version->levels) {
      for (const std::shared_ptr<Table>& table : level) {
        const TableDescription& about = table->description();
        const KeyRange range{about.smallest, about.largest + '\0'};
        const auto bad = bad_tables_.find(about.id);
        if (table->why_unreadable() != nullptr) {
          all.push_back({range, table->why_unreadable()->message});
        } else if (bad != bad_tables_.end()) {
          all.push_back(bad->second);
        }
      }
    }
  }
  return all;
}

// Index, filter and every entry of one table, which checks every block of it. Returns the bytes
// read.
Task<Result<uint64_t>> EngineImpl::scrub_table(std::shared_ptr<Table> table) {
  TableCursor cursor(host_, table, Caching::kMedium);
  Slice slice(host_);
  Result<void> done = co_await table->check_ends(host_);
  if (done.ok()) done = co_await cursor.seek("");
  while (done.ok() && cursor.valid()) {
    slice.charge(kUnitsPerScrubbedEntry);
    if (!cursor.step()) done = co_await cursor.load();
    if (slice.spent()) co_await slice.let_others_run();
  }
  if (!done.ok()) co_return done.error();
  co_return table->description().file_bytes;
}

// The tables of one version that were not read yet.
Task<Result<void>> EngineImpl::scrub_version(std::shared_ptr<const TabletVersion> version,
                                             std::set<uint64_t>& seen, ScrubReport& report) {
  for (const TableSet& level : version->levels) {
    for (const std::shared_ptr<Table>& table : level) {
      if (closed_) co_return Error{Code::kClosed, "the engine was closed"};
      const TableDescription& about = table->description();
      if (!seen.insert(about.id).second) continue;
      Result<uint64_t> bytes = co_await scrub_table(table);
      ++report.tables;
      if (bytes.ok()) {
        report.bytes += *bytes;
        bad_tables_.erase(about.id);
        continue;
      }
      if (bytes.code() != Code::kCorrupt) co_return bytes.error();
      host_.trace().probe("scrub.found_bad_block");
      const Suspect suspect{{about.smallest, about.largest + '\0'}, bytes.error().message};
      bad_tables_.insert_or_assign(about.id, suspect);
      report.bad.push_back(suspect);
    }
  }
  co_return Result<void>();
}

Task<Result<ScrubReport>> EngineImpl::scrub() {
  ScrubReport report;
  std::set<uint64_t> seen;
  const Tablets tablets = tablets_;
  for (const std::shared_ptr<Tablet>& tablet : tablets) {
    Result<void> done = co_await scrub_version(tablet->version, seen, report);
    if (!done.ok()) co_return done.error();
  }
  for (const std::string& name : checkpoints()) {
    const auto found = checkpoints_.find(name);
    if (found == checkpoints_.end()) continue;  // dropped meanwhile
    const Checkpoint checkpoint = found->second;
    for (const auto& [range, version] : checkpoint.tablets) {
      Result<void> done = co_await scrub_version(version, seen, report);
      if (!done.ok()) co_return done.error();
    }
  }
  co_return report;
}

Task<void> EngineImpl::scrub_loop() {
  while (!closed_ && !durable_.poisoned()) {
    co_await host_.clock().sleep(options_.scrub_every);
    Result<ScrubReport> report = co_await scrub();
    if (!report.ok()) host_.trace().probe("scrub.cut_short");
  }
}

}  // namespace ringside
