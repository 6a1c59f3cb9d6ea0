#include "protocols/membership/gossip.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <set>

#include "protocols/test_host.h"
#include "protocols/wire.pb.h"

namespace ringside {
namespace {

constexpr uint64_t kCluster = 77;

MemberRecord alive(NodeId id, uint64_t version = 1) {
  MemberRecord record{id, {}, {}};
  record.seat.version = 1;
  record.life.incarnation = 1;
  record.life.version = version;
  record.life.wire = 2;
  record.life.address = "host-" + std::to_string(id);
  return record;
}

struct Gossiper {
  Gossiper(test::TestHost& host, GossipOptions options, std::vector<NodeId> seeds,
           uint64_t cluster = kCluster)
      : rpc(host),
        gossip(rpc, table, options, std::move(seeds), cluster, [this](NodeId, auto) { ++news; }) {
    rpc.handle(Kind::kGossipRequest, [this](Request request) { gossip.message(request); });
    rpc.handle(Kind::kGossipPush, [this](Request request) { gossip.message(request); });
  }
  int news = 0;
  Rpc rpc;
  MemberTable table;
  Gossip gossip;
};

class GossipTest : public testing::Test {
 protected:
  Gossiper& add(NodeId id, std::vector<NodeId> seeds = {}, uint64_t cluster = kCluster) {
    gossipers[id] = std::make_unique<Gossiper>(world.host(id), options, std::move(seeds), cluster);
    return *gossipers[id];
  }
  void know_everyone(NodeId count) {
    for (auto& [id, gossiper] : gossipers) {
      for (NodeId other = 1; other <= count; ++other) gossiper->table.merge(alive(other));
    }
  }
  void run(NodeId id) { world.host(id).spawn(gossipers[id]->gossip.run()); }
  // One round, begun by `from`; the bytes that it cost.
  std::size_t round(NodeId from, NodeId to) {
    world.record = true;
    world.sent.clear();
    world.host(from).spawn([](Gossip& gossip, NodeId peer) -> Task<void> {
      co_await gossip.round(peer);
    }(gossipers[from]->gossip, to));
    world.run_for(kSecond);
    std::size_t bytes = 0;
    for (const Frame& frame : world.sent) bytes += frame.bytes.size();
    return bytes;
  }

  test::TestWorld world;
  GossipOptions options;
  std::map<NodeId, std::unique_ptr<Gossiper>> gossipers;
};

TEST_F(GossipTest, messages_are_what_protobuf_makes_of_the_schema) {
  GossipMessage message;
  message.cluster = kCluster;
  message.hash = ~uint64_t{0};
  for (uint64_t i = 0; i < MemberTable::kBuckets; ++i) message.buckets.push_back(i * i);
  message.differing = 5;
  message.digests = {{1, 2}, {3, ~uint64_t{0}}};
  message.records = {alive(1), alive(900)};
  message.wanted = {9, 10};
  const Buffer encoded = message.encode();
  const std::string body(encoded.view().substr(kHeaderBytes));
  wire::Gossip schema;
  ASSERT_TRUE(schema.ParseFromString(body));
  EXPECT_EQ(schema.SerializeAsString(), body);
  EXPECT_EQ(schema.records(1).life().address(), "host-900");
  GossipMessage back;
  ASSERT_TRUE(back.parse(body));
  EXPECT_EQ(back.buckets, message.buckets);
  EXPECT_EQ(back.digests, message.digests);
  EXPECT_EQ(back.records, message.records);
  EXPECT_EQ(back.wanted, message.wanted);
}

TEST_F(GossipTest, a_round_between_equals_costs_less_than_100_bytes_with_1000_members) {
  add(1);
  add(2);
  know_everyone(1'000);
  EXPECT_LT(round(1, 2), 100u);
  EXPECT_EQ(gossipers[1]->gossip.stats().equal, 1u);
}

TEST_F(GossipTest, a_round_costs_what_changed_and_not_the_table) {
  add(1);
  add(2);
  know_everyone(1'000);
  std::size_t table = 0;
  for (const auto& [id, record] : gossipers[1]->table.all()) table += encode(record).size();
  gossipers[1]->table.merge(alive(500, 2));
  const std::size_t one = round(1, 2);
  EXPECT_EQ(gossipers[1]->table.hash(), gossipers[2]->table.hash());
  EXPECT_LT(one, 1'500u);
  EXPECT_GT(table, 20'000u);
  for (NodeId id = 10; id < 14; ++id) gossipers[2]->table.merge(alive(id, 2));
  EXPECT_LT(round(1, 2), 3'000u);
  EXPECT_EQ(gossipers[1]->table.hash(), gossipers[2]->table.hash());
}

TEST_F(GossipTest, what_each_knew_alone_both_know_after_one_round) {
  add(1).table.merge(alive(1));
  add(2).table.merge(alive(2));
  for (NodeId id = 10; id < 200; ++id) gossipers[1 + id % 2]->table.merge(alive(id));
  round(1, 2);
  EXPECT_EQ(gossipers[1]->table.size(), 192u);
  EXPECT_EQ(gossipers[1]->table.all(), gossipers[2]->table.all());
  EXPECT_EQ(gossipers[2]->news, 96);
}

TEST_F(GossipTest, a_message_with_one_record_that_makes_no_sense_is_refused_whole) {
  add(1);
  add(2);
  GossipMessage push;
  push.cluster = kCluster;
  push.records = {alive(5), alive(6)};
  push.records[1].seat.capacity = 0;  // undamaged on the way: the sender's own fault
  gossipers[1]->rpc.send(2, Kind::kGossipPush, 0, push.encode());
  world.run_for(kSecond);
  EXPECT_EQ(gossipers[2]->table.size(), 0u);
  EXPECT_EQ(gossipers[2]->gossip.stats().refused, 1u);
  EXPECT_EQ(world.host(2).probes["gossip.refused"], 1);
  push.records[1].seat.capacity = 100;
  gossipers[1]->rpc.send(2, Kind::kGossipPush, 0, push.encode());
  world.run_for(kSecond);
  EXPECT_EQ(gossipers[2]->table.size(), 2u);
}

TEST_F(GossipTest, any_single_wrong_byte_in_a_body_is_refused_or_changes_no_third_record) {
  GossipMessage push;
  push.cluster = kCluster;
  push.records = {alive(5), alive(6)};
  const Buffer good = push.encode();
  int refused = 0;
  for (std::size_t at = kHeaderBytes; at < good.size(); ++at) {
    Buffer bad = Buffer::copy_of(good.view());
    bad.mutable_data()[at] = static_cast<char>(bad.mutable_data()[at] ^ 0x80);
    GossipMessage message;
    if (!message.parse(bad.view().substr(kHeaderBytes)) || message.cluster != kCluster) ++refused;
    EXPECT_LE(message.records.size(), 2u);
  }
  EXPECT_GT(refused, 20);
}

TEST_F(GossipTest, two_clusters_that_meet_by_mistake_stay_two) {
  add(1).table.merge(alive(1));
  add(2, {}, kCluster + 1).table.merge(alive(2));
  round(1, 2);
  EXPECT_EQ(gossipers[1]->table.size(), 1u);
  EXPECT_EQ(gossipers[2]->table.size(), 1u);
  EXPECT_EQ(gossipers[2]->gossip.stats().refused, 1u);
}

TEST_F(GossipTest, a_node_that_starts_tells_and_learns_at_once) {
  for (NodeId id = 1; id <= 3; ++id) add(id);
  know_everyone(3);
  add(4, {1}).table.merge(alive(4));
  run(4);
  world.run_for(50 * kMillisecond);
  EXPECT_EQ(gossipers[4]->table.size(), 4u);
  EXPECT_NE(gossipers[1]->table.find(4), nullptr);
}

TEST_F(GossipTest, two_halves_that_know_nothing_of_each_other_find_together_through_a_seed) {
  for (NodeId id = 1; id <= 8; ++id) add(id, {1});
  for (auto& [id, gossiper] : gossipers) {
    const NodeId first = id <= 4 ? 1 : 5;
    for (NodeId other = first; other < first + 4; ++other) gossiper->table.merge(alive(other));
  }
  for (NodeId id = 1; id <= 8; ++id) run(id);
  world.run_for(20 * kSecond);
  for (auto& [id, gossiper] : gossipers) EXPECT_EQ(gossiper->table.size(), 8u) << id;
}

TEST_F(GossipTest, what_changed_during_a_partition_is_everywhere_after_it) {
  for (NodeId id = 1; id <= 6; ++id) add(id);
  know_everyone(6);
  for (NodeId id = 1; id <= 6; ++id) run(id);
  for (NodeId a = 1; a <= 3; ++a) {
    for (NodeId b = 4; b <= 6; ++b) world.cut(a, b);
  }
  world.run_for(5 * kSecond);
  gossipers[1]->table.merge(alive(1, 9));
  gossipers[6]->table.merge(alive(6, 9));
  world.run_for(20 * kSecond);
  EXPECT_EQ(gossipers[4]->table.find(1)->life.version, 1u);
  world.cuts.clear();
  world.run_for(20 * kSecond);
  for (auto& [id, gossiper] : gossipers) {
    EXPECT_EQ(gossiper->table.find(1)->life.version, 9u) << id;
    EXPECT_EQ(gossiper->table.hash(), gossipers[1]->table.hash()) << id;
  }
}

// Periods until what one node says of itself is everywhere.
TEST(Gossip, news_is_everywhere_after_rounds_that_grow_as_the_logarithm_of_the_members) {
  printf("members  periods\n");
  double before = 0;
  for (NodeId count = 8; count <= 1'024; count *= 2) {
    test::TestWorld world;
    GossipOptions options;
    options.news_every = 0;  // one random peer a second, as in the paper
    std::map<NodeId, std::unique_ptr<Gossiper>> all;
    MemberTable everyone;
    for (NodeId id = 1; id <= count; ++id) everyone.merge(alive(id));
    for (NodeId id = 1; id <= count; ++id) {
      all[id] = std::make_unique<Gossiper>(world.host(id), options, std::vector<NodeId>{});
      all[id]->table = everyone;
      world.host(id).spawn(all[id]->gossip.run());
    }
    world.run_for(2 * kSecond);
    double sum = 0;
    const int times = count > 256 ? 1 : 3;
    for (int time = 1; time <= times; ++time) {
      const auto version = static_cast<uint64_t>(1 + time);
      all[1]->table.merge(alive(1, version));
      const auto knows = [&](NodeId id) { return all[id]->table.find(1)->life.version == version; };
      int tenths = 0;
      for (NodeId id = 1; id <= count; ++id) {
        while (!knows(id) && tenths < 1'000) {
          world.run_for(100 * kMillisecond);
          ++tenths;
        }
      }
      sum += tenths / 10.0;
    }
    const double periods = sum / times;
    printf("%7u  %7.1f\n", count, periods);
    double logarithm = 0;
    for (NodeId left = count; left > 1; left /= 2) ++logarithm;
    EXPECT_LT(periods, 1.5 * logarithm + 2) << count;
    EXPECT_LT(periods, before + 4) << "twice the members, a few periods more";
    before = periods;
  }
}

}  // namespace
}  // namespace ringside
