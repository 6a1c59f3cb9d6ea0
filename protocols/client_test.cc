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

// Node `id` tells clients of these members.
void tell(TestCluster& cluster, NodeId id, std::vector<Member> members) {
  MembersReply reply;
  for (Member& member : members) reply.members.push_back({std::move(member), ""});
  Rpc& rpc = cluster.node(id).rpc;
  rpc.handle(Kind::kMembersRequest,
             [&rpc, reply](Request request) { rpc.reply(request, Status::kOk, reply.encode()); });
}

TEST(Client, follows_the_ring_that_nodes_tell_it) {
  for (const bool polls : {true, false}) {
    TestCluster cluster(6);
    cluster.client_options.poll_every = polls ? 5 * kSecond : 0;
    std::vector<Member> left;
    const NodeId first = cluster.home("cart")[0];
    for (const Member& member : cluster.members()) {
      if (member.id != first) left.push_back(member);
    }
    for (NodeId id = 1; id <= 6; ++id) tell(cluster, id, left);
    cluster.get("cart");
    EXPECT_EQ(cluster.client().ring().members().size(), 6u);
    cluster.world.run_for(6 * kSecond);
    cluster.get("cart");
    cluster.world.run_for(kSecond);
    EXPECT_EQ(cluster.client().ring().members().size(), polls ? 5u : 6u);
    EXPECT_EQ(cluster.put("cart", "", "milk").outcome, Outcome::kOk);
  }
}

TEST(Client, asks_for_the_members_at_once_when_two_nodes_say_no) {
  DynamoOptions options;
  options.sloppy = false;
  TestCluster cluster(6, options);
  std::vector<Member> left = cluster.members();
  left.pop_back();
  for (NodeId id = 1; id <= 6; ++id) tell(cluster, id, left);
  for (NodeId a = 1; a <= 6; ++a) {
    for (NodeId b = 1; b <= 6; ++b) cluster.world.refused.insert({a, b});
  }
  EXPECT_EQ(cluster.get("cart").outcome, Outcome::kFailed);
  EXPECT_EQ(cluster.client().ring().members().size(), 6u);
  cluster.get("cart");
  cluster.world.run_for(20 * kMillisecond);
  EXPECT_EQ(cluster.client().ring().members().size(), 5u);
}

TEST(Client, does_not_follow_through_a_stand_in_number_nor_when_it_does_not_route_by_the_ring) {
  for (const bool by_ring : {true, false}) {
    TestCluster cluster(6, {}, by_ring ? Routing::kCoordinator : Routing::kRandomNode);
    for (NodeId id = 1; id <= 6; ++id) tell(cluster, id, {{1, "", "", ""}, {2, "", "", ""}});
    if (by_ring) cluster.client_options.members = {Member{99, "", "", ""}};
    cluster.world.readdress[99] = 2;
    cluster.get("cart");
    cluster.world.run_for(11 * kSecond);
    cluster.get("cart");
    cluster.world.run_for(kSecond);
    EXPECT_EQ(cluster.client().ring().members().size(), by_ring ? 1u : 6u);
  }
}

TEST(Client, goes_to_the_next_nodes_of_the_list_when_the_first_n_are_silent) {
  TestCluster cluster;
  const auto home = cluster.home("cart");
  for (const NodeId id : home) cluster.world.refused.insert({kFirstClient, id});
  cluster.client_options.put_attempts = 4;
  cluster.client_options.timeout = 3 * kSecond;
  const PutResult put = cluster.put("cart", "", "milk");
  EXPECT_EQ(put.outcome, Outcome::kOk);
  EXPECT_EQ(put.attempts, 4u);
  EXPECT_EQ(put.coordinator, home[0]) << "handed on: the homes are silent to the client alone";
  EXPECT_EQ(cluster.put("cart", put.context, "bread").attempts, 1u);
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
