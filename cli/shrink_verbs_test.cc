// shrink, explain, diff and branch as their users meet them, on scenarios that must fail.
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/program_for_test.h"

namespace ringside::cli {
namespace {

using lab::concat;
using lab::contains;

const std::string kMustFail = std::string(RINGSIDE_SOURCE_DIR) + "/scenarios/violations/";

class ShrinkVerbsTest : public ProgramTest {
 protected:
  void record(const std::string& scenario, const std::string& name) {
    ringside(concat("run ", kMustFail, scenario, ".textproto --out ", name));
    ASSERT_TRUE(std::filesystem::exists(concat(directory_, "/", name)));
  }
};

TEST_F(ShrinkVerbsTest, a_lost_write_becomes_a_scenario_that_fails_by_itself) {
  record("acknowledged_writes", "lost.run");
  const Ended shrunk = ringside("shrink lost.run --out small.run --json");
  ASSERT_EQ(shrunk.code, 0) << shrunk.err;
  EXPECT_EQ(field(shrunk.out, "kind"), "\"lost\"");
  EXPECT_EQ(field(shrunk.out, "fails_again"), "true");
  const std::string text = read("small.textproto");
  EXPECT_TRUE(text.starts_with("# Shrunk from ")) << text;
  EXPECT_TRUE(contains(text, "disk_loss")) << text;
  // One write by one client, and the disk that it was on.
  EXPECT_EQ(text.find("step {"), text.rfind("step {")) << text;
  EXPECT_LT(text.size(), 1500u) << text;

  const Ended alone = ringside("run small.textproto --json --out again.run");
  EXPECT_EQ(alone.code, 1) << alone.out;
  EXPECT_TRUE(contains(alone.out, "1 of 1 lost")) << alone.out;
  EXPECT_EQ(ringside("replay small.run").code, 0);
  EXPECT_TRUE(ringside("diff small.run again.run").out.starts_with("SAME"));

  const Ended why = ringside("explain small.run --json");
  EXPECT_EQ(why.code, 0) << why.err;
  EXPECT_TRUE(contains(why.out, "\"necessary\":true")) << why.out;
  EXPECT_TRUE(contains(why.out, "\"subsets_played\":true")) << why.out;
  EXPECT_TRUE(contains(why.out, "client_put_request")) << why.out;
  EXPECT_TRUE(contains(ringside("explain small.run").out, "necessary")) << why.out;
}

TEST_F(ShrinkVerbsTest, shrinking_comes_to_the_same_whatever_the_jobs) {
  record("acknowledged_writes", "lost.run");
  ASSERT_EQ(ringside("shrink lost.run --out a/x.run --jobs 1").code, 0);
  ASSERT_EQ(ringside("shrink lost.run --out b/x.run --jobs 3").code, 0);
  const std::string a = read("a/x.textproto"), b = read("b/x.textproto");
  // But for the line that names the file.
  EXPECT_EQ(a.substr(a.find("\nname")), b.substr(b.find("\nname")));
}

TEST_F(ShrinkVerbsTest, what_does_not_fail_is_not_shrunk_and_not_explained) {
  ringside(concat("run ", kMustFail, "../failures/swarm_calm.textproto --seed 1 --out fine.run"));
  for (const char* verb : {"shrink", "explain"}) {
    const Ended ended = ringside(concat(verb, " fine.run"));
    EXPECT_EQ(ended.code, 2) << verb;
    EXPECT_TRUE(contains(ended.err, "no expectation is violated")) << ended.err;
  }
  record("acknowledged_writes", "lost.run");
  const Ended other = ringside("shrink lost.run --expectation linearizable");
  EXPECT_EQ(other.code, 2);
  EXPECT_TRUE(contains(other.err, "it violates acknowledged_writes: lost")) << other.err;
  EXPECT_EQ(ringside("shrink missing.run").code, 2);
  EXPECT_EQ(ringside("shrink lost.run --for soon").code, 2);
  EXPECT_EQ(ringside("shrink lost.run --out small.textproto").code, 2);
}

TEST_F(ShrinkVerbsTest, a_regression_is_filed_under_its_name_and_never_over_another) {
  record("acknowledged_writes", "lost.run");
  const Ended nowhere = ringside("shrink lost.run --regression one_disk");
  EXPECT_EQ(nowhere.code, 2);
  EXPECT_TRUE(contains(nowhere.err, "there is no scenarios/ here")) << nowhere.err;
  std::filesystem::create_directory(directory_ + "/scenarios");
  EXPECT_EQ(ringside("shrink lost.run --regression one_disk").code, 0);
  EXPECT_TRUE(contains(read("scenarios/regressions/one_disk.textproto"), "name: \"one_disk\""));
  EXPECT_EQ(ringside("run scenarios/regressions/one_disk.textproto").code, 1);
  EXPECT_EQ(ringside("shrink lost.run --regression one_disk").code, 2);
  EXPECT_EQ(ringside("shrink lost.run --regression One-Disk").code, 2);
}

TEST_F(ShrinkVerbsTest, two_runs_are_told_apart_at_their_first_event_that_differs) {
  record("acknowledged_writes", "a.run");
  const std::string scenario = concat(kMustFail, "acknowledged_writes.textproto");
  ringside(concat("run ", scenario, " --seed 2 --out b.run"));
  const Ended seeds = ringside("diff a.run b.run");
  EXPECT_EQ(seeds.code, 1) << seeds.err;
  EXPECT_TRUE(seeds.out.starts_with("DIFFERENT from event ")) << seeds.out;
  EXPECT_EQ(ringside("diff a.run a.run").code, 0);

  // The same run but for a fault that comes late: they part when it strikes, not before.
  std::string text;
  {
    std::ostringstream all;
    all << std::ifstream(scenario).rdbuf();
    text = all.str();
  }
  const std::size_t fault = text.find("fault { at: \"1s\"");
  ASSERT_NE(fault, std::string::npos);
  write("without.textproto", text.substr(0, fault) + text.substr(text.find('\n', fault)));
  ringside("run without.textproto --out c.run");
  const Ended late = ringside("diff a.run c.run --json");
  EXPECT_EQ(late.code, 1) << late.err;
  EXPECT_EQ(field(late.out, "same"), "false");
  EXPECT_TRUE(contains(late.out, "1200.0")) << late.out;  // 1 s after the start of the workload
}

TEST_F(ShrinkVerbsTest, futures_of_a_run_are_the_same_whenever_they_are_asked_for) {
  record("acknowledged_writes", "lost.run");
  const Ended before = ringside("branch lost.run --at 100ms --seeds 6 --json --jobs 1");
  EXPECT_EQ(before.code, 1) << before.err;
  EXPECT_EQ(field(before.out, "futures"), "6");
  EXPECT_EQ(ringside("branch lost.run --at 100ms --seeds 6 --json --jobs 2").out, before.out);
  EXPECT_EQ(ringside("branch lost.run --at 3s --seeds 6").code, 2);
  EXPECT_EQ(ringside("branch lost.run --at soon").code, 2);
}

}  // namespace
}  // namespace ringside::cli
