// `ringside hunt` and `merge` as their users meet them.
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

// Holds under every seed.
constexpr const char* kHunted = R"(name: "hunted"
topology { region { name: "east" zones: 3 } }
cluster { strategy { dynamo { n: 3 r: 2 w: 2 } } }
workload { registers { keys: 5 } clients: 3 rate: "100/s" for: "1s" }
swarm { profile: STANDARD interval_min: "200ms" interval_max: "1s" down_min: "20ms" down_max: "100ms" }
expect {
  evidence { acknowledged_writes: 5 verified_reads: 5 }
  acknowledged_writes: PRESENT_OR_SUPERSEDED
}
)";

// Fails under some: who reads one replica may miss what another has.
std::string weak() {
  std::string text = kHunted;
  text.replace(text.find("hunted"), 6, "weak");
  text.replace(text.find("r: 2 w: 2"), 9, "r: 1 w: 1");
  text.replace(text.find("acknowledged_writes: PRESENT_OR_SUPERSEDED"), 42,
               "monotonic_reads: true");
  text.replace(text.find("keys: 5 } clients: 3"), 20, "keys: 2 } clients: 6");
  return text;
}

class HuntTest : public ProgramTest {
 protected:
  HuntTest() {
    write("hunted.textproto", kHunted);
    write("weak.textproto", weak());
    std::filesystem::create_directories(directory_ + "/both");
    write("both/hunted.textproto", kHunted);
    write("both/weak.textproto", weak());
  }
  bool there(const std::string& name) const {
    return std::filesystem::exists(directory_ + "/" + name);
  }
};

TEST_F(HuntTest, finds_nothing_where_every_seed_holds) {
  const Ended hunt = ringside("hunt hunted.textproto --seeds 40 --out none");
  EXPECT_EQ(hunt.code, 0) << hunt.out << hunt.err;
  EXPECT_TRUE(hunt.out.starts_with("NOTHING   hunted: 0 of 40 seeds fail")) << hunt.out;
  EXPECT_FALSE(there("none/bundles"));
  EXPECT_FALSE(there("none/work-1-of-1"));
}

TEST_F(HuntTest, a_failure_is_a_bundle_that_replays_and_fails_by_itself) {
  const Ended hunt = ringside("hunt weak.textproto --seeds 40 --out found --json");
  EXPECT_EQ(hunt.code, 1) << hunt.out << hunt.err;
  EXPECT_EQ(field(hunt.out, "verdict"), "\"found\"");
  EXPECT_EQ(field(hunt.out, "expectation"), "\"monotonic_reads\"");
  const std::string seed = field(hunt.out.substr(hunt.out.find("\"first\"")), "seed");
  std::string bundle = field(hunt.out, "bundle");
  bundle = "found/" + bundle.substr(1, bundle.size() - 2);
  const std::string name = bundle.substr(bundle.rfind('/') + 1);
  for (const char* file :
       {"scenario.textproto", "storm.textproto", "verdict.txt", "verdict.json", "bundle.json"}) {
    EXPECT_TRUE(there(bundle + "/" + file)) << file;
  }
  EXPECT_TRUE(contains(read(bundle + "/verdict.txt"), "VIOLATED  monotonic_reads"));
  EXPECT_TRUE(contains(read(bundle + "/verdict.json"), "\"witnesses\":[\"monotonic_reads: "));
  const std::string says = read(bundle + "/bundle.json");
  EXPECT_EQ(field(says, "seed"), seed);
  EXPECT_EQ(field(says, "replayed_in_a_fresh_process"), "\"the same\"");
  EXPECT_TRUE(contains(says, "\"checkpoints\":[{\"events\":"));
  EXPECT_TRUE(contains(says, "\"signature\":\"weak: monotonic_reads: "));

  const Ended replay = ringside(concat("replay ", bundle, "/", name, ".run"));
  EXPECT_EQ(replay.code, 0) << replay.out << replay.err;
  EXPECT_TRUE(replay.out.starts_with("SAME"));
  EXPECT_EQ(ringside(concat("replay --shaken ", bundle, "/", name, ".run")).code, 0);
  const Ended again = ringside(concat("run ", bundle, "/scenario.textproto --seed ", seed));
  EXPECT_EQ(again.code, 1) << again.out << again.err;
}

TEST_F(HuntTest, the_number_of_workers_changes_nothing) {
  const Ended one = ringside("hunt weak.textproto --seeds 72 --jobs 1 --out a --json --no-times");
  const Ended three = ringside("hunt weak.textproto --seeds 72 --jobs 3 --out b --json --no-times");
  EXPECT_EQ(one.code, 1) << one.err;
  EXPECT_EQ(one.out, three.out);
  EXPECT_NE(field(one.out, "variations"), "0");
}

TEST_F(HuntTest, shards_merge_to_what_one_process_finds_to_the_last_byte) {
  const Ended whole = ringside("hunt both --seeds 160 --out whole --json --no-times");
  EXPECT_EQ(whole.code, 1) << whole.err;
  for (int shard = 1; shard <= 3; ++shard)
    ringside(concat("hunt both --seeds 160 --out parts --shard ", shard, "/3"));
  const Ended merged = ringside("merge parts --json");
  EXPECT_EQ(merged.code, 1) << merged.err;
  EXPECT_EQ(merged.out, whole.out);
  EXPECT_TRUE(ringside("merge parts").out.starts_with("FOUND     "));

  std::filesystem::remove(directory_ + "/parts/hunt-2-of-3.result");
  const Ended missing = ringside("merge parts");
  EXPECT_EQ(missing.code, 2);
  EXPECT_TRUE(contains(missing.err, "shard 2/3 is missing")) << missing.err;
}

TEST_F(HuntTest, shards_of_a_run_merge_to_the_run_to_the_last_byte) {
  const Ended whole = ringside("run weak.textproto --seeds 10..25 --out whole --json --no-times");
  EXPECT_EQ(whole.code, 1) << whole.err;
  for (int shard = 1; shard <= 4; ++shard)
    ringside(concat("run weak.textproto --seeds 10..25 --out parts --shard ", shard, "/4"));
  const Ended merged = ringside("merge parts --json");
  EXPECT_EQ(merged.code, 1) << merged.err;
  EXPECT_EQ(merged.out, whole.out);
}

TEST_F(HuntTest, a_hunt_that_is_killed_loses_the_round_under_way_and_no_more) {
  const Ended whole = ringside("hunt weak.textproto --seeds 136 --out whole --json --no-times");
  ASSERT_EQ(whole.code, 1) << whole.err;
  // Killed as soon as another state, after a round, is on disk.
  const int status =
      system(concat("cd ", directory_, " && { ", RINGSIDE_PROGRAM,
                    " hunt weak.textproto --seeds 136 --out killed >out 2>err & p=$!; "
                    "s=killed/hunt-1-of-1.state; while [ ! -s $s ]; do sleep 0.01; done; "
                    "first=$(stat -c %i $s); "
                    "while [ $(stat -c %i $s) = $first ]; do sleep 0.01; done; "
                    "kill -9 $p; wait $p; }")
                 .c_str());
  ASSERT_EQ(WEXITSTATUS(status), 128 + 9);
  EXPECT_FALSE(there("killed/hunt-1-of-1.result"));
  const Ended resumed = ringside("hunt --resume killed --json --no-times");
  EXPECT_EQ(resumed.code, 1) << resumed.err;
  EXPECT_EQ(resumed.out, whole.out);
}

TEST_F(HuntTest, time_bounds_it_and_it_goes_on_later) {
  const Ended first = ringside("hunt hunted.textproto --for 300ms --out timed --json");
  EXPECT_EQ(first.code, 0) << first.err;
  const Ended later = ringside("hunt --resume timed --seeds 72 --json --no-times");
  EXPECT_EQ(later.code, 0) << later.err;
  EXPECT_EQ(field(later.out, "played"), "72");
  const Ended at_once = ringside("hunt hunted.textproto --seeds 72 --out once --json --no-times");
  EXPECT_EQ(later.out, at_once.out);
}

TEST_F(HuntTest, it_goes_on_again_and_again_as_if_it_had_never_stopped) {
  ringside("hunt weak.textproto --seeds 8 --out often");
  Ended last;
  for (const char* seeds : {"72", "136"})
    last = ringside(concat("hunt --resume often --json --no-times --seeds ", seeds));
  EXPECT_EQ(last.code, 1) << last.err;
  const Ended at_once = ringside("hunt weak.textproto --seeds 136 --out once --json --no-times");
  EXPECT_EQ(last.out, at_once.out);
}

TEST_F(HuntTest, wrong_use_is_one_clear_line_and_2) {
  std::filesystem::create_directories(directory_ + "/empty");
  write("bad.txt", "name: \"x\"\nzones: 3\n");
  ringside("hunt hunted.textproto --seeds 1 --out done");
  const struct {
    const char* arguments;
    const char* says;
  } cases[] = {
      {"hunt", "name a scenario or a directory"},
      {"hunt hunted.textproto --resume done", "name a scenario or a directory"},
      {"hunt nowhere.textproto", "nowhere.textproto: cannot be read"},
      {"hunt bad.txt", "bad.txt:2:1: zones: Scenario has no such field"},
      {"hunt empty", "empty: holds no scenario"},
      {"hunt hunted.textproto --for 5", "--for \"5\" has no unit"},
      {"hunt hunted.textproto --seeds 0", "--seeds"},
      {"hunt hunted.textproto --shard 9/8", "shards are counted from 1/8 to 8/8"},
      {"hunt hunted.textproto --shard 9/16", "8 lanes are too few for 16 shards"},
      {"hunt hunted.textproto --no-times", "--json"},
      {"hunt --resume empty", "empty: holds no hunt to go on with"},
      {"hunt --resume nowhere", "nowhere: cannot be read"},
      {"merge empty", "empty: holds no results"},
      {"merge hunted.textproto", "hunted.textproto: is no hunt of ringside"},
      {"merge", "DIRS"},
      {"run hunted.textproto --seeds 4 --shard 5/4", "shards are counted from 1/4"},
      {"run hunted.textproto --seed 4 --shard 1/4", "--seeds"},
  };
  for (const auto& one : cases) {
    const Ended ended = ringside(one.arguments);
    EXPECT_EQ(ended.code, 2) << one.arguments << "\n" << ended.out << ended.err;
    EXPECT_TRUE(contains(ended.err, one.says)) << one.arguments << "\n" << ended.err;
  }
}

TEST_F(HuntTest, a_hunt_is_not_written_over_nor_resumed_on_another_scenario) {
  ASSERT_EQ(ringside("hunt hunted.textproto --seeds 64 --out twice").code, 0);
  const Ended again = ringside("hunt hunted.textproto --seeds 64 --out twice");
  EXPECT_EQ(again.code, 2);
  EXPECT_TRUE(contains(again.err, "--resume twice")) << again.err;
  write("hunted.textproto", std::string(kHunted) + "# changed\n");
  const Ended changed = ringside("hunt --resume twice --seeds 128");
  EXPECT_EQ(changed.code, 2);
  EXPECT_TRUE(contains(changed.err, "hunted.textproto: has changed")) << changed.err;
}

TEST_F(HuntTest, hunt_and_merge_explain_themselves_with_examples) {
  for (const char* verb : {"hunt", "merge"}) {
    const Ended help = ringside(concat(verb, " --help"));
    EXPECT_EQ(help.code, 0) << verb;
    EXPECT_TRUE(contains(help.out, "Example")) << verb;
  }
}

}  // namespace
}  // namespace ringside::cli
