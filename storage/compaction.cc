#include "storage/compaction.h"

#include <algorithm>
#include <limits>

namespace ringside {
namespace {

constexpr uint64_t kLikeSize = 3;  // size-tiered: neighbours may differ so many times

uint64_t level_target(const EngineOptions& options, std::size_t level) {
  uint64_t target = options.level_bytes;
  for (; level > 1; --level) target *= options.level_fanout;
  return target;
}

bool free_to_merge(const TableSet& tables, const CompactionState& state) {
  return std::none_of(tables.begin(), tables.end(), [&](const std::shared_ptr<Table>& table) {
    return state.busy.contains(table->description().id) ||
           state.stuck.contains(table->description().id);
  });
}

struct Bounds {
  std::string_view smallest, largest;
};

Bounds bounds_of(const TableSet& tables) {
  Bounds bounds{tables.front()->description().smallest, tables.front()->description().largest};
  for (const std::shared_ptr<Table>& table : tables) {
    bounds.smallest = std::min<std::string_view>(bounds.smallest, table->description().smallest);
    bounds.largest = std::max<std::string_view>(bounds.largest, table->description().largest);
  }
  return bounds;
}

bool disjoint(TableSet tables) {
  std::sort(tables.begin(), tables.end(), [](const auto& a, const auto& b) {
    return a->description().smallest < b->description().smallest;
  });
  for (std::size_t i = 1; i < tables.size(); ++i) {
    if (tables[i - 1]->description().largest >= tables[i]->description().smallest) return false;
  }
  return true;
}

void add_up(MergePlan& plan) {
  for (const std::shared_ptr<Table>& table : plan.upper) {
    plan.bytes += table->description().file_bytes;
  }
  for (const std::shared_ptr<Table>& table : plan.lower) {
    plan.bytes += table->description().file_bytes;
  }
}

bool has_removes(const TableSet& tables) {
  return std::any_of(tables.begin(), tables.end(),
                     [](const auto& table) { return table->description().removes > 0; });
}

// Newest neighbours of like size, at least two and more than may stand side by side.
std::optional<MergePlan> pick_tier(const TabletVersion& version, const EngineOptions& options,
                                   const CompactionState& state) {
  const TableSet& tables = version.levels[0];
  for (std::size_t first = 0; first < tables.size(); ++first) {
    uint64_t least = std::numeric_limits<uint64_t>::max(), most = 0;
    std::size_t end = first;
    for (; end < tables.size(); ++end) {
      const uint64_t bytes = tables[end]->description().file_bytes;
      if (std::max(most, bytes) > kLikeSize * std::min(least, bytes)) break;
      least = std::min(least, bytes);
      most = std::max(most, bytes);
    }
    if (end - first <= options.tables_max) continue;
    MergePlan plan;
    plan.upper.assign(tables.begin() + static_cast<std::ptrdiff_t>(first),
                      tables.begin() + static_cast<std::ptrdiff_t>(end));
    plan.split = false;
    if (!free_to_merge(plan.upper, state)) continue;
    add_up(plan);
    return plan;
  }
  return std::nullopt;
}

// Too many tables, and none of like size: all of them. Puts are refused from tables_stop on, so
// that nothing would ever change there.
std::optional<MergePlan> pick_all_tiers(const TabletVersion& version, const EngineOptions& options,
                                        const CompactionState& state) {
  const std::size_t tables = version.levels[0].size();
  if (tables <= 4 * options.tables_max && tables < options.tables_stop) return std::nullopt;
  MergePlan plan;
  plan.upper = version.levels[0];
  plan.split = false;
  if (!free_to_merge(plan.upper, state)) return std::nullopt;
  add_up(plan);
  return plan;
}

std::optional<MergePlan> pick_level(const TabletVersion& version, const EngineOptions& options,
                                    CompactionState& state, std::size_t level) {
  const TableSet& tables = version.levels[level];
  if (level + 1 >= kLevelsMax || version.bytes(level) <= level_target(options, level)) {
    return std::nullopt;
  }
  // From the key on where the last one ended, once around.
  auto start = std::find_if(tables.begin(), tables.end(), [&](const std::shared_ptr<Table>& table) {
    return table->description().smallest > state.next_key[level];
  });
  if (start == tables.end()) start = tables.begin();
  for (std::size_t tried = 0; tried < tables.size(); ++tried) {
    const std::shared_ptr<Table>& table = *start;
    if (++start == tables.end()) start = tables.begin();
    MergePlan plan;
    plan.upper = {table};
    plan.from = level;
    plan.to = level + 1;
    plan.lower =
        version.overlapping(level + 1, table->description().smallest, table->description().largest);
    if (!free_to_merge(plan.upper, state) || !free_to_merge(plan.lower, state)) continue;
    plan.move = plan.lower.empty() && !has_removes(plan.upper);
    add_up(plan);
    state.next_key[level] = table->description().largest;
    return plan;
  }
  return std::nullopt;
}

// A table that still holds what a remove of a range hides, or what expired long ago.
std::optional<MergePlan> pick_to_clean(const TabletVersion& version, const EngineOptions& options,
                                       const CompactionState& state, const SnapshotList& snapshots,
                                       int64_t now) {
  for (std::size_t level = 0; level < version.levels.size(); ++level) {
    for (const std::shared_ptr<Table>& table : version.levels[level]) {
      const TableDescription& about = table->description();
      MergePlan plan;
      plan.upper = {table};
      plan.from = plan.to = level;
      plan.split = level > 0;
      plan.bytes = about.file_bytes;
      if (!free_to_merge(plan.upper, state)) continue;
      if (about.first_expiry != 0 && about.first_expiry <= now - options.expired_after) return plan;
      for (const RangeRemove& remove : version.range_removes) {
        if (about.first_lsn >= remove.lsn || about.ranges_applied >= remove.lsn ||
            about.largest < remove.range.begin || !before_end(about.smallest, remove.range.end) ||
            snapshots.any_in(about.first_lsn, remove.lsn)) {
          continue;
        }
        plan.drop = about.last_lsn < remove.lsn && remove.range.contains(about.smallest) &&
                    remove.range.contains(about.largest);
        return plan;
      }
    }
  }
  return std::nullopt;
}

}  // namespace

TableSet MergePlan::inputs() const {
  TableSet all = upper;
  all.insert(all.end(), lower.begin(), lower.end());
  return all;
}

std::optional<MergePlan> pick_level0(const TabletVersion& version, const EngineOptions& options,
                                     const CompactionState& state) {
  if (options.compaction == Compaction::kSizeTiered) {
    std::optional<MergePlan> plan = pick_tier(version, options, state);
    return plan ? plan : pick_all_tiers(version, options, state);
  }
  const TableSet& tables = version.levels[0];
  if (tables.size() <= options.tables_max || !free_to_merge(tables, state)) return std::nullopt;
  MergePlan plan;
  plan.upper = tables;
  plan.to = 1;
  const Bounds bounds = bounds_of(tables);
  plan.lower = version.overlapping(1, bounds.smallest, bounds.largest);
  if (!free_to_merge(plan.lower, state)) return std::nullopt;
  plan.move = plan.lower.empty() && disjoint(tables) && !has_removes(tables);
  add_up(plan);
  return plan;
}

std::optional<MergePlan> pick_deeper(const TabletVersion& version, const EngineOptions& options,
                                     CompactionState& state, const SnapshotList& snapshots,
                                     int64_t now) {
  std::optional<MergePlan> plan;
  if (options.compaction == Compaction::kLeveled) {
    for (std::size_t level = 1; level + 1 < kLevelsMax && !plan; ++level) {
      plan = pick_level(version, options, state, level);
    }
  }
  return plan ? plan : pick_to_clean(version, options, state, snapshots, now);
}

bool deeper_urgent(const TabletVersion& version, const EngineOptions& options) {
  if (options.compaction == Compaction::kSizeTiered) return false;
  for (std::size_t level = 1; level + 1 < kLevelsMax; ++level) {
    if (version.bytes(level) > 2 * level_target(options, level)) return true;
  }
  return false;
}

uint64_t compaction_debt(const TabletVersion& version, const EngineOptions& options) {
  if (options.compaction == Compaction::kSizeTiered) {
    return version.levels[0].size() <= options.tables_max ? 0 : version.bytes(0);
  }
  uint64_t debt = version.levels[0].size() <= options.tables_max ? 0 : version.bytes(0);
  for (std::size_t level = 1; level + 1 < kLevelsMax; ++level) {
    const uint64_t bytes = version.bytes(level);
    const uint64_t target = level_target(options, level);
    if (bytes > target) debt += bytes - target;
  }
  return debt;
}

}  // namespace ringside
