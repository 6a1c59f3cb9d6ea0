#include "sim/swarm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

namespace ringside::sim {
namespace {

// Six machines in three zones, and two machines for clients in a zone of their own.
Topology cluster() {
  Topology topology;
  const PlaceId region = *topology.add_region("east");
  for (std::string zone : {"a", "b", "c"}) {
    const PlaceId rack = *topology.add_rack(*topology.add_zone(region, zone), "rack-" + zone);
    EXPECT_TRUE(topology.add_machine(rack, zone + "1").ok());
    EXPECT_TRUE(topology.add_machine(rack, zone + "2").ok());
  }
  const PlaceId rack = *topology.add_rack(*topology.add_zone(region, "clients"), "rack-clients");
  EXPECT_TRUE(topology.add_machine(rack, "k1").ok());
  EXPECT_TRUE(topology.add_machine(rack, "k2").ok());
  return topology;
}

SwarmOptions options() {
  SwarmOptions options;
  options.nodes = {0, 1, 2, 3, 4, 5};
  options.clients = {6, 7};
  options.start_after = 2 * kSecond;
  options.quiet_after = 60 * kSecond;
  options.budget = 1;
  options.tunables = {{"memtable_bytes_max", 4'096, 8 << 20, 64 << 20},
                      {"group_bytes_max", 512, 1 << 20, 4 << 20}};
  return options;
}

std::string text_of(const SwarmPlan& plan, const Topology& topology) {
  std::string text;
  for (const Fault& fault : plan.faults) text += describe(fault, topology) + "\n";
  for (const Tunable& tunable : plan.tunables)
    text += tunable.name + "=" + std::to_string(tunable.value) + "\n";
  return text;
}

TEST(Swarm, one_seed_has_one_weather_and_another_seed_another) {
  const Topology topology = cluster();
  std::set<std::string> seen;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const std::string text = text_of(*draw_swarm(seed, topology, options()), topology);
    EXPECT_EQ(text, text_of(*draw_swarm(seed, topology, options()), topology));
    seen.insert(text);
  }
  EXPECT_EQ(seen.size(), 50u);
}

TEST(Swarm, faults_are_sorted_start_after_the_warm_up_and_end_before_the_quiet) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    const SwarmPlan plan = *draw_swarm(seed, cluster(), options());
    Time before = 0;
    for (const Fault& fault : plan.faults) {
      EXPECT_GE(fault.at, before);
      EXPECT_GE(fault.at, 2 * kSecond);
      EXPECT_LE(fault.end(), 60 * kSecond);
      EXPECT_GT(fault.duration, 0);
      before = fault.at;
    }
  }
}

// Counted again, moment by moment.
TEST(Swarm, outside_blackouts_no_more_machines_are_down_at_once_than_the_budget_allows) {
  for (uint32_t budget : {0u, 1u, 2u}) {
    uint32_t most = 0;
    for (uint64_t seed = 1; seed <= 300; ++seed) {
      SwarmOptions wanted = options();
      wanted.budget = budget;
      wanted.interval_max = 4 * kSecond;
      const SwarmPlan plan = *draw_swarm(seed, cluster(), wanted);
      for (const Fault& moment : plan.faults) {
        if (moment.kind == Fault::Kind::kLinks) continue;
        std::multiset<MachineId> down;
        bool blackout = false;
        for (const Fault& fault : plan.faults) {
          if (fault.kind == Fault::Kind::kLinks || fault.at > moment.at || fault.end() <= moment.at)
            continue;
          blackout = blackout || fault.kind == Fault::Kind::kBlackout;
          down.insert(fault.machines.begin(), fault.machines.end());
        }
        if (blackout) {
          EXPECT_EQ(down.size(), 6u) << "nothing else strikes during a blackout";
        } else {
          EXPECT_LE(down.size(), budget);
          most = std::max(most, static_cast<uint32_t>(down.size()));
        }
        EXPECT_EQ(std::set<MachineId>(down.begin(), down.end()).size(), down.size())
            << "down twice";
      }
    }
    EXPECT_EQ(most, budget) << "the budget is used";
  }
}

TEST(Swarm, every_kind_of_fault_comes_in_many_seeds_and_is_missing_from_many) {
  std::map<Fault::Kind, int> seeds_with;
  int with_none = 0, one_way = 0, refused = 0, of_a_zone = 0, with_clients = 0, partitions = 0;
  for (uint64_t seed = 1; seed <= 600; ++seed) {
    const SwarmPlan plan = *draw_swarm(seed, cluster(), options());
    std::set<Fault::Kind> kinds;
    for (const Fault& fault : plan.faults) {
      kinds.insert(fault.kind);
      if (fault.kind != Fault::Kind::kLinks) continue;
      ++partitions;
      one_way += !fault.links.both_ways;
      refused += fault.links.kind == LinkWeather::Kind::kRefuse;
      const auto is_zone = [](const std::vector<MachineId>& side) {
        return side.size() == 2 && side[0] % 2 == 0 && side[1] == side[0] + 1;
      };
      of_a_zone += is_zone(fault.links.from) || is_zone(fault.links.to);
      with_clients += fault.links.from.size() + fault.links.to.size() == 8;
    }
    for (Fault::Kind kind : kinds) ++seeds_with[kind];
    if (plan.faults.empty()) ++with_none;
  }
  for (Fault::Kind kind : {Fault::Kind::kCrash, Fault::Kind::kPowerLoss, Fault::Kind::kLinks,
                           Fault::Kind::kBlackout}) {
    EXPECT_GT(seeds_with[kind], 250) << fault_kind_name(kind);
    EXPECT_LT(seeds_with[kind], 500) << fault_kind_name(kind);
  }
  EXPECT_LT(with_none, 30);
  EXPECT_NEAR(one_way, partitions / 4.0, partitions / 12.0);
  EXPECT_NEAR(refused, partitions / 4.0, partitions / 12.0);
  EXPECT_GT(of_a_zone, partitions / 4);
  EXPECT_NEAR(with_clients, partitions / 2.0, partitions / 10.0);
}

TEST(Swarm, a_partition_has_two_sides_that_share_nobody_and_strikes_never_touch_a_client) {
  for (uint64_t seed = 1; seed <= 300; ++seed) {
    const SwarmPlan plan = *draw_swarm(seed, cluster(), options());
    for (const Fault& fault : plan.faults) {
      if (fault.kind != Fault::Kind::kLinks) {
        for (MachineId machine : fault.machines) EXPECT_LT(machine, 6u);
        EXPECT_TRUE(fault.links.from.empty() && fault.links.to.empty());
        continue;
      }
      const auto nodes = [](const std::vector<MachineId>& side) {
        return std::count_if(side.begin(), side.end(),
                             [](MachineId machine) { return machine < 6; });
      };
      EXPECT_GT(nodes(fault.links.from), 0);
      EXPECT_GT(nodes(fault.links.to), 0);
      EXPECT_EQ(nodes(fault.links.from) + nodes(fault.links.to), 6);
      std::vector<MachineId> both;
      std::set_intersection(fault.links.from.begin(), fault.links.from.end(),
                            fault.links.to.begin(), fault.links.to.end(), std::back_inserter(both));
      EXPECT_TRUE(both.empty());
    }
  }
}

TEST(Swarm, kinds_that_are_switched_off_never_come_and_the_others_keep_their_draws) {
  const Topology topology = cluster();
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SwarmOptions only = options();
    only.families = {Family::kPartition};
    const SwarmPlan plan = *draw_swarm(seed, topology, only);
    EXPECT_FALSE(plan.faults.empty()) << "the one kind left is the seed's kind";
    for (const Fault& fault : plan.faults) EXPECT_EQ(fault.kind, Fault::Kind::kLinks);
    const SwarmPlan all = *draw_swarm(seed, topology, options());
    std::vector<Time> some, same;
    for (const Fault& fault : plan.faults) some.push_back(fault.at);
    for (const Fault& fault : all.faults) {
      if (fault.kind == Fault::Kind::kLinks) same.push_back(fault.at);
    }
    if (!same.empty()) EXPECT_EQ(some, same);
  }
}

TEST(Swarm, tunables_go_to_both_extremes_and_stay_usual_half_of_the_time) {
  std::map<int64_t, int> seen;
  for (uint64_t seed = 1; seed <= 2'000; ++seed) {
    const SwarmPlan plan = *draw_swarm(seed, cluster(), options());
    ASSERT_EQ(plan.tunables.size(), 2u);
    EXPECT_EQ(plan.tunables[0].name, "memtable_bytes_max");
    EXPECT_GE(plan.tunables[0].value, 4'096);
    EXPECT_LE(plan.tunables[0].value, 64 << 20);
    ++seen[plan.tunables[0].value];
  }
  EXPECT_NEAR(seen[8 << 20], 1'000, 120);
  EXPECT_NEAR(seen[4'096], 500, 100);
  EXPECT_NEAR(seen[64 << 20], 250, 80);
}

std::vector<Family> all_families() {
  std::vector<Family> all;
  for (int family = 0; family < kFamilies; ++family) all.push_back(static_cast<Family>(family));
  return all;
}

TEST(Swarm, every_family_comes_and_damage_keeps_to_as_many_machines_as_the_budget_allows) {
  std::set<std::string> told;
  for (uint32_t budget : {1u, 2u}) {
    for (uint64_t seed = 1; seed <= 300; ++seed) {
      SwarmOptions wanted = options();
      wanted.budget = budget;
      wanted.families = all_families();
      const SwarmPlan plan = *draw_swarm(seed, cluster(), wanted);
      std::set<MachineId> damaged;
      for (const Fault& fault : plan.faults) {
        if (fault.damages()) damaged.insert(fault.machines.begin(), fault.machines.end());
        const bool of_links = fault.kind == Fault::Kind::kLinks;
        EXPECT_EQ(of_links, fault.machines.empty());
        EXPECT_EQ(of_links, !fault.links.from.empty() && !fault.links.to.empty());
        std::string what = fault_kind_name(fault.kind);
        if (of_links) what += std::to_string(static_cast<int>(fault.links.kind));
        if (fault.disk.dead) what += " dead";
        if (fault.disk.full) what += " full";
        if (fault.disk.bad_mean > 0) what += " gray";
        if (fault.disk.sync_lies > 0) what += " lies";
        if (fault.disk.misdirected_read + fault.disk.misdirected_write > 0) what += " astray";
        if (fault.disk.sync_fails_once) what += " fails once";
        told.insert(what);
      }
      EXPECT_LE(damaged.size(), budget) << "seed " << seed;
    }
  }
  // Twelve kinds, of which links come in ten and disks in eight.
  EXPECT_EQ(told.size(), 10u + 10u + 7u);
}

TEST(Swarm, another_family_more_moves_no_draw_of_the_others) {
  const Topology topology = cluster();
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SwarmOptions more = options();
    more.families.push_back(Family::kSlowLinks);
    std::vector<Time> with, without;
    const SwarmPlan longer = *draw_swarm(seed, topology, more);
    const SwarmPlan shorter = *draw_swarm(seed, topology, options());
    for (const Fault& fault : longer.faults) {
      if (fault.links.kind != LinkWeather::Kind::kSlow) with.push_back(fault.at);
    }
    for (const Fault& fault : shorter.faults) without.push_back(fault.at);
    // Unless the seed chose the new family alone, and one of the others stood in for it before.
    if (!with.empty()) EXPECT_EQ(with, without) << "seed " << seed;
  }
}

TEST(Swarm, options_without_room_are_refused_in_words) {
  const Topology topology = cluster();
  const auto code = [&topology](auto change) {
    SwarmOptions wrong = options();
    change(wrong);
    const Result<SwarmPlan> plan = draw_swarm(1, topology, wrong);
    return plan.ok() ? Code::kUnknown : plan.code();
  };
  EXPECT_EQ(code([](SwarmOptions& o) { o.nodes.clear(); }), Code::kInvalid);
  EXPECT_EQ(code([](SwarmOptions& o) { o.nodes.push_back(99); }), Code::kInvalid);
  EXPECT_EQ(code([](SwarmOptions& o) { o.quiet_after = o.start_after; }), Code::kInvalid);
  EXPECT_EQ(code([](SwarmOptions& o) { o.interval_min = 0; }), Code::kInvalid);
  EXPECT_EQ(code([](SwarmOptions& o) { o.down_max = o.down_min - 1; }), Code::kInvalid);
  EXPECT_EQ(code([](SwarmOptions& o) { o.tunables[0].usual = 1; }), Code::kInvalid);
}

TEST(Swarm, a_fault_describes_itself_for_people) {
  const Topology topology = cluster();
  EXPECT_EQ(describe({.kind = Fault::Kind::kPowerLoss,
                      .at = 12'500 * kMillisecond,
                      .duration = 3 * kSecond,
                      .machines = {1}},
                     topology),
            "12.5s power loss of a2, restart after 3s");
  Fault partition{.kind = Fault::Kind::kLinks, .at = kSecond, .duration = kSecond};
  partition.links = {
      .kind = LinkWeather::Kind::kRefuse, .from = {0}, .to = {2, 3}, .both_ways = false};
  EXPECT_EQ(describe(partition, topology), "1s refusing cut {a1} -> {b}, over after 1s");
  partition.links = {.kind = LinkWeather::Kind::kCut, .from = {0}, .to = {1, 2, 3, 4, 5, 6, 7}};
  EXPECT_EQ(describe(partition, topology), "1s cut {a1} | {the rest}, over after 1s");
}

}  // namespace
}  // namespace ringside::sim
