#include "lab/recording.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "lab/load.h"
#include "lab/result_message.h"

namespace ringside::lab {
namespace {

class RecordingTest : public testing::Test {
 protected:
  RecordingTest() {
    char name[] = "/tmp/recording_test.XXXXXX";
    directory_ = mkdtemp(name);
    path_ = directory_ / "x.run";
  }
  ~RecordingTest() override { std::filesystem::remove_all(directory_); }

  static Recording example() {
    Recording recording;
    recording.scenario_file = "a.textproto";
    recording.scenario_text = "name: \"a\"";
    recording.seed = 7;
    recording.build = 42;
    recording.branch = {1000, 77};
    recording.finished = true;
    recording.result.scenario = "a";
    recording.result.fingerprint = 0xfedcba9876543210;
    recording.result.events = 12;
    recording.result.history_hash = 99;
    recording.result.expectations = {{"evidence", true, "some"}, {"reached", false, "none"}};
    recording.result.metrics = {{"puts_ok", 3}};
    recording.result.pooled = {
        {"p", "quantile", 1, 2, 0.999, 3, 4, std::string("\0\xff", 2), {{1.5, 20, 19}}}};
    recording.result.t_visibility = {{0.5, 10, 9, 91.5}};
    recording.result.checkpoints = {{4096, 5, 6}};
    recording.result.faults = {"at 1s: blackout"};
    recording.result.witnesses = {"w"};
    recording.result.history = std::string("\0history", 8);
    return recording;
  }
  std::string bytes() const { return *read_text_file(path_.string()); }
  void set_bytes(const std::string& bytes) { std::ofstream(path_, std::ios::binary) << bytes; }
  std::string refusal() const {
    const auto read = read_recording(path_.string());
    return read.ok() ? std::string() : read.error().message;
  }

  std::filesystem::path directory_;
  std::filesystem::path path_;
};

TEST_F(RecordingTest, what_is_written_is_what_is_read) {
  const Recording wrote = example();
  ASSERT_TRUE(write_recording(path_.string(), wrote).ok());
  const auto read = read_recording(path_.string());
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->scenario_text, wrote.scenario_text);
  EXPECT_EQ(read->seed, 7u);
  EXPECT_EQ(read->build, 42u);
  EXPECT_TRUE(read->finished);
  EXPECT_EQ(read->branch.event, 1000u);
  EXPECT_EQ(read->branch.seed, 77u);
  EXPECT_EQ(read->result.history, wrote.result.history);
  EXPECT_EQ(encode_result(read->result), encode_result(wrote.result));
}

TEST_F(RecordingTest, a_new_one_replaces_an_old_one_and_leaves_nothing_else_behind) {
  Recording recording = example();
  ASSERT_TRUE(write_recording(path_.string(), recording).ok());
  recording.seed = 8;
  ASSERT_TRUE(write_recording(path_.string(), recording).ok());
  EXPECT_EQ(read_recording(path_.string())->seed, 8u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(directory_), {}), 1);
}

TEST_F(RecordingTest, a_recording_cut_short_anywhere_is_refused_in_one_line) {
  ASSERT_TRUE(write_recording(path_.string(), example()).ok());
  const std::string whole = bytes();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    set_bytes(whole.substr(0, size));
    const std::string why = refusal();
    ASSERT_FALSE(why.empty()) << size;
    EXPECT_EQ(why.find('\n'), std::string::npos);
    EXPECT_NE(why.find("x.run"), std::string::npos);
  }
}

TEST_F(RecordingTest, a_changed_byte_is_noticed_wherever_it_counts) {
  ASSERT_TRUE(write_recording(path_.string(), example()).ok());
  const std::string whole = bytes();
  for (std::size_t at = 0; at < whole.size(); ++at) {
    if (at >= 12 && at < 16) continue;  // reserved
    std::string changed = whole;
    changed[at] = static_cast<char>(changed[at] ^ 0x20);
    set_bytes(changed);
    EXPECT_FALSE(refusal().empty()) << at;
  }
}

TEST_F(RecordingTest, foreign_files_are_told_apart) {
  set_bytes("name: \"a scenario\"\n");
  EXPECT_NE(refusal().find("no recording of ringside"), std::string::npos);
  set_bytes("");
  EXPECT_FALSE(refusal().empty());
  EXPECT_FALSE(read_recording((directory_ / "none.run").string()).ok());
  EXPECT_FALSE(read_recording(directory_.string()).ok());
}

TEST_F(RecordingTest, where_nothing_can_be_written_says_so) {
  const auto done = write_recording((directory_ / "no/such/place.run").string(), example());
  ASSERT_FALSE(done.ok());
  EXPECT_NE(done.error().message.find("no/such/place.run"), std::string::npos);
}

}  // namespace
}  // namespace ringside::lab
