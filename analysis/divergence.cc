#include "analysis/divergence.h"

#include <algorithm>
#include <map>
#include <set>

namespace ringside {

DivergenceReport find_divergence(
    std::span<const ReplicaSnapshot> snapshots,
    const std::function<std::vector<NodeId>(std::string_view key)>& homes, bool reaped,
    std::size_t examples_max) {
  std::map<NodeId, const ReplicaSnapshot*> by_replica;
  std::set<std::string_view> keys;
  for (const ReplicaSnapshot& snapshot : snapshots) {
    by_replica[snapshot.replica] = &snapshot;
    for (const auto& [key, values] : snapshot.keys) keys.insert(key);
  }
  DivergenceReport report;
  for (const std::string_view key : keys) {
    ++report.keys;
    std::map<std::vector<ValueId>, std::vector<NodeId>> groups;  // who holds the same
    for (const NodeId replica : homes(key)) {
      const auto snapshot = by_replica.find(replica);
      if (snapshot == by_replica.end()) continue;
      const auto held = snapshot->second->keys.find(key);
      std::vector<ValueId> values;
      if (held != snapshot->second->keys.end()) values = held->second;
      if (reaped) {
        std::erase_if(values,
                      [&](ValueId value) { return snapshot->second->tombstones.contains(value); });
      }
      std::ranges::sort(values);
      groups[std::move(values)].push_back(replica);
    }
    if (groups.size() < 2) continue;
    // Of groups of one size, the one with more values is the one to catch up with.
    const auto largest = std::ranges::max_element(groups, {}, [](const auto& group) {
      return std::pair(group.second.size(), group.first.size());
    });
    DivergentKey divergent{std::string(key), {}};
    for (auto group = groups.begin(); group != groups.end(); ++group) {
      if (group == largest) continue;
      divergent.behind.insert(divergent.behind.end(), group->second.begin(), group->second.end());
    }
    std::ranges::sort(divergent.behind);
    ++report.keys_differing;
    report.pairs_differing += divergent.behind.size();
    if (report.examples.size() < examples_max) report.examples.push_back(std::move(divergent));
  }
  return report;
}

}  // namespace ringside
