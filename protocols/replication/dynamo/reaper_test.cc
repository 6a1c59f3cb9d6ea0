// The reaper over engines in memory and a network that a test can spoil.
#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <set>

#include "protocols/replication/dynamo/test_repair.h"
#include "protocols/replication/dynamo/version.h"

namespace ringside {
namespace {

using test::merged_objects;
using test::object_by;
using test::RepairCluster;
using test::RepairClusterOptions;

RepairClusterOptions quiet_options() {
  RepairClusterOptions options;
  options.upkeep.reap_after = 0;
  options.upkeep.reap_grace = kSecond;
  return options;
}

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
std::string race(uint64_t seed, Versions versions, bool ask_first, RaceCounts& counts) {
  RepairClusterOptions options;
  options.nodes = 4;
  options.partitions = 2;
  options.dynamo.versions = versions;
  options.dynamo.clock_entries_max = 1'000;  // what is truncated comes back
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
  for (const Versions versions :
       {Versions::kDotted, Versions::kVectorClock, Versions::kLastWriterWins}) {
    for (uint64_t seed = 1; seed <= 100; ++seed) {
      ASSERT_EQ(race(seed, versions, true, counts), "")
          << "scheme " << static_cast<int>(versions) << ", seed " << seed;
    }
  }
  std::cout << counts.deletes << " deletes, " << counts.reaped << " reaped, " << counts.crashes
            << " crashes, " << counts.checks << " values looked at\n";
  EXPECT_GT(counts.deletes, 4'000u);
  EXPECT_GT(counts.reaped, 600u);
  EXPECT_GT(counts.crashes, 1'000u);
}

TEST(ReaperRace, it_does_when_nodes_reap_without_asking) {
  RaceCounts counts;
  int came_back = 0;
  for (uint64_t seed = 1; seed <= 60 && came_back == 0; ++seed) {
    came_back += race(seed, Versions::kDotted, false, counts) != "";
  }
  EXPECT_GT(came_back, 0);
}

}  // namespace
}  // namespace ringside
