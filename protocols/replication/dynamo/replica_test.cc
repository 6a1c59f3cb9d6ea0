#include "protocols/replication/dynamo/replica.h"

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

// A replica alone, over an engine in memory.
struct LoneReplica {
  explicit LoneReplica(Versions versions = Versions::kDotted, NodeId id = 1)
      : engine(world.host(id)), rpc(world.host(id)) {
    options.versions = versions;
    replica = std::make_unique<Replica>(rpc, engine, options, stats);
    world.run_for(kSecond);
  }
  Applied put(std::string_view seen, std::string_view value, uint64_t operation, Time expires = 0) {
    Applied applied;
    LocalPut put;
    put.seen = seen;
    put.value = value;
    put.operation = operation;
    put.expires = expires;
    EXPECT_TRUE(replica->put_now("cart", put, applied));
    return applied;
  }
  void merge(std::string_view object) {
    replica->merge("cart", object, Ack{});
    world.run_for(kMillisecond);
  }
  // Empty: not there.
  std::string stored() {
    return std::string(engine.lookup(ObjectRow("cart").view(), View::kLatest).value);
  }
  int probed(const std::string& name) { return world.host(1).probes[name]; }

  test::TestWorld world;
  test::TestEngine engine;
  Rpc rpc;
  DynamoOptions options;
  DynamoStats stats;
  std::unique_ptr<Replica> replica;
};

TEST(Replica, refuses_objects_of_another_scheme_and_says_so) {
  const Versions all[] = {Versions::kDotted, Versions::kVectorClock, Versions::kLastWriterWins};
  for (const Versions own : all) {
    for (const Versions theirs : all) {
      LoneReplica other(theirs, 2);
      const std::string object(other.put("", "theirs", 1).object);
      LoneReplica empty(own), full(own);
      const std::string before(full.put("", "ours", 2).object);
      empty.merge(object);
      full.merge(object);
      EXPECT_EQ(empty.stored().empty(), own != theirs);
      if (own != theirs) EXPECT_EQ(full.stored(), before);
      EXPECT_EQ(empty.probed("dynamo.object_of_another_scheme"), own != theirs);
      EXPECT_EQ(full.probed("dynamo.object_of_another_scheme"), own != theirs);
      EXPECT_EQ(full.put(context_of(object), "x", 3).status == Status::kOk, own == theirs);
    }
  }
  LoneReplica replica;
  replica.merge("no object");
  EXPECT_EQ(replica.probed("dynamo.bad_object"), 1);
}

TEST(Replica, an_expired_row_stands_for_a_tombstone_a_while_and_then_goes) {
  for (const Versions versions :
       {Versions::kDotted, Versions::kVectorClock, Versions::kLastWriterWins}) {
    LoneReplica replica(versions);
    const Time expires = replica.world.now() + kSecond;
    replica.put("", "milk", 1, expires);
    const std::string object = replica.stored();
    EXPECT_FALSE(dead_since(object, expires - 1));
    EXPECT_EQ(dead_since(object, expires), expires);
    replica.world.run_for(kSecond + replica.options.expired_kept - 1);
    EXPECT_EQ(replica.stored(), object);
    replica.world.run_for(1);
    EXPECT_EQ(replica.stored(), "");
  }
}

TEST(Replica, a_put_after_an_expiry_is_not_taken_for_something_old) {
  LoneReplica replica;
  const Applied first = replica.put("", "milk", 1, replica.world.now() + kSecond);
  replica.put(replica.replica->versions().context_after("", first.made), "bread", 2,
              replica.world.now() + kSecond);
  const std::string late = replica.stored();
  replica.world.run_for(60 * kSecond);
  ASSERT_EQ(replica.stored(), "");
  replica.put("", "eggs", 3);
  replica.merge(late);
  VersionViews siblings;
  ASSERT_TRUE(read_object(replica.stored(), siblings));
  ASSERT_EQ(siblings.size(), 2u) << "neither had seen the other";
  EXPECT_EQ(replica.probed("dynamo.removed_object_came_back"), 0);
}

TEST(Replica, counts_anew_when_an_object_that_was_removed_here_comes_back) {
  LoneReplica replica;
  const std::string first(replica.put("", "milk", 1, replica.world.now() + kSecond).object);
  const std::string second(
      replica.put(context_of(first), "bread", 2, replica.world.now() + kSecond).object);
  replica.world.run_for(60 * kSecond);
  replica.merge(first);
  EXPECT_EQ(replica.probed("dynamo.removed_object_came_back"), 1);
  replica.put(context_of(first), "eggs", 3);
  replica.merge(second);
  VersionViews siblings;
  ASSERT_TRUE(read_object(replica.stored(), siblings));
  ASSERT_EQ(siblings.size(), 2u) << "second does not cover what came after it";
}

TEST(Replica, counts_what_truncation_drops) {
  LoneReplica replica(Versions::kVectorClock);
  replica.options.clock_entries_max = 2;
  replica.replica =
      std::make_unique<Replica>(replica.rpc, replica.engine, replica.options, replica.stats);
  std::string seen;
  for (uint64_t operation = 1; operation <= 4; ++operation) {
    replica.replica->rows_came_back();  // each put counts for a new actor
    seen = std::string(context_of(replica.put(seen, "x", operation).object));
  }
  EXPECT_EQ(replica.stats.clock_entries_dropped, 2u);
  EXPECT_EQ(replica.probed("dynamo.clock_truncated"), 2);
}

TEST(Versions, vector_clocks_serve_clients_as_dots_do) {
  DynamoOptions options;
  options.versions = Versions::kVectorClock;
  TestCluster cluster(6, options);
  const PutResult milk = cluster.put("cart", "", "milk", 0, 0);
  cluster.put("cart", milk.context, "milk, eggs", 0, 0);
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("milk, eggs"));
  cluster.put("cart", "", "bread", 0, 1);
  const GetResult both = cluster.get("cart");
  EXPECT_THAT(values(both), UnorderedElementsAre("milk, eggs", "bread"));
  EXPECT_EQ(cluster.put("cart", both.context, std::nullopt).outcome, Outcome::kOk);
  EXPECT_THAT(values(cluster.get("cart")), IsEmpty());
  cluster.world.run_for(kSecond);
  for (const NodeId id : cluster.home("cart"))
    EXPECT_THAT(cluster.stored(id, "cart"), ElementsAre(""));
  DynamoStats all;
  for (NodeId id = 1; id <= 6; ++id) {
    const DynamoStats& stats = cluster.node(id).stats;
    for (int i = 0; i < 4; ++i) all.siblings_read[i] += stats.siblings_read[i];
    all.siblings_read_max = std::max(all.siblings_read_max, stats.siblings_read_max);
  }
  EXPECT_THAT(all.siblings_read, ElementsAre(0, 2, 1, 0));
  EXPECT_EQ(all.siblings_read_max, 2u);
}

TEST(Versions, an_expired_value_is_read_as_deleted_and_replaced_like_one) {
  TestCluster cluster;
  cluster.world.run_for(kSecond);
  PutResult put;
  cluster.world.host(kFirstClient)
      .spawn([](Client& client, Time expires, PutResult& out) -> Task<void> {
        const uint64_t operation = client.next_operation();
        out = co_await client.put("cart", "", "milk", operation, expires);
      }(cluster.client(), cluster.world.now() + kSecond, put));
  cluster.world.run_for(kSecond / 2);
  EXPECT_EQ(put.outcome, Outcome::kOk);
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("milk"));
  cluster.world.run_for(kSecond);
  const GetResult got = cluster.get("cart");
  EXPECT_EQ(got.outcome, Outcome::kOk);
  EXPECT_THAT(values(got), IsEmpty());
  EXPECT_EQ(got.context, put.context);
  cluster.put("cart", got.context, "bread");
  cluster.world.run_for(60 * kSecond);
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("bread"));
}

// The items "<…>" of all siblings, each once.
std::string items_of(const GetResult& got) {
  std::set<std::string> items;
  for (const Sibling& sibling : got.siblings) {
    for (std::size_t at = 0; at < sibling.value.size();) {
      const std::size_t end = sibling.value.find('>', at) + 1;
      items.insert(sibling.value.substr(at, end - at));
      at = end;
    }
  }
  std::string all;
  for (const std::string& item : items) all += item;
  return all;
}

// Clients add an item each time to whatever they read, through frames that are lost, doubled and
// late: with the paper's clocks too nothing acknowledged is missing in the end.
TEST(Versions, vector_clocks_lose_no_acknowledged_put_on_a_bad_network) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    DynamoOptions options;
    options.versions = Versions::kVectorClock;
    options.clock_entries_max = seed % 2 == 0 ? 10 : 2;
    TestCluster cluster(5, options, Routing::kRandomNode);
    Random random(seed);
    cluster.world.delay_of = [&](const Frame&) {
      return static_cast<Duration>(random.below(20 * kMillisecond));
    };
    cluster.world.meddle = [&](Frame&) {
      return random.chance(0.1) ? 0 : random.chance(0.1) ? 2 : 1;
    };
    std::vector<std::string> acknowledged[3];
    for (uint32_t i = 0; i < 3; ++i) {
      cluster.world.host(kFirstClient + i)
          .spawn([](Client& client, uint32_t number, std::vector<std::string>& done) -> Task<void> {
            for (int round = 0; round < 12; ++round) {
              const uint64_t get_id = client.next_operation();
              const GetResult got = co_await client.get("cart", get_id);
              if (got.outcome != Outcome::kOk) continue;
              const std::string item =
                  "<" + std::to_string(number) + "." + std::to_string(round) + ">";
              const uint64_t put_id = client.next_operation();
              const PutResult put =
                  co_await client.put("cart", got.context, items_of(got) + item, put_id);
              if (put.outcome == Outcome::kOk) done.push_back(item);
            }
          }(cluster.client(i), i, acknowledged[i]));
    }
    cluster.world.run_for(100 * kSecond);
    cluster.world.meddle = nullptr;
    for (int i = 0; i < 3; ++i) {
      cluster.get("cart");
      cluster.world.run_for(kSecond);
    }
    const std::string all = items_of(cluster.get("cart"));
    std::size_t count = 0;
    for (const auto& items : acknowledged) {
      count += items.size();
      for (const std::string& item : items)
        EXPECT_NE(all.find(item), std::string::npos) << "seed " << seed << " lost " << item;
    }
    EXPECT_GT(count, 5u) << seed;
    const auto home = cluster.home("cart");
    EXPECT_EQ(cluster.stored(home[0], "cart"), cluster.stored(home[1], "cart"));
    EXPECT_EQ(cluster.stored(home[0], "cart"), cluster.stored(home[2], "cart"));
  }
}

}  // namespace
}  // namespace ringside
