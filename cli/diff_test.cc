// `ringside diff` as its users meet it.
#include <gtest/gtest.h>

#include "cli/program_for_test.h"

namespace ringside::cli {
namespace {

using lab::concat;
using lab::contains;

const std::string kMustFail =
    std::string(RINGSIDE_SOURCE_DIR) + "/scenarios/violations/acknowledged_writes.textproto";

class DiffTest : public ProgramTest {
 protected:
  DiffTest() { ringside(concat("run ", kMustFail, " --out a.run")); }
};

TEST_F(DiffTest, a_run_is_the_same_as_itself_played_again) {
  ringside(concat("run ", kMustFail, " --out again.run"));
  const Ended same = ringside("diff a.run again.run");
  EXPECT_EQ(same.code, 0) << same.err;
  EXPECT_TRUE(same.out.starts_with("SAME      both have the same ")) << same.out;
  const Ended json = ringside("diff a.run again.run --json");
  EXPECT_EQ(json.code, 0);
  EXPECT_EQ(field(json.out, "same"), "true");
}

TEST_F(DiffTest, other_seeds_differ_from_the_beginning) {
  ringside(concat("run ", kMustFail, " --seed 2 --out b.run"));
  const Ended seeds = ringside("diff a.run b.run");
  EXPECT_EQ(seeds.code, 1) << seeds.err;
  EXPECT_TRUE(seeds.out.starts_with("DIFFERENT from event ")) << seeds.out;
  EXPECT_TRUE(contains(seeds.out, "\n  a ")) << seeds.out;
  EXPECT_TRUE(contains(seeds.out, "\n  b ")) << seeds.out;
  EXPECT_LT(std::stoi(field(ringside("diff a.run b.run --json").out, "first_difference")), 50);
}

TEST_F(DiffTest, runs_that_part_late_are_told_apart_where_they_part) {
  // The same but for a fault, which comes a second after the start of the workload, or later.
  std::ostringstream all;
  all << std::ifstream(kMustFail).rdbuf();
  std::string text = all.str();
  const std::size_t fault = text.find("at: \"1s\" disk_loss");
  ASSERT_NE(fault, std::string::npos);
  text.replace(fault, 8, "at: \"1100ms\"");
  write("later.textproto", text);
  ringside("run later.textproto --out c.run");
  const Ended late = ringside("diff a.run c.run --json");
  EXPECT_EQ(late.code, 1) << late.err;
  EXPECT_EQ(field(late.out, "same"), "false");
  EXPECT_TRUE(contains(late.out, "1200.000000 ms  the world  action")) << late.out;
  EXPECT_TRUE(contains(late.out, "fault: power loss of east-a-1")) << late.out;

  // Up to there `replay` stands in the same world, from there on not.
  const uint64_t event = std::stoull(field(late.out, "first_difference"));
  const auto stands = [&](const char* run, uint64_t at) {
    return field(ringside(concat("replay ", run, " --json --seek ", at)).out, "fingerprint");
  };
  EXPECT_EQ(stands("a.run", event - 1), stands("c.run", event - 1));
  EXPECT_NE(stands("a.run", event), stands("c.run", event));
}

TEST_F(DiffTest, wrong_use_is_one_clear_line_and_2) {
  write("no.run", "nothing");
  const struct {
    const char* arguments;
    const char* says;
  } cases[] = {
      {"diff a.run", "RUN_B"},
      {"diff a.run nowhere.run", "nowhere.run: cannot be read"},
      {"diff no.run a.run", "no.run: "},
  };
  for (const auto& one : cases) {
    const Ended ended = ringside(one.arguments);
    EXPECT_EQ(ended.code, 2) << one.arguments << "\n" << ended.out << ended.err;
    EXPECT_TRUE(contains(ended.err, one.says)) << one.arguments << "\n" << ended.err;
  }
  EXPECT_TRUE(contains(ringside("diff --help").out, "Example"));
}

}  // namespace
}  // namespace ringside::cli
