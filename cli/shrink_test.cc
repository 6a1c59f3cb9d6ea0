// `ringside shrink` as its users meet it, on scenarios that must fail.
#include <gtest/gtest.h>

#include <filesystem>

#include "cli/program_for_test.h"

namespace ringside::cli {
namespace {

using lab::concat;
using lab::contains;

class ShrinkTest : public ProgramTest {
 protected:
  void record() {
    write("loses.textproto", kLoses);
    const Ended run = ringside("run loses.textproto --out lost.run");
    ASSERT_EQ(run.code, 1) << run.out << run.err;
  }
  bool there(const std::string& name) const {
    return std::filesystem::exists(directory_ + "/" + name);
  }
};

TEST_F(ShrinkTest, a_lost_write_becomes_a_scenario_that_fails_by_itself) {
  record();
  const Ended shrunk = ringside("shrink lost.run --out small.run --json");
  ASSERT_EQ(shrunk.code, 0) << shrunk.err;
  EXPECT_EQ(field(shrunk.out, "expectation"), "\"acknowledged_writes\"");
  EXPECT_EQ(field(shrunk.out, "kind"), "\"lost\"");
  EXPECT_EQ(field(shrunk.out, "fails_again"), "true");
  EXPECT_EQ(field(shrunk.out, "cut_short"), "false");
  const std::string after = shrunk.out.substr(shrunk.out.find("\"after\""));
  for (const char* part : {"faults", "clients", "operations", "keys"})
    EXPECT_EQ(field(after, part), "1") << part;
  const std::string text = read("small.textproto");
  EXPECT_TRUE(text.starts_with("# Shrunk from ")) << text;
  EXPECT_TRUE(contains(text, "disk_loss")) << text;
  EXPECT_FALSE(contains(text, "pause")) << text;

  const Ended alone = ringside("run small.textproto --out again.run");
  EXPECT_EQ(alone.code, 1) << alone.out;
  EXPECT_TRUE(contains(alone.out, "1 of 1 lost")) << alone.out;
  EXPECT_EQ(ringside("replay small.run").code, 0);
  EXPECT_TRUE(ringside("diff small.run again.run").out.starts_with("SAME"));
}

TEST_F(ShrinkTest, comes_to_the_same_whatever_the_jobs) {
  record();
  ASSERT_EQ(ringside("shrink lost.run --out a/x.run --jobs 1").code, 0);
  ASSERT_EQ(ringside("shrink lost.run --out b/x.run --jobs 3").code, 0);
  const std::string a = read("a/x.textproto"), b = read("b/x.textproto");
  // But for the line that names the file.
  EXPECT_EQ(a.substr(a.find("\nname")), b.substr(b.find("\nname")));
}

TEST_F(ShrinkTest, a_regression_is_filed_under_its_name_and_never_over_another) {
  record();
  const Ended nowhere = ringside("shrink lost.run --regression one_disk");
  EXPECT_EQ(nowhere.code, 2);
  EXPECT_TRUE(contains(nowhere.err, "there is no scenarios/ here")) << nowhere.err;
  std::filesystem::create_directory(directory_ + "/scenarios");
  const Ended filed = ringside("shrink lost.run --regression one_disk");
  EXPECT_EQ(filed.code, 0) << filed.err;
  const std::string text = read("scenarios/regressions/one_disk.textproto");
  EXPECT_TRUE(contains(text, "name: \"one_disk\"")) << text;
  EXPECT_EQ(ringside("run scenarios/regressions/one_disk.textproto").code, 1);
  const Ended over = ringside("shrink lost.run --regression one_disk");
  EXPECT_EQ(over.code, 2);
  EXPECT_TRUE(contains(over.err, "is there already")) << over.err;
  EXPECT_EQ(read("scenarios/regressions/one_disk.textproto"), text);
}

TEST_F(ShrinkTest, a_shrink_that_is_killed_loses_nothing_that_was_there) {
  record();
  const std::string recording = read("lost.run");
  ASSERT_EQ(ringside("shrink lost.run --out small.run").code, 0);
  const std::string small = read("small.run"), text = read("small.textproto");
  // As soon as it has told what it does for the third time; it writes over what is there.
  const int status =
      system(concat("cd ", directory_, " && { ", RINGSIDE_PROGRAM,
                    " shrink lost.run --out small.run >out 2>err & p=$!; "
                    "while [ $(wc -l <err) -lt 3 ]; do sleep 0.01; done; kill -9 $p; wait $p; }")
                 .c_str());
  ASSERT_EQ(WEXITSTATUS(status), 128 + 9);
  EXPECT_EQ(read("lost.run"), recording);
  EXPECT_EQ(read("small.run"), small);
  EXPECT_EQ(read("small.textproto"), text);
  EXPECT_EQ(ringside("shrink lost.run --out small.run").code, 0);
  EXPECT_EQ(read("small.textproto"), text);
  EXPECT_FALSE(there("small.run.part"));
}

TEST_F(ShrinkTest, its_time_bounds_it_and_what_it_has_by_then_fails) {
  record();
  const Ended shrunk = ringside("shrink lost.run --for 1ms --out early.run --json");
  EXPECT_EQ(shrunk.code, 0) << shrunk.err;
  EXPECT_EQ(field(shrunk.out, "cut_short"), "true");
  EXPECT_EQ(ringside("run early.textproto").code, 1);
}

TEST_F(ShrinkTest, bad_input_is_one_clear_line_and_2) {
  record();
  std::string calm = kLoses;
  calm.replace(calm.find("disk_loss"), 9, "crash");
  write("calm.textproto", calm);
  ASSERT_EQ(ringside("run calm.textproto --out calm.run").code, 0);
  write("damaged.run", read("lost.run").substr(0, 200));
  write("text.run", "no recording at all");
  const struct {
    const char* arguments;
    const char* says;
  } cases[] = {
      {"shrink calm.run", "calm.run: nothing to shrink: no expectation is violated"},
      {"shrink lost.run --expectation linearizable",
       "does not violate linearizable; it violates acknowledged_writes: lost"},
      {"shrink missing.run", "missing.run"},
      {"shrink damaged.run", "damaged.run"},
      {"shrink text.run", "text.run"},
      {"shrink lost.run --for soon", "--for"},
      {"shrink lost.run --out small.textproto", "a recording's name ends in .run"},
      {"shrink lost.run --regression One-Disk", "small letters, digits and _"},
      {"shrink", "RUN"},
  };
  for (const auto& one : cases) {
    const Ended ended = ringside(one.arguments);
    EXPECT_EQ(ended.code, 2) << one.arguments << "\n" << ended.out << ended.err;
    EXPECT_TRUE(contains(ended.err, one.says)) << one.arguments << "\n" << ended.err;
  }
  EXPECT_FALSE(there("small.textproto"));
}

}  // namespace
}  // namespace ringside::cli
