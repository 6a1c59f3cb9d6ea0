// Published results: the rules that hold them, and results that compare two runs.
#include <gtest/gtest.h>

#include <filesystem>

#include "lab/experiment.h"
#include "lab/measure.h"
#include "lab/predict.h"
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

}  // namespace
}  // namespace ringside::lab
