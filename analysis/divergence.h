// Divergence: how far the replicas of each key are from holding the same, by their disk images.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/durability.h"

namespace ringside {

struct DivergentKey {
  std::string key;
  std::vector<NodeId>
      behind;  // hold something else than the largest group that agrees (absent counts)
};
struct DivergenceReport {
  uint64_t keys = 0;
  uint64_t keys_differing = 0;
  uint64_t pairs_differing = 0;        // (key, replica)
  std::vector<DivergentKey> examples;  // the first few
  bool converged() const { return keys_differing == 0; }
};

// One snapshot a replica. `homes` names the replicas that should hold a key; those without a
// snapshot are left out. `reaped`: tombstones may be collected, and count as nothing.
DivergenceReport find_divergence(
    std::span<const ReplicaSnapshot> snapshots,
    const std::function<std::vector<NodeId>(std::string_view key)>& homes, bool reaped = false,
    std::size_t examples_max = 5);

}  // namespace ringside
