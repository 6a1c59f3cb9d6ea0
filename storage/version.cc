#include "storage/version.h"

#include <algorithm>

namespace ringside {
namespace {

bool among(const TableSet& tables, const std::shared_ptr<Table>& table) {
  return std::find(tables.begin(), tables.end(), table) != tables.end();
}

bool holds(const Table& table, std::string_view key) {
  return key >= table.description().smallest && key <= table.description().largest;
}

// The first table of a disjoint level that does not end before the key.
TableSet::const_iterator first_reaching(const TableSet& level, std::string_view key) {
  return std::lower_bound(level.begin(), level.end(), key,
                          [](const std::shared_ptr<Table>& table, std::string_view sought) {
                            return table->description().largest < sought;
                          });
}

}  // namespace

bool TabletVersion::empty() const {
  return std::all_of(levels.begin(), levels.end(), [](const auto& level) { return level.empty(); });
}

uint64_t TabletVersion::tables() const {
  uint64_t count = 0;
  for (const TableSet& level : levels) count += level.size();
  return count;
}

uint64_t TabletVersion::bytes(std::size_t level) const {
  uint64_t sum = 0;
  for (const std::shared_ptr<Table>& table : levels[level]) sum += table->description().file_bytes;
  return sum;
}

uint64_t TabletVersion::bytes() const {
  uint64_t sum = 0;
  for (std::size_t level = 0; level < levels.size(); ++level) sum += bytes(level);
  return sum;
}

const std::vector<uint64_t>& TabletVersion::entries_by_level() const {
  if (entries_by_level_.empty()) {
    for (const TableSet& level : levels) {
      uint64_t& sum = entries_by_level_.emplace_back(0);
      for (const std::shared_ptr<Table>& table : level) sum += table->description().entries;
    }
  }
  return entries_by_level_;
}

uint64_t TabletVersion::entries() const {
  uint64_t sum = 0;
  for (std::size_t level = 0; level < levels.size(); ++level) sum += entries(level);
  return sum;
}

const std::shared_ptr<Table>* TabletVersion::table_for(std::size_t level,
                                                       std::string_view key) const {
  const TableSet& tables = levels[level];
  const auto found = first_reaching(tables, key);
  if (found == tables.end() || key < (*found)->description().smallest) return nullptr;
  return &*found;
}

TableSet TabletVersion::overlapping(std::size_t level, std::string_view smallest,
                                    std::string_view largest) const {
  const TableSet& tables = levels[level];
  TableSet found;
  if (level == 0) {
    for (const std::shared_ptr<Table>& table : tables) {
      if (table->description().largest >= smallest && table->description().smallest <= largest) {
        found.push_back(table);
      }
    }
    return found;
  }
  for (auto at = first_reaching(tables, smallest);
       at != tables.end() && (*at)->description().smallest <= largest; ++at) {
    found.push_back(*at);
  }
  return found;
}

std::pair<const std::shared_ptr<Table>*, std::size_t> TabletVersion::reaching(
    std::size_t level, std::string_view begin, std::string_view end) const {
  const TableSet& tables = levels[level];
  const auto first = first_reaching(tables, begin);
  const auto behind = end.empty()
                          ? tables.end()
                          : std::partition_point(first, tables.end(), [end](const auto& table) {
                              return table->description().smallest < end;
                            });
  return {tables.data() + (first - tables.begin()), static_cast<std::size_t>(behind - first)};
}

bool TabletVersion::may_hold_older(std::string_view key, Lsn lsn, const TableSet& inputs) const {
  for (const std::shared_ptr<Table>& table : levels[0]) {
    if (table->description().first_lsn < lsn && holds(*table, key) && !among(inputs, table)) {
      return true;
    }
  }
  for (std::size_t level = 1; level < levels.size(); ++level) {
    const std::shared_ptr<Table>* table = table_for(level, key);
    if (table != nullptr && (*table)->description().first_lsn < lsn && !among(inputs, *table)) {
      return true;
    }
  }
  return false;
}

bool TabletVersion::needs(const RangeRemove& remove) const {
  for (const TableSet& level : levels) {
    for (const std::shared_ptr<Table>& table : level) {
      const TableDescription& about = table->description();
      if (about.first_lsn < remove.lsn && about.ranges_applied < remove.lsn &&
          about.largest >= remove.range.begin && before_end(about.smallest, remove.range.end)) {
        return true;
      }
    }
  }
  return false;
}

std::shared_ptr<const TabletVersion> TabletVersion::with(
    const TableSet& removed, const std::vector<std::pair<uint64_t, std::shared_ptr<Table>>>& added,
    std::vector<RangeRemove> range_removes_now) const {
  auto next = std::make_shared<TabletVersion>();
  for (std::size_t level = 0; level < levels.size(); ++level) {
    for (const std::shared_ptr<Table>& table : levels[level]) {
      if (!among(removed, table)) next->levels[level].push_back(table);
    }
  }
  for (const auto& [level, table] : added) next->levels[level].push_back(table);
  std::sort(next->levels[0].begin(), next->levels[0].end(), [](const auto& a, const auto& b) {
    const TableDescription& x = a->description();
    const TableDescription& y = b->description();
    return x.last_lsn != y.last_lsn ? x.last_lsn > y.last_lsn : x.id > y.id;
  });
  for (std::size_t level = 1; level < levels.size(); ++level) {
    TableSet& tables = next->levels[level];
    std::sort(tables.begin(), tables.end(), [](const auto& a, const auto& b) {
      return a->description().smallest < b->description().smallest;
    });
    for (std::size_t i = 1; i < tables.size(); ++i) {
      CHECK(tables[i - 1]->description().largest < tables[i]->description().smallest);  // I5
    }
  }
  next->range_removes = std::move(range_removes_now);
  return next;
}

}  // namespace ringside
