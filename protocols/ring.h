// Ring: where keys live. The key space is a circle of 64-bit positions (the first half of what the
// paper takes as 128-bit MD5; ours is XXH3 of the key), cut into Q equal partitions. Virtual nodes
// place the partitions: every node has `tokens` random points on the circle, a partition goes to
// the first token clockwise whose node still has room for one of its Q/S share (the paper's
// strategy 3, held even by bounded loads). The preference list of a partition is the walk over the
// owners of this and the following partitions: each node once, machines already listed skipped,
// zones spread first, then racks; nodes of listed machines come last of all. It holds every node:
// the first N are home, the rest stand in. A pure function of (members, q, tokens): everyone who
// knows the members computes the same ring.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/network.h"

namespace ringside {

struct Member {
  NodeId id = 0;
  std::string
      machine;  // nodes that name the same machine die together; empty: a machine of its own
  std::string zone;
  std::string rack;
};

class Ring {
 public:
  Ring() = default;
  // `q` > 0 partitions, `tokens` > 0 virtual nodes a member. Members may come in any order.
  Ring(std::vector<Member> members, uint32_t q, uint32_t tokens);

  const std::vector<Member>& members() const { return members_; }  // sorted by id
  uint32_t partitions() const { return static_cast<uint32_t>(owners_.size()); }

  static uint64_t position_of(std::string_view key);
  uint32_t partition_of(std::string_view key) const;
  NodeId owner(uint32_t partition) const { return members_[owners_[partition]].id; }

  // Every member, best first. The first N are the key's home.
  std::span<const NodeId> preference(uint32_t partition) const;
  std::span<const NodeId> preference(std::string_view key) const {
    return preference(partition_of(key));
  }
  // Whether `node` is one of the first `n`.
  bool is_home(std::string_view key, NodeId node, uint32_t n) const;

 private:
  struct Place {
    uint32_t machine, zone, rack;
  };

  void number_places();
  std::vector<NodeId> walk(uint32_t partition) const;

  std::vector<Member> members_;
  std::vector<Place> places_;  // of each member
  uint32_t places_end_ = 0;
  std::vector<uint32_t> owners_;                     // of each partition, an index into members_
  mutable std::vector<std::vector<NodeId>> listed_;  // made when first asked for
};

}  // namespace ringside
