#include "analysis/isolation/transaction_log.h"

#include <gtest/gtest.h>

#include "analysis/isolation/test_histories.h"

namespace ringside::isolation {
namespace {

// In the form that Jepsen writes, with what it writes beside transactions.
constexpr std::string_view kListAppend = R"(
; a comment
{:type :invoke, :f :txn, :value [[:append 5 1] [:r 6 nil]], :process 0, :time 10, :index 0}
{:type :info, :f :start, :process :nemesis, :value nil, :index 1}
#jepsen.history.Op{:index 2, :time 20, :type :invoke, :process 1, :f :txn, :value [[:r 5 nil]]}
{:type :ok, :f :txn, :value [[:append 5 1] [:r 6 nil]], :process 0, :time 30, :index 3}
{:type :ok, :f :txn, :value [[:r 5 [1]]], :process 1, :time 40, :index 4}
{:type :invoke, :f :txn, :value [[:append 5 2] [:append 6 3]], :process 1, :index 5}
{:type :fail, :f :txn, :value [[:append 5 2] [:append 6 3]], :process 1, :error [:aborted "no"]}
{:type :invoke, :f :txn, :value [[:append 6 4]], :process 0}
{:type :info, :f :txn, :value [[:append 6 4]], :process 0, :error :timeout}
{:type :invoke, :f :txn, :value [[:append "k" 4]], :process 2} #_ {:discarded 1}
)";

TEST(TransactionLog, reads_jepsens_list_append) {
  const Result<TransactionHistory> history = read_transactions(kListAppend);
  ASSERT_TRUE(history.ok()) << history.error().text();
  ASSERT_EQ(history->transactions.size(), 5u);
  EXPECT_EQ(history->objects, (std::vector<std::string>{"5", "6", "k"}));
  EXPECT_EQ(describe(*history, 0), "T0 (process 0): append 5 1, read 6 []");
  EXPECT_EQ(describe(*history, 1), "T1 (process 1): read 5 [1]");
  EXPECT_EQ(describe(*history, 2), "T2 (process 1, failed): append 5 2, append 6 3");
  EXPECT_EQ(describe(*history, 3), "T3 (process 0, outcome unknown): append 6 4");
  EXPECT_EQ(describe(*history, 4), "T4 (process 2, outcome unknown): append k 4");
  EXPECT_LT(history->transactions[1].begin, history->transactions[0].end);  // they overlap
  EXPECT_LT(history->transactions[1].end, history->transactions[2].begin);
}

TEST(TransactionLog, reads_jepsens_registers_in_one_vector) {
  const Result<TransactionHistory> history = read_transactions(R"([
    {:type :invoke, :process 0, :f :txn, :value [[:w :x 1] [:r :y nil]]}
    {:type :ok, :process 0, :f :txn, :value [[:w :x 1] [:r :y nil]]}
    {:type :invoke, :process 0, :f :txn, :value [[:r :x nil]]}
    {:type :ok, :process 0, :f :txn, :value [[:r :x 1]]}])");
  ASSERT_TRUE(history.ok()) << history.error().text();
  EXPECT_EQ(describe(*history, 0), "T0 (process 0): write :x 1, read :y nil");
  EXPECT_EQ(describe(*history, 1), "T1 (process 0): read :x 1");
}

// The write skew that is in every textbook, as Jepsen would have recorded it.
TEST(TransactionLog, what_was_read_can_be_judged) {
  const Result<TransactionHistory> history = read_transactions(R"(
    {:type :invoke, :process 0, :f :txn, :value [[:r 1 nil] [:append 2 1]]}
    {:type :invoke, :process 1, :f :txn, :value [[:r 2 nil] [:append 1 1]]}
    {:type :ok, :process 0, :f :txn, :value [[:r 1 []] [:append 2 1]]}
    {:type :ok, :process 1, :f :txn, :value [[:r 2 nil] [:append 1 1]]})");
  ASSERT_TRUE(history.ok()) << history.error().text();
  const IsolationReport report = judge(*history);
  ASSERT_EQ(report.anomalies.size(), 1u);
  EXPECT_EQ(report.anomalies[0].kind, AnomalyKind::kG2Item);
}

void expect_refused(std::string_view text, std::string_view why) {
  const Result<TransactionHistory> history = read_transactions(text);
  ASSERT_FALSE(history.ok()) << text;
  EXPECT_NE(history.error().text().find(why), std::string::npos) << history.error().text();
}

TEST(TransactionLog, mistakes_are_named_with_their_line) {
  expect_refused("\n\n{:type :invoke", "line 3: '}' is missing");
  expect_refused("{:type :invoke, :process 0, :value [[:r 1 nil]]} 17", "an event is a map");
  expect_refused("]", "a value is missing before ']'");
  expect_refused("{:type :invoke, :process}", "a key without a value");
  expect_refused("{:process 0}", "an event needs a :type");
  expect_refused("{:type :began, :process 0}", ":type is :invoke, :ok, :fail or :info");
  expect_refused("{:type :ok, :process 3, :value []}", "process 3 ends what it did not begin");
  expect_refused("{:type :invoke, :process 0, :value [[:r 1]]}", "a micro-operation is");
  expect_refused("{:type :invoke, :process 0, :value [[:cas 1 2]]}", "not :cas");
  expect_refused("\n{:type :invoke, :process 0, :value [[:append 1 x]]}",
                 "line 2: what is written is an integer");
  expect_refused(
      "{:type :invoke, :process 0, :value [[:append 1 1]]}"
      "{:type :invoke, :process 0, :value [[:append 1 2]]}",
      "begins before it has ended");
  expect_refused("{:type :invoke, :process 0, :value [[:append 1 1] [:append 1 1]]}",
                 "is written twice");
  expect_refused(std::string(500, '['), "nested too deeply");
  expect_refused("\"abc", "a text has no end");
}

// Every prefix and every changed byte ends in an answer, right or wrong.
TEST(TransactionLog, broken_texts_are_refused_or_read_and_nothing_worse) {
  int refused = 0;
  for (std::size_t i = 0; i < kListAppend.size(); ++i) {
    refused += !read_transactions(kListAppend.substr(0, i)).ok();
    for (const char other : {'[', '}', '"', '#', '9', '\\', ';'}) {
      std::string text(kListAppend);
      text[i] = other;
      refused += !read_transactions(text).ok();
    }
  }
  EXPECT_GT(refused, 1'000);
}

}  // namespace
}  // namespace ringside::isolation
