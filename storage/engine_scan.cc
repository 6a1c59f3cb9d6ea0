// Range scans. What memory holds of the range is copied at the start, as far as the limits can
// reach; the tables of that moment are then read beside it, so that a scan is one snapshot though
// it waits for the disk.

#include <utility>

#include "storage/engine_impl.h"
#include "storage/slice.h"

namespace ringside {

struct EngineImpl::Row {
  std::string key;
  std::string value;
  bool removed = false;
};

namespace {

constexpr uint64_t kUnitsPerRow = 100;

bool before_end(std::string_view key, std::string_view end) { return end.empty() || key < end; }

// Counts rows as a scan gives them out.
struct Budget {
  ScanLimits limits;
  uint64_t rows = 0;
  uint64_t bytes = 0;

  bool spent() const { return rows >= limits.rows_max || bytes >= limits.bytes_max; }
  void take(std::string_view key, std::string_view value) {
    ++rows;
    bytes += key.size() + value.size();
  }
};

}  // namespace

// Stops once memory alone could fill the answer: the answer cannot reach further.
std::vector<EngineImpl::Row> EngineImpl::rows_in_memory(std::string_view begin,
                                                        std::string_view end, ScanLimits limits,
                                                        Lsn at) const {
  std::vector<Memtable::Cursor> cursors;  // newest first
  cursors.push_back(active_->seek(begin));
  for (auto table = immutables_.rbegin(); table != immutables_.rend(); ++table) {
    cursors.push_back((*table)->seek(begin));
  }
  std::vector<Row> rows;
  Budget budget{limits};
  while (!budget.spent()) {
    const Memtable::Cursor* least = nullptr;
    for (const Memtable::Cursor& cursor : cursors) {
      if (cursor.valid() && (least == nullptr || cursor.key() < least->key())) least = &cursor;
    }
    if (least == nullptr || !before_end(least->key(), end)) break;
    const std::string_view key = least->key();
    const Memtable::Version* version = nullptr;
    for (Memtable::Cursor& cursor : cursors) {
      if (!cursor.valid() || cursor.key() != key) continue;
      if (version == nullptr) version = cursor.version(at);
      cursor.next();
    }
    if (version == nullptr) continue;
    rows.push_back({std::string(key), std::string(version->value()), version->removed});
    if (!version->removed) budget.take(key, version->value());
  }
  return rows;
}

Task<Result<std::vector<Entry>>> EngineImpl::scan(std::string begin, std::string end,
                                                  ScanLimits limits, View view) {
  std::vector<Row> rows = rows_in_memory(begin, end, limits, visible(view));
  const std::shared_ptr<const TableSet> tables = tables_;
  std::deque<TableCursor> cursors;  // newest first
  for (const std::shared_ptr<Table>& table : *tables) {
    if (table->description().largest < begin || !before_end(table->description().smallest, end))
      continue;
    Result<void> done = co_await cursors.emplace_back(host_, table, Caching::kBypass).seek(begin);
    if (!done.ok()) co_return done.error();
  }
  std::vector<Entry> found;
  Budget budget{limits};
  Slice slice(host_);
  std::size_t at = 0;  // in rows
  std::string key;
  while (!budget.spent()) {
    const TableCursor* least = nullptr;
    for (const TableCursor& cursor : cursors) {
      if (cursor.valid() && (least == nullptr || cursor.key() < least->key())) least = &cursor;
    }
    const bool from_memory = at < rows.size() && (least == nullptr || rows[at].key <= least->key());
    if (!from_memory && (least == nullptr || !before_end(least->key(), end))) break;
    key = from_memory ? rows[at].key : std::string(least->key());
    slice.charge(kUnitsPerRow);
    if (from_memory ? !rows[at].removed : !least->entry().removed) {
      found.push_back(
          {key, from_memory ? std::move(rows[at].value) : std::string(least->entry().value)});
      budget.take(found.back().key, found.back().value);
    }
    if (from_memory) ++at;
    for (TableCursor& cursor : cursors) {
      if (!cursor.valid() || cursor.key() != key) continue;
      if (cursor.step()) continue;
      Result<void> done = co_await cursor.load();
      if (!done.ok()) co_return done.error();
    }
    if (slice.spent()) co_await slice.let_others_run();
  }
  co_return found;
}

}  // namespace ringside
