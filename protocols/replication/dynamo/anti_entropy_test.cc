// Anti-entropy over engines in memory and a network that a test can spoil.
#include <gtest/gtest.h>

#include <iostream>

#include "protocols/replication/dynamo/test_repair.h"
#include "protocols/replication/dynamo/version.h"

namespace ringside {
namespace {

using test::HeldRows;
using test::merged_objects;
using test::numbered;
using test::object_by;
using test::RepairCluster;
using test::RepairClusterOptions;

TEST(AntiEntropy, homes_that_hold_the_same_exchange_roots_and_nothing_else) {
  RepairCluster cluster;
  for (uint64_t i = 0; i < 1'000; ++i) {
    for (NodeId id = 1; id <= 3; ++id) cluster.node(id).put_object(numbered(i), object_by(i, "v"));
  }
  cluster.world.run_for(kMillisecond);
  cluster.round(1);
  const UpkeepStats& stats = cluster.node(1).stats;
  EXPECT_EQ(stats.ranges_compared, 4u);
  EXPECT_EQ(stats.ranges_clean, 4u);
  EXPECT_EQ(stats.row_bytes, 0u);
  EXPECT_LT(stats.hash_bytes, 4 * 100u);
}

TEST(AntiEntropy, what_any_of_three_homes_has_all_have_within_two_periods) {
  RepairClusterOptions options;
  options.upkeep.every = 2 * kSecond;
  options.upkeep.reap = false;
  for (const uint32_t partitions : {1u, 16u}) {
    options.partitions = partitions;
    RepairCluster cluster(options);
    Random random(partitions);
    HeldRows all;
    uint64_t differing = 0;
    for (uint64_t i = 0; i < 3'000; ++i) {
      std::string object = object_by(i + 1, "value");
      const uint64_t fate = random.below(30);
      for (NodeId id = 1; id <= 3; ++id) {
        const bool missed_by_one = fate >= 1 && fate <= 3 && fate != id;
        if (missed_by_one || fate == 3 + id || fate > 6) {
          cluster.node(id).put_object(numbered(i), object);
        }
      }
      if (fate == 7) {  // concurrent puts that each reached one node
        for (NodeId id = 1; id <= 2; ++id) {
          const std::string other = object_by(10'000 + 10 * i + id, "other");
          cluster.node(id).put_object(numbered(i), other);
          object = merged_objects(object, other);
        }
      }
      differing += fate <= 7;
      if (fate > 0) all[std::string(ObjectRow(numbered(i)).view())] = object;
    }
    ASSERT_GT(differing, 500u);
    cluster.start_upkeep();
    cluster.world.run_for(2 * options.upkeep.every + kSecond);
    for (NodeId id = 1; id <= 3; ++id) {
      EXPECT_TRUE(cluster.node(id).rows() == all) << partitions << " partitions, node " << id;
      EXPECT_GT(cluster.node(id).stats.rows_fetched + cluster.node(id).stats.rows_pushed, 0u);
    }
  }
}

TEST(AntiEntropy, bytes_are_in_proportion_to_the_difference_and_not_to_the_range) {
  std::cout
      << "| Rows | Rows that differ | Hashes | Objects | Bytes a row |\n|--:|--:|--:|--:|--:|\n";
  for (const uint64_t held : {10'000u, 100'000u}) {
    RepairClusterOptions options;
    options.nodes = 2;
    options.partitions = 16;
    options.dynamo.n = options.dynamo.r = options.dynamo.w = 2;
    RepairCluster cluster(options);
    for (uint64_t i = 0; i < held; ++i) {
      for (NodeId id = 1; id <= 2; ++id) {
        cluster.node(id).put_object(numbered(i), object_by(i + 1, std::string(100, 'v')));
      }
      if (i % 1'000 == 0) cluster.world.run_for(0);
    }
    cluster.world.run_for(kMillisecond);
    uint64_t changed = 0;
    UpkeepStats& stats = cluster.node(2).stats;
    for (const uint64_t k : {0u, 1u, 10u, 100u, 1'000u, 10'000u}) {
      for (uint64_t i = 0; i < k; ++i) {
        const std::string fresh = "new-" + std::to_string(++changed);
        cluster.node(1).put_object(fresh, object_by(held + changed, std::string(100, 'w')));
        if (i % 1'000 == 0) cluster.world.run_for(0);
      }
      cluster.world.run_for(kMillisecond);
      stats = {};
      cluster.round(2);
      EXPECT_EQ(stats.rows_fetched, k);
      EXPECT_EQ(stats.rows_pushed, 0u);
      std::cout << "| " << held << " | " << k << " | " << stats.hash_bytes << " | "
                << stats.row_bytes << " | "
                << (k == 0 ? 0 : (stats.hash_bytes + stats.row_bytes) / k) << " |\n";
      EXPECT_LE(stats.hash_bytes, 1'500 + k * 2'000);
      EXPECT_LE(stats.row_bytes, k * 220);
    }
    EXPECT_TRUE(cluster.node(1).rows() == cluster.node(2).rows());
  }
}

TEST(AntiEntropy, converges_over_a_network_that_loses_doubles_and_delays) {
  RepairClusterOptions options;
  options.upkeep.every = 500 * kMillisecond;
  options.upkeep.request_timeout = 200 * kMillisecond;
  options.upkeep.reap = false;
  RepairCluster cluster(options);
  Random random(5);
  cluster.world.meddle = [&random](Frame&) {
    const uint64_t fate = random.below(10);
    return fate == 0 ? 0 : fate == 1 ? 2 : 1;
  };
  cluster.world.delay_of = [&random](const Frame&) {
    return static_cast<Duration>(random.below(20)) * kMillisecond;
  };
  for (uint64_t i = 0; i < 400; ++i) {
    cluster.node(1 + static_cast<NodeId>(i % 3)).put_object(numbered(i), object_by(i + 1, "v"));
  }
  cluster.start_upkeep();
  cluster.world.run_for(60 * kSecond);
  EXPECT_EQ(cluster.node(1).rows().size(), 400u);
  EXPECT_TRUE(cluster.node(1).rows() == cluster.node(2).rows());
  EXPECT_TRUE(cluster.node(1).rows() == cluster.node(3).rows());
  EXPECT_GT(cluster.node(1).stats.unanswered, 0u) << "nothing was ever lost";
}

TEST(AntiEntropy, a_range_that_is_not_whole_is_neither_compared_nor_answered_for) {
  RepairClusterOptions options;
  options.partitions = 1;
  options.nodes = 2;
  options.dynamo.n = options.dynamo.r = options.dynamo.w = 2;
  RepairCluster cluster(options);
  cluster.node(2).put_object("key", object_by(1, "v"));
  EXPECT_TRUE(cluster.run(1, [](Partitions& partitions) -> Task<void> {
    (void)co_await partitions.set_whole({}, false);
  }(cluster.node(1).partitions)));
  cluster.round(1);
  EXPECT_EQ(cluster.node(1).stats.ranges_compared, 0u);
  cluster.round(2);
  EXPECT_EQ(cluster.node(2).stats.unanswered, 1u);
  EXPECT_FALSE(cluster.node(1).rows().contains(std::string(ObjectRow("key").view())));
}

TEST(AntiEntropy, a_home_that_is_down_costs_a_round_one_silence) {
  RepairClusterOptions options;
  options.partitions = 16;
  RepairCluster cluster(options);
  for (uint64_t i = 0; i < 100; ++i) cluster.node(2).put_object(numbered(i), object_by(i + 1, "v"));
  cluster.world.run_for(kMillisecond);
  cluster.kill(3);
  const Time begin = cluster.world.now();
  cluster.round(1);
  EXPECT_LT(cluster.world.now() - begin, options.upkeep.request_timeout + kSecond);
  EXPECT_EQ(cluster.node(1).stats.unanswered, 1u);
  EXPECT_EQ(cluster.node(1).rows().size(), 100u) << "the other home was asked instead";
}

TEST(AntiEntropy, refuses_requests_that_make_no_sense) {
  RepairCluster cluster;
  const auto status_of = [&](Kind kind, Buffer message) {
    Status status = Status::kOk;
    const bool ended =
        cluster.run(1, [](Rpc& rpc, Kind what, Buffer bytes, Status& out) -> Task<void> {
          Fanout fanout(rpc, 2);
          const Time until = rpc.host().clock().now() + kSecond;
          fanout.send(what, 0, until, std::move(bytes));
          co_await fanout.wait(1, until);
          out = fanout[0].status;
        }(cluster.node(1).rpc, kind, std::move(message), status));
    EXPECT_TRUE(ended);
    return status;
  };
  const KeyRange rows = rows_of(cluster.ring().range(0));
  const auto tree = [&](uint32_t depth, uint32_t levels, std::vector<uint32_t> nodes) {
    return status_of(Kind::kTreeRequest,
                     TreeRequest{rows.begin, rows.end, depth, levels, packed(nodes)}.encode());
  };
  EXPECT_EQ(tree(6, 3, {}), Status::kInvalid);
  EXPECT_EQ(tree(31, 3, {0}), Status::kInvalid);
  EXPECT_EQ(tree(6, 7, {0}), Status::kInvalid);
  EXPECT_EQ(tree(6, 3, {~0u}), Status::kInvalid);
  EXPECT_EQ(tree(6, 6, std::vector<uint32_t>(4'000, 0)), Status::kInvalid);
  const std::string elsewhere = "\x02hint";
  EXPECT_EQ(status_of(Kind::kLeafRequest, LeafRequest{elsewhere, "\x03", {}}.encode()),
            Status::kFailed);
  EXPECT_EQ(status_of(Kind::kRowsRequest, RowsRequest{rows.begin, "\xff", {}}.encode()),
            Status::kFailed);
}

}  // namespace
}  // namespace ringside
