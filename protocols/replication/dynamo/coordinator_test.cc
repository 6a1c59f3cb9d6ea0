#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "protocols/test_cluster.h"

namespace ringside {
namespace {

using test::TestCluster;
using test::values;
using testing::Contains;
using testing::ElementsAre;
using testing::IsEmpty;

void cut_off(TestCluster& cluster, NodeId node) {
  for (NodeId id = 1; id <= 12; ++id) cluster.world.cut(id, node);
  for (NodeId client = kFirstClient; client < kFirstClient + 4; ++client) {
    cluster.world.cut(client, node);
  }
}

// --- Sloppy quorums.

TEST(SloppyQuorum, a_put_is_acknowledged_while_two_of_three_homes_are_silent) {
  TestCluster cluster;
  const auto home = cluster.home("cart");
  cut_off(cluster, home[1]);
  cut_off(cluster, home[2]);
  const Time before = cluster.world.now();
  const PutResult put = cluster.put("cart", "", "milk");
  EXPECT_EQ(put.outcome, Outcome::kOk);
  EXPECT_EQ(put.attempts, 1u);
  EXPECT_LT(cluster.world.now() - before, 110 * kMillisecond) << "a quarter of the attempt";
  EXPECT_EQ(cluster.node(home[0]).stats.sloppy_puts, 1u);
  EXPECT_EQ(cluster.hints_waiting(), 2u) << "of each silent home";
  const Time again = cluster.world.now();
  EXPECT_EQ(cluster.put("cart", put.context, "bread").outcome, Outcome::kOk);
  EXPECT_LT(cluster.world.now() - again, 10 * kMillisecond) << "both are suspected now";
}

TEST(SloppyQuorum, a_strict_one_says_unknown_under_the_same_cuts) {
  DynamoOptions options;
  options.sloppy = false;
  TestCluster cluster(6, options);
  cluster.client_options.put_attempts = 1;
  const auto home = cluster.home("cart");
  cut_off(cluster, home[1]);
  cut_off(cluster, home[2]);
  EXPECT_EQ(cluster.put("cart", "", "milk").outcome, Outcome::kUnknown);
  EXPECT_EQ(cluster.reached("dynamo.stand_in_written"), 0);
}

TEST(SloppyQuorum, a_home_that_refuses_gets_its_stand_in_at_once) {
  TestCluster cluster;
  const auto home = cluster.home("cart");
  for (NodeId id = 1; id <= 6; ++id) {
    cluster.world.refused.insert({id, home[1]});
    cluster.world.refused.insert({id, home[2]});
  }
  const Time before = cluster.world.now();
  EXPECT_EQ(cluster.put("cart", "", "milk").outcome, Outcome::kOk);
  EXPECT_LT(cluster.world.now() - before, 10 * kMillisecond);
}

TEST(SloppyQuorum, stand_ins_that_refuse_too_are_followed_by_the_next_ones) {
  TestCluster cluster;
  const auto list = cluster.ring().preference("cart");
  for (NodeId id = 1; id <= 6; ++id) {
    for (const std::size_t place : {1, 2, 3, 4}) cluster.world.refused.insert({id, list[place]});
  }
  EXPECT_EQ(cluster.put("cart", "", "milk").outcome, Outcome::kOk);
  EXPECT_EQ(cluster.node(list[5]).dynamo.hints().count(), 1u);
  cluster.world.refused.insert({list[0], list[5]});
  cluster.client_options.put_attempts = 1;
  EXPECT_EQ(cluster.put("cart", "", "bread", 0, 1).outcome, Outcome::kUnknown)
      << "one log of six holds it";
}

TEST(SloppyQuorum, a_put_lies_on_n_nodes_also_when_w_homes_answered) {
  TestCluster cluster;
  const auto home = cluster.home("cart");
  cut_off(cluster, home[2]);
  EXPECT_EQ(cluster.put("cart", "", "milk").outcome, Outcome::kOk);
  EXPECT_EQ(cluster.node(home[0]).stats.sloppy_puts, 0u);
  cluster.world.run_for(150 * kMillisecond);
  EXPECT_EQ(cluster.hints_waiting(), 1u);
}

TEST(SloppyQuorum, a_key_whose_homes_are_all_gone_is_put_and_read_through_others) {
  TestCluster cluster(8);
  const auto home = cluster.home("cart");
  for (const NodeId id : home) cut_off(cluster, id);
  cluster.client_options.timeout = 4 * kSecond;
  cluster.client_options.put_attempts = cluster.client_options.get_attempts = 6;
  const PutResult put = cluster.put("cart", "", "milk");
  EXPECT_EQ(put.outcome, Outcome::kOk);
  EXPECT_THAT(home, testing::Not(Contains(put.coordinator)));
  EXPECT_GE(cluster.reached("dynamo.coordinated_by_no_home"), 1);
  const GetResult got = cluster.get("cart");
  EXPECT_EQ(got.outcome, Outcome::kOk);
  EXPECT_THAT(values(got), ElementsAre("milk")) << "from hints alone";
  EXPECT_EQ(cluster.put("cart", got.context, "bread").outcome, Outcome::kOk);
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("bread"));
  cluster.world.cuts.clear();
  cluster.world.run_for(10 * kSecond);
  for (const NodeId id : home) EXPECT_THAT(cluster.stored(id, "cart"), ElementsAre("bread")) << id;
  EXPECT_EQ(cluster.hints_waiting(), 0u);
}

TEST(SloppyQuorum, asks_stand_ins_for_a_get_only_when_too_few_homes_answer) {
  TestCluster cluster;
  const auto home = cluster.home("cart");
  cluster.put("cart", "", "milk");
  cluster.world.run_for(kSecond);
  cut_off(cluster, home[2]);
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("milk"));
  cluster.world.run_for(kSecond);
  EXPECT_EQ(cluster.reached("dynamo.stand_in_read"), 0) << "two homes are R";
  cut_off(cluster, home[1]);
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("milk"));
  EXPECT_EQ(cluster.reached("dynamo.stand_in_read"), 1);
  EXPECT_EQ(cluster.node(home[0]).stats.sloppy_gets, 1u);
}

// The first home's messages to the second and third get lost, theirs to it do not: each side thinks
// otherwise of who is there.
TEST(SloppyQuorum, an_asymmetric_cut_gives_stand_ins_on_one_side_alone) {
  TestCluster cluster;
  const auto home = cluster.home("cart");
  cluster.world.cuts.insert({home[0], home[1]});
  cluster.world.cuts.insert({home[0], home[2]});
  const PutResult put = cluster.put("cart", "", "milk");
  EXPECT_EQ(put.outcome, Outcome::kOk);
  EXPECT_EQ(put.coordinator, home[0]);
  EXPECT_THAT(cluster.stored(home[1], "cart"), IsEmpty());
  cluster.world.cut(kFirstClient + 1, home[0]);
  EXPECT_EQ(cluster.put("cart", put.context, "bread", 0, 1).outcome, Outcome::kOk);
  cluster.world.cuts.clear();
  cluster.world.run_for(10 * kSecond);
  EXPECT_EQ(cluster.hints_waiting(), 0u);
  for (const NodeId id : home) EXPECT_THAT(cluster.stored(id, "cart"), ElementsAre("bread")) << id;
}

// The coordinator's process stops in the middle of a put and goes on when its deadline is over.
TEST(SloppyQuorum, a_coordinator_that_pauses_through_the_deadline_makes_no_second_value) {
  TestCluster cluster;
  const auto home = cluster.home("cart");
  cluster.world.delay_of = [&](const Frame& frame) {
    const Duration paused = 700 * kMillisecond - cluster.world.now();
    return frame.from == home[0] && paused > 0 ? paused : kMillisecond;
  };
  const PutResult put = cluster.put("cart", "", "milk");
  EXPECT_EQ(put.outcome, Outcome::kOk);
  EXPECT_NE(put.coordinator, home[0]);
  cluster.world.run_for(10 * kSecond);
  EXPECT_EQ(cluster.hints_waiting(), 0u);
  const GetResult got = cluster.get("cart");
  EXPECT_THAT(values(got), ElementsAre("milk")) << "two dots, one value";
  cluster.put("cart", got.context, "bread");
  cluster.world.run_for(kSecond);
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("bread"));
}

Task<void> forget(Partitions& partitions) { (void)co_await partitions.drop({}); }

TEST(SloppyQuorum, a_home_that_does_not_hold_the_range_gets_a_stand_in_at_once) {
  TestCluster cluster;
  const auto home = cluster.home("cart");
  for (const std::size_t place : {0, 1}) {
    cluster.world.host(home[place]).spawn(forget(cluster.node(home[place]).partitions));
  }
  const Time before = cluster.world.now();
  const PutResult put = cluster.put("cart", "", "milk");
  EXPECT_EQ(put.outcome, Outcome::kOk);
  EXPECT_EQ(put.coordinator, home[0]) << "who keeps nothing may still coordinate";
  EXPECT_LT(cluster.world.now() - before, 10 * kMillisecond);
  EXPECT_THAT(cluster.stored(home[0], "cart"), IsEmpty());
  EXPECT_THAT(cluster.stored(home[2], "cart"), ElementsAre("milk"));
  EXPECT_EQ(cluster.hints_waiting(), 2u);
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("milk"));
}

// --- Changing rings.

RingView changing(const TestCluster& cluster, NodeId without, bool switched) {
  std::vector<Member> left;
  for (const Member& member : cluster.members()) {
    if (member.id != without) left.push_back(member);
  }
  RingView view = cluster.view();
  view.next = std::make_shared<const Ring>(Ring(left, {}));
  view.ticket = 1;
  view.switched = switched;
  return view;
}

TEST(ChangingRing, a_put_reaches_w_of_the_old_and_w_of_the_new_homes) {
  DynamoOptions options;
  options.sloppy = false;
  TestCluster cluster(6, options);
  const auto old = cluster.home("cart");
  cluster.see(changing(cluster, old[2], false));
  const Homes all = cluster.view().write_homes(Ring::position_of("cart"), 3);
  ASSERT_EQ(all.size(), 4u);
  EXPECT_EQ(cluster.put("cart", "", "milk").outcome, Outcome::kOk);
  cluster.world.run_for(kSecond);
  for (const NodeId id : all) EXPECT_THAT(cluster.stored(id, "cart"), ElementsAre("milk")) << id;
  cut_off(cluster, old[1]);
  EXPECT_EQ(cluster.put("cart", "", "bread").outcome, Outcome::kOk) << "three of four";
  cluster.client_options.put_attempts = 1;
  cut_off(cluster, all[3]);
  EXPECT_EQ(cluster.put("cart", "", "eggs", 0, 1).outcome, Outcome::kUnknown) << "two of four";
}

TEST(ChangingRing, reads_go_by_the_old_homes_and_then_by_the_new_ones) {
  DynamoOptions options;
  options.sloppy = false;
  TestCluster cluster(6, options);
  const auto old = cluster.home("cart");
  cluster.see(changing(cluster, old[2], false));
  cluster.put("cart", "", "milk");
  cluster.world.run_for(kSecond);
  cluster.world.record = true;
  std::set<NodeId> asked;
  for (const bool switched : {false, true}) {
    cluster.see(changing(cluster, old[2], switched));
    cluster.world.sent.clear();
    EXPECT_THAT(values(cluster.get("cart")), ElementsAre("milk"));
    asked.clear();
    for (const Frame& frame : cluster.world.sent) {
      if (frame.kind == number(Kind::kReplicaGetRequest)) asked.insert(frame.to);
    }
    EXPECT_EQ(asked.count(old[2]), switched ? 0u : 1u);
  }
}

// --- Hedged gets, the fastest replier, random quorums.

TEST(HedgedGet, asks_r_homes_and_the_others_only_when_these_are_slow) {
  DynamoOptions options;
  options.hedge_after = 10 * kMillisecond;
  options.read_repair = false;
  TestCluster cluster(6, options);
  const auto home = cluster.home("cart");
  cluster.put("cart", "", "milk");
  cluster.world.run_for(kSecond);
  cluster.world.record = true;
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("milk"));
  const auto requests = [&] {
    return std::count_if(cluster.world.sent.begin(), cluster.world.sent.end(),
                         [](const Frame& f) { return f.kind == number(Kind::kReplicaGetRequest); });
  };
  EXPECT_EQ(requests(), 1) << "itself and one other";
  cluster.world.delay_of = [&](const Frame& frame) {
    return frame.from == home[1] ? 60 * kMillisecond : kMillisecond;
  };
  cluster.world.sent.clear();
  const Time before = cluster.world.now();
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("milk"));
  EXPECT_EQ(requests(), 2);
  EXPECT_LT(cluster.world.now() - before, 20 * kMillisecond);
  EXPECT_EQ(cluster.node(home[0]).stats.hedged_gets, 1u);
}

TEST(HedgedGet, asks_the_others_at_once_when_one_refuses) {
  DynamoOptions options;
  options.hedge_after = 300 * kMillisecond;
  options.sloppy = false;
  TestCluster cluster(6, options);
  const auto home = cluster.home("cart");
  cluster.put("cart", "", "milk");
  for (NodeId id = 1; id <= 6; ++id) cluster.world.refused.insert({id, home[1]});
  const Time before = cluster.world.now();
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("milk"));
  EXPECT_LT(cluster.world.now() - before, 10 * kMillisecond);
}

TEST(FastestReplier, coordinates_the_put_after_the_get) {
  for (const bool on : {true, false}) {
    DynamoOptions options;
    options.fastest_replier = on;
    TestCluster cluster(6, options);
    cluster.client_options.get_attempts = 6;
    const auto home = cluster.home("cart");
    cluster.put("cart", "", "milk");
    cluster.world.run_for(kSecond);
    // The get finds the homes silent to the client and is coordinated by the next node, to which
    // the third home is the nearest.
    cluster.world.delay_of = [&](const Frame& frame) {
      return frame.from == home[2] ? kMillisecond : 3 * kMillisecond;
    };
    for (const NodeId id : home) cluster.world.refused.insert({kFirstClient, id});
    const GetResult got = cluster.get("cart");
    EXPECT_EQ(got.outcome, Outcome::kOk);
    EXPECT_THAT(home, testing::Not(Contains(got.coordinator)));
    cluster.world.refused.clear();
    cluster.world.run_for(kSecond);
    EXPECT_EQ(cluster.put("cart", got.context, "bread").coordinator, on ? home[2] : home[0]);
  }
}

TEST(RandomQuorums, reach_w_homes_with_a_put_and_r_with_a_get_and_nobody_else) {
  DynamoOptions options;
  options.random_quorums = true;
  options.read_repair = false;
  options.r = options.w = 1;
  TestCluster cluster(6, options);
  const auto home = cluster.home("cart");
  std::string context;
  std::map<NodeId, int> wrote;
  int stale = 0;
  for (int i = 0; i < 600; ++i) {
    const PutResult put = cluster.put("cart", context, std::to_string(i));
    ASSERT_EQ(put.outcome, Outcome::kOk);
    context = put.context;
    int holders = 0;
    for (const NodeId id : home) {
      const auto stored = cluster.stored(id, "cart");
      const bool has = std::count(stored.begin(), stored.end(), std::to_string(i)) != 0;
      holders += has;
      wrote[id] += has;
    }
    EXPECT_EQ(holders, 1);
    const auto read = values(cluster.get("cart"));
    stale += read != std::vector<std::string>{std::to_string(i)};
  }
  for (const NodeId id : home) EXPECT_NEAR(wrote[id], 200, 45);
  EXPECT_NEAR(stale, 400, 45) << "two in three read a home that the last put did not reach";
}

}  // namespace
}  // namespace ringside
