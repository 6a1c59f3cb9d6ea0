// `ringside replay --walk` and `--seek` as their users meet them; plain replay is in cli_test.cc.
#include <gtest/gtest.h>

#include <map>

#include "cli/program_for_test.h"

namespace ringside::cli {
namespace {

using lab::concat;
using lab::contains;

class ReplayTest : public ProgramTest {
 protected:
  ReplayTest() {
    ringside(concat("run ", RINGSIDE_SOURCE_DIR,
                    "/scenarios/violations/acknowledged_writes.textproto --out lost.run"));
  }
  Ended walk(const std::string& commands) {
    write("commands", commands);
    return ringside("replay lost.run --walk <commands");
  }
  // The lines that say where it stands, each "event N  T ms  fingerprint F".
  static std::vector<std::string> standings(const std::string& out) {
    std::vector<std::string> lines;
    for (const std::string& line : lab::split(out, '\n'))
      if (line.starts_with("event ")) lines.push_back(line);
    return lines;
  }
};

TEST_F(ReplayTest, a_walk_goes_forwards_and_backwards_and_finds_the_same_world_again) {
  const Ended ended = walk("to 1200ms\nnext 100\nback 100\nback\nnext\nto 300ms\nto 1.2s\nquit\n");
  EXPECT_EQ(ended.code, 0) << ended.err;
  const std::vector<std::string> at = standings(ended.out);
  ASSERT_EQ(at.size(), 8u) << ended.out;
  EXPECT_TRUE(at[0].starts_with("event 0  0.000000 ms  fingerprint ")) << at[0];
  EXPECT_TRUE(contains(at[1], "  1200.000000 ms  ")) << at[1];
  EXPECT_NE(at[2], at[1]);
  EXPECT_EQ(at[3], at[1]);
  EXPECT_NE(at[4], at[1]);
  EXPECT_EQ(at[5], at[1]);
  EXPECT_EQ(at[7], at[1]);
  EXPECT_TRUE(contains(ended.out, "fault: power loss of east-a-1")) << ended.out;
}

TEST_F(ReplayTest, it_stands_where_a_replay_from_the_beginning_stops) {
  const Ended ended = walk("to 7000\nto 3000\nback 1\n");
  const std::vector<std::string> at = standings(ended.out);
  ASSERT_EQ(at.size(), 4u) << ended.out;
  const std::map<int, std::string> events{{7000, at[1]}, {3000, at[2]}, {2999, at[3]}};
  for (const auto& [event, line] : events) {
    const Ended replay = ringside(concat("replay lost.run --json --until ", event));
    const std::string fingerprint = field(replay.out, "fingerprint");
    EXPECT_TRUE(line.starts_with(concat("event ", event, "  "))) << line;
    EXPECT_TRUE(contains(line, fingerprint.substr(1, fingerprint.size() - 2))) << line;
  }
}

TEST_F(ReplayTest, the_end_is_no_dead_end) {
  const Ended ended = walk("end\nnext\nback 3\nend\n");
  EXPECT_EQ(ended.code, 0) << ended.err;
  const std::vector<std::string> at = standings(ended.out);
  ASSERT_EQ(at.size(), 5u) << ended.out;
  EXPECT_TRUE(at[1].ends_with("the run is over")) << at[1];
  EXPECT_EQ(at[2], at[1]);
  EXPECT_FALSE(at[3].ends_with("the run is over")) << at[3];
  EXPECT_EQ(at[4], at[1]);
  const std::string fingerprint = field(ringside("replay lost.run --json").out, "fingerprint");
  EXPECT_TRUE(contains(at[1], fingerprint.substr(1, fingerprint.size() - 2))) << at[1];
}

TEST_F(ReplayTest, the_state_says_who_runs) {
  const Ended ended = walk("to 1s\nstate\nto 1300ms\nstate\nto 1.6s\nstate\n");
  EXPECT_EQ(ended.code, 0) << ended.err;
  const std::size_t first = ended.out.find("all 3 run"),
                    second = ended.out.find("node 1 is down", first),
                    third = ended.out.find("node 1 started 2 times", second);
  EXPECT_NE(third, std::string::npos) << ended.out;
  EXPECT_TRUE(contains(ended.out, "clients  3 of 3 at work")) << ended.out;
}

TEST_F(ReplayTest, what_is_no_command_is_said_and_the_walk_goes_on) {
  const Ended ended = walk("sideways\nto soon\nback x\nto\nhelp\nto 100\n");
  EXPECT_EQ(ended.code, 2);
  EXPECT_TRUE(contains(ended.err, "\"sideways\" is no command; `help` says what there is"));
  EXPECT_TRUE(contains(ended.err, "\"soon\" is neither an event's number")) << ended.err;
  EXPECT_TRUE(contains(ended.err, "\"x\" is no number of events")) << ended.err;
  EXPECT_TRUE(contains(ended.out, "back [N]")) << ended.out;
  EXPECT_TRUE(contains(ended.out, "event 100  ")) << ended.out;
}

TEST_F(ReplayTest, seek_tells_of_moments_in_the_order_that_was_asked_for) {
  const Ended json = ringside("replay lost.run --json --seek 1300ms 600ms 5,000");
  EXPECT_EQ(json.code, 0) << json.err;
  EXPECT_EQ(std::count(json.out.begin(), json.out.end(), '\n'), 1);
  const std::size_t later = json.out.find("\"asked\":\"1300ms\""),
                    earlier = json.out.find("\"asked\":\"600ms\"", later),
                    by_event = json.out.find("\"asked\":\"5,000\"", earlier);
  ASSERT_NE(by_event, std::string::npos) << json.out;
  EXPECT_LE(std::stoull(field(json.out.substr(earlier), "time_ns")), 600'000'000u);
  EXPECT_EQ(field(json.out.substr(by_event), "event"), "5000");
  EXPECT_EQ(field(json.out.substr(later), "running"), "false") << "node 1";
  const Ended text = ringside("replay lost.run --seek 1300ms 600ms 5,000");
  EXPECT_EQ(standings(text.out).size(), 3u) << text.out;
  const Ended alone = ringside("replay lost.run --json --seek 600ms");
  EXPECT_EQ(field(alone.out, "fingerprint"), field(json.out.substr(earlier), "fingerprint"));
}

TEST_F(ReplayTest, wrong_use_is_one_clear_line_and_2) {
  write("no.run", "nothing");
  const struct {
    const char* arguments;
    const char* says;
  } cases[] = {
      {"replay lost.run --seek soon", "--seek \"soon\" is neither an event's number"},
      {"replay lost.run --seek 600ms --walk", "--walk"},
      {"replay lost.run --walk --until 5", "--until"},
      {"replay lost.run --walk --json", "--json"},
      {"replay no.run --walk", "no.run: "},
  };
  for (const auto& one : cases) {
    const Ended ended = ringside(concat(one.arguments, " </dev/null"));
    EXPECT_EQ(ended.code, 2) << one.arguments << "\n" << ended.out << ended.err;
    EXPECT_TRUE(contains(ended.err, one.says)) << one.arguments << "\n" << ended.err;
  }
  EXPECT_TRUE(contains(ringside("replay --help").out, "--seek 35s 34.9s 120000"));
}

}  // namespace
}  // namespace ringside::cli
