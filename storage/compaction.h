// Compaction: which tables of a tablet are merged next. Pure choice: the engine does the work
// (engine_merge.cc).
//
// Leveled: level 0 goes to level 1 when it holds more than `tables_max` tables; a deeper level that
// is above its size gives a table to the next one, in the order of keys, round and round (O'Neil et
// al., The log-structured merge-tree, 1996, as LevelDB made it). Size-tiered: neighbours of like
// size in level 0 become one. A table that overlaps nothing below moves without being read. Last,
// tables are rewritten where removes of ranges or expired entries still take space.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "storage/engine_options.h"
#include "storage/version.h"
#include "storage/view.h"

namespace ringside {

struct MergePlan {
  TableSet upper;  // of `from`
  TableSet lower;  // of `to`
  uint64_t from = 0;
  uint64_t to = 0;
  bool move = false;   // nothing is read or written
  bool drop = false;   // everything in `upper` is hidden: nothing is read or written
  bool split = true;   // the output, at table_bytes_max
  uint64_t bytes = 0;  // of the inputs' files

  TableSet inputs() const;  // newest first
};

struct CompactionState {
  std::set<uint64_t> busy;   // tables in a merge
  std::set<uint64_t> stuck;  // tables with bad blocks
  std::string next_key[kLevelsMax];
};

// What merges level 0, and only that.
std::optional<MergePlan> pick_level0(const TabletVersion& version, const EngineOptions& options,
                                     const CompactionState& state);
// Everything else.
std::optional<MergePlan> pick_deeper(const TabletVersion& version, const EngineOptions& options,
                                     CompactionState& state, const SnapshotList& snapshots,
                                     int64_t now);

// Whether a deeper level holds so much that merges into it become dear: then they wait for nobody.
bool deeper_urgent(const TabletVersion& version, const EngineOptions& options);
// Bytes that merges are behind; 0 when there is nothing to do.
uint64_t compaction_debt(const TabletVersion& version, const EngineOptions& options);

}  // namespace ringside
