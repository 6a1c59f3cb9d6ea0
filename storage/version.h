// TabletVersion: the tables of one tablet at one moment, never changed. Whoever reads holds it, so
// that a merge does not pull a table from under them. Level 0 holds tables as they were flushed,
// newest first, which may overlap; the tables of each deeper level are disjoint, in the order of
// keys. Of two places that hold a key the upper one has the newer entry.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/manifest.h"
#include "storage/range_remove.h"
#include "storage/table.h"

namespace ringside {

struct TabletVersion {
  std::vector<TableSet> levels = std::vector<TableSet>(kLevelsMax);
  std::vector<RangeRemove> range_removes;  // by LSN

  bool empty() const;
  uint64_t tables() const;
  uint64_t bytes() const;
  uint64_t bytes(std::size_t level) const;
  uint64_t entries() const;
  uint64_t entries(std::size_t level) const { return entries_by_level()[level]; }

  // The table of a level >= 1 whose range holds the key, or null.
  const std::shared_ptr<Table>* table_for(std::size_t level, std::string_view key) const;
  // Those of a level with a key in [smallest, largest].
  TableSet overlapping(std::size_t level, std::string_view smallest,
                       std::string_view largest) const;
  // The same of a level >= 1 and [begin, end), an empty `end` being none: the first one and how
  // many.
  std::pair<const std::shared_ptr<Table>*, std::size_t> reaching(std::size_t level,
                                                                 std::string_view begin,
                                                                 std::string_view end) const;
  // Whether a table that is not among `inputs` may hold an entry of this key that is older than
  // `lsn`.
  bool may_hold_older(std::string_view key, Lsn lsn, const TableSet& inputs) const;
  // Whether a remove of a range still has something to hide in some table.
  bool needs(const RangeRemove& remove) const;

  // The version after a change. CHECKs that levels stay disjoint (I5).
  std::shared_ptr<const TabletVersion> with(
      const TableSet& removed,
      const std::vector<std::pair<uint64_t, std::shared_ptr<Table>>>& added,
      std::vector<RangeRemove> range_removes_now) const;

 private:
  const std::vector<uint64_t>& entries_by_level() const;

  mutable std::vector<uint64_t> entries_by_level_;  // once somebody asked
};

}  // namespace ringside
