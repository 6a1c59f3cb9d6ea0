// The life of a lost write, from a run that must lose one.
#include "lab/biography.h"

#include <gtest/gtest.h>

#include "lab/text.h"

namespace ringside::lab {
namespace {

const std::string kViolations = std::string(RINGSIDE_SOURCE_DIR) + "/scenarios/violations/";

TEST(Biography, finds_whom_the_verdict_accuses) {
  RunResult result;
  result.expectations = {{"acknowledged_writes", false, "1 of 9 lost"}};
  result.witnesses = {
      "acknowledged and lost: put #c0:57 of \"register-3\" by client 2 [1 ms, 2 ms]"};
  const Subject lost = subject_of(result, "acknowledged_writes");
  EXPECT_EQ(lost.key, "register-3");
  ASSERT_EQ(lost.values.size(), 1u);
  EXPECT_EQ(lost.values[0], uint64_t{kFirstClient} << 32 | 57);

  result.witnesses = {"replicas differ on \"k\": node 1 holds {27100000001}; node 2 holds nothing"};
  const Subject behind = subject_of(result, "acknowledged_writes");
  EXPECT_EQ(behind.key, "k");
  EXPECT_EQ(behind.values, std::vector<ValueId>{0x27100000001});
}

TEST(Biography, tells_a_lost_write_from_the_question_to_its_loss) {
  const std::string file = kViolations + "acknowledged_writes.textproto";
  const auto verdict = run_scenario_file(file, 1);
  ASSERT_TRUE(verdict.ok());
  const Subject subject = subject_of(*verdict, "acknowledged_writes");
  ASSERT_FALSE(subject.key.empty());
  Biographer biographer(subject);
  RunOptions options;
  options.on_log = [&](const LogLine& line) { biographer.see(line); };
  const auto again = run_scenario_file(file, 1, options);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->fingerprint, verdict->fingerprint);  // listening changes nothing
  const Result<History> history = decode_history(again->history);
  ASSERT_TRUE(history.ok());
  const std::vector<BiographyLine> lines = biographer.tell(*history);
  ASSERT_GT(lines.size(), 5u);
  std::map<std::string, int> kinds;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    ++kinds[lines[i].kind];
    if (i > 0) EXPECT_GE(lines[i].at, lines[i - 1].at);
    for (const uint32_t before : lines[i].after) {
      ASSERT_LT(before, i);  // a cause comes first
      EXPECT_LE(lines[before].at, lines[i].at);
    }
    if (lines[i].kind == "arrival") {
      ASSERT_FALSE(lines[i].after.empty()) << lines[i].text;
      EXPECT_EQ(lines[lines[i].after[0]].kind, "hop") << lines[i].text;
    }
  }
  for (const char* kind : {"ask", "answer", "hop", "arrival", "life"})
    EXPECT_GT(kinds[kind], 0) << kind;
  // Lost for good: the last that is heard of the key is an answer without the value.
  const auto last = std::find_if(lines.rbegin(), lines.rend(), [](const BiographyLine& line) {
    return line.kind == "answer" && contains(line.text, "get");
  });
  ASSERT_NE(last, lines.rend());
  EXPECT_FALSE(contains(last->text, concat("value #c0:", subject.values[0] & 0xffffffff, ",")));
}

}  // namespace
}  // namespace ringside::lab
