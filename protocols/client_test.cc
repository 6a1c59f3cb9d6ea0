#include "protocols/client.h"

#include <gtest/gtest.h>

#include <set>

#include "protocols/test_cluster.h"

namespace ringside {
namespace {

using test::TestCluster;
using test::values;

TEST(Client, a_put_that_was_refused_everywhere_has_failed) {
  TestCluster cluster;
  for (NodeId id = 1; id <= 6; ++id) cluster.world.refused.insert({kFirstClient, id});
  const PutResult put = cluster.put("cart", "", "milk");
  EXPECT_EQ(put.outcome, Outcome::kFailed);
  EXPECT_EQ(put.attempts, 3u);
}

TEST(Client, a_put_of_which_one_attempt_may_have_happened_is_unknown) {
  TestCluster cluster;
  const auto home = cluster.home("cart");
  cluster.world.cut(kFirstClient, home[0]);
  cluster.world.refused.insert({kFirstClient, home[1]});
  cluster.world.refused.insert({kFirstClient, home[2]});
  EXPECT_EQ(cluster.put("cart", "", "milk").outcome, Outcome::kUnknown);
}

TEST(Client,
     tries_the_next_of_the_n_with_the_same_operation_and_avoids_the_silent_one_for_a_while) {
  TestCluster cluster;
  cluster.world.record = true;
  const auto home = cluster.home("cart");
  cluster.world.cut(kFirstClient, home[0]);
  const PutResult put = cluster.put("cart", "", "milk");
  EXPECT_EQ(put.outcome, Outcome::kOk);
  EXPECT_EQ(put.coordinator, home[1]);
  EXPECT_EQ(put.attempts, 2u);
  std::set<uint64_t> operations;
  for (const Frame& frame : cluster.world.sent) {
    if (frame.kind == number(Kind::kClientPutRequest)) operations.insert(frame.operation);
  }
  EXPECT_EQ(operations.size(), 1u);
  EXPECT_EQ(cluster.put("cart", put.context, "bread").attempts, 1u);
  cluster.world.cuts.clear();
  cluster.world.run_for(kSecond);
  EXPECT_EQ(cluster.put("cart", "", "eggs").coordinator, home[0])
      << "asked again when the suspicion is over";
}

TEST(Client, gives_up_at_its_timeout) {
  TestCluster cluster;
  cluster.client_options.timeout = 500 * kMillisecond;
  cluster.client_options.get_attempts = 100;
  for (NodeId id = 1; id <= 6; ++id) cluster.world.cut(kFirstClient, id);
  const Time before = cluster.world.now();
  const GetResult got = cluster.get("cart");
  EXPECT_EQ(got.outcome, Outcome::kFailed);
  EXPECT_NEAR(static_cast<double>(cluster.world.now() - before), 0.5e9, 30e6);
}

TEST(Client, random_routing_asks_every_node) {
  TestCluster cluster(6, {}, Routing::kRandomNode);
  std::set<NodeId> coordinators;
  for (int i = 0; i < 60; ++i) coordinators.insert(cluster.get("cart").coordinator);
  EXPECT_EQ(coordinators.size(), 6u);
}

TEST(Client, operations_of_two_clients_never_have_one_id) {
  TestCluster cluster;
  std::set<uint64_t> ids;
  for (uint32_t number : {0u, 1u, 0u, 1u}) ids.insert(cluster.client(number).next_operation());
  EXPECT_EQ(ids.size(), 4u);
  EXPECT_EQ(ids.count(0), 0u);
}

TEST(Client, knows_only_a_stand_in_number_of_the_node_that_it_asks) {
  // As a tool that was given an address: whoever answers the call is the one who was asked.
  TestCluster cluster;
  cluster.client_options.members = {Member{99, "", "", ""}};
  cluster.world.readdress[99] = 2;
  const PutResult put = cluster.put("cart", "", "milk");
  EXPECT_EQ(put.outcome, Outcome::kOk);
  EXPECT_EQ(values(cluster.get("cart")), std::vector<std::string>{"milk"});
}

}  // namespace
}  // namespace ringside
