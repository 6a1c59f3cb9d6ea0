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
  // All of a version's tables that reach into [begin, end).
  void add(const Version& version, std::string_view begin, std::string_view end);

  Task<Result<void>> seek(std::string begin);
  bool valid() const { return least_ != nullptr; }
  const StoredEntry& entry() const { return entry_; }  // until step or load
  // False: `load` must follow, and then this is on the next entry.
  bool step();
  Task<Result<void>> load();

 private:
  struct Run {
    TableSet tables;
    std::size_t next = 0;  // in tables
    std::optional<TableCursor> cursor;
    StoredEntry entry;  // of a valid cursor
    bool valid = false;
  };

  Task<Result<void>> open_next(Run& run, std::string begin);
  static bool before(const Run& a, const Run& b) {
    const int order = a.entry.key.compare(b.entry.key);
    return order != 0 ? order < 0 : a.entry.lsn > b.entry.lsn;
  }
  void find_least();
  void look(Run& run);

  Host& host_;
  Caching caching_;
  std::deque<Run> runs_;
  Run* least_ = nullptr;
  Run* second_ = nullptr;  // the least of the others; null: there is none
  StoredEntry entry_;
};

}  // namespace ringside
