// The program as its users meet it: what it prints where, and its exit codes.
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/program_for_test.h"
#include "lab/recording.h"
#include "lab/text.h"
#include "runtime/bug.h"

namespace ringside::cli {
namespace {

using lab::concat;
using lab::contains;

const std::string kLibrary = std::string(RINGSIDE_SOURCE_DIR) + "/scenarios/";

class CliTest : public ProgramTest {};

constexpr const char* kSmall = R"(name: "small"
topology { region { name: "east" zones: 3 } }
cluster { strategy { dynamo { n: 3 r: 2 w: 2 } } }
workload { registers { keys: 5 } clients: 3 rate: "100/s" for: "1s" }
expect {
  evidence { acknowledged_writes: 5 verified_reads: 5 }
  acknowledged_writes: PRESENT_OR_SUPERSEDED
}
)";

TEST_F(CliTest, a_run_holds_is_recorded_and_replays_to_the_same_fingerprint) {
  write("small.textproto", kSmall);
  const Ended run = ringside("run small.textproto --seed 7 --json");
  EXPECT_EQ(run.code, 0) << run.err;
  EXPECT_EQ(field(run.out, "verdict"), "\"holds\"");
  EXPECT_EQ(field(run.out, "scenario"), "\"small\"");
  EXPECT_EQ(field(run.out, "seed"), "7");
  EXPECT_EQ(field(run.out, "fingerprint").size(), 18u);
  for (const char* name :
       {"events", "simulated_seconds", "wall_seconds", "operations", "expectations", "metrics"}) {
    EXPECT_FALSE(field(run.out, name).empty()) << name;
  }
  EXPECT_EQ(std::count(run.out.begin(), run.out.end(), '\n'), 1);
  EXPECT_EQ(run.err, "");

  const Ended replay = ringside("replay runs/small-seed-7.run");
  EXPECT_EQ(replay.code, 0) << replay.out << replay.err;
  EXPECT_TRUE(replay.out.starts_with("SAME"));
  const std::string fingerprint = field(run.out, "fingerprint");
  EXPECT_TRUE(contains(replay.out, fingerprint.substr(1, 16)));

  const Ended other = ringside("run small.textproto --seed 8 --json --out other.run");
  EXPECT_NE(field(other.out, "fingerprint"), fingerprint);
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/other.run"));
}

TEST_F(CliTest, a_violation_names_its_witnesses_and_ends_with_1) {
  const Ended run = ringside(concat("run ", kLibrary, "violations/registers_3_1_1.textproto"));
  EXPECT_EQ(run.code, 1) << run.err;
  EXPECT_TRUE(run.out.starts_with("VIOLATED"));
  EXPECT_TRUE(contains(run.out, "VIOLATED  linearizable"));
  EXPECT_TRUE(contains(run.out, " returned "));
  EXPECT_TRUE(contains(run.out, "replay runs/registers_3_1_1-seed-1.run"));
}

TEST_F(CliTest, many_seeds_are_judged_as_a_set_and_leave_the_recordings_of_those_that_fail) {
  write("small.textproto", kSmall);
  const Ended fine = ringside("run small.textproto --seeds 4 --jobs 2");
  EXPECT_EQ(fine.code, 0) << fine.out << fine.err;
  EXPECT_TRUE(contains(fine.out, "4 of 4 seeds hold"));
  EXPECT_TRUE(std::filesystem::is_empty(directory_ + "/runs"));
  const Ended broken =
      ringside(concat("run ", kLibrary, "violations/reached.textproto --seeds 3..4 --json"));
  EXPECT_EQ(broken.code, 1);
  EXPECT_EQ(field(broken.out, "violated"), "2");
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/runs/reached-seed-3.run"));
  EXPECT_TRUE(std::filesystem::exists(directory_ + "/runs/reached-seed-4.run"));
}

TEST_F(CliTest, bad_input_is_one_clear_line_and_2) {
  write("small.textproto", kSmall);
  write("bad.textproto", "name: \"x\"\nzones: 3\n");
  write("foreign.run", "something else");
  const struct {
    const char* arguments;
    const char* says;
  } cases[] = {
      {"run nowhere.textproto", "nowhere.textproto: cannot be read"},
      {"run bad.textproto", "bad.textproto:2:1: zones: Scenario has no such field"},
      {"run small.textproto --seeds 3..1", "holds no seed"},
      {"run small.textproto --seed x", "--seed"},
      {"run small.textproto --seed 1 --seeds 3", "--seed"},
      {"run small.textproto --watch --seeds 3", "--watch"},
      {"run small.textproto --watch --json", "--watch"},
      {"run small.textproto --speed 2", "--watch"},
      {"run small.textproto --watch --speed 0", "--speed"},
      {"run nowhere.textproto --watch", "nowhere.textproto: cannot be read"},
      {"topology nowhere.textproto", "nowhere.textproto: cannot be read"},
      {"topology bad.textproto", "bad.textproto:2:1: zones: Scenario has no such field"},
      {"topology small.textproto --svg no/such/x.svg", "no/such/x.svg: cannot be written"},
      {"topology", "FILE"},
      {"run small.textproto --out no/such/directory/x.run", "cannot be written"},
      {"replay foreign.run", "foreign.run: is no recording of ringside"},
      {"replay nowhere.run", "nowhere.run: cannot be read"},
      {"log foreign.run", "foreign.run: is no recording of ringside"},
      {"check bad.textproto small.textproto", "bad.textproto:2:1"},
      {"dance", "subcommand"},
      {"run", "FILE"},
      {"", "subcommand"},
  };
  for (const auto& one : cases) {
    const Ended ended = ringside(one.arguments);
    EXPECT_EQ(ended.code, 2) << one.arguments << "\n" << ended.out << ended.err;
    EXPECT_TRUE(contains(ended.err, one.says)) << one.arguments << "\n" << ended.err;
  }
  if (!planted_build()) {
    const Ended planted = ringside(concat("run ", kLibrary, "planted/log_never_syncs.textproto"));
    EXPECT_EQ(planted.code, 2);
    EXPECT_TRUE(contains(planted.err, "script/ringside --planted"));
  }
}

TEST_F(CliTest, a_run_that_is_not_the_recorded_one_is_3_and_names_where_they_part) {
  write("small.textproto", kSmall);
  ASSERT_EQ(ringside("run small.textproto --out a.run").code, 0);
  // A recording as another world would have made it: the last stretch differs.
  auto recording = lab::read_recording(directory_ + "/a.run");
  ASSERT_TRUE(recording.ok());
  std::vector<lab::Checkpoint>& checkpoints = recording->result.checkpoints;
  ASSERT_GE(checkpoints.size(), 2u);
  checkpoints.back().fingerprint ^= 1;
  ASSERT_TRUE(lab::write_recording(directory_ + "/a.run", *recording).ok());
  const Ended replay = ringside("replay a.run");
  EXPECT_EQ(replay.code, 3) << replay.out << replay.err;
  EXPECT_TRUE(replay.out.starts_with("DIFFERENT"));
  EXPECT_TRUE(contains(replay.out, "the first difference lies between event"));
  EXPECT_EQ(ringside("replay a.run --until 1024").code, 0);
}

TEST_F(CliTest, a_worker_that_dies_leaves_a_recording_that_replays) {
  std::string text = kSmall;
  text.replace(text.find("\"1s\""), 4, "\"2000s\"");
  write("long.textproto", text);
  // The worker is the program's only child.
  const int status = system(concat("cd ", directory_, " && { ", RINGSIDE_PROGRAM,
                                   " run long.textproto --out a.run >out 2>err & p=$!; "
                                   "while [ ! -s a.run ]; do sleep 0.02; done; "
                                   "kill -ABRT $(cat /proc/$p/task/$p/children); wait $p; }")
                                .c_str());
  EXPECT_EQ(WEXITSTATUS(status), 4) << read("out") << read("err");
  EXPECT_TRUE(read("out").starts_with("CRASHED"));
  const Ended replay = ringside("replay a.run --until 5000");
  EXPECT_EQ(replay.code, 3) << replay.out << replay.err;
  EXPECT_TRUE(contains(replay.out, "the recorded run crashed, but this one ended well"));
}

TEST_F(CliTest, until_with_break_raises_a_trap) {
  write("small.textproto", kSmall);
  ASSERT_EQ(ringside("run small.textproto --out a.run").code, 0);
  const Ended ended = ringside("replay a.run --until 1000 --break");
  EXPECT_EQ(ended.code, 128 + 5) << ended.out << ended.err;  // the shell's word for SIGTRAP
  EXPECT_TRUE(contains(ended.err, "event 1000 has run"));
}

TEST_F(CliTest, the_log_of_a_key_holds_its_frames_and_nothing_of_others) {
  write("small.textproto", kSmall);
  ASSERT_EQ(ringside("run small.textproto --out a.run").code, 0);
  const Ended log = ringside("log a.run --key register-1");
  EXPECT_EQ(log.code, 0) << log.err;
  EXPECT_TRUE(contains(log.out, "replica_put_request"));
  EXPECT_TRUE(contains(log.out, "asks: "));
  EXPECT_FALSE(contains(log.out, "register-2"));
}

TEST_F(CliTest, every_verb_explains_itself_with_examples) {
  for (const char* verb : {"run", "replay", "log", "topology", "check"}) {
    const Ended help = ringside(concat(verb, " --help"));
    EXPECT_EQ(help.code, 0) << verb;
    EXPECT_TRUE(contains(help.out, "Example")) << verb;
  }
  EXPECT_EQ(ringside("--help").code, 0);
}

}  // namespace
}  // namespace ringside::cli
