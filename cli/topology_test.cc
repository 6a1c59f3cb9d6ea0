#include "cli/topology.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "cli/cells.h"
#include "cli/program_for_test.h"
#include "lab/experiment.h"

namespace ringside::cli {
namespace {

using lab::concat;
using lab::contains;

std::string scenario_text(const std::string& regions, const std::string& faults) {
  return concat("name: \"drawn\" about: \"less < & more\"\ntopology { ", regions, R"( }
cluster { strategy { dynamo { n: 1 r: 1 w: 1 } } }
workload { registers { keys: 5 } clients: 7 processes: 3 rate: "100/s" for: "20s" }
)",
                faults, R"(
expect { evidence { acknowledged_writes: 5 verified_reads: 5 } acknowledged_writes: PRESENT_OR_SUPERSEDED }
)");
}

Topology topology(const std::string& regions, const std::string& faults) {
  auto scenario = lab::parse_scenario(scenario_text(regions, faults), "drawn.textproto");
  EXPECT_TRUE(scenario.ok()) << (scenario.ok() ? "" : scenario.error().message);
  const Result<lab::Plan> plan = lab::make_plan(**scenario, 1, false);
  EXPECT_TRUE(plan.ok());
  return topology_of(**scenario, *plan);
}

constexpr const char* kTwoRegions = R"(
  region { name: "east" zones: 2 machines_per_zone: 2 disk: HDD }
  region { name: "west" zones: 1 }
  between_zones { constant: "3ms" } between_regions { uniform { from: "10ms" to: "30ms" } })";
constexpr const char* kFaults = R"(
  fault { at: "1s" for: "2s" partition { isolate: "east-b" isolate: "west" } }
  fault { at: "3s" power_loss { place: "east-a-2" } restart_after: "5s" }
  fault { at: "9s" blackout {} }
  fault { at: "11s" crash { machines: 1 } }
)";

std::size_t widest(const std::string& text) {
  std::size_t columns = 0;
  for (const std::string& line : lab::split(text, '\n'))
    columns = std::max(columns, columns_of(line));
  return columns;
}

TEST(TopologyDrawing, each_place_carries_the_faults_that_name_it) {
  const Topology drawn = topology(kTwoRegions, kFaults);
  ASSERT_EQ(drawn.regions.size(), 2u);
  const Topology::Region& east = drawn.regions[0];
  EXPECT_EQ(east.zones[1].faults, Topology::Marks{1});
  EXPECT_EQ(east.zones[0].machines[1].faults, Topology::Marks{2});
  EXPECT_TRUE(east.zones[0].machines[0].faults.empty());
  EXPECT_EQ(drawn.regions[1].faults, Topology::Marks{1});
  EXPECT_EQ(drawn.everywhere, Topology::Marks{3});
  ASSERT_EQ(drawn.faults.size(), 4u);
  EXPECT_EQ(drawn.faults[0].touches, "nodes 3–5, clients 2, 3");
  EXPECT_EQ(drawn.faults[1].touches, "node 2");
  EXPECT_EQ(drawn.faults[2].touches, "every node");
  EXPECT_EQ(drawn.faults[3].touches, "whom the seed draws");
}

TEST(TopologyDrawing, the_text_shows_nodes_disks_clients_and_latencies_in_words) {
  const std::string text = draw_topology(topology(kTwoRegions, kFaults));
  for (const char* part :
       {"┌─ region east ", "┌─ zone east-b ▲1 ", "node 2  east-a-2  HDD  ▲2",
        "node 5  west-a-1  NVME", "client 1 (3 sessions)", "between zones    median 3ms\n",
        "between regions  median 20ms, Uniform(10ms to 30ms)",
        "▲2  at 3s, restart after 5s: power loss of east-a-2 → node 2"}) {
    EXPECT_TRUE(contains(text, part)) << part << "\n" << text;
  }
  EXPECT_LE(widest(text), kTopologyColumns);
}

TEST(TopologyDrawing, what_is_not_there_is_not_told) {
  const std::string text = draw_topology(topology("region { name: \"solo\" }", ""));
  EXPECT_FALSE(contains(text, "between"));
  EXPECT_TRUE(contains(text, "No faults"));
}

TEST(TopologyDrawing, one_to_many_machines_fit_100_columns_and_a_few_screens) {
  for (const char* regions :
       {"region { name: \"a\" }", "region { name: \"a\" zones: 1 machines_per_zone: 200 }",
        "region { name: \"a\" zones: 200 }",
        "region { name: \"a-rather-long-name-for-a-region-that-goes-on\" zones: 6 "
        "machines_per_zone: 5 }",
        "region { name: \"a\" zones: 10 machines_per_zone: 10 } region { name: \"b\" zones: 50 "
        "machines_per_zone: 2 }"}) {
    const std::string text = draw_topology(topology(regions, ""));
    EXPECT_LE(widest(text), kTopologyColumns) << text;
    EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 220) << regions;
    EXPECT_TRUE(contains(text, "client 1 ") || contains(text, "clients 1")) << text;
  }
}

TEST(TopologyDrawing, the_drawing_is_one_file_with_every_place_and_fault) {
  const std::string svg = topology_as_svg(topology(kTwoRegions, kFaults));
  EXPECT_TRUE(svg.starts_with("<svg "));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  for (const char* part : {"region east", "zone east-b", ">node 5<", ">3ms<", ">20ms<",
                           "less &lt; &amp; more", "prefers-color-scheme:dark"}) {
    EXPECT_TRUE(contains(svg, part)) << part;
  }
  // Links to nothing outside: the name space is the only address.
  EXPECT_EQ(svg.find("http", svg.find("http") + 1), std::string::npos);
  EXPECT_FALSE(contains(svg, "<script"));
}

TEST(TopologyDrawing, ranges_are_told_short) {
  EXPECT_EQ(ranges({1}), "1");
  EXPECT_EQ(ranges({1, 2, 4, 5, 6, 9}), "1, 2, 4–6, 9");
}

class TopologyVerb : public ProgramTest {};

TEST_F(TopologyVerb, draws_on_stdout_and_into_a_file_and_for_programs) {
  write("drawn.textproto", scenario_text(kTwoRegions, kFaults));
  const Ended text = ringside("topology drawn.textproto --svg drawn.svg");
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_TRUE(text.out.starts_with("drawn\n"));
  EXPECT_EQ(text.err, "");
  EXPECT_TRUE(read("drawn.svg").starts_with("<svg "));
  const Ended json = ringside("topology drawn.textproto --json");
  EXPECT_EQ(json.code, 0);
  EXPECT_EQ(field(json.out, "scenario"), "\"drawn\"");
  EXPECT_EQ(std::count(json.out.begin(), json.out.end(), '\n'), 1);
  EXPECT_TRUE(contains(
      json.out, R"("name":"east-a-2","node":2,"rack":"east-a-r1","disk":"HDD","faults":[2])"))
      << json.out;
}

}  // namespace
}  // namespace ringside::cli
