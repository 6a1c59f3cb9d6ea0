#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "protocols/test_cluster.h"

namespace ringside {
namespace {

using test::TestCluster;
using test::values;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

// Nobody stands in for anybody.
DynamoOptions strict() {
  DynamoOptions options;
  options.sloppy = false;
  return options;
}

TEST(Dynamo, a_put_is_read_back_and_lies_on_n_nodes) {
  TestCluster cluster;
  const PutResult put = cluster.put("cart", "", "milk");
  EXPECT_EQ(put.outcome, Outcome::kOk);
  const GetResult got = cluster.get("cart");
  EXPECT_EQ(got.outcome, Outcome::kOk);
  EXPECT_THAT(values(got), ElementsAre("milk"));
  EXPECT_EQ(got.context, put.context);
  cluster.world.run_for(kSecond);
  const auto home = cluster.home("cart");
  for (NodeId id = 1; id <= 6; ++id) {
    EXPECT_EQ(cluster.stored(id, "cart").size(), std::count(home.begin(), home.end(), id)) << id;
  }
}

TEST(Dynamo, a_key_that_was_never_put_is_found_empty) {
  TestCluster cluster;
  const GetResult got = cluster.get("nothing");
  EXPECT_EQ(got.outcome, Outcome::kOk);
  EXPECT_THAT(values(got), IsEmpty());
}

TEST(Dynamo,
     puts_that_did_not_see_each_other_become_siblings_and_a_put_with_their_context_replaces_them) {
  TestCluster cluster;
  cluster.put("cart", "", "milk", 0, 0);
  cluster.put("cart", "", "bread", 0, 1);
  const GetResult both = cluster.get("cart");
  EXPECT_THAT(values(both), UnorderedElementsAre("milk", "bread"));
  cluster.put("cart", both.context, "milk, bread");
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("milk, bread"));
}

TEST(Dynamo, a_put_may_build_on_the_context_of_the_put_before_it) {
  TestCluster cluster;
  const PutResult first = cluster.put("cart", "", "one");
  cluster.put("cart", first.context, "two");
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("two"));
}

TEST(Dynamo, a_delete_is_a_version_that_has_no_value) {
  TestCluster cluster;
  const PutResult put = cluster.put("cart", "", "milk");
  EXPECT_EQ(cluster.put("cart", put.context, std::nullopt).outcome, Outcome::kOk);
  const GetResult got = cluster.get("cart");
  EXPECT_THAT(values(got), IsEmpty());
  EXPECT_FALSE(got.context.empty()) << "the tombstone has a context, which the next put replaces";
}

TEST(Dynamo, any_node_hands_a_put_on_to_one_of_the_n) {
  TestCluster cluster(6, {}, Routing::kNonReplica);
  const PutResult put = cluster.put("cart", "", "milk");
  EXPECT_EQ(put.outcome, Outcome::kOk);
  EXPECT_EQ(put.coordinator, cluster.home("cart")[0]);
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("milk"));
}

TEST(Dynamo, hands_a_put_on_to_the_next_node_when_the_first_is_refused_or_silent) {
  TestCluster cluster(6, {}, Routing::kNonReplica);
  const auto home = cluster.home("cart");
  for (NodeId id = 1; id <= 6; ++id) cluster.world.refused.insert({id, home[0]});
  EXPECT_EQ(cluster.put("cart", "", "milk").coordinator, home[1]);
  cluster.world.refused.clear();
  for (NodeId id = 1; id <= 6; ++id) cluster.world.cut(id, home[1]);
  const PutResult put = cluster.put("cart", "", "bread");
  EXPECT_EQ(put.outcome, Outcome::kOk);
  EXPECT_NE(put.coordinator, home[1]);
}

TEST(Dynamo, a_coordinator_that_is_no_replica_keeps_nothing_itself) {
  DynamoOptions options;
  options.coordinate = Coordinate::kNonReplica;
  for (const Routing routing : {Routing::kNonReplica, Routing::kCoordinator}) {
    TestCluster cluster(6, options, routing);
    const PutResult first = cluster.put("cart", "", "milk");
    EXPECT_EQ(first.outcome, Outcome::kOk);
    const auto home = cluster.home("cart");
    EXPECT_EQ(std::count(home.begin(), home.end(), first.coordinator), 0);
    cluster.world.run_for(kSecond);
    for (const NodeId id : home) EXPECT_THAT(cluster.stored(id, "cart"), ElementsAre("milk"));
    EXPECT_THAT(cluster.stored(first.coordinator, "cart"), IsEmpty());
    cluster.put("cart", "", "bread");
    const GetResult both = cluster.get("cart");
    EXPECT_THAT(values(both), UnorderedElementsAre("milk", "bread"));
    cluster.put("cart", both.context, "all");
    EXPECT_THAT(values(cluster.get("cart")), ElementsAre("all"));
  }
}

TEST(Dynamo, acknowledges_only_what_w_logs_hold) {
  TestCluster cluster(6, strict());
  cluster.client_options.put_attempts = 1;
  const auto home = cluster.home("cart");
  cluster.node(home[0]).engine.hold = true;
  cluster.node(home[1]).engine.hold = true;
  EXPECT_EQ(cluster.put("cart", "", "milk").outcome, Outcome::kUnknown)
      << "one log of three holds it";
  EXPECT_THAT(cluster.stored(home[0], "cart"), IsEmpty())
      << "a reader is not shown what the log may lose";
  EXPECT_THAT(cluster.stored(home[2], "cart"), ElementsAre("milk"));
}

TEST(Dynamo, a_merge_that_changes_nothing_still_waits_for_the_log) {
  TestCluster cluster(6, strict());
  const auto home = cluster.home("cart");
  cluster.client_options.put_attempts = 1;
  cluster.client_options.attempt_timeout = 50 * kMillisecond;
  for (const NodeId id : home) cluster.node(id).engine.hold = true;
  const uint64_t operation = cluster.client().next_operation();
  EXPECT_EQ(cluster.put("cart", "", "milk", operation).outcome, Outcome::kUnknown);
  EXPECT_EQ(cluster.put("cart", "", "milk", operation).outcome, Outcome::kUnknown)
      << "everyone has it, no log has";
  int repeated = 0;
  for (const NodeId id : home) repeated += cluster.world.host(id).probes["dynamo.put_repeated"];
  EXPECT_EQ(repeated, 1);
  for (const NodeId id : home) cluster.node(id).engine.sync();
  EXPECT_EQ(cluster.put("cart", "", "milk", operation).outcome, Outcome::kOk);
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("milk")) << "three requests, one version";
}

TEST(Dynamo, a_put_that_reaches_too_few_is_unknown_and_may_surface_later) {
  TestCluster cluster(6, strict());
  cluster.client_options.put_attempts = 1;
  const auto home = cluster.home("cart");
  cluster.world.cut(home[0], home[1]);
  cluster.world.cut(home[0], home[2]);
  EXPECT_EQ(cluster.put("cart", "", "milk").outcome, Outcome::kUnknown);
  EXPECT_EQ(cluster.get("cart").outcome, Outcome::kOk) << "another coordinator reaches two";
  cluster.world.cuts.clear();
  cluster.world.run_for(kSecond);
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("milk"));
}

TEST(Dynamo, an_engine_that_takes_nothing_makes_the_put_fail_surely) {
  TestCluster cluster;
  cluster.client_options.put_attempts = 1;
  cluster.node(cluster.home("cart")[0]).engine.refuse = true;
  EXPECT_EQ(cluster.put("cart", "", "milk").outcome, Outcome::kFailed);
  cluster.world.run_for(kSecond);
  for (const NodeId id : cluster.home("cart")) EXPECT_THAT(cluster.stored(id, "cart"), IsEmpty());
}

TEST(Dynamo, a_get_without_r_answers_fails) {
  TestCluster cluster;
  const auto home = cluster.home("cart");
  for (NodeId a = 1; a <= 6; ++a) {
    for (NodeId b = 1; b <= 6; ++b) cluster.world.cut(a, b);
  }
  EXPECT_EQ(cluster.get("cart").outcome, Outcome::kFailed);
}

TEST(Dynamo, read_repair_brings_the_stale_replica_up_to_date) {
  TestCluster cluster(6, strict());
  const auto home = cluster.home("cart");
  for (NodeId id = 1; id <= 6; ++id) cluster.world.cut(id, home[2]);
  EXPECT_EQ(cluster.put("cart", "", "milk").outcome, Outcome::kOk);
  cluster.world.cuts.clear();
  cluster.world.run_for(kSecond);
  EXPECT_THAT(cluster.stored(home[2], "cart"), IsEmpty());
  cluster.get("cart");
  cluster.world.run_for(kSecond);
  EXPECT_THAT(cluster.stored(home[2], "cart"), ElementsAre("milk"));
}

TEST(Dynamo, read_repair_merges_replicas_that_diverged_and_leaves_equal_ones_alone) {
  DynamoOptions options = strict();
  options.w = 1;
  TestCluster cluster(6, options);
  const auto home = cluster.home("cart");
  // Three sides, each takes a put of its own.
  for (int i = 0; i < 3; ++i) {
    cluster.world.cuts.clear();
    for (const NodeId a : home) {
      for (const NodeId b : home) {
        if (a != b) cluster.world.cut(a, b);
      }
    }
    for (int j = 0; j < 3; ++j) {
      if (j != i) cluster.world.cut(kFirstClient, home[j]);
    }
    EXPECT_EQ(cluster.put("cart", "", "side " + std::to_string(i)).outcome, Outcome::kOk) << i;
  }
  cluster.world.cuts.clear();
  cluster.world.run_for(kSecond);
  const GetResult got = cluster.get("cart");
  EXPECT_GE(got.siblings.size(), 2u) << "R = 2 sides";
  cluster.world.run_for(kSecond);
  for (const NodeId id : home) {
    EXPECT_THAT(cluster.stored(id, "cart"), UnorderedElementsAre("side 0", "side 1", "side 2"));
  }
  uint64_t before = 0, after = 0;
  for (NodeId id = 1; id <= 6; ++id) before += cluster.node(id).stats.repairs;
  EXPECT_GE(before, 3u);
  cluster.get("cart");
  cluster.world.run_for(kSecond);
  for (NodeId id = 1; id <= 6; ++id) after += cluster.node(id).stats.repairs;
  EXPECT_EQ(after, before);
}

TEST(Dynamo, a_doubled_put_request_makes_one_version_even_after_it_was_superseded) {
  TestCluster cluster;
  std::vector<Frame> requests;
  cluster.world.meddle = [&](Frame& frame) {
    if (frame.kind == number(Kind::kClientPutRequest)) requests.push_back(frame);
    return 1;
  };
  const PutResult put = cluster.put("cart", "", "milk");
  cluster.put("cart", put.context, "bread");
  cluster.world.transmit(requests[0]);
  cluster.world.run_for(kSecond);
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("bread"));
}

TEST(RecentPuts, remembers_what_came_lately_and_takes_bounded_room) {
  RecentPuts recent;
  EXPECT_EQ(recent.find(7).dot.counter, 0u);
  for (uint64_t operation = 1; operation <= 100'000; ++operation) {
    recent.remember(operation, {{1, operation}});
    recent.remember(operation, {{1, operation}});
    ASSERT_EQ(recent.find(operation).dot, (Dot{1, operation}));
  }
  int lately = 0, ever = 0;
  for (uint64_t operation = 1; operation <= 100'000; ++operation) {
    const bool known = recent.find(operation).dot.counter == operation;
    ever += known;
    lately += known && operation > 99'000;
  }
  EXPECT_EQ(ever, 4096);
  EXPECT_GT(lately, 980) << "of the last thousand";
}

TEST(Dynamo, a_put_that_two_coordinators_took_is_returned_once) {
  TestCluster cluster;
  cluster.client_options.attempt_timeout = 20 * kMillisecond;
  const auto home = cluster.home("cart");
  cluster.world.cut(
      home[0], home[1]);  // the first coordinator's write stays with itself, and its answer is lost
  cluster.world.cut(home[0], home[2]);
  cluster.world.cuts.insert({home[0], kFirstClient});
  const PutResult put = cluster.put("cart", "", "milk");
  EXPECT_EQ(put.outcome, Outcome::kOk);
  EXPECT_EQ(put.attempts, 2u);
  cluster.world.cuts.clear();
  for (int i = 0; i < 3; ++i) {
    cluster.get("cart");
    cluster.world.run_for(kSecond);
  }
  EXPECT_THAT(cluster.stored(home[0], "cart"), ElementsAre("milk", "milk")) << "two dots";
  const GetResult got = cluster.get("cart");
  EXPECT_THAT(values(got), ElementsAre("milk"));
  cluster.put("cart", got.context, "bread");
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("bread")) << "its context covers both";
}

TEST(Dynamo, keys_that_only_the_disk_holds_are_merged_one_at_a_time) {
  TestCluster cluster;
  const PutResult first = cluster.put("cart", "", "milk");
  cluster.world.run_for(kSecond);
  for (const NodeId id : cluster.home("cart")) cluster.node(id).engine.cold.insert("cart");
  std::vector<PutResult> results(8);
  for (uint32_t i = 0; i < 8; ++i) {
    Client& client = cluster.client(i);
    cluster.world.host(kFirstClient + i)
        .spawn([](Client& from, uint32_t number, PutResult& out) -> Task<void> {
          const uint64_t operation = from.next_operation();
          out = co_await from.put("cart", "", "item " + std::to_string(number), operation);
        }(client, i, results[i]));
  }
  cluster.world.run_for(kSecond);
  for (const PutResult& result : results) EXPECT_EQ(result.outcome, Outcome::kOk);
  EXPECT_EQ(cluster.get("cart").siblings.size(), 9u)
      << "none was built on an object without the others";
}

TEST(Dynamo, refuses_bad_requests_for_good) {
  TestCluster cluster;
  EXPECT_EQ(cluster.put("", "", "x").error.code, Code::kInvalid);
  EXPECT_EQ(cluster.put("cart", "not a context", "x").error.code, Code::kInvalid);
  EXPECT_EQ(cluster.put("cart", "", std::string(kValueBytesMax + 1, 'x')).error.code,
            Code::kInvalid);
  const PutResult refused = cluster.put(std::string(kKeyBytesMax + 1, 'k'), "", "x");
  EXPECT_EQ(refused.outcome, Outcome::kFailed);
  EXPECT_EQ(refused.attempts, 1u);
}

// The union of carts: items are "<…>", each once.
std::string united(const GetResult& got) {
  std::set<std::string> items;
  for (const Sibling& sibling : got.siblings) {
    for (std::size_t at = 0; at < sibling.value.size();) {
      const std::size_t end = sibling.value.find('>', at) + 1;
      items.insert(sibling.value.substr(at, end - at));
      at = end;
    }
  }
  std::string cart;
  for (const std::string& item : items) cart += item;
  return cart;
}

// Everything at once: frames lost, doubled, late and damaged. Whatever was acknowledged is there in
// the end, or was replaced by a put that had seen it.
TEST(Dynamo, loses_no_acknowledged_put_on_a_bad_network) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    DynamoOptions options;
    TestCluster cluster(5, options, seed % 2 == 0 ? Routing::kRandomNode : Routing::kCoordinator);
    Random random(seed);
    cluster.world.delay_of = [&](const Frame&) {
      return static_cast<Duration>(random.below(20 * kMillisecond));
    };
    cluster.world.meddle = [&](Frame& frame) {
      if (random.chance(0.05)) {
        Buffer damaged = Buffer::copy_of(frame.bytes.view());
        damaged.mutable_data()[random.below(damaged.size())] ^= 0x10;
        frame.bytes = damaged;
      }
      return random.chance(0.1) ? 0 : random.chance(0.1) ? 2 : 1;
    };
    // Each client adds its items to one set: reads, and writes the union with something new.
    struct Shopper {
      std::vector<std::string> acknowledged;
      bool done = false;
    };
    std::vector<Shopper> shoppers(4);
    for (uint32_t i = 0; i < shoppers.size(); ++i) {
      cluster.world.host(kFirstClient + i)
          .spawn([](Client& client, uint32_t number, Shopper& shopper) -> Task<void> {
            for (int round = 0; round < 15; ++round) {
              const uint64_t get_id = client.next_operation();
              const GetResult got = co_await client.get("cart", get_id);
              if (got.outcome != Outcome::kOk) continue;
              const std::string cart = united(got);
              const std::string item =
                  "<" + std::to_string(number) + "." + std::to_string(round) + ">";
              const uint64_t put_id = client.next_operation();
              const PutResult put = co_await client.put("cart", got.context, cart + item, put_id);
              if (put.outcome == Outcome::kOk) shopper.acknowledged.push_back(item);
            }
            shopper.done = true;
          }(cluster.client(i), i, shoppers[i]));
    }
    const auto shopping = [&] {
      return std::any_of(shoppers.begin(), shoppers.end(),
                         [](const Shopper& shopper) { return !shopper.done; });
    };
    for (int i = 0; i < 1000 && shopping(); ++i) cluster.world.run_for(100 * kMillisecond);
    cluster.world.meddle = nullptr;
    for (int i = 0; i < 3; ++i) {
      cluster.get("cart");
      cluster.world.run_for(kSecond);
    }
    const std::string cart = united(cluster.get("cart"));
    std::size_t acknowledged = 0;
    for (const Shopper& shopper : shoppers) {
      EXPECT_TRUE(shopper.done);
      acknowledged += shopper.acknowledged.size();
      for (const std::string& item : shopper.acknowledged) {
        EXPECT_NE(cart.find(item), std::string::npos) << "seed " << seed << " lost " << item;
      }
    }
    EXPECT_GT(acknowledged, 20u);
    const auto home = cluster.home("cart");
    EXPECT_EQ(cluster.stored(home[0], "cart"), cluster.stored(home[1], "cart"));
    EXPECT_EQ(cluster.stored(home[0], "cart"), cluster.stored(home[2], "cart"));
  }
}

}  // namespace
}  // namespace ringside
