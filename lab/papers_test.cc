// Published results: the rules that hold them, and results that compare two runs.
#include <gtest/gtest.h>

#include <filesystem>

#include "lab/experiment.h"
#include "lab/measure.h"
#include "lab/predict.h"
#include "lab/text.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {
namespace {

std::unique_ptr<scenario::Scenario> paper(const std::string& name) {
  auto scenario = load_scenario(
      (std::filesystem::path(RINGSIDE_SOURCE_DIR) / "scenarios/papers" / (name + ".textproto"))
          .string());
  EXPECT_TRUE(scenario.ok()) << (scenario.ok() ? "" : scenario.error().message);
  return scenario.ok() ? std::move(*scenario) : nullptr;
}

std::string mistakes_of(const std::string& pbs, const std::string& expect) {
  const auto scenario = parse_scenario(
      concat("name: \"p\" topology { region { name: \"lab\" machines_per_zone: 6 } }\n"
             "cluster { strategy { dynamo { n: 3 r: 1 w: 1 } } }\nworkload { ",
             pbs, " }\nexpect {\n  evidence { verified_reads: 1 }\n  ", expect, "\n}\n"),
      "p.textproto");
  return scenario.ok() ? std::string() : scenario.error().message;
}

TEST(Papers, an_expectation_that_its_workload_cannot_meet_is_a_mistake_at_its_place) {
  const std::string near = "pbs { t: \"9ms\" t: \"10ms\" t: \"11ms\" }";
  const std::string asked = "t_visibility { published: \"10ms\" }";
  EXPECT_EQ(mistakes_of(near, asked), "");
  struct Wrong {
    std::string pbs, expect, said;
  };
  const std::vector<Wrong> wrongs = {
      {"pbs { t: \"0ms\" t: \"9ms\" t: \"20ms\" }", asked,
       "p.textproto:6:18: published: the workload reads at 1 times within 25 % of \"10ms\""},
      {near, "t_visibility { published: \"0ms\" }", ":18: published: must be more than 0"},
      {near, "t_visibility { published: \"10ms\" percent: 100 }", "must lie between 0 and 100"},
      {near, "consistent { t: \"3ms\" percent: 50 }", "does not read at \"3ms\""},
      {"registers {} for: \"1s\"", asked, "t_visibility: needs the workload pbs"},
      {"pbs { t: \"9ms\" t: \"10ms\" t: \"11ms\" writes_per_key: 2 }", asked, "written once"},
      {"pbs { t: \"1ms\" writes_per_key: 2 unread_writes: 2 }", "",
       "unread_writes: must be less than writes_per_key (2)"},
  };
  for (const Wrong& wrong : wrongs) {
    const std::string said = mistakes_of(wrong.pbs, wrong.expect);
    EXPECT_NE(said.find(wrong.said), std::string::npos) << wrong.pbs << wrong.expect << "\n"
                                                        << said;
  }
  EXPECT_EQ(mistakes_of("pbs { t: \"1ms\" writes_per_key: 3 unread_writes: 2 }",
                        "within_versions { k: 1 percent: 50 }"),
            "");
}

TEST(Papers, only_a_scenario_that_plays_the_model_is_predicted_by_it) {
  const auto ssd = paper("pbs_lnkd_ssd");
  ASSERT_TRUE(ssd);
  EXPECT_TRUE(wars_model(*ssd).has_value());
  EXPECT_FALSE(wars_model(*ssd)->sites);
  scenario::Scenario repaired = *ssd;
  repaired.mutable_cluster()->mutable_strategy()->mutable_dynamo()->set_read_repair(true);
  EXPECT_FALSE(wars_model(repaired).has_value());
  scenario::Scenario local = *ssd;
  local.mutable_cluster()->mutable_strategy()->mutable_dynamo()->clear_coordinate();
  EXPECT_FALSE(wars_model(local).has_value());
  scenario::Scenario without_laws = *ssd;
  without_laws.clear_network();
  EXPECT_FALSE(wars_model(without_laws).has_value());

  const auto wan = paper("pbs_wan_2_1");
  ASSERT_TRUE(wan);
  const auto model = wars_model(*wan);
  ASSERT_TRUE(model.has_value());
  EXPECT_TRUE(model->sites);
  EXPECT_EQ(model->r, 2u);
  EXPECT_EQ(model->between_sites, 75e6);
}

TEST(Papers, over_several_seeds_the_time_to_visibility_is_one_estimate_from_all_reads) {
  Pooled sum;
  sum.name = "t_visibility of 99 %";
  sum.kind = "t_visibility";
  sum.quantile = 0.99;
  sum.published = 10e6;
  sum.tolerance = 3;
  // Stale shares that fall as 1 / t^2, and are 1 % at 10 ms.
  for (const double t_ms : {9.0, 9.5, 10.5, 11.0}) {
    const auto stale = static_cast<uint64_t>(1e5 / (t_ms * t_ms) * 100 + 0.5);
    sum.points.push_back({t_ms, 10'000'000, 10'000'000 - stale});
  }
  const Pooled part = sum;
  add_pooled(sum, part);
  EXPECT_EQ(sum.points[0].reads, 20'000'000u);
  const Expectation there = judge_pooled(sum, 2);
  EXPECT_TRUE(there.holds) << there.detail;
  sum.published = 10.4e6;
  EXPECT_FALSE(judge_pooled(sum, 2).holds);
  for (TVisibility& point : sum.points) point.consistent = point.reads;
  EXPECT_NE(judge_pooled(sum, 2).detail.find("nothing was tested"), std::string::npos);
}

double metric(const RunResult& result, const std::string& name) {
  for (const Metric& metric : result.metrics) {
    if (metric.name == name) return metric.value;
  }
  ADD_FAILURE() << "no metric " << name;
  return 0;
}

RunResult play(const std::string& name, uint64_t seed) {
  const auto scenario = paper(name);
  if (!scenario) return {};
  Result<RunResult> result = run_scenario(*scenario, seed);
  EXPECT_TRUE(result.ok());
  if (!result.ok()) return {};
  for (const Expectation& line : result->expectations)
    EXPECT_TRUE(line.holds) << name << ": " << line.name << ": " << line.detail;
  return std::move(*result);
}

// SOSP 2007, table 2, as shape: published are 2.0 to 2.5 times.
TEST(Papers, clients_that_know_the_ring_are_faster_than_a_load_balancer_that_does_not) {
  const RunResult server = play("dynamo_server_driven", 1);
  const RunResult client = play("dynamo_client_driven", 1);
  for (const char* name : {"get_mean_ms", "put_mean_ms", "get_p999_ms", "put_p999_ms"}) {
    EXPECT_GT(metric(server, name), metric(client, name)) << name;
  }
  EXPECT_GT(metric(server, "get_mean_ms"), 1.3 * metric(client, "get_mean_ms"));
  EXPECT_GT(metric(server, "put_mean_ms"), 1.1 * metric(client, "put_mean_ms"));
}

// SOSP 2007, section 6.1.
TEST(Papers, a_write_buffer_cuts_the_tail_of_writes_to_a_fifth) {
  const RunResult durable = play("dynamo_durable_writes", 1);
  const RunResult buffered = play("dynamo_buffered_writes", 1);
  EXPECT_GT(metric(durable, "put_p999_ms"), 5 * metric(buffered, "put_p999_ms"));
}

// SOSP 2007, section 6.3: its expectation is in the scenario.
TEST(Papers, nearly_every_read_of_a_day_returns_one_version) {
  const RunResult day = play("dynamo_versions_per_read", 1);
  EXPECT_GT(day.expectations.size(), 2u);
}

TEST(Papers, random_quorums_are_as_stale_as_combinatorics_has_them) {
  const auto scenario = paper("k_staleness");
  ASSERT_TRUE(scenario);
  scenario->mutable_workload()->mutable_pbs()->set_keys(500);
  scenario->mutable_expect()->mutable_evidence()->set_acknowledged_writes(50'000);
  scenario->mutable_expect()->mutable_evidence()->set_verified_reads(40'000);
  for (scenario::WithinVersions& asked : *scenario->mutable_expect()->mutable_within_versions())
    asked.set_points(1);  // a quarter of the keys, twice the error
  const auto result = run_scenario(*scenario, 1);
  ASSERT_TRUE(result.ok());
  EXPECT_EQ(result->pooled.size(), 4u);
  for (const Expectation& line : result->expectations)
    EXPECT_TRUE(line.holds) << line.name << ": " << line.detail;
}

}  // namespace
}  // namespace ringside::lab
