#include "protocols/replication/dynamo/buffered.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/test_cluster.h"

namespace ringside {
namespace {

using test::TestCluster;
using test::values;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

DynamoOptions buffered() {
  DynamoOptions options;
  options.buffered_writes = true;
  return options;
}

uint64_t durable_copies(TestCluster& cluster, std::string_view key) {
  uint64_t copies = 0;
  for (const NodeId id : cluster.home(key)) copies += !cluster.stored(id, key).empty();
  return copies;
}

TEST(BufferedWrites, are_acknowledged_before_any_log_holds_them_and_read_at_once) {
  TestCluster cluster(6, buffered());
  for (const NodeId id : cluster.home("cart")) cluster.node(id).engine.hold = true;
  const Time before = cluster.world.now();
  const PutResult put = cluster.put("cart", "", "milk");
  EXPECT_EQ(put.outcome, Outcome::kOk);
  EXPECT_LT(cluster.world.now() - before, 10 * kMillisecond);
  EXPECT_EQ(durable_copies(cluster, "cart"), 0u);
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("milk"));
  cluster.put("cart", "", "bread");
  EXPECT_THAT(values(cluster.get("cart")), UnorderedElementsAre("milk", "bread"));
  uint64_t counted = 0;
  for (const NodeId id : cluster.home("cart")) counted += cluster.node(id).stats.buffered;
  EXPECT_GE(counted, 4u);
}

// The paper's bargain, and what it costs.
TEST(BufferedWrites, are_lost_when_everyone_who_acknowledged_loses_its_memory) {
  for (const bool on : {true, false}) {
    DynamoOptions options;
    options.buffered_writes = on;
    options.sloppy = false;
    TestCluster cluster(6, options);
    cluster.client_options.put_attempts = 1;
    for (const NodeId id : cluster.home("cart")) cluster.node(id).engine.hold = true;
    EXPECT_EQ(cluster.put("cart", "", "milk").outcome, on ? Outcome::kOk : Outcome::kUnknown);
    for (const NodeId id : cluster.home("cart")) cluster.stop(id);
    for (const NodeId id : cluster.home("cart")) cluster.start(id);
    cluster.world.run_for(kSecond);
    EXPECT_THAT(values(cluster.get("cart")), IsEmpty());
  }
}

TEST(BufferedWrites, one_of_the_homes_writes_through_its_log_at_once) {
  DynamoOptions options = buffered();
  options.buffer_for = 10 * kSecond;
  TestCluster cluster(6, options);
  for (int i = 0; i < 50; ++i) {
    const std::string key = "cart " + std::to_string(i);
    EXPECT_EQ(cluster.put(key, "", "milk").outcome, Outcome::kOk);
    cluster.world.run_for(20 * kMillisecond);
    const uint64_t copies = durable_copies(cluster, key);
    EXPECT_GE(copies, 1u);
    EXPECT_LE(copies, 2u) << "and the coordinator, which has it in its engine";
  }
}

TEST(BufferedWrites, reach_the_engine_a_little_later_each_object_once) {
  TestCluster cluster(6, buffered());
  std::string context;
  for (int i = 0; i < 20; ++i) {
    const PutResult put = cluster.put("cart", context, std::to_string(i));
    EXPECT_EQ(put.outcome, Outcome::kOk);
    context = put.context;
  }
  cluster.world.run_for(kSecond);
  EXPECT_EQ(durable_copies(cluster, "cart"), 3u);
  uint64_t taken = 0, written = 0;
  for (const NodeId id : cluster.home("cart")) {
    EXPECT_THAT(cluster.stored(id, "cart"), ElementsAre("19"));
    taken += cluster.node(id).stats.buffered;
    written += cluster.node(id).stats.buffer_written;
  }
  EXPECT_GT(taken, 30u);
  EXPECT_LT(written, taken / 2);
  EXPECT_THAT(values(cluster.get("cart")), ElementsAre("19"));
}

TEST(BufferedWrites, go_through_the_log_when_the_buffer_is_full) {
  DynamoOptions options = buffered();
  options.buffer_objects = 2;
  options.buffer_for = 10 * kSecond;
  TestCluster cluster(3, options);
  for (NodeId id = 1; id <= 3; ++id) cluster.node(id).engine.hold = true;
  cluster.client_options.put_attempts = 1;
  int ok = 0;
  for (int i = 0; i < 20; ++i) {
    ok += cluster.put("cart " + std::to_string(i), "", "milk").outcome == Outcome::kOk;
  }
  EXPECT_GT(cluster.reached("dynamo.write_buffer_full"), 0);
  EXPECT_LT(ok, 20) << "what goes through the log waits for it";
  for (NodeId id = 1; id <= 3; ++id) {
    cluster.node(id).engine.hold = false;
    cluster.node(id).engine.sync();
  }
  cluster.world.run_for(20 * kSecond);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(durable_copies(cluster, "cart " + std::to_string(i)), 3u);
}

// As when the range was given to another node while the object was in the buffer.
TEST(BufferedWrites, that_the_engine_will_never_take_go_elsewhere_and_those_it_will_take_stay) {
  TestCluster cluster(3);
  EXPECT_EQ(cluster.put("cart", "", "milk").outcome, Outcome::kOk);
  cluster.world.run_for(kSecond);
  test::TestNode& node = cluster.node(1);
  const std::string object = node.engine.durable_rows().begin()->second;
  const DynamoOptions options = buffered();
  DynamoStats stats;
  std::vector<std::string> elsewhere;
  BufferedWrites buffer(
      node.rpc, node.engine, node.dynamo.replica(),
      [&](std::string_view key, std::string_view) { elsewhere.emplace_back(key); }, options, stats);
  node.engine.refuse = true;
  node.engine.refusal = Code::kOverloaded;
  EXPECT_TRUE(buffer.merge("bread", object, Ack{}));
  cluster.world.run_for(kSecond);
  EXPECT_THAT(elsewhere, IsEmpty());
  EXPECT_EQ(buffer.objects(), 1u) << "the engine is full, and will not be for ever";
  node.engine.refusal = Code::kInvalid;
  cluster.world.run_for(kSecond);
  EXPECT_THAT(elsewhere, ElementsAre("bread"));
  EXPECT_EQ(buffer.objects(), 0u);
  node.engine.refuse = false;
  EXPECT_TRUE(buffer.merge("eggs", object, Ack{}));
  cluster.world.run_for(kSecond);
  EXPECT_EQ(elsewhere.size(), 1u);
  EXPECT_EQ(stats.buffer_written, 1u);
  EXPECT_THAT(cluster.stored(1, "eggs"), ElementsAre("milk"));
}

TEST(BufferedWrites, hints_and_stand_ins_stay_durable) {
  TestCluster cluster(6, buffered());
  const auto home = cluster.home("cart");
  for (NodeId id = 1; id <= 6; ++id) cluster.world.cut(id, home[2]);
  EXPECT_EQ(cluster.put("cart", "", "milk").outcome, Outcome::kOk);
  cluster.world.run_for(500 * kMillisecond);
  EXPECT_EQ(cluster.hints_waiting(), 1u);
  cluster.node(home[2]).engine.hold = true;
  cluster.world.cuts.clear();
  cluster.world.run_for(5 * kSecond);
  EXPECT_EQ(cluster.hints_waiting(), 1u) << "a hint is deleted for a log's word alone";
  cluster.node(home[2]).engine.hold = false;
  cluster.node(home[2]).engine.sync();
  cluster.world.run_for(5 * kSecond);
  EXPECT_EQ(cluster.hints_waiting(), 0u);
}

}  // namespace
}  // namespace ringside
