// Range scans. A scan reads as of one LSN, which it holds like a snapshot, tablet by tablet: the
// memtables and the tables of the moment at which a tablet's turn comes, side by side.

#include <algorithm>
#include <utility>

#include "storage/engine_impl.h"
#include "storage/key_prefix.h"
#include "storage/memory_cursor.h"
#include "storage/merging_cursor.h"

namespace ringside {
namespace {

constexpr uint64_t kUnitsPerRow = 100;
constexpr uint64_t kRowsAtFirst = 128;

}  // namespace

// Counts rows as a scan gives them out.
struct EngineImpl::Budget {
  ScanLimits limits;
  uint64_t rows = 0;
  uint64_t bytes = 0;

  bool spent() const { return rows >= limits.rows_max || bytes >= limits.bytes_max; }
  uint64_t rows_left() const { return limits.rows_max - rows; }
  void take(const StoredEntry& row) {
    ++rows;
    bytes += row.key.size() + row.value.size();
  }
};

Task<Result<void>> EngineImpl::scan_source(Source source, KeyRange range, Lsn at, ScanLimits limits,
                                           Budget& budget, Rows& found) {
  range.begin = std::max(range.begin, source.range.begin);
  if (!source.range.end.empty() && !before_end(range.end, source.range.end)) {
    range.end = source.range.end;
  }
  if (range.end.empty()) range.end = source.range.end;
  std::vector<RangeRemove> removes = source.version->range_removes;
  if (source.tablet != nullptr) {
    for (const Tablet::Frozen& old : source.tablet->frozen) {
      removes.insert(removes.end(), old.memtable->ranges().begin(), old.memtable->ranges().end());
    }
    removes.insert(removes.end(), source.tablet->active->ranges().begin(),
                   source.tablet->active->ranges().end());
  }
  MemoryCursor memory(source.tablet, range.begin, at);
  MergingCursor tables(host_, limits.fill_cache ? Caching::kFill : Caching::kBypass);
  tables.add(*source.version, range.begin, range.end, budget.rows_left());
  Result<void> done = co_await tables.seek(range.begin);
  memory.waited();
  const auto gone = [&](const StoredEntry& entry) {
    return entry.removed || (entry.expires != 0 && entry.expires <= wall()) ||
           (!removes.empty() && newest_cover(removes, entry.key, at) > entry.lsn);
  };
  Slice slice(host_);
  std::string copy;
  while (done.ok() && !budget.spent()) {
    const bool in_memory =
        memory.valid() && (!tables.valid() || compare_keys(memory.key(), tables.entry().key) <= 0);
    if (!in_memory && !tables.valid()) break;
    std::string_view key = in_memory ? memory.key() : tables.entry().key;
    if (!before_end(key, range.end)) break;
    slice.charge(kUnitsPerRow);
    // The newest version that is not too new; memory's are newer than those of tables.
    bool taken = false;
    if (in_memory) {
      taken = memory.visible();
      if (taken && !gone(memory.entry())) budget.take(found.add(memory.entry()));
      memory.next();
    }
    bool kept = in_memory;  // the key's bytes stay where they are
    while (done.ok() && tables.valid() && same_key(tables.entry().key, key)) {
      const StoredEntry& entry = tables.entry();
      if (!taken && entry.lsn <= at) {
        taken = true;
        if (!gone(entry)) {
          const StoredEntry& row = found.add(entry, tables.block());
          budget.take(row);
          key = row.key;
          kept = true;
        }
      }
      if (!std::exchange(kept, true)) key = copy.assign(key);
      if (!tables.step()) done = co_await tables.load();
    }
    if (slice.spent()) co_await slice.let_others_run();
    memory.waited();
  }
  stats_.slice_units_max = std::max(stats_.slice_units_max, slice.longest());
  co_return done;
}

Task<Result<Rows>> EngineImpl::scan_rows(KeyRange range, ScanLimits limits, Lsn at) {
  Rows found;
  found.reserve(std::min(limits.rows_max, kRowsAtFirst));
  Budget budget{limits};
  const Snapshot hold(snapshots_, at);
  std::string from = range.begin;
  while (!budget.spent()) {
    // The first tablet that reaches beyond `from`; they may change while this waits.
    const auto next =
        std::find_if(tablets_.begin(), tablets_.end(), [&](const std::shared_ptr<Tablet>& tablet) {
          return tablet->range.overlaps(from, range.end);
        });
    if (next == tablets_.end()) break;
    const std::shared_ptr<Tablet> tablet = *next;
    if (!tablet->suspect.empty()) co_return Error{Code::kCorrupt, tablet->suspect};
    Result<void> done = co_await scan_source({tablet->range, tablet->version, tablet.get()},
                                             {from, range.end}, at, limits, budget, found);
    if (!done.ok()) co_return done.error();
    if (tablet->range.end.empty()) break;
    from = tablet->range.end;
    if (!before_end(from, range.end)) break;
  }
  co_return found;
}

Task<Result<Rows>> EngineImpl::scan(std::string begin, std::string end, ScanLimits limits,
                                    View view) {
  const Lsn at = std::min(view.at(durable_.lsn()), log_->last());
  return scan_rows({std::move(begin), std::move(end)}, limits, at);
}

Task<Result<Rows>> EngineImpl::scan_checkpoint_rows(std::string name, KeyRange range,
                                                    ScanLimits limits) {
  const auto found = checkpoints_.find(name);
  if (found == checkpoints_.end()) {
    co_return Error{Code::kNotFound, "there is no checkpoint " + name};
  }
  const Checkpoint checkpoint = found->second;
  Rows rows;
  Budget budget{limits};
  for (const auto& [tablet, version] : checkpoint.tablets) {
    if (budget.spent() || !tablet.overlaps(range)) continue;
    Result<void> done = co_await scan_source({tablet, version, nullptr}, range, checkpoint.lsn,
                                             limits, budget, rows);
    if (!done.ok()) co_return done.error();
  }
  co_return rows;
}

Task<Result<Rows>> EngineImpl::scan_checkpoint(std::string name, std::string begin, std::string end,
                                               ScanLimits limits) {
  return scan_checkpoint_rows(std::move(name), {std::move(begin), std::move(end)}, limits);
}

}  // namespace ringside
