#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "protocols/test_cluster.h"
#include "runtime/bug.h"

namespace ringside {
namespace {

using test::TestCluster;
using test::values;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

constexpr NodeId kNodes = 8;

void cut_node(TestCluster& cluster, NodeId node) {
  for (NodeId id = 1; id <= kNodes; ++id) cluster.world.cut(id, node);
  for (NodeId client = kFirstClient; client < kFirstClient + 4; ++client) {
    cluster.world.cut(client, node);
  }
}

NodeId holder_of_hints(TestCluster& cluster) {
  NodeId holder = kNoNode;
  for (NodeId id = 1; id <= kNodes; ++id) {
    if (cluster.node(id).dynamo.hints().count() == 0) continue;
    EXPECT_EQ(holder, kNoNode);
    holder = id;
  }
  return holder;
}

// A put of "milk" under "cart" while its third home is cut off.
NodeId put_with_a_hint(TestCluster& cluster) {
  cut_node(cluster, cluster.home("cart")[2]);
  EXPECT_EQ(cluster.put("cart", "", "milk").outcome, Outcome::kOk);
  cluster.world.run_for(200 * kMillisecond);
  return holder_of_hints(cluster);
}

TEST(Hints, are_delivered_when_the_home_is_back_and_then_deleted) {
  TestCluster cluster(kNodes);
  const auto home = cluster.home("cart");
  const NodeId holder = put_with_a_hint(cluster);
  ASSERT_NE(holder, kNoNode);
  EXPECT_THAT(home, testing::Not(testing::Contains(holder)));
  EXPECT_EQ(cluster.node(holder).dynamo.hints().waiting_for(home[2]), 1u);
  cluster.world.run_for(5 * kSecond);
  EXPECT_EQ(cluster.hints_waiting(), 1u) << "kept while the home is away";
  cluster.world.cuts.clear();
  cluster.world.run_for(5 * kSecond);
  EXPECT_THAT(cluster.stored(home[2], "cart"), ElementsAre("milk"));
  EXPECT_EQ(cluster.hints_waiting(), 0u);
  EXPECT_EQ(cluster.node(holder).stats.hints_delivered, 1u);
  EXPECT_EQ(cluster.node(holder).stats.hint_bytes, 0u);
  EXPECT_THAT(cluster.node(holder).engine.durable_rows(), IsEmpty());
}

TEST(Hints, are_deleted_only_when_the_homes_log_holds_them) {
  TestCluster cluster(kNodes);
  const auto home = cluster.home("cart");
  put_with_a_hint(cluster);
  cluster.node(home[2]).engine.hold = true;
  cluster.world.cuts.clear();
  cluster.world.run_for(10 * kSecond);
  EXPECT_EQ(cluster.hints_waiting(), 1u) << "the home has it, its log has not";
  cluster.stop(home[2]);
  cluster.start(home[2]);
  EXPECT_THAT(cluster.stored(home[2], "cart"), IsEmpty());
  cluster.world.run_for(10 * kSecond);
  EXPECT_EQ(cluster.hints_waiting(), 0u);
  EXPECT_THAT(cluster.stored(home[2], "cart"), ElementsAre("milk"));
}

TEST(Hints, survive_the_restart_of_who_keeps_them) {
  TestCluster cluster(kNodes);
  const auto home = cluster.home("cart");
  const NodeId holder = put_with_a_hint(cluster);
  cluster.stop(holder);
  cluster.world.cuts.clear();
  cluster.world.run_for(10 * kSecond);
  EXPECT_THAT(cluster.stored(home[2], "cart"), IsEmpty());
  cluster.start(holder);
  cluster.world.run_for(5 * kSecond);
  EXPECT_THAT(cluster.stored(home[2], "cart"), ElementsAre("milk"));
  EXPECT_EQ(cluster.hints_waiting(), 0u);
  EXPECT_EQ(cluster.reached("hints.found_after_restart"), 1);
}

TEST(Hints, of_one_key_and_home_are_merged_and_each_put_is_kept) {
  TestCluster cluster(kNodes);
  const auto home = cluster.home("cart");
  const NodeId holder = put_with_a_hint(cluster);
  EXPECT_EQ(cluster.put("cart", "", "bread", 0, 1).outcome, Outcome::kOk);
  cluster.world.run_for(200 * kMillisecond);
  EXPECT_EQ(holder_of_hints(cluster), holder);
  EXPECT_EQ(cluster.hints_waiting(), 1u);
  cluster.world.cuts.clear();
  cluster.world.run_for(5 * kSecond);
  EXPECT_THAT(cluster.stored(home[2], "cart"), UnorderedElementsAre("milk", "bread"));
}

TEST(Hints, that_are_written_again_while_they_are_delivered_stay) {
  TestCluster cluster(kNodes);
  const auto home = cluster.home("cart");
  const NodeId holder = put_with_a_hint(cluster);
  cluster.node(home[2]).engine.hold = true;
  for (NodeId id = 1; id <= kNodes; ++id) {  // the holder alone reaches the home
    if (id == holder) {
      cluster.world.cuts.erase({id, home[2]});
      cluster.world.cuts.erase({home[2], id});
    }
  }
  int delivering = 0;
  cluster.world.meddle = [&](Frame& frame) {
    delivering += frame.from == holder && frame.to == home[2];
    return 1;
  };
  for (int i = 0; i < 5000 && delivering == 0; ++i) cluster.world.run_for(kMillisecond);
  ASSERT_EQ(delivering, 1);
  cluster.world.run_for(5 * kMillisecond);
  EXPECT_EQ(cluster.put("cart", "", "bread", 0, 1).outcome, Outcome::kOk);
  cluster.world.run_for(150 * kMillisecond);
  cluster.node(home[2]).engine.hold = false;
  cluster.node(home[2]).engine.sync();
  cluster.world.run_for(20 * kMillisecond);
  EXPECT_EQ(cluster.hints_waiting(), 1u) << "the home has answered for the older one";
  cluster.world.run_for(5 * kSecond);
  EXPECT_EQ(cluster.hints_waiting(), 0u);
  EXPECT_THAT(cluster.stored(home[2], "cart"), UnorderedElementsAre("milk", "bread"));
}

TEST(Hints, for_who_is_no_home_any_more_go_to_the_present_homes) {
  TestCluster cluster(kNodes);
  const auto home = cluster.home("cart");
  put_with_a_hint(cluster);
  std::vector<Member> left;
  for (const Member& member : cluster.members()) {
    if (member.id != home[2]) left.push_back(member);
  }
  cluster.see(stable_view(Ring(left, {})));
  cluster.world.run_for(5 * kSecond);
  EXPECT_EQ(cluster.hints_waiting(), 0u);
  for (const NodeId id : cluster.home("cart")) {
    EXPECT_THAT(cluster.stored(id, "cart"), ElementsAre("milk")) << id;
  }
  EXPECT_GE(cluster.reached("hints.owner_is_no_home"), 1);
}

TEST(Hints, are_bounded_and_beyond_that_nobody_is_stood_in_for) {
  DynamoOptions options;
  options.hint_bytes_max = 1'500;
  TestCluster cluster(kNodes, options);
  cluster.client_options.put_attempts = 1;
  for (const NodeId id : {cluster.home("cart")[1], cluster.home("cart")[2]}) cut_node(cluster, id);
  int ok = 0, unknown = 0;
  std::string context;
  for (int i = 0; i < 40; ++i) {
    const PutResult put = cluster.put("cart", "", std::string(100, 'x'));
    ok += put.outcome == Outcome::kOk;
    unknown += put.outcome == Outcome::kUnknown;
  }
  EXPECT_GT(ok, 3);
  EXPECT_GT(unknown, 3);
  EXPECT_EQ(ok + unknown, 40);
  EXPECT_GT(cluster.reached("hints.no_room"), 0);
  for (NodeId id = 1; id <= kNodes; ++id) {
    EXPECT_LE(cluster.node(id).dynamo.hints().bytes(), 1'500u);
  }
}

TEST(Hints, that_come_late_do_not_bring_back_what_was_deleted) {
  TestCluster cluster(kNodes);
  const auto home = cluster.home("cart");
  const NodeId holder = put_with_a_hint(cluster);
  cluster.stop(holder);
  cluster.world.cuts.clear();
  cluster.world.run_for(kSecond);
  const GetResult got = cluster.get("cart");
  EXPECT_EQ(cluster.put("cart", got.context, std::nullopt).outcome, Outcome::kOk);
  cluster.world.run_for(kSecond);
  cluster.start(holder);
  cluster.world.run_for(5 * kSecond);
  EXPECT_EQ(cluster.hints_waiting(), 0u);
  EXPECT_THAT(values(cluster.get("cart")), IsEmpty());
  for (const NodeId id : home) EXPECT_THAT(cluster.stored(id, "cart"), ElementsAre("")) << id;
}

TEST(Hints, say_for_which_ranges_they_wait) {
  TestCluster cluster(kNodes);
  const NodeId holder = put_with_a_hint(cluster);
  const HintStore& hints = cluster.node(holder).dynamo.hints();
  const uint64_t position = Ring::position_of("cart");
  EXPECT_TRUE(hints.waiting_for(PositionRange{}));
  EXPECT_TRUE(hints.waiting_for(PositionRange{position, position + 1}));
  EXPECT_FALSE(hints.waiting_for(PositionRange{position + 1, 0}));
  EXPECT_FALSE(hints.waiting_for(PositionRange{0, position}));
}

TEST(Hints, that_only_the_disk_holds_are_merged_read_and_delivered) {
  TestCluster cluster(kNodes);
  const auto home = cluster.home("cart");
  const NodeId holder = put_with_a_hint(cluster);
  const std::string row = cluster.node(holder).engine.durable_rows().begin()->first;
  cluster.node(holder).engine.cold.insert(row);
  cluster.put("cart", "", "bread", 0, 1);
  cluster.world.run_for(200 * kMillisecond);
  EXPECT_EQ(cluster.reached("hints.merge_with_disk"), 1);
  cluster.node(holder).engine.cold.insert(row);
  cut_node(cluster, home[0]);
  cut_node(cluster, home[1]);
  cluster.client_options.get_attempts = 6;
  cluster.client_options.timeout = 4 * kSecond;
  EXPECT_THAT(values(cluster.get("cart", 2)), UnorderedElementsAre("milk", "bread"));
  EXPECT_GE(cluster.reached("hints.read_from_disk"), 1);
  cluster.world.cuts.clear();
  cluster.world.run_for(10 * kSecond);
  EXPECT_EQ(cluster.hints_waiting(), 0u);
  EXPECT_THAT(cluster.stored(home[2], "cart"), UnorderedElementsAre("milk", "bread"));
}

// Homes come and go at random, hints are on their way all the time: in the end nothing that was
// acknowledged is missing anywhere, and no hint is left.
TEST(Hints, bring_everything_home_whatever_happens_on_the_way) {
  uint64_t delivered = 0;
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    DynamoOptions options;
    options.read_repair = false;
    TestCluster cluster(kNodes, options);
    cluster.client_options.put_attempts = 1;
    Random random(seed);
    cluster.world.delay_of = [&](const Frame&) {
      return static_cast<Duration>(random.below(10 * kMillisecond));
    };
    cluster.world.meddle = [&](Frame&) {
      return random.chance(0.05) ? 0 : random.chance(0.05) ? 2 : 1;
    };
    std::map<std::string, std::vector<std::string>> acknowledged;
    const auto list = cluster.ring().preference("key 0");
    NodeId down = kNoNode;
    for (int i = 0; i < 60; ++i) {
      if (i % 6 == 0) {
        if (down != kNoNode) cluster.start(down);
        down = list[random.below(list.size())];
        cluster.stop(down);
      }
      const std::string key = "key " + std::to_string(random.below(3));
      const std::string value = "value " + std::to_string(i);
      if (cluster.put(key, "", value).outcome == Outcome::kOk) acknowledged[key].push_back(value);
    }
    cluster.start(down);
    cluster.world.meddle = nullptr;
    cluster.world.run_for(30 * kSecond);
    EXPECT_EQ(cluster.hints_waiting(), 0u) << "seed " << seed;
    for (NodeId id = 1; id <= kNodes; ++id) delivered += cluster.node(id).stats.hints_delivered;
    for (const auto& [key, all] : acknowledged) {
      std::vector<std::string> together;
      for (const NodeId id : cluster.home(key)) {
        const auto stored = cluster.stored(id, key);
        together.insert(together.end(), stored.begin(), stored.end());
      }
      for (const std::string& value : all) {
        EXPECT_THAT(together, testing::Contains(value)) << "seed " << seed << " of " << key;
      }
    }
  }
  EXPECT_GT(delivered, 20u);
}

// A home that takes a while for every put, one after the other, as a disk does.
struct SlowHome {
  TestCluster& cluster;
  NodeId node;
  Duration service;
  Time busy_until = 0;

  Duration delay_of(const Frame& frame) {
    constexpr Duration kWay = kMillisecond;
    if (frame.to != node || frame.kind != number(Kind::kReplicaPutRequest)) return kWay;
    busy_until = std::max(busy_until, cluster.world.now() + kWay) + service;
    return busy_until - cluster.world.now();
  }
};

// Puts with W = N while the home's queue is what counts: their latencies, sorted.
std::vector<Duration> foreground(TestCluster& cluster, std::string key, int puts) {
  std::vector<Duration> latencies;
  std::string context;
  for (int i = 0; i < puts; ++i) {
    const Time before = cluster.world.now();
    const PutResult put = cluster.put(key, context, std::to_string(i));
    EXPECT_EQ(put.outcome, Outcome::kOk);
    context = put.context;
    latencies.push_back(cluster.world.now() - before);
    cluster.world.run_for(2 * kMillisecond);
  }
  std::sort(latencies.begin(), latencies.end());
  return latencies;
}

TEST(Hints, do_not_storm_a_home_that_comes_back_from_a_long_outage) {
  DynamoOptions options;
  options.w = 3;
  TestCluster cluster(kNodes, options);
  const NodeId back = cluster.home("cart")[2];
  SlowHome slow{cluster, back, kMillisecond / 2};
  cluster.world.delay_of = [&](const Frame& frame) { return slow.delay_of(frame); };
  const auto before = foreground(cluster, "cart", 200);
  cut_node(cluster, back);
  uint64_t hints = 0;
  for (int i = 0; i < 3'000; ++i) {
    cluster.put("cart " + std::to_string(i), "", "milk", 0, 1);
  }
  cluster.world.run_for(kSecond);
  hints = cluster.hints_waiting();
  EXPECT_GT(hints, 800u);
  cluster.world.cuts.clear();
  cluster.world.run_for(kSecond);  // the first of them are on their way
  const auto during = foreground(cluster, "cart", 200);
  const uint64_t left = cluster.hints_waiting();
  EXPECT_LT(left, hints - 100) << "they are being delivered";
  EXPECT_GT(left, 0u);
  const auto p99 = [](const std::vector<Duration>& sorted) {
    return sorted[sorted.size() * 99 / 100];
  };
  RecordProperty("p99_before_us", static_cast<int>(p99(before) / kMicrosecond));
  RecordProperty("p99_during_us", static_cast<int>(p99(during) / kMicrosecond));
  RecordProperty("hints", static_cast<int>(hints));
  RecordProperty("left", static_cast<int>(left));
  EXPECT_LE(p99(during), 2 * p99(before));
  cluster.world.run_for(60 * kSecond);
  EXPECT_EQ(cluster.hints_waiting(), 0u);
}

}  // namespace
}  // namespace ringside
