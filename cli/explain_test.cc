// `ringside explain` as its users meet it.
#include <gtest/gtest.h>

#include "cli/event_lines.h"
#include "cli/parting.h"
#include "cli/program_for_test.h"

namespace ringside::cli {
namespace {

using lab::concat;
using lab::contains;

class ExplainTest : public ProgramTest {
 protected:
  ExplainTest() { write("loses.textproto", kLoses); }
};

TEST_F(ExplainTest, tells_the_fault_that_it_needs_and_what_became_of_the_write) {
  ASSERT_EQ(ringside("run loses.textproto --out lost.run").code, 1);
  const Ended why = ringside("explain lost.run");
  EXPECT_EQ(why.code, 0) << why.err;
  EXPECT_TRUE(why.out.starts_with("EXPLAINED acknowledged_writes: lost\n")) << why.out;
  EXPECT_TRUE(contains(why.out, " 1  not needed  pause of east-b-1")) << why.out;
  EXPECT_TRUE(contains(why.out, " 2  necessary   disk loss of east-a-1")) << why.out;
  EXPECT_TRUE(contains(why.out, "enough by itself, and no part of it is: {2}")) << why.out;
  EXPECT_TRUE(contains(why.out, "What became of it (\"register-")) << why.out;
  EXPECT_TRUE(contains(why.out, "client_put_request")) << why.out;
}

TEST_F(ExplainTest, says_the_same_to_programs) {
  ASSERT_EQ(ringside("run loses.textproto --out lost.run").code, 1);
  const Ended why = ringside("explain lost.run --json");
  EXPECT_EQ(why.code, 0) << why.err;
  EXPECT_EQ(field(why.out, "expectation"), "\"acknowledged_writes\"");
  EXPECT_EQ(field(why.out, "kind"), "\"lost\"");
  EXPECT_EQ(field(why.out, "subsets_played"), "true");
  EXPECT_TRUE(contains(why.out, "\"necessary\":false},{\"text\":\"disk loss of east-a-1"))
      << why.out;
  EXPECT_TRUE(contains(why.out, "\"sufficient\":[[1]]")) << why.out;
  EXPECT_TRUE(field(why.out, "key").starts_with("\"register-")) << why.out;
  // Each line of the life: when, where, what, and what it came after.
  const std::string life = why.out.substr(why.out.find("\"biography\":["));
  EXPECT_TRUE(life.starts_with("\"biography\":[{\"at_ms\":")) << life.substr(0, 200);
  for (const char* part : {"\"where\":\"client ", "\"where\":\"node 1\"", "\"kind\":\"hop\"",
                           "\"kind\":\"sync\"", "\"kind\":\"fault\"", "\"after\":[0]"})
    EXPECT_TRUE(contains(life, part)) << part;
  EXPECT_EQ(ringside("explain lost.run --json --jobs 1").out, why.out);
}

TEST_F(ExplainTest, bad_input_is_one_clear_line_and_2) {
  std::string calm = kLoses;
  calm.replace(calm.find("disk_loss"), 9, "crash");
  write("calm.textproto", calm);
  ASSERT_EQ(ringside("run calm.textproto --out calm.run").code, 0);
  ASSERT_EQ(ringside("run loses.textproto --out lost.run").code, 1);
  write("text.run", "no recording at all");
  const struct {
    const char* arguments;
    const char* says;
  } cases[] = {
      {"explain calm.run", "calm.run: nothing to explain: no expectation is violated"},
      {"explain lost.run --expectation linearizable", "lost.run: does not violate linearizable"},
      {"explain missing.run", "missing.run"},
      {"explain text.run", "text.run"},
      {"explain lost.run --for soon", "--for"},
      {"explain", "RUN"},
  };
  for (const auto& one : cases) {
    const Ended ended = ringside(one.arguments);
    EXPECT_EQ(ended.code, 2) << one.arguments << "\n" << ended.out << ended.err;
    EXPECT_TRUE(contains(ended.err, one.says)) << one.arguments << "\n" << ended.err;
  }
}

TEST_F(ExplainTest, every_event_of_a_replay_can_be_read_as_it_runs) {
  ASSERT_EQ(ringside("run loses.textproto --out lost.run --json").code, 1);
  const std::string events = field(read("out"), "events");
  const Ended replay = ringside("replay --events lost.run");
  EXPECT_EQ(replay.code, 0) << replay.err;
  EventReader reader;
  uint64_t index = 0, lines = 0;
  for (const std::string& line : lab::split(replay.out, '\n')) {
    const std::optional<PlayedEvent> event = reader.read(line);
    if (!event) continue;
    EXPECT_EQ(event->index, ++index);
    lines += event->lines.size();
    EXPECT_TRUE(event_parts(*event).time.ends_with(" ms")) << line;
    EXPECT_TRUE(event_parts(*event).content.starts_with("content ")) << line;
  }
  EXPECT_EQ(std::to_string(index), events);
  EXPECT_GT(lines, 100u);
}

PlayedEvent event_of(const std::string& what) { return {7, what, {}}; }

TEST(Parting, says_in_what_two_events_differ_and_whose_came_first) {
  Parting parting;
  EXPECT_FALSE(parting.found());
  parting.plain = event_of("12.000004 ms  node 3  timer  content 01");
  parting.shaken = event_of("12.000001 ms  node 3  timer  content 01");
  EXPECT_EQ(parting.differs_in(), "when it runs");
  EXPECT_EQ(parting.place(), "node 3");
  parting.shaken = event_of("12.000001 ms  node 2  frame  content 01");
  EXPECT_EQ(parting.differs_in(), "where it runs");
  EXPECT_EQ(parting.place(), "node 2");
  parting.shaken = event_of("12.000004 ms  node 3  frame  content 01");
  EXPECT_EQ(parting.differs_in(), "what it is");
  parting.shaken = event_of("12.000004 ms  node 3  timer  content 02");
  EXPECT_EQ(parting.differs_in(), "what is in it");
  parting.shaken.reset();  // it has ended
  EXPECT_TRUE(parting.found());
  EXPECT_EQ(parting.differs_in(), "that only one of them has it");
  EXPECT_EQ(parting.place(), "node 3");
}

}  // namespace
}  // namespace ringside::cli
