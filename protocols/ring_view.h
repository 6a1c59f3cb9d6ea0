// RingView: the ring as one node sees it at this moment. While the members change there are two:
// the ring from before, and the next one. Nobody moves from one to the other at once:
//
//   stable     reads and writes go by `now`
//   copying    reads go by `now`; writes go to the homes of both, while those that are new copy
//   switched   reads go by `next`; writes still go to the homes of both
//   stable     with what was `next` as `now`
//
// A member takes the next step only when every live member has taken the one before, so that any
// two that are under way at the same time differ by one step, and their quorums meet. With U homes
// in both rings together, W + (U - N) of them have at least W in each.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <utility>

#include "absl/container/inlined_vector.h"
#include "protocols/ring.h"

namespace ringside {

using Homes = absl::InlinedVector<NodeId, 8>;

struct RingView {
  std::shared_ptr<const Ring> now;
  std::shared_ptr<const Ring> next;  // null while nothing changes
  uint64_t ticket = 0;               // of the change under way; 0: none
  bool switched = false;

  bool changing() const { return next != nullptr; }
  const Ring& reads() const { return switched ? *next : *now; }

  // Who answers reads of a position.
  std::span<const NodeId> read_homes(uint64_t position, uint32_t n) const {
    const std::span<const NodeId> list = reads().preference_at(position);
    return list.first(std::min<std::size_t>(n, list.size()));
  }
  // Who takes writes: the read homes first, then those of the other ring.
  Homes write_homes(uint64_t position, uint32_t n) const {
    const std::span<const NodeId> first = read_homes(position, n);
    Homes homes(first.begin(), first.end());
    if (!changing()) return homes;
    const std::span<const NodeId> list = (switched ? *now : *next).preference_at(position);
    for (const NodeId id : list.first(std::min<std::size_t>(n, list.size()))) {
      if (std::find(homes.begin(), homes.end(), id) == homes.end()) homes.push_back(id);
    }
    return homes;
  }
  bool is_read_home(uint64_t position, NodeId node, uint32_t n) const {
    const std::span<const NodeId> homes = read_homes(position, n);
    return std::find(homes.begin(), homes.end(), node) != homes.end();
  }
};

inline RingView stable_view(std::shared_ptr<const Ring> ring) {
  return RingView{std::move(ring), nullptr, 0, false};
}
inline RingView stable_view(Ring ring) {
  return stable_view(std::make_shared<const Ring>(std::move(ring)));
}

}  // namespace ringside
