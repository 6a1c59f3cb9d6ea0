// `ringside judge` as its users meet it.
#include <gtest/gtest.h>

#include "cli/program_for_test.h"
#include "lab/recording.h"

namespace ringside::cli {
namespace {

using lab::concat;
using lab::contains;

class JudgeTest : public ProgramTest {};

TEST_F(JudgeTest, a_recording_is_judged_key_by_key_and_a_violation_shows_its_operations) {
  const std::string library = concat(RINGSIDE_SOURCE_DIR, "/scenarios/");
  ASSERT_EQ(
      ringside(concat("run ", library, "violations/registers_3_1_1.textproto --out bad.run")).code,
      1);
  const Ended bad = ringside("judge bad.run");
  EXPECT_EQ(bad.code, 1) << bad.out << bad.err;
  EXPECT_TRUE(bad.out.starts_with("VIOLATED  bad.run: recording, register, ")) << bad.out;
  EXPECT_TRUE(contains(bad.out, "get #c")) << bad.out;
  EXPECT_TRUE(contains(bad.out, "every order and every witness was checked again")) << bad.out;
  const Ended json = ringside("judge bad.run --json");
  EXPECT_EQ(json.code, 1);
  EXPECT_EQ(field(json.out, "verdict"), "\"violated\"");
  EXPECT_EQ(field(json.out, "verified"), "true");
  EXPECT_EQ(std::count(json.out.begin(), json.out.end(), '\n'), 1);

  // The history alone says the same.
  const auto recording = lab::read_recording(directory_ + "/bad.run");
  ASSERT_TRUE(recording.ok());
  write("bad.history", recording->result.history);
  const Ended history = ringside("judge bad.history");
  EXPECT_EQ(history.code, 1);
  EXPECT_EQ(history.out.substr(history.out.find('\n')), bad.out.substr(bad.out.find('\n')));
}

constexpr const char* kCounterLog =
    "{:process 0, :type :invoke, :f :add, :value 2}\n"
    "{:process 0, :type :ok, :f :add, :value 2}\n"
    "{:process 1, :type :invoke, :f :read, :value nil}\n"
    "{:process 1, :type :ok, :f :read, :value 2}\n";

TEST_F(JudgeTest, another_tools_log_is_known_by_what_is_in_it) {
  write("counter.edn", kCounterLog);
  const Ended counter = ringside("judge counter.edn");
  EXPECT_EQ(counter.code, 0) << counter.err;
  EXPECT_TRUE(
      counter.out.starts_with("HOLDS     counter.edn: Jepsen history, counter, 2 operations"));
  write("etcd.log",
        "INFO  jepsen.util - 0\t:invoke\t:write\t1\nINFO  jepsen.util - 0\t:ok\t:write\t1\n"
        "INFO  jepsen.util - 1\t:invoke\t:read\tnil\nINFO  jepsen.util - 1\t:ok\t:read\tnil\n");
  const Ended etcd = ringside("judge etcd.log");
  EXPECT_EQ(etcd.code, 1);
  EXPECT_TRUE(contains(etcd.out, "read [3, 4] by 1 returned nothing")) << etcd.out;
  EXPECT_EQ(ringside("judge etcd.log --k 2").code, 0) << "one value behind";
}

// Write skew: each read the other's list before the other appended to it.
constexpr const char* kSkewLog =
    "{:process 0, :type :invoke, :f :txn, :value [[:r :y nil] [:append :x 1]]}\n"
    "{:process 1, :type :invoke, :f :txn, :value [[:r :x nil] [:append :y 1]]}\n"
    "{:process 0, :type :ok, :f :txn, :value [[:r :y []] [:append :x 1]]}\n"
    "{:process 1, :type :ok, :f :txn, :value [[:r :x []] [:append :y 1]]}\n"
    "{:process 0, :type :invoke, :f :txn, :value [[:r :x nil] [:r :y nil]]}\n"
    "{:process 0, :type :ok, :f :txn, :value [[:r :x [1]] [:r :y [1]]]}\n";

TEST_F(JudgeTest, transactions_are_held_to_a_level_of_isolation) {
  write("skew.edn", kSkewLog);
  const Ended strict = ringside("judge skew.edn");
  EXPECT_EQ(strict.code, 1) << strict.err;
  EXPECT_TRUE(strict.out.starts_with("VIOLATED  skew.edn: strict-serializable is ruled out"))
      << strict.out;
  EXPECT_TRUE(contains(strict.out, "G2-item")) << strict.out;
  const Ended json = ringside("judge skew.edn --json");
  EXPECT_EQ(json.code, 1);
  EXPECT_EQ(field(json.out, "serializable"), "\"ruled out\"") << json.out;
  EXPECT_EQ(field(json.out, "verified"), "true");
  EXPECT_EQ(field(json.out, "verdict"), "\"violated\"");
  EXPECT_EQ(ringside("judge skew.edn --model serializable").code, 1);
  const Ended weaker = ringside("judge skew.edn --model snapshot-isolation");
  EXPECT_EQ(weaker.code, 1) << "no order of snapshots was found that certifies it";
  EXPECT_TRUE(weaker.out.starts_with("UNKNOWN   skew.edn: snapshot-isolation is not ruled out\n"))
      << weaker.out;
}

TEST_F(JudgeTest, bad_input_is_one_clear_line_and_2) {
  write("counter.edn", kCounterLog);
  write("bad.edn", concat(kCounterLog, "{:process 1, :type :ok\n"));
  write("txn.edn", "{:process 0, :type :invoke, :f :txn, :value []}\n");
  write("other.txt", "something else");
  const struct {
    const char* arguments;
    const char* says;
  } cases[] = {
      {"judge nowhere.run", "nowhere.run: cannot be read"},
      {"judge bad.edn", "bad.edn: line 5: '}' is missing"},
      {"judge txn.edn --model tree", "whose models are read-uncommitted"},
      {"judge other.txt", "other.txt: is none of a recording"},
      {"judge counter.edn --model cart", "only our own histories have carts"},
      {"judge counter.edn --model register", "this is the history of a counter"},
      {"judge counter.edn --k 2", "--k 2 is for registers"},
      {"judge counter.edn --k 3", "--k"},
      {"judge counter.edn --model tree", "--model"},
      {"judge", "HISTORY"},
  };
  for (const auto& one : cases) {
    const Ended ended = ringside(one.arguments);
    EXPECT_EQ(ended.code, 2) << one.arguments << "\n" << ended.out << ended.err;
    EXPECT_TRUE(contains(ended.err, one.says)) << one.arguments << "\n" << ended.err;
  }
}

}  // namespace
}  // namespace ringside::cli
