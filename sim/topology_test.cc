#include "sim/topology.h"

#include <gtest/gtest.h>

namespace ringside::sim {
namespace {

LinkModel takes(Duration latency) { return {.latency = Distribution::constant(latency)}; }

Duration latency(const Topology& topology, std::string_view from, std::string_view to) {
  Draw draw(1);
  return topology.link(*topology.find_machine(from), *topology.find_machine(to))
      .latency.sample(draw);
}

// Two regions; east has zones a (racks of two and one machines) and b, west has one zone.
Topology two_regions() {
  Topology topology;
  const PlaceId east = *topology.add_region("east");
  const PlaceId east_a = *topology.add_zone(east, "east-a");
  const PlaceId east_b = *topology.add_zone(east, "east-b");
  const PlaceId west = *topology.add_region("west");
  const PlaceId west_a = *topology.add_zone(west, "west-a");
  const PlaceId rack1 = *topology.add_rack(east_a, "r1");
  const PlaceId rack2 = *topology.add_rack(east_a, "r2");
  EXPECT_EQ(*topology.add_machine(rack1, "n1"), 0u);
  EXPECT_EQ(*topology.add_machine(rack1, "n2"), 1u);
  EXPECT_EQ(*topology.add_machine(rack2, "n3"), 2u);
  EXPECT_EQ(*topology.add_machine(*topology.add_rack(east_b, "r3"), "n4"), 3u);
  EXPECT_EQ(*topology.add_machine(*topology.add_rack(west_a, "r4"), "n5"), 4u);
  for (std::size_t i = 0; i < kLinkClasses; ++i) {
    topology.set_class(static_cast<LinkClass>(i), takes(static_cast<Duration>(i + 1)));
  }
  return topology;
}

TEST(Topology, the_nearness_of_two_machines_chooses_their_link) {
  const Topology topology = two_regions();
  EXPECT_EQ(latency(topology, "n1", "n1"), 1);
  EXPECT_EQ(latency(topology, "n1", "n2"), 2);
  EXPECT_EQ(latency(topology, "n1", "n3"), 3);
  EXPECT_EQ(latency(topology, "n1", "n4"), 4);
  EXPECT_EQ(latency(topology, "n1", "n5"), 5);
  EXPECT_EQ(topology.link_class(4, 0), LinkClass::kCrossRegion);
}

TEST(Topology, a_link_between_places_wins_over_the_class_and_a_deeper_one_over_a_shallower) {
  Topology topology = two_regions();
  const auto at = [&topology](std::string_view name) { return *topology.find(name); };
  ASSERT_TRUE(topology.set_link(at("n1"), at("n5"), takes(300)).ok());
  ASSERT_TRUE(topology.set_link(at("east"), at("west"), takes(100)).ok());
  ASSERT_TRUE(topology.set_link(at("east-a"), at("west-a"), takes(200)).ok());
  EXPECT_EQ(latency(topology, "n1", "n5"), 300);
  EXPECT_EQ(latency(topology, "n2", "n5"), 200);
  EXPECT_EQ(latency(topology, "n4", "n5"), 100);
  EXPECT_EQ(latency(topology, "n5", "n1"), 5) << "one direction only";
  ASSERT_TRUE(topology.set_link_both_ways(at("east"), at("west"), takes(101)).ok());
  EXPECT_EQ(latency(topology, "n4", "n5"), 101) << "the last one set at equal depth";
  EXPECT_EQ(latency(topology, "n5", "n4"), 101);
}

TEST(Topology, a_link_of_a_zone_to_itself_leaves_a_machines_way_to_itself_alone) {
  Topology topology = two_regions();
  ASSERT_TRUE(
      topology.set_link(*topology.find("east-a"), *topology.find("east-a"), takes(70)).ok());
  EXPECT_EQ(latency(topology, "n1", "n3"), 70);
  EXPECT_EQ(latency(topology, "n2", "n1"), 70);
  EXPECT_EQ(latency(topology, "n1", "n1"), 1);
}

TEST(Topology, machines_are_found_by_the_name_of_any_place_that_holds_them) {
  const Topology topology = two_regions();
  EXPECT_EQ(*topology.machines_in("east-a"), (std::vector<MachineId>{0, 1, 2}));
  EXPECT_EQ(*topology.machines_in("r1"), (std::vector<MachineId>{0, 1}));
  EXPECT_EQ(*topology.machines_in("east"), (std::vector<MachineId>{0, 1, 2, 3}));
  EXPECT_EQ(*topology.machines_in("n5"), (std::vector<MachineId>{4}));
  EXPECT_EQ(topology.name(topology.around(3, PlaceKind::kZone)), "east-b");
  EXPECT_EQ(topology.places(PlaceKind::kZone).size(), 3u);
  EXPECT_EQ(topology.machine_name(2), "n3");
}

TEST(Topology, wrong_names_and_parents_are_refused_in_words) {
  Topology topology = two_regions();
  const Result<PlaceId> missing = topology.find("east-c");
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.code(), Code::kNotFound);
  EXPECT_NE(missing.error().message.find("east-b"), std::string::npos);
  EXPECT_EQ(topology.add_region("n1").code(), Code::kExists);
  EXPECT_EQ(topology.add_zone(*topology.find("east-a"), "z").code(), Code::kInvalid);
  EXPECT_EQ(topology.add_machine(*topology.find("east-a"), "m").code(), Code::kInvalid);
  EXPECT_EQ(topology.add_region("").code(), Code::kInvalid);
  EXPECT_EQ(topology.find_machine("east-a").code(), Code::kInvalid);
  EXPECT_EQ(topology.set_link(0, 9'999, {}).code(), Code::kInvalid);
  EXPECT_EQ(topology.set_link(1, 2, {.loss = 1.5}).code(), Code::kInvalid);
  EXPECT_EQ(topology.machines(), 5u);
}

TEST(Topology, a_copy_goes_its_own_way) {
  Topology topology = two_regions();
  EXPECT_EQ(latency(topology, "n1", "n2"), 2);
  Topology copy = topology;
  copy.set_class(LinkClass::kSameRack, takes(50));
  EXPECT_EQ(*copy.add_machine(*copy.find("r1"), "n6"), 5u);
  EXPECT_EQ(latency(copy, "n1", "n6"), 50);
  EXPECT_EQ(latency(topology, "n1", "n2"), 2);
  EXPECT_FALSE(topology.find("n6").ok());
}

}  // namespace
}  // namespace ringside::sim
