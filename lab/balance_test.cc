#include "lab/balance.h"

#include <gtest/gtest.h>

#include <cstdio>

namespace ringside::lab {
namespace {

constexpr uint32_t kNodes = 30;  // the paper's
constexpr uint32_t kRings = 20;

Ring ring_of(Partitioning strategy, uint32_t q, uint32_t tokens, NodeId first) {
  std::vector<Member> members;
  for (NodeId id = first; id < first + kNodes; ++id) members.push_back({.id = id});
  return Ring(std::move(members), {.strategy = strategy, .q = q, .tokens = tokens});
}

// The mean of many rings, each of other nodes.
double efficiency(Partitioning strategy, uint32_t q, uint32_t tokens) {
  double sum = 0;
  for (uint32_t i = 0; i < kRings; ++i)
    sum += load_balancing_efficiency(ring_of(strategy, q, tokens, 1 + 100 * i), 3);
  return sum / kRings;
}

TEST(Balance, a_ring_of_equal_shares_is_perfectly_even) {
  std::vector<Member> members;
  for (NodeId id = 1; id <= 4; ++id) members.push_back({.id = id});
  const Ring even(std::move(members), {.strategy = Partitioning::kShares, .q = 8, .tokens = 16});
  EXPECT_DOUBLE_EQ(load_balancing_efficiency(even, 4), 1);  // everyone is home of everything
  EXPECT_DOUBLE_EQ(load_balancing_efficiency(even, 1), 1);
  const Ring uneven(even.members(), {.strategy = Partitioning::kTokens, .tokens = 1});
  EXPECT_LT(load_balancing_efficiency(uneven, 1), 0.95);
}

// Figure 8 of the paper, as shape: with as many entries of membership to keep, equal partitions in
// bounded shares spread requests more evenly than partitions that tokens cut. The entries of
// strategy 3 are the owners of its partitions; its tokens only draw them, and are many, because
// where they are few one node takes several partitions in a row and is home of fewer others.
TEST(Balance, strategy_3_is_more_even_than_strategy_1_at_equal_metadata) {
  std::printf("entries a node | strategy 1 | strategy 2 | strategy 3\n");
  double first_before = 0;
  for (const uint32_t entries : {4u, 8u, 16u, 32u, 64u}) {
    const uint32_t q = entries * kNodes;
    const double first = efficiency(Partitioning::kTokens, q, entries);
    const double second = efficiency(Partitioning::kPlaced, q, entries);
    const double third = efficiency(Partitioning::kShares, q, 4 * entries);
    std::printf("%14u | %10.3f | %10.3f | %10.3f\n", entries, first, second, third);
    EXPECT_GT(third, first + 0.02) << entries;
    EXPECT_LE(second, first + 0.01) << entries;
    EXPECT_GT(first, first_before) << entries;  // more tokens, evener
    first_before = first;
  }
}

}  // namespace
}  // namespace ringside::lab
