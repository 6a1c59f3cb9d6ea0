// MergingCursor: several runs of tables as one, keys ascending and, of a key, newest first. A run
// is one table, or disjoint tables in the order of their keys.
//
//   MergingCursor cursor(host, Caching::kBypass);
//   for (…) cursor.add(tables);
//   Result<void> done = co_await cursor.seek(begin);
//   while (done.ok() && cursor.valid()) { …cursor.entry()…; if (!cursor.step()) done = co_await
//   cursor.load(); }
#pragma once

#include <deque>
#include <string>
#include <vector>

#include "storage/key_prefix.h"
#include "storage/table.h"
#include "storage/version.h"

namespace ringside {

class MergingCursor {
 public:
  MergingCursor(Host& host, Caching caching) : host_(host), caching_(caching) {}
  MergingCursor(const MergingCursor&) = delete;
  MergingCursor& operator=(const MergingCursor&) = delete;

  // Newer runs first.
  void add(TableSet run);
  // All of a version's tables that may reach into [begin, end), of which about so many entries will
  // be wanted. The version outlives the cursor.
  void add(const TabletVersion& version, std::string_view begin, std::string_view end,
           uint64_t wanted);

  Task<Result<void>> seek(std::string begin);
  bool valid() const { return least_ != nullptr; }
  const StoredEntry& entry() const { return least_->entry; }  // until step or load
  // False: `load` must follow, and then this is on the next entry.
  bool step();
  MaybeTask<Result<void>> load();
  const Buffer& block() const { return least_->cursor->block(); }  // that holds the entry's value

 private:
  struct Run {
    const std::shared_ptr<Table>* next = nullptr;  // of the tables that are left
    const std::shared_ptr<Table>* end = nullptr;
    uint64_t wanted = 0;  // entries, about; 0: nobody knows
    std::optional<TableCursor> cursor;
    StoredEntry entry;  // of a valid cursor
    bool valid = false;
  };

  void add(const std::shared_ptr<Table>* tables, std::size_t count, uint64_t wanted);
  // On to the first entry at or after `begin` in the run's next tables.
  Task<Result<void>> open_next(Run& run, std::string begin);
  Task<Result<void>> finish_load(MaybeTask<Result<void>> loaded);
  static bool before(const Run& a, const Run& b) {
    const int order = compare_keys(a.entry.key, b.entry.key);
    return order != 0 ? order < 0 : a.entry.lsn > b.entry.lsn;
  }
  void find_least();
  void look(Run& run);

  Host& host_;
  Caching caching_;
  std::vector<Run> runs_;      // as they were added until the first seek
  std::deque<TableSet> sets_;  // that were given
  Run* least_ = nullptr;
  Run* second_ = nullptr;  // the least of the others; null: there is none
};

}  // namespace ringside
