// Anti-entropy and the reaper over engines in memory and a network that a test can spoil.
#include <gtest/gtest.h>

#include <iostream>
#include <set>

#include "protocols/replication/dynamo/test_repair.h"
#include "protocols/replication/dynamo/version.h"

namespace ringside {
namespace {

using test::HeldRows;
using test::RepairCluster;
using test::RepairClusterOptions;

std::string object_by(uint64_t actor, std::string_view value, bool tombstone = false) {
  Object object;
  object.put({}, Version{{actor, 1}, actor, tombstone, value});
  return object.encoded();
}
std::string merged_objects(const std::string& a, const std::string& b) {
  Object one, other;
  CHECK(one.decode(a) && other.decode(b));
  one.merge(other);
  return one.encoded();
}
std::string numbered(uint64_t i) { return "key-" + std::to_string(i); }

RepairClusterOptions quiet_options() {
  RepairClusterOptions options;
  options.upkeep.reap_after = 0;
  options.upkeep.reap_grace = kSecond;
  return options;
}

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
  constexpr uint64_t kRows = 100'000;
  std::cout
      << "| Rows that differ, of 100,000 | Hashes | Objects | Bytes a row |\n|--:|--:|--:|--:|\n";
  RepairClusterOptions options;
  options.nodes = 2;
  options.partitions = 16;
  options.dynamo.n = options.dynamo.r = options.dynamo.w = 2;
  RepairCluster cluster(options);
  HeldRows rows;
  for (uint64_t i = 0; i < kRows; ++i) {
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
      cluster.node(1).put_object(fresh, object_by(kRows + changed, std::string(100, 'w')));
      if (i % 1'000 == 0) cluster.world.run_for(0);
    }
    cluster.world.run_for(kMillisecond);
    stats = {};
    cluster.round(2);
    EXPECT_EQ(stats.rows_fetched, k);
    EXPECT_EQ(stats.rows_pushed, 0u);
    std::cout << "| " << k << " | " << stats.hash_bytes << " | " << stats.row_bytes << " | "
              << (k == 0 ? 0 : (stats.hash_bytes + stats.row_bytes) / k) << " |\n";
    EXPECT_LE(stats.hash_bytes, 1'500 + k * 2'000);
    EXPECT_LE(stats.row_bytes, k * 220);
  }
  EXPECT_TRUE(cluster.node(1).rows() == cluster.node(2).rows());
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

// --- The reaper.

struct ReaperTest : testing::Test {
  explicit ReaperTest(RepairClusterOptions options = quiet_options()) : cluster(options) {}

  void hold(NodeId id, std::string_view object) { cluster.node(id).put_object("key", object); }
  bool holds(NodeId id) {
    return cluster.node(id).rows().contains(std::string(ObjectRow("key").view()));
  }
  NodeId first() { return cluster.homes("key").front(); }
  NodeId last() { return cluster.homes("key").back(); }
  void hold_everywhere(std::string_view object) {
    for (const NodeId id : cluster.homes("key")) hold(id, object);
    cluster.world.run_for(kMillisecond);
  }
  int holders() {
    int count = 0;
    for (const NodeId id : cluster.homes("key")) count += holds(id);
    return count;
  }

  RepairCluster cluster;
};

TEST_F(ReaperTest, a_tombstone_that_every_home_holds_goes_everywhere) {
  hold_everywhere(object_by(1, "", true));
  cluster.reap(first());
  EXPECT_EQ(holders(), 0);
  EXPECT_EQ(cluster.node(first()).stats.reaped, 1u);
  for (const NodeId id : cluster.homes("key")) {
    if (id != first()) cluster.reap(id);
  }
}

TEST_F(ReaperTest, a_value_stays_and_so_does_a_tombstone_with_a_sibling) {
  hold_everywhere(merged_objects(object_by(1, "", true), object_by(2, "v")));
  cluster.reap(first());
  EXPECT_EQ(holders(), 3);
  EXPECT_EQ(cluster.node(first()).stats.reap_asked, 0u);
}

TEST_F(ReaperTest, stays_while_a_home_is_down_or_cut_off) {
  hold_everywhere(object_by(1, "", true));
  cluster.world.cut(first(), last());
  cluster.reap(first());
  EXPECT_EQ(holders(), 3);
  EXPECT_EQ(cluster.node(first()).stats.reap_waiting, 1u);
  cluster.world.cuts.clear();
  cluster.kill(last());
  cluster.reap(first());
  EXPECT_TRUE(holds(first()));
  cluster.restart(last());
  cluster.world.run_for(kMillisecond);
  cluster.reap(first());
  EXPECT_EQ(holders(), 0);
}

TEST_F(ReaperTest, stays_while_a_home_holds_something_else_and_goes_once_it_was_mended) {
  hold_everywhere(object_by(1, "", true));
  hold(last(), object_by(2, "v"));
  cluster.world.run_for(kMillisecond);
  cluster.reap(first());
  EXPECT_EQ(holders(), 3);
  const auto lacks_it = last();
  cluster.node(lacks_it).put_object("key", object_by(1, "", true));
  cluster.world.run_for(kMillisecond);
  cluster.reap(first());
  EXPECT_EQ(holders(), 0);
}

TEST_F(ReaperTest, stays_while_a_hint_waits_anywhere) {
  hold_everywhere(object_by(1, "", true));
  cluster.node(last()).hint_waits = true;
  cluster.reap(first());
  EXPECT_EQ(holders(), 3);
  EXPECT_EQ(cluster.node(last()).host.probes["reaper.hint_waits"], 1);
  cluster.node(last()).hint_waits = false;
  cluster.reap(first());
  EXPECT_EQ(holders(), 0);
}

TEST_F(ReaperTest, stays_while_the_members_change) {
  hold_everywhere(object_by(1, "", true));
  cluster.view().next = cluster.view().now;
  cluster.reap(first());
  EXPECT_EQ(holders(), 3);
  cluster.view().next = nullptr;
  cluster.reap(first());
  EXPECT_EQ(holders(), 0);
}

TEST_F(ReaperTest, stays_where_somebody_wrote_between_agreement_and_removal) {
  hold_everywhere(object_by(1, "", true));
  const NodeId writer = last();
  cluster.world.after(500 * kMillisecond, [&, writer] {
    hold(writer, merged_objects(object_by(1, "", true), object_by(7, "new")));
  });
  cluster.reap(first());
  EXPECT_EQ(holders(), 3) << "the second question finds it";
  cluster.round(first());
  cluster.round(first());
  EXPECT_EQ(cluster.get("key").siblings.size(), 1u);
}

struct WiderReaperTest : ReaperTest {
  static RepairClusterOptions wide() {
    RepairClusterOptions options = quiet_options();
    options.nodes = 5;
    return options;
  }
  WiderReaperTest() : ReaperTest(wide()) {}
  NodeId stranger() {
    const auto homes = cluster.homes("key");
    for (NodeId id = 1;; ++id) {
      if (std::find(homes.begin(), homes.end(), id) == homes.end()) return id;
    }
  }
};

TEST_F(WiderReaperTest, stays_while_any_member_is_down_has_a_hint_or_holds_the_range_still) {
  hold_everywhere(object_by(1, "", true));
  cluster.node(stranger()).hint_waits = true;
  cluster.reap(first());
  EXPECT_EQ(holders(), 3);
  cluster.node(stranger()).hint_waits = false;
  cluster.kill(stranger());
  cluster.reap(first());
  EXPECT_EQ(holders(), 3);
  cluster.restart(stranger());
  cluster.node(stranger())
      .partitions.assume(
          cluster.ring().range(cluster.ring().partition_at(Ring::position_of("key"))));
  cluster.reap(first());
  EXPECT_EQ(holders(), 3);
  cluster.kill(stranger());
  cluster.restart(stranger());
  cluster.reap(first());
  EXPECT_EQ(holders(), 0);
}

TEST_F(ReaperTest, a_lost_removal_brings_the_tombstone_back_and_not_the_value) {
  hold_everywhere(object_by(1, "", true));
  cluster.world.meddle = [this](Frame& frame) {
    ReapRequest asked;
    const bool removal = static_cast<Kind>(frame.kind) == Kind::kReapRequest &&
                         asked.parse(body_of(frame)) && asked.remove;
    return removal && frame.to == last() ? 0 : 1;
  };
  cluster.reap(first());
  EXPECT_EQ(holders(), 1);
  cluster.world.meddle = nullptr;
  cluster.round(last());
  cluster.round(last());
  EXPECT_EQ(holders(), 3);
  cluster.reap(first());
  EXPECT_EQ(holders(), 0);
}

// --- Nothing that was deleted comes back: random histories of puts and deletes by a client who has
// read before, under loss, doubling, delays, cuts and crashes, with everything switched on.

struct RaceCounts {
  uint64_t deletes = 0, reaped = 0, crashes = 0, checks = 0;
};

// Empty, or what came back.
std::string race(uint64_t seed, bool ask_first, RaceCounts& counts) {
  RepairClusterOptions options;
  options.nodes = 4;
  options.partitions = 2;
  options.dynamo.sloppy = false;
  options.dynamo.request_timeout = 300 * kMillisecond;
  options.upkeep.every = 700 * kMillisecond;
  options.upkeep.request_timeout = 300 * kMillisecond;
  options.upkeep.reap_after = 0;
  options.upkeep.reap_every = kSecond;
  options.upkeep.reap_grace = 3 * kSecond;
  options.upkeep.reap = ask_first;
  RepairCluster cluster(options);
  Random random(seed);
  const double loss = random.uniform() * 0.2;
  cluster.world.meddle = [&](Frame&) {
    return random.chance(loss) ? 0 : random.chance(0.05) ? 2 : 1;
  };
  cluster.world.delay_of = [&](const Frame&) {
    const uint64_t most = random.chance(0.03) ? 1'200 : 15;  // doubled: still below the grace
    return static_cast<Duration>(random.below(most)) * kMillisecond;
  };
  cluster.start_upkeep();
  std::map<std::string, std::set<std::string>> dead;  // values that acknowledged deletes had seen
  uint64_t value = 0;
  for (int step = 0; step < 150; ++step) {
    const std::string key = "k" + std::to_string(random.below(3));
    const uint64_t fate = random.below(20);
    if (fate == 0) {
      const auto a = static_cast<NodeId>(1 + random.below(4));
      const auto b = static_cast<NodeId>(1 + random.below(4));
      cluster.world.cut(a, b);
    } else if (fate <= 3) {
      cluster.world.cuts.clear();
    } else if (fate == 4) {
      const auto id = static_cast<NodeId>(1 + random.below(4));
      if (cluster.up(id)) {
        counts.reaped += cluster.node(id).stats.reaped;
        cluster.kill(id);
        ++counts.crashes;
      }
    } else if (fate <= 7) {
      for (NodeId id = 1; id <= 4; ++id) {
        if (!cluster.up(id)) cluster.restart(id);
      }
    } else {
      const GetResult got = cluster.get(key);
      if (got.outcome != Outcome::kOk) continue;
      for (const Sibling& sibling : got.siblings) {
        ++counts.checks;
        if (dead[key].contains(sibling.value)) return sibling.value + " of " + key + " came back";
      }
      const bool remove = random.chance(0.5);
      const PutResult put = cluster.put(
          key, got.context, remove ? std::nullopt : std::optional("v" + std::to_string(++value)));
      if (put.outcome == Outcome::kOk) {
        counts.deletes += remove;
        for (const Sibling& sibling : got.siblings) dead[key].insert(sibling.value);
      }
    }
    if (!ask_first && random.chance(0.2)) {  // a reaper that looks at its own tombstones alone
      for (NodeId id = 1; id <= 4; ++id) {
        if (!cluster.up(id)) continue;
        for (const auto& [row, object] : cluster.node(id).rows()) {
          Object decoded;
          if (!decoded.decode(object) || decoded.siblings.size() != 1) continue;
          if (!decoded.siblings[0].tombstone) continue;
          cluster.node(id).host.spawn([](Replica& replica, std::string of,
                                         uint64_t hash) -> Task<void> {
            (void)co_await replica.forget(of, hash);
          }(cluster.node(id).dynamo.replica(), row.substr(kRowPrefixBytes), object_hash(object)));
        }
      }
    }
    cluster.world.run_for(static_cast<Duration>(random.below(random.chance(0.1) ? 8'000 : 300)) *
                          kMillisecond);
  }
  cluster.world.cuts.clear();
  for (NodeId id = 1; id <= 4; ++id) {
    if (!cluster.up(id)) cluster.restart(id);
  }
  cluster.world.meddle = nullptr;
  cluster.world.run_for(20 * kSecond);
  for (NodeId id = 1; id <= 4; ++id) counts.reaped += cluster.node(id).stats.reaped;
  for (int k = 0; k < 3; ++k) {
    const std::string key = "k" + std::to_string(k);
    const GetResult got = cluster.get(key);
    if (got.outcome != Outcome::kOk) return "no answer in a healed cluster";
    for (const Sibling& sibling : got.siblings) {
      ++counts.checks;
      if (dead[key].contains(sibling.value)) return sibling.value + " came back at last";
    }
  }
  return "";
}

TEST(ReaperRace, nothing_that_was_deleted_comes_back) {
  RaceCounts counts;
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    ASSERT_EQ(race(seed, true, counts), "") << "seed " << seed;
  }
  std::cout << counts.deletes << " deletes, " << counts.reaped << " reaped, " << counts.crashes
            << " crashes, " << counts.checks << " values looked at\n";
  EXPECT_GT(counts.deletes, 5'000u);
  EXPECT_GT(counts.reaped, 1'000u);
  EXPECT_GT(counts.crashes, 1'000u);
}

TEST(ReaperRace, it_does_when_nodes_reap_without_asking) {
  RaceCounts counts;
  int came_back = 0;
  for (uint64_t seed = 1; seed <= 60 && came_back == 0; ++seed) {
    came_back += race(seed, false, counts) != "";
  }
  EXPECT_GT(came_back, 0);
}

}  // namespace
}  // namespace ringside
