// Merging, in slices, paced by debt. Two loops: one for level 0, which goes first, one for all
// else. A merge reads its tables past the cache, leaves out what nobody may read any more
// (storage/drop_rules.h), and takes effect with one edit of the manifest; that of level 0, which
// may be long, as it goes, in the order of keys: what it has written replaces the tables of level 1
// that it has passed, so that the next level can take from there, while those of level 0 stay until
// it ends (a key is then in both, with the same entries). For admission a table of level 0 counts
// only as far as it is not merged yet.
//
// Pace: every ingested byte buys some bytes of merging, more of them the further merges are behind;
// a merge that has spent its credit waits for more while there is ingest, and runs freely when
// there is none. Slices grow with the debt, too.

#include <algorithm>
#include <utility>

#include "storage/engine_impl.h"
#include "storage/merging_cursor.h"

namespace ringside {
namespace {

constexpr uint64_t kUnitsPerMergedEntry = 150;
constexpr int64_t kCreditPerByteMin = 8;   // bytes of merging that one ingested byte buys
constexpr int64_t kCreditPerByteMax = 64;  // … when merges are as far behind as they may be
constexpr int64_t kCreditMax = 4 << 20;
constexpr Duration kCreditWait = 200 * kMicrosecond;
constexpr uint64_t kSliceTimesMax = 8;
constexpr Duration kDrainEvery = 5 * kMillisecond;  // how often the rate is measured

}  // namespace

Task<void> EngineImpl::merge_loop(bool level0) {
  while (!durable_.poisoned() && !closed_) {
    MergePlan plan;
    const std::shared_ptr<Tablet> tablet = pick(level0, plan);
    if (tablet == nullptr) break;
    host_.trace().probe("merge.started");
    for (const std::shared_ptr<Table>& table : plan.inputs()) {
      tablet->compaction.busy.insert(table->description().id);
    }
    if (level0) working_level0_ = true;
    Result<void> done = co_await merge(tablet, plan, level0);
    if (level0) working_level0_ = false;
    for (const std::shared_ptr<Table>& table : plan.inputs()) {
      tablet->compaction.busy.erase(table->description().id);
    }
    if (!done.ok() && done.code() == Code::kCorrupt) {
      // A bad block fails the reads that need it; the tables stay as they are, and after the next
      // flush a merge tries again.
      host_.trace().probe("merge.met_bad_block");
      for (const std::shared_ptr<Table>& table : plan.inputs()) {
        tablet->compaction.stuck.insert(table->description().id);
      }
      weigh_debt();
    } else if (!done.ok() && !tablet->dropped) {
      on_background_error(done.error());
      changed_.pulse();
      break;
    }
    changed_.pulse();
    plan = {};
    co_await sweep_retired();
  }
  (level0 ? merging_level0_ : merging_deeper_) = false;
}

// The tablets take turns.
std::shared_ptr<Tablet> EngineImpl::pick(bool level0, MergePlan& plan) {
  const int64_t now = wall();
  for (std::size_t i = 0; i < tablets_.size(); ++i) {
    const std::shared_ptr<Tablet>& tablet = tablets_[(tablet_turn_ + i) % tablets_.size()];
    std::optional<MergePlan> found =
        level0 ? pick_level0(*tablet->version, options_, tablet->compaction)
               : pick_deeper(*tablet->version, options_, tablet->compaction, snapshots_, now);
    if (!found) continue;
    tablet_turn_ = (tablet_turn_ + i + 1) % tablets_.size();
    plan = *std::move(found);
    return tablet;
  }
  return nullptr;
}

Task<Result<void>> EngineImpl::merge(std::shared_ptr<Tablet> tablet, MergePlan plan, bool level0) {
  Change change;
  change.tablet = tablet;
  change.removed = plan.inputs();
  if (plan.move) {
    for (const std::shared_ptr<Table>& table : plan.upper)
      change.added.emplace_back(plan.to, table);
  } else if (!plan.drop) {
    Result<void> done = co_await rewrite(tablet, plan, level0, change);
    if (!done.ok()) {
      tablet->level0_merged = 0;
      for (const auto& [level, table] : change.added) retired_.push_back(table);
      co_return done;
    }
  } else {
    for (const std::shared_ptr<Table>& table : plan.upper) {
      stats_.dropped_in_range += table->description().entries;
    }
  }
  if (level0) tablet->level0_merged = 0;
  std::vector<Change> changes;
  changes.push_back(std::move(change));
  Result<void> done = co_await adopt(std::move(changes), 0);
  if (done.ok()) ++(plan.move ? stats_.moves : stats_.merges);
  if (done.ok()) start_background();
  co_return done;
}

// What a merge of level 0 has written so far replaces the first `passed` tables of its lower level.
Task<Result<void>> EngineImpl::adopt_passed(std::shared_ptr<Tablet> tablet, const MergePlan& plan,
                                            std::size_t passed, Change& change) {
  const auto gone = plan.lower.begin() + static_cast<std::ptrdiff_t>(passed);
  std::vector<Change> changes(1);
  changes[0].tablet = tablet;
  for (auto lower = plan.lower.begin(); lower != gone; ++lower) {
    const auto held = std::find(change.removed.begin(), change.removed.end(), *lower);
    if (held == change.removed.end()) continue;  // adopted before
    changes[0].removed.push_back(*lower);
    change.removed.erase(held);
  }
  changes[0].added = std::exchange(change.added, {});
  Result<void> done = co_await adopt(std::move(changes), 0);
  if (done.ok()) host_.trace().probe("merge.adopted_in_part");
  if (done.ok()) start_background();
  co_return done;
}

// Whether the entry stays.
bool EngineImpl::count_fate(Fate fate) {
  switch (fate) {
    case Fate::kKeep:
    case Fate::kKeepAsRemove: return true;
    case Fate::kSuperseded: ++stats_.dropped_superseded; return false;
    case Fate::kInRange: ++stats_.dropped_in_range; return false;
    case Fate::kRemoveDone: ++stats_.dropped_removes; return false;
    case Fate::kExpired: ++stats_.dropped_expired; return false;
  }
  return true;
}

Task<Result<void>> EngineImpl::rewrite(std::shared_ptr<Tablet> tablet, const MergePlan& plan,
                                       bool level0, Change& change) {
  const std::shared_ptr<const TabletVersion> version = tablet->version;
  const TableSet inputs = plan.inputs();
  MergingCursor cursor(host_, Caching::kBypass);
  Lsn first_lsn = std::numeric_limits<Lsn>::max();
  uint64_t entries_in = 0, entries_dropped = 0, entries_out = 0;
  for (const std::shared_ptr<Table>& table : inputs) {
    first_lsn = std::min(first_lsn, table->description().first_lsn);
    entries_in += table->description().entries;
    stats_.merge_read_bytes += table->description().file_bytes;
  }
  if (plan.from == 0) {
    for (const std::shared_ptr<Table>& table : plan.upper) cursor.add({table});
  } else {
    cursor.add(plan.upper);
  }
  cursor.add(plan.lower);
  // Every remove of a range that is known now is applied, unless a snapshot stands in between.
  const Lsn applied = ranges_applied(version->range_removes, first_lsn);
  DropRules rules(snapshots_, version->range_removes, wall(), tablet->repaired);

  Result<void> done = co_await cursor.seek("");
  Slice slice(host_);
  std::optional<TableWriter> writer;
  // Deeper tables are larger: their number, and that of open files, stays small.
  const uint64_t table_bytes_max = options_.table_bytes_max
                                   << (plan.to > 1 ? std::min<uint64_t>(plan.to - 1, 3) : 0);
  std::string last_key;
  uint64_t upper_bytes = 0, merged = 0;
  for (const std::shared_ptr<Table>& table : plan.upper) {
    upper_bytes += table->description().file_bytes;
  }
  uint64_t entries_seen = 0;
  std::size_t passed = 0;  // of plan.lower
  const auto close_writer = [&]() -> Task<Result<void>> {
    Result<std::shared_ptr<Table>> table = co_await finish_table(*writer, applied);
    if (!table.ok()) co_return table.error();
    stats_.merged_bytes += (*table)->description().file_bytes;
    change.added.emplace_back(plan.to, *std::move(table));
    writer.reset();
    co_return Result<void>();
  };
  Time drained_at = host_.clock().now();
  while (done.ok() && cursor.valid() && !durable_.poisoned() && !tablet->dropped) {
    const StoredEntry entry = cursor.entry();
    const bool passes =
        passed < plan.lower.size() && entry.key > plan.lower[passed]->description().largest;
    if (passes) ++passed;
    if (writer && plan.split && entry.key != last_key &&
        writer->bytes() >= (passes && level0 ? table_bytes_max / 2 : table_bytes_max)) {
      done = co_await close_writer();
      if (done.ok() && passes && level0) done = co_await adopt_passed(tablet, plan, passed, change);
      if (!done.ok()) break;
    }
    const Fate fate = rules.judge(entry, [&](const StoredEntry& judged) {
      return version->may_hold_older(judged.key, judged.lsn, inputs);
    });
    if (count_fate(fate)) {
      if (!writer) {
        writer.emplace(host_, table_directory_, next_table_++, table_options(), first_lsn);
        done = co_await writer->open();
        if (!done.ok()) break;
      }
      StoredEntry kept = entry;
      if (fate == Fate::kKeepAsRemove) {
        kept.value = {};
        kept.removed = true;
        kept.expires = 0;
      }
      writer->add(kept);
      last_key.assign(entry.key);
      ++entries_out;
    } else {
      ++entries_dropped;
      if (fate == Fate::kRemoveDone || fate == Fate::kExpired) {
        ++stats_.checked_i7;
        if (!RINGSIDE_BUG(tombstone_dropped_early)) {
          CHECK(!version->may_hold_older(entry.key, entry.lsn, inputs));
        }
      }
    }
    ++entries_seen;
    const uint64_t bytes = entry.key.size() + entry.value.size();
    slice.charge(kUnitsPerMergedEntry + bytes / 8);
    merge_credit_ -= static_cast<int64_t>(bytes);
    merged += bytes;
    if (writer && writer->wants_write()) done = co_await writer->write();
    if (done.ok() && !cursor.step()) done = co_await cursor.load();
    if (slice.units() >= Slice::kUnits * (1 + (kSliceTimesMax - 1) * pressure_ / kPressureMax)) {
      co_await pace(slice, level0);
      const Time now = host_.clock().now();
      if (level0 && now - drained_at >= kDrainEvery) {
        // What of level 0 this stands for.
        merge_admission_.gave_back(merged * upper_bytes / std::max<uint64_t>(plan.bytes, 1),
                                   now - drained_at);
        merged = 0;
        drained_at = now;
        tablet->level0_merged = kPressureMax * plan.upper.size() * entries_seen / entries_in;
        weigh_debt();
      }
    }
  }
  if (done.ok() && durable_.poisoned()) done = durable_.error();
  if (done.ok() && tablet->dropped) done = Error{Code::kClosed, "the tablet was dropped"};
  if (done.ok() && writer) done = co_await close_writer();
  if (writer) co_await writer->discard();
  stats_.slice_units_max = std::max(stats_.slice_units_max, slice.longest());
  if (!done.ok()) co_return done;
  ++stats_.checked_i8;
  CHECK(entries_in == entries_out + entries_dropped);
  co_return done;
}

// Between two slices: lets others run, and waits while it is somebody else's turn.
Task<void> EngineImpl::pace(Slice& slice, bool level0) {
  co_await slice.let_others_run();
  while (!level0 && !deeper_urgent_ && (working_level0_ || flushing_) && !durable_.poisoned() &&
         !closed_) {
    co_await changed_.wait();
  }
  while (!durable_.poisoned() && !closed_) {
    const uint64_t ingested =
        stats_.batch_bytes - std::exchange(ingest_at_pace_, stats_.batch_bytes);
    const int64_t rate = kCreditPerByteMin + (kCreditPerByteMax - kCreditPerByteMin) *
                                                 static_cast<int64_t>(pressure_) /
                                                 static_cast<int64_t>(kPressureMax);
    merge_credit_ = std::min(kCreditMax, merge_credit_ + rate * static_cast<int64_t>(ingested));
    if (merge_credit_ >= 0) co_return;
    if (ingested == 0) {
      merge_credit_ = 0;
      co_return;
    }
    co_await host_.clock().sleep(kCreditWait);
  }
}

}  // namespace ringside
