// Range scans. A scan reads as of one LSN, which it holds like a snapshot, tablet by tablet. What
// memory holds of a tablet is copied when its turn comes, as far as the limits can reach; the
// tables of that moment are then read beside it.

#include <algorithm>
#include <utility>

#include "storage/engine_impl.h"
#include "storage/merging_cursor.h"

namespace ringside {
namespace {

constexpr uint64_t kUnitsPerRow = 100;

}  // namespace

// Counts rows as a scan gives them out.
struct EngineImpl::Budget {
  ScanLimits limits;
  uint64_t rows = 0;
  uint64_t bytes = 0;

  bool spent() const { return rows >= limits.rows_max || bytes >= limits.bytes_max; }
  void take(std::string_view key, std::string_view value) {
    ++rows;
    bytes += key.size() + value.size();
  }
};

// Stops once memory alone could fill the answer: the answer cannot reach further.
std::vector<EngineImpl::Row> EngineImpl::rows_in_memory(const Tablet& tablet, const KeyRange& range,
                                                        const Budget& budget, Lsn at) {
  std::vector<Memtable::Cursor> cursors;  // newest first
  cursors.push_back(tablet.active->seek(range.begin));
  for (auto old = tablet.frozen.rbegin(); old != tablet.frozen.rend(); ++old) {
    cursors.push_back(old->memtable->seek(range.begin));
  }
  std::vector<Row> rows;
  Budget left = budget;
  while (!left.spent()) {
    const Memtable::Cursor* least = nullptr;
    for (const Memtable::Cursor& cursor : cursors) {
      if (cursor.valid() && (least == nullptr || cursor.key() < least->key())) least = &cursor;
    }
    if (least == nullptr || !before_end(least->key(), range.end)) break;
    const std::string_view key = least->key();
    const Memtable::Version* version = nullptr;
    for (Memtable::Cursor& cursor : cursors) {
      if (!cursor.valid() || cursor.key() != key) continue;
      if (version == nullptr) version = cursor.version(at);
      cursor.next();
    }
    if (version == nullptr) continue;
    const StoredEntry entry{key, version->value(), version->lsn, version->removed != 0,
                            version->expires};
    const bool removed = hidden(tablet, entry, at);
    rows.push_back({std::string(key), removed ? std::string() : std::string(entry.value), entry.lsn,
                    removed, entry.expires});
    if (!removed) left.take(key, entry.value);
  }
  return rows;
}

Task<Result<void>> EngineImpl::scan_source(Source source, KeyRange range, Lsn at, bool fill_cache,
                                           Budget& budget, std::vector<Row>& found) {
  range.begin = std::max(range.begin, source.range.begin);
  if (!source.range.end.empty() && !before_end(range.end, source.range.end)) {
    range.end = source.range.end;
  }
  if (range.end.empty()) range.end = source.range.end;
  std::vector<Row> rows;
  std::vector<RangeRemove> removes = source.version->range_removes;
  if (source.tablet != nullptr) {
    rows = rows_in_memory(*source.tablet, range, budget, at);
    for (const Tablet::Frozen& old : source.tablet->frozen) {
      removes.insert(removes.end(), old.memtable->ranges().begin(), old.memtable->ranges().end());
    }
    removes.insert(removes.end(), source.tablet->active->ranges().begin(),
                   source.tablet->active->ranges().end());
  }
  MergingCursor cursor(host_, fill_cache ? Caching::kFill : Caching::kBypass);
  cursor.add(*source.version, range.begin, range.end);
  Result<void> done = co_await cursor.seek(range.begin);
  Slice slice(host_);
  std::size_t next = 0;  // in rows
  std::string key;
  while (done.ok() && !budget.spent()) {
    const bool more_tables = cursor.valid() && before_end(cursor.entry().key, range.end);
    const bool more_memory = next < rows.size();
    if (!more_tables && !more_memory) break;
    const bool from_memory = more_memory && (!more_tables || rows[next].key <= cursor.entry().key);
    slice.charge(kUnitsPerRow);
    bool taken = from_memory;  // memory is newer than any table
    if (from_memory) {
      Row& row = rows[next++];
      key = row.key;
      if (!row.removed) {
        budget.take(row.key, row.value);
        found.push_back(std::move(row));
      }
    } else {
      key.assign(cursor.entry().key);
    }
    while (done.ok() && cursor.valid() && cursor.entry().key == key) {
      const StoredEntry& entry = cursor.entry();
      if (!taken && entry.lsn <= at) {
        taken = true;
        const bool gone = entry.removed || (entry.expires != 0 && entry.expires <= wall()) ||
                          (!removes.empty() && newest_cover(removes, key, at) > entry.lsn);
        if (!gone) {
          budget.take(entry.key, entry.value);
          found.push_back(
              {key, std::string(entry.value), entry.lsn, /*removed=*/false, entry.expires});
        }
      }
      if (!cursor.step()) done = co_await cursor.load();
    }
    if (slice.spent()) co_await slice.let_others_run();
  }
  stats_.slice_units_max = std::max(stats_.slice_units_max, slice.longest());
  co_return done;
}

Task<Result<std::vector<EngineImpl::Row>>> EngineImpl::scan_rows(KeyRange range, ScanLimits limits,
                                                                 Lsn at) {
  std::vector<Row> found;
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
    Result<void> done =
        co_await scan_source({tablet->range, tablet->version, tablet.get()}, {from, range.end}, at,
                             limits.fill_cache, budget, found);
    if (!done.ok()) co_return done.error();
    if (tablet->range.end.empty()) break;
    from = tablet->range.end;
    if (!before_end(from, range.end)) break;
  }
  co_return found;
}

Task<Result<std::vector<Entry>>> EngineImpl::scan(std::string begin, std::string end,
                                                  ScanLimits limits, View view) {
  const Lsn at = std::min(view.at(durable_.lsn()), log_->last());
  Result<std::vector<Row>> rows =
      co_await scan_rows({std::move(begin), std::move(end)}, limits, at);
  if (!rows.ok()) co_return rows.error();
  std::vector<Entry> found;
  found.reserve(rows->size());
  for (Row& row : *rows) found.push_back({std::move(row.key), std::move(row.value)});
  co_return found;
}

Task<Result<std::vector<EngineImpl::Row>>> EngineImpl::scan_checkpoint_rows(std::string name,
                                                                            KeyRange range,
                                                                            ScanLimits limits) {
  const auto found = checkpoints_.find(name);
  if (found == checkpoints_.end()) {
    co_return Error{Code::kNotFound, "there is no checkpoint " + name};
  }
  const Checkpoint checkpoint = found->second;
  std::vector<Row> rows;
  Budget budget{limits};
  for (const auto& [tablet, version] : checkpoint.tablets) {
    if (budget.spent() || !tablet.overlaps(range)) continue;
    Result<void> done = co_await scan_source({tablet, version, nullptr}, range, checkpoint.lsn,
                                             limits.fill_cache, budget, rows);
    if (!done.ok()) co_return done.error();
  }
  co_return rows;
}

Task<Result<std::vector<Entry>>> EngineImpl::scan_checkpoint(std::string name, std::string begin,
                                                             std::string end, ScanLimits limits) {
  Result<std::vector<Row>> rows =
      co_await scan_checkpoint_rows(std::move(name), {std::move(begin), std::move(end)}, limits);
  if (!rows.ok()) co_return rows.error();
  std::vector<Entry> found;
  for (Row& row : *rows) found.push_back({std::move(row.key), std::move(row.value)});
  co_return found;
}

}  // namespace ringside
