// Ring: where keys live. The key space is a circle of 64-bit positions (the first half of what the
// paper takes as 128-bit MD5; ours is XXH3 of the key). Virtual nodes place it: every node has
// `tokens` random points on the circle, more or fewer as its capacity is. The three partition
// strategies of the paper (SOSP 2007, section 6.2):
//
//   1  The tokens themselves cut the circle: a token owns what lies before it, back to the last.
//   2  Q equal partitions; a partition goes to the first token at or after its end.
//   3  Q equal partitions; the same, but a node takes no more than its share (Q/S of them when all
//      nodes are alike): bounded loads.
//
// The preference list of a partition is the walk clockwise from it: each node once, machines
// already listed skipped, zones spread first, then racks; nodes of listed machines come last of
// all. It holds the nearest kPreferenceMax nodes: the first N are home, the rest stand in. A pure
// function of (members, options): everyone who knows the members computes the same ring.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/network.h"

namespace ringside {

// Positions from `begin` up to but without `end`; an `end` of 0 is the end of the circle.
struct PositionRange {
  uint64_t begin = 0;
  uint64_t end = 0;

  bool contains(uint64_t position) const {
    return position >= begin && (end == 0 || position < end);
  }
  bool overlaps(const PositionRange& other) const {
    return (other.end == 0 || begin < other.end) && (end == 0 || other.begin < end);
  }
  auto operator<=>(const PositionRange&) const = default;
};

struct Member {
  NodeId id = 0;
  std::string
      machine;  // nodes that name the same machine die together; empty: a machine of its own
  std::string zone;
  std::string rack;
  uint32_t capacity = 100;  // in percent of an ordinary node: its tokens, and its share
  bool operator==(const Member&) const = default;
};

enum class Partitioning : uint8_t {
  kTokens = 1,  // strategy 1
  kPlaced = 2,  // strategy 2
  kShares = 3,  // strategy 3
};

struct RingOptions {
  Partitioning strategy = Partitioning::kShares;
  uint32_t q = 64;       // partitions; strategy 1 has one a token and does not ask
  uint32_t tokens = 16;  // virtual nodes of an ordinary node
  bool operator==(const RingOptions&) const = default;
};

class Ring {
 public:
  // Of a preference list. Clusters up to this size have everyone in every list.
  static constexpr std::size_t kPreferenceMax = 64;

  Ring() = default;
  // `q` > 0, `tokens` > 0, capacities > 0. Members may come in any order.
  Ring(std::vector<Member> members, RingOptions options);

  const std::vector<Member>& members() const { return members_; }  // sorted by id
  const RingOptions& options() const { return options_; }
  const Member* find(NodeId id) const;

  uint32_t partitions() const { return static_cast<uint32_t>(owners_.size()); }
  // Partitions follow each other around the circle without a gap.
  PositionRange range(uint32_t partition) const;
  static uint64_t position_of(std::string_view key);
  uint32_t partition_at(uint64_t position) const;
  NodeId owner(uint32_t partition) const { return members_[owners_[partition]].id; }

  // Best first. The first N are home. Valid as long as the ring.
  std::span<const NodeId> preference(uint32_t partition) const;
  std::span<const NodeId> preference_at(uint64_t position) const {
    return preference(partition_at(position));
  }
  std::span<const NodeId> preference(std::string_view key) const {
    return preference_at(position_of(key));
  }
  // Whether `node` is one of the first `n`.
  bool is_home(uint64_t position, NodeId node, uint32_t n) const;
  // The partitions of which `node` is one of the first `n`, ascending. Valid until it is asked for
  // another `n`.
  std::span<const uint32_t> partitions_of(NodeId node, uint32_t n) const;

 private:
  struct Place {
    uint32_t machine, zone, rack;
  };
  struct Token {
    uint64_t position;
    uint32_t member;
  };

  void number_places();
  void place_tokens();
  void cut_at_tokens();
  void place_partitions();
  void share_out();
  // The first token at or after a position, going around.
  std::size_t token_at(uint64_t position) const;
  std::vector<uint32_t> order_from(uint32_t partition) const;
  std::vector<NodeId> walk(uint32_t partition) const;

  RingOptions options_;
  std::vector<Member> members_;
  std::vector<Place> places_;  // of each member
  uint32_t places_end_ = 0;
  std::vector<Token> circle_;     // by position
  std::vector<uint64_t> begins_;  // strategy 1: of each partition
  std::vector<uint32_t> owners_;  // of each partition, an index into members_
  // Made when first asked for:
  mutable std::vector<std::vector<NodeId>> listed_;
  mutable std::vector<std::vector<uint32_t>> homes_;  // by member
  mutable uint32_t homes_n_ = 0;
};

}  // namespace ringside
