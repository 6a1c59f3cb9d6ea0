#include "protocols/ring.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace ringside {
namespace {

std::vector<Member> cluster(uint32_t nodes, uint32_t zones, uint32_t nodes_a_machine = 1) {
  std::vector<Member> members;
  for (uint32_t i = 0; i < nodes; ++i) {
    const uint32_t machine = i / nodes_a_machine;
    members.push_back({i + 1, "m" + std::to_string(machine), "z" + std::to_string(machine % zones),
                       "r" + std::to_string(machine / zones)});
  }
  return members;
}

TEST(Ring, shares_the_partitions_evenly) {
  for (const uint32_t nodes : {1u, 3u, 6u, 7u, 100u}) {
    const Ring ring(cluster(nodes, 3), {.q = 1024, .tokens = 16});
    std::map<NodeId, uint32_t> owned;
    for (uint32_t p = 0; p < ring.partitions(); ++p) ++owned[ring.owner(p)];
    EXPECT_EQ(owned.size(), nodes);
    for (const auto& [node, count] : owned) {
      EXPECT_GE(count, 1024 / nodes);
      EXPECT_LE(count, 1024 / nodes + 1);
    }
  }
}

TEST(Ring, the_preference_list_begins_with_the_owner_and_holds_everyone_once) {
  const Ring ring(cluster(10, 3), {.q = 64, .tokens = 8});
  for (uint32_t p = 0; p < 64; ++p) {
    const auto list = ring.preference(p);
    EXPECT_EQ(list[0], ring.owner(p));
    EXPECT_EQ(list.size(), 10u);
    EXPECT_EQ(std::set<NodeId>(list.begin(), list.end()).size(), 10u);
  }
}

TEST(Ring, the_first_n_lie_in_n_zones_while_there_are_so_many) {
  const Ring ring(cluster(9, 3), {.q = 64, .tokens = 8});
  std::map<NodeId, std::string> zone_of;
  for (const Member& member : ring.members()) zone_of[member.id] = member.zone;
  for (uint32_t p = 0; p < 64; ++p) {
    const auto list = ring.preference(p);
    for (std::size_t begin = 0; begin < 9; begin += 3) {
      std::set<std::string> zones;
      for (std::size_t i = begin; i < begin + 3; ++i) zones.insert(zone_of[list[i]]);
      EXPECT_EQ(zones.size(), 3u);
    }
  }
}

TEST(Ring, skips_nodes_of_a_machine_that_is_listed_until_no_other_is_left) {
  const Ring ring(cluster(12, 2, 3),
                  {.q = 64, .tokens = 8});  // four machines with three nodes each
  std::map<NodeId, std::string> machine_of;
  for (const Member& member : ring.members()) machine_of[member.id] = member.machine;
  for (uint32_t p = 0; p < 64; ++p) {
    const auto list = ring.preference(p);
    std::set<std::string> machines;
    for (std::size_t i = 0; i < 4; ++i) machines.insert(machine_of[list[i]]);
    EXPECT_EQ(machines.size(), 4u);
    EXPECT_EQ(list.size(), 12u);
  }
}

TEST(Ring, is_a_function_of_the_members_whatever_their_order) {
  std::vector<Member> members = cluster(7, 3);
  const Ring ring(members, {.q = 128, .tokens = 16});
  std::reverse(members.begin(), members.end());
  const Ring other(members, {.q = 128, .tokens = 16});
  for (uint32_t p = 0; p < 128; ++p)
    EXPECT_TRUE(std::ranges::equal(ring.preference(p), other.preference(p)));
}

TEST(Ring, a_new_member_moves_few_partitions) {
  const Ring before(cluster(10, 1), {.q = 1024, .tokens = 32}),
      after(cluster(11, 1), {.q = 1024, .tokens = 32});
  uint32_t moved = 0;
  for (uint32_t p = 0; p < 1024; ++p) moved += before.owner(p) != after.owner(p);
  EXPECT_GE(moved, 1024u / 11) << "the new one gets its share";
  EXPECT_LE(moved, 3 * 1024u / 11) << "and the others keep most of theirs";
}

TEST(Ring, keys_fall_on_partitions_evenly_and_for_ever_alike) {
  const Ring ring(cluster(6, 3), {.q = 64, .tokens = 16});
  std::map<uint32_t, int> hits;
  for (int i = 0; i < 64'000; ++i)
    ++hits[ring.partition_at(Ring::position_of("key-" + std::to_string(i)))];
  EXPECT_EQ(hits.size(), 64u);
  for (const auto& [partition, count] : hits) EXPECT_NEAR(count, 1000, 200);
  EXPECT_EQ(Ring::position_of("cart"), 16187531608924356957u);
}

TEST(Ring, partitions_of_every_strategy_cover_the_circle_once) {
  for (const Partitioning strategy :
       {Partitioning::kTokens, Partitioning::kPlaced, Partitioning::kShares}) {
    const Ring ring(cluster(7, 3), {.strategy = strategy, .q = 50, .tokens = 16});
    uint64_t next = 0;
    for (uint32_t p = 0; p < ring.partitions(); ++p) {
      const PositionRange range = ring.range(p);
      EXPECT_EQ(range.begin, next);
      EXPECT_EQ(ring.partition_at(range.begin), p);
      EXPECT_EQ(ring.partition_at(range.end - 1), p);
      next = range.end;
      EXPECT_EQ(ring.preference(p)[0], ring.owner(p));
    }
    EXPECT_EQ(next, 0u);
  }
}

TEST(Ring, a_node_of_twice_the_capacity_owns_twice_as_much) {
  for (const Partitioning strategy :
       {Partitioning::kTokens, Partitioning::kPlaced, Partitioning::kShares}) {
    std::vector<Member> members = cluster(9, 3);
    members[4].capacity = 200;
    const Ring ring(members, {.strategy = strategy, .q = 4000, .tokens = 128});
    double owned = 0;
    for (uint32_t p = 0; p < ring.partitions(); ++p) {
      const PositionRange range = ring.range(p);
      if (ring.owner(p) == 5) owned += static_cast<double>(range.end - range.begin) / 0x1p64;
    }
    EXPECT_NEAR(owned, 0.2, strategy == Partitioning::kShares ? 0.001 : 0.05);
  }
}

}  // namespace
}  // namespace ringside
