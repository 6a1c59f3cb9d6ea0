// The library of scenarios, played: what must hold holds, what must be violated is, and each by the
// expectation that its file is named after.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "lab/experiment.h"
#include "lab/text.h"
#include "runtime/bug.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {
namespace {

const std::filesystem::path kLibrary = std::filesystem::path(RINGSIDE_SOURCE_DIR) / "scenarios";

std::vector<std::string> files_in(const std::string& theme) {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(kLibrary / theme)) {
    if (entry.path().extension() == ".textproto") files.push_back(entry.path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// The expectation whose name the file's begins with: "acknowledged_writes_last_writer_wins".
std::string broken_by(const std::string& file) {
  const std::string stem = std::filesystem::path(file).stem().string();
  if (stem == "registers_3_1_1") return "linearizable";
  const google::protobuf::Descriptor* expect = scenario::Expect::descriptor();
  std::string longest;
  for (int i = 0; i < expect->field_count(); ++i) {
    const std::string& name = expect->field(i)->name();
    if (stem.starts_with(name) && name.size() > longest.size()) longest = name;
  }
  return longest;
}

TEST(Scenarios, every_file_of_the_library_is_well_formed_and_named_after_itself) {
  for (const char* theme : {"papers", "failures", "dynamo", "scale", "planted", "violations"}) {
    const std::vector<std::string> files = files_in(theme);
    EXPECT_FALSE(files.empty()) << theme;
    for (const std::string& file : files) {
      const auto scenario = load_scenario(file);
      ASSERT_TRUE(scenario.ok()) << scenario.error().message;
      EXPECT_EQ((*scenario)->name(), std::filesystem::path(file).stem().string());
      EXPECT_EQ((*scenario)->planted_bug_size() > 0, std::string(theme) == "planted") << file;
    }
  }
}

TEST(Scenarios, every_violation_is_violated_by_the_expectation_that_it_is_named_after) {
  for (const std::string& file : files_in("violations")) {
    const auto result = run_scenario_file(file, 1);
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_FALSE(result->holds) << file;
    for (const Expectation& line : result->expectations) {
      // "consistent at 0ms" is of the kind "consistent"; the latency's line is "write p99.9".
      const bool named = line.name.starts_with(broken_by(file)) ||
                         (broken_by(file) == "latency" && contains(line.name, "p99.9"));
      EXPECT_EQ(line.holds, !named) << file << ": " << line.name << ": " << line.detail;
      EXPECT_FALSE(line.detail.empty());
      EXPECT_EQ(line.detail.find('\n'), std::string::npos);
    }
  }
}

// Each kind that the schema knows has a scenario that breaks it.
TEST(Scenarios, no_kind_of_expectation_is_without_a_violation) {
  std::vector<std::string> broken;
  for (const std::string& file : files_in("violations")) broken.push_back(broken_by(file));
  const google::protobuf::Descriptor* expect = scenario::Expect::descriptor();
  for (int i = 0; i < expect->field_count(); ++i) {
    EXPECT_NE(std::find(broken.begin(), broken.end(), expect->field(i)->name()), broken.end())
        << expect->field(i)->name();
  }
}

TEST(Scenarios, registers_with_one_reader_and_one_writer_are_violated_at_every_seed) {
  const std::string file = (kLibrary / "violations/registers_3_1_1.textproto").string();
  for (uint64_t seed = 2; seed <= 5; ++seed) {
    const auto result = run_scenario_file(file, seed);
    ASSERT_TRUE(result.ok());
    EXPECT_FALSE(result->holds) << seed;
  }
}

TEST(Scenarios, a_seed_gives_one_fingerprint_and_another_seed_another) {
  const std::string file = (kLibrary / "failures/cart_zone_outage.textproto").string();
  RunOptions options;
  options.gate = true;
  const auto first = run_scenario_file(file, 7, options);
  const auto again = run_scenario_file(file, 7, options);
  const auto other = run_scenario_file(file, 8, options);
  ASSERT_TRUE(first.ok() && again.ok() && other.ok());
  EXPECT_EQ(first->fingerprint, again->fingerprint);
  EXPECT_EQ(first->history, again->history);
  EXPECT_EQ(first->checkpoints.size(), again->checkpoints.size());
  EXPECT_NE(first->fingerprint, other->fingerprint);
  EXPECT_GT(first->events, 1000u);
}

TEST(Scenarios, looking_does_not_change_the_run) {
  const std::string file = (kLibrary / "violations/acknowledged_writes.textproto").string();
  RunOptions looking;
  uint64_t lines = 0;
  looking.on_log = [&](const LogLine&) { ++lines; };
  const auto plain = run_scenario_file(file, 3);
  const auto watched = run_scenario_file(file, 3, looking);
  ASSERT_TRUE(plain.ok() && watched.ok());
  EXPECT_EQ(plain->fingerprint, watched->fingerprint);
  EXPECT_GT(lines, 1000u);
}

TEST(Scenarios, the_product_build_refuses_a_planted_bug_and_says_what_to_use) {
  if (planted_build()) {
    EXPECT_TRUE(
        run_scenario_file((kLibrary / "planted/log_never_syncs.textproto").string(), 1).ok());
    return;
  }
  const auto refused =
      run_scenario_file((kLibrary / "planted/log_never_syncs.textproto").string(), 1);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.code(), Code::kInvalid);
  EXPECT_NE(refused.error().message.find("script/ringside --planted"), std::string::npos);
}

TEST(Scenarios, a_published_number_is_met_by_few_keys_too) {
  auto scenario = load_scenario((kLibrary / "papers/pbs_lnkd_ssd.textproto").string());
  ASSERT_TRUE(scenario.ok());
  (*scenario)->mutable_workload()->mutable_pbs()->set_keys(30'000);
  (*scenario)->mutable_expect()->mutable_evidence()->set_acknowledged_writes(29'000);
  (*scenario)->mutable_expect()->mutable_evidence()->set_verified_reads(29'000);
  const auto result = run_scenario(**scenario, 1);
  ASSERT_TRUE(result.ok());
  for (const Expectation& line : result->expectations)
    EXPECT_TRUE(line.holds) << line.name << ": " << line.detail;
  ASSERT_EQ(result->t_visibility.size(),
            static_cast<std::size_t>((*scenario)->workload().pbs().t_size()));
  // What the model predicts is what full nodes do.
  for (const TVisibility& point : result->t_visibility) {
    const double reads = static_cast<double>(point.reads);
    const double share = point.predicted_percent / 100;
    EXPECT_NEAR(static_cast<double>(point.consistent) / reads, share,
                4.5 * std::sqrt(share * (1 - share) / reads) + 0.001)
        << point.t_ms;
  }
}

}  // namespace
}  // namespace ringside::lab
