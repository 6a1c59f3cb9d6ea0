// Work beside the requests: memtables become tables, what is superfluous is given back. Everything
// yields in slices and may be cut off anywhere: until the manifest names a table, it is not there.

#include <algorithm>
#include <utility>

#include "storage/engine_impl.h"

namespace ringside {
namespace {

constexpr uint64_t kUnitsPerEntry = 120;  // about what copying, hashing and comparing an entry take

}  // namespace

void EngineImpl::start_background() {
  if (durable_.poisoned() || closed_) return;
  if (!flushing_ && !generations_.empty()) {
    flushing_ = true;
    scope_.spawn(flush_loop());
  }
  if (!merging_level0_) {
    merging_level0_ = true;
    scope_.spawn(merge_loop(/*level0=*/true));
  }
  if (!merging_deeper_) {
    merging_deeper_ = true;
    scope_.spawn(merge_loop(/*level0=*/false));
  }
}

// A full disk may have room again; anything else is beyond repair in this process.
void EngineImpl::on_background_error(const Error& error) {
  if (error.code == Code::kNoSpace) {
    host_.trace().probe("engine.flush_without_space");
    say_no_space();
  } else {
    durable_.poison(error);
  }
}

TableOptions EngineImpl::table_options() const {
  return {.block_bytes = options_.block_bytes,
          .filter_bits_per_key = options_.filter_bits_per_key,
          .compression = options_.compression,
          .cipher = cipher_ ? &*cipher_ : nullptr};
}

// Written, synced, and read back as far as a reader needs it: only then may the manifest name it
// (I4).
Task<Result<std::shared_ptr<Table>>> EngineImpl::finish_table(TableWriter& writer,
                                                              Lsn ranges_applied) {
  Result<TableDescription> description = co_await writer.finish();
  if (!description.ok()) co_return description.error();
  description->ranges_applied = ranges_applied;
  Result<std::shared_ptr<Table>> table =
      co_await Table::open(host_, table_directory_, *description, table_options(), &cache_);
  if (table.ok()) ++stats_.checked_i4;
  co_return table;
}

// Up to which LSN removes of ranges can be applied to a table whose entries are not older than
// `first_lsn`: until a snapshot stands between an entry and a remove.
Lsn EngineImpl::ranges_applied(const std::vector<RangeRemove>& removes, Lsn first_lsn) const {
  Lsn applied = 0;
  for (const RangeRemove& remove : removes) {
    if (snapshots_.any_in(first_lsn, remove.lsn)) break;
    applied = remove.lsn;
  }
  return applied;
}

Task<void> EngineImpl::flush_loop() {
  while (!generations_.empty() && !durable_.poisoned()) {
    background_ = co_await flush_frozen();
    if (!background_.ok()) on_background_error(background_.error());
    changed_.pulse();
    if (!background_.ok()) co_await host_.clock().sleep(kRetryAfter);
  }
  flushing_ = false;
}

// Everything that is frozen now, one table a tablet, in one edit of the manifest: the further
// flushes are behind, the more of it a few syncs make durable.
Task<Result<void>> EngineImpl::flush_frozen() {
  const Time begun = host_.clock().now();
  const Generation generation = generations_.back();
  // A table must not run ahead of the log.
  Result<void> done = co_await durable_.wait(generation.last);
  if (!done.ok()) co_return done;
  const Tablets tablets = tablets_and_coming();
  std::vector<Change> changes;
  for (const std::shared_ptr<Tablet>& tablet : tablets) {
    std::vector<std::shared_ptr<Memtable>> memtables;  // newest first
    for (auto old = tablet->frozen.rbegin(); old != tablet->frozen.rend(); ++old) {
      if (old->generation <= generation.number) memtables.push_back(old->memtable);
    }
    if (tablet->dropped || memtables.empty()) continue;
    Change& change = changes.emplace_back();
    change.tablet = tablet;
    done = co_await write_memtables(tablet, std::move(memtables), change);
    if (!done.ok()) break;
  }
  if (!done.ok()) {  // the tables written so far are nobody's
    for (const Change& change : changes) {
      for (const auto& [level, table] : change.added) retired_.push_back(table);
    }
    changes.clear();
    co_await sweep_retired();
    co_return done;
  }
  done = co_await adopt(std::move(changes), generation.last);
  if (!done.ok()) co_return done;
  uint64_t bytes = 0;
  while (!generations_.empty() && generations_.front().number <= generation.number) {
    bytes += generations_.front().bytes;
    generations_.pop_front();
  }
  frozen_bytes_ -= bytes;
  flush_admission_.gave_back(bytes, host_.clock().now() - begun);
  for (const std::shared_ptr<Tablet>& tablet : tablets) {
    while (!tablet->frozen.empty() && tablet->frozen.front().generation <= generation.number) {
      tablet->frozen.pop_front();
    }
  }
  ++stats_.flushes;
  log_->recycle(generation.last);
  // Merges of tables with bad blocks may try again: a disk may have lied once.
  for (const std::shared_ptr<Tablet>& tablet : tablets_) tablet->compaction.stuck.clear();
  start_background();
  co_return done;
}

// `memtables`: newest first.
Task<Result<void>> EngineImpl::write_memtables(std::shared_ptr<Tablet> tablet,
                                               std::vector<std::shared_ptr<Memtable>> memtables,
                                               Change& change) {
  for (auto old = memtables.rbegin(); old != memtables.rend(); ++old) {
    change.range_removes.insert(change.range_removes.end(), (*old)->ranges().begin(),
                                (*old)->ranges().end());
  }
  const std::shared_ptr<const TabletVersion> version = tablet->version;
  const Lsn first_lsn = manifest_->state().flushed + 1;
  TableWriter writer(host_, table_directory_, next_table_++, table_options(), first_lsn);
  Result<void> done = co_await writer.open();
  Slice slice(host_);
  const Lsn applied = ranges_applied(change.range_removes, first_lsn);
  DropRules rules(snapshots_, change.range_removes, wall(), tablet->repaired);
  const auto older_elsewhere = [&version](const StoredEntry& entry) {
    return version->may_hold_older(entry.key, entry.lsn, {});
  };
  std::vector<Memtable::Cursor> cursors;
  for (const std::shared_ptr<Memtable>& memtable : memtables) cursors.push_back(memtable->begin());
  while (done.ok()) {
    Memtable::Cursor* least = nullptr;  // of a key, the newest
    for (Memtable::Cursor& cursor : cursors) {
      if (cursor.valid() && (least == nullptr || cursor.key() < least->key())) least = &cursor;
    }
    if (least == nullptr) break;
    for (const Memtable::Version* one = &least->newest(); one != nullptr; one = one->older) {
      StoredEntry entry = least->entry(*one);
      const Fate fate = rules.judge(entry, older_elsewhere);
      slice.charge(kUnitsPerEntry);
      if (!count_fate(fate)) continue;
      if (fate == Fate::kKeepAsRemove) {
        entry.value = {};
        entry.removed = true;
        entry.expires = 0;
      }
      writer.add(entry);
    }
    least->next();
    if (writer.wants_write()) done = co_await writer.write();
    if (slice.spent()) co_await slice.let_others_run();
  }
  stats_.slice_units_max = std::max(stats_.slice_units_max, slice.longest());
  if (done.ok() && writer.entries() > 0) {
    Result<std::shared_ptr<Table>> table = co_await finish_table(writer, applied);
    if (table.ok()) {
      stats_.flushed_bytes += (*table)->description().file_bytes;
      change.added.emplace_back(0, *std::move(table));
      co_return done;
    }
    done = table.error();
  }
  co_await writer.discard();
  co_return done;
}

// Makes changes durable and then visible, all in one edit. `flushed` 0 means: as it is. Whatever a
// tablet that was dropped meanwhile would have got is thrown away.
Task<Result<void>> EngineImpl::adopt(std::vector<Change> changes, Lsn flushed) {
  Permit permit = co_await manifest_lock_.acquire();
  if (durable_.poisoned()) co_return durable_.error();
  ManifestEdit edit;
  edit.flushed = std::max(flushed, manifest_->state().flushed);
  edit.next_table = next_table_;
  edit.next_tablet = next_tablet_;
  std::vector<std::shared_ptr<const TabletVersion>> versions;
  for (const Change& change : changes) {
    if (change.tablet->dropped) {
      versions.emplace_back();
      continue;
    }
    const TabletVersion& current = *change.tablet->version;
    std::vector<RangeRemove> ranges = current.range_removes;
    ranges.insert(ranges.end(), change.range_removes.begin(), change.range_removes.end());
    std::shared_ptr<const TabletVersion> next =
        current.with(change.removed, change.added, std::move(ranges));
    ++stats_.checked_i5;
    std::vector<RangeRemove> needed = next->range_removes;
    std::erase_if(needed, [&](const RangeRemove& remove) { return !next->needs(remove); });
    if (needed.size() < next->range_removes.size()) {
      auto pruned = std::make_shared<TabletVersion>(*next);
      pruned->range_removes = needed;
      next = std::move(pruned);
    }
    TabletEdit& at = edit.changed.emplace_back();
    at.id = change.tablet->id;
    for (const std::shared_ptr<Table>& table : change.removed) {
      at.removed.push_back(table->description().id);
    }
    for (const auto& [level, table] : change.added) {
      at.added.push_back({level, table->description()});
    }
    if (needed != current.range_removes) at.range_removes = std::move(needed);
    versions.push_back(std::move(next));
  }
  Result<void> done = co_await manifest_->apply(std::move(edit));
  if (!done.ok() && done.code() != Code::kNoSpace) {
    durable_.poison(done.error());  // nobody knows what it names now: nothing may be removed
    co_return done;
  }
  if (!done.ok()) {
    for (const Change& change : changes) {
      for (const auto& [level, table] : change.added) {
        const bool is_moved =
            std::find(change.removed.begin(), change.removed.end(), table) != change.removed.end();
        if (!is_moved) retired_.push_back(table);
      }
    }
    co_return done;
  }
  log_->set_manifest_sequence(manifest_->state().sequence);
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const Change& change = changes[i];
    const auto is_added = [&](const std::shared_ptr<Table>& table) {
      return std::any_of(change.added.begin(), change.added.end(),
                         [&](const auto& added) { return added.second == table; });
    };
    if (versions[i] == nullptr) {
      for (const auto& [level, table] : change.added) retired_.push_back(table);
      continue;
    }
    change.tablet->version = versions[i];
    for (const std::shared_ptr<Table>& table : change.removed) {
      if (!is_added(table)) retired_.push_back(table);
    }
  }
  weigh_debt();
  co_return done;
}

// How far merges are behind, for the pace of merges and for admission.
void EngineImpl::weigh_debt() {
  uint64_t debt = 0, tables = 0;  // 1 table: kPressureMax
  deeper_urgent_ = false;
  for (const std::shared_ptr<Tablet>& tablet : tablets_) {
    if (!tablet->compaction.stuck.empty()) continue;  // nothing would ever help
    debt += compaction_debt(*tablet->version, options_);
    deeper_urgent_ |= deeper_urgent(*tablet->version, options_);
    tables = std::max<uint64_t>(
        tables, kPressureMax * tablet->version->levels[0].size() - tablet->level0_merged);
  }
  too_many_tables_ = tables >= kPressureMax * options_.tables_stop;
  const uint64_t room = options_.tables_stop - options_.tables_max;
  const uint64_t free = kPressureMax * options_.tables_max;
  table_pressure_ = std::min(kPressureMax, tables > free ? (tables - free) / room : 0);
  const uint64_t debt_max = 4 * options_.level_bytes * options_.level_fanout;
  const uint64_t by_debt = std::min(kPressureMax, debt / (debt_max / kPressureMax + 1));
  pressure_ = std::min(kPressureMax, std::max(table_pressure_, by_debt));
}

// Files that nobody reads any more. A reader that is not done yet leaves its table to the next
// sweep or the next start.
Task<void> EngineImpl::sweep_retired() {
  bool removed = false;
  for (std::size_t i = 0; i < retired_.size() && !durable_.poisoned();) {
    if (retired_[i].use_count() > 1) {
      ++i;
      continue;
    }
    const std::shared_ptr<Table> table = std::move(retired_[i]);
    retired_.erase(retired_.begin() + static_cast<std::ptrdiff_t>(i));
    Result<void> done;
    if (table->file() != 0) done = co_await host_.disk().close(table->file());
    if (done.ok()) done = co_await host_.disk().remove(table->path());
    if (!done.ok()) host_.trace().probe("merge.table_not_removed");
    removed = removed || done.ok();
  }
  if (removed) host_.trace().probe("merge.tables_removed");
}

Task<Result<void>> EngineImpl::flush() {
  if (durable_.poisoned()) co_return durable_.error();
  while (active_bytes_ > 0 && generations_.size() >= kGenerationsMax) {
    co_await changed_.wait();
    if (durable_.poisoned()) co_return durable_.error();
    if (!background_.ok()) co_return background_.error();
  }
  if (active_bytes_ > 0) freeze();
  if (generations_.empty()) co_return Result<void>();
  const Lsn target = generations_.back().last;
  while (manifest_->state().flushed < target) {
    co_await changed_.wait();
    if (durable_.poisoned()) co_return durable_.error();
    if (!background_.ok()) co_return background_.error();
  }
  co_return Result<void>();
}

}  // namespace ringside
