#include "analysis/foreign_log.h"

#include <gtest/gtest.h>

#include "analysis/ladder.h"
#include "analysis/verify_verdict.h"

namespace ringside {
namespace {

ForeignLog read(const std::string& text) {
  EXPECT_TRUE(is_foreign_log(text));
  Result<ForeignLog> log = read_foreign_log(text);
  EXPECT_TRUE(log.ok()) << log.error().message;
  return log.ok() ? *std::move(log) : ForeignLog();
}

std::string error_of(const std::string& text) {
  const Result<ForeignLog> log = read_foreign_log(text);
  return log.ok() ? "" : log.error().message;
}

// Of all objects: the worst; each is verified.
Answer judge(ForeignLog& log) {
  Answer worst = Answer::kYes;
  Texts* texts = log.model == ModelKind::kCounter ? nullptr : log.texts.get();
  for (const Calls& calls : log.objects) {
    const Verdict verdict = judge_calls(log.model, calls, texts);
    EXPECT_EQ(verify_verdict(log.model, calls, verdict, texts).objection, "");
    if (verdict.answer != Answer::kYes) worst = verdict.answer;
  }
  return worst;
}

// Lines of an etcd log; its parts are set apart by tabs, but for the pair of a compare-and-set.
std::string etcd(std::initializer_list<std::string> lines) {
  std::string text;
  for (const std::string& line : lines) {
    text += "INFO  jepsen.util - ";
    for (std::size_t i = 0; i < line.size(); ++i) {
      const bool in_pair = line.rfind('[', i) != std::string::npos;
      text += line[i] == ' ' && !in_pair ? '\t' : line[i];
    }
    text += "\n";
  }
  return text;
}

TEST(ForeignLog, an_etcd_log_is_a_compare_and_set_register) {
  const std::string good = etcd(
      {"0 :invoke :read nil", "0 :ok :read nil", "1 :invoke :write 3", "1 :ok :write 3",
       "2 :invoke :cas [3 4]", "0 :invoke :cas [3 5]", "2 :ok :cas [3 4]", "0 :fail :cas [3 5]",
       "1 :invoke :write 7", "1 :info :write :timed-out", "0 :invoke :read nil", "0 :ok :read 4",
       "0 :invoke :read nil", "0 :ok :read 7", "3 :invoke :read nil", "3 :info :read :timed-out"});
  ForeignLog log = read(good);
  EXPECT_EQ(log.format, LogFormat::kPorcupineEtcd);
  EXPECT_EQ(log.model, ModelKind::kRegister);
  EXPECT_EQ(log.operations, 8u);
  ASSERT_EQ(log.objects.size(), 1u);
  EXPECT_EQ(log.objects[0].calls.size(), 7u) << "a read that nobody saw the end of says nothing";
  EXPECT_EQ(judge(log), Answer::kYes);

  std::string stale = good;
  stale.replace(stale.rfind(":read\t7"), 7, ":read\t3");
  log = read(stale);
  EXPECT_EQ(judge(log), Answer::kNo);
  std::string refused = good;  // refused, although it was the only thing that could have happened
  refused.replace(refused.find(":ok\t:cas"), 8, ":fail\t:cas");
  log = read(refused);
  EXPECT_EQ(judge(log), Answer::kNo);
}

TEST(ForeignLog, a_key_value_log_appends_texts) {
  const std::string text =
      "{:process 0, :type :invoke, :f :append, :key \"0\", :value \"x 0 y\"}\n"
      "{:process 1, :type :invoke, :f :append, :key \"0\", :value \"x 1 y\"}\n"
      "{:process 0, :type :ok, :f :append, :key \"0\", :value \"x 0 y\"}\n"
      "{:process 1, :type :ok, :f :append, :key \"0\", :value \"x 1 y\"}\n"
      "{:process 0, :type :invoke, :f :get, :key \"0\", :value nil}\n"
      "{:process 0, :type :ok, :f :get, :key \"0\", :value \"x 1 yx 0 y\"}\n"
      "{:process 0, :type :invoke, :f :get, :key \"1\", :value nil}\n"
      "{:process 0, :type :ok, :f :get, :key \"1\", :value \"\"}\n"
      "{:process 0, :type :invoke, :f :put, :key \"1\", :value \"a\"}\n"
      "{:process 0, :type :ok, :f :put, :key \"1\", :value \"a\"}\n";
  ForeignLog log = read(text);
  EXPECT_EQ(log.format, LogFormat::kPorcupineKv);
  EXPECT_EQ(log.objects.size(), 2u);
  EXPECT_EQ(log.operations, 5u);
  EXPECT_EQ(judge(log), Answer::kYes);
  std::string lost = text;
  lost.replace(lost.find("x 1 yx 0 y"), 10, "x 1 y");
  log = read(lost);
  EXPECT_EQ(judge(log), Answer::kNo);
}

TEST(ForeignLog, jepsens_maps_are_registers_by_key_sets_counters_and_queues) {
  ForeignLog keyed = read(
      "{:index 0, :time 12, :process 0, :type :invoke, :f :write, :value [1 10]}\n"
      "{:index 1, :time 13, :process :nemesis, :type :info, :f :start, :value nil}\n"
      "{:index 2, :time 14, :process 0, :type :ok, :f :write, :value [1 10]}\n"
      "#jepsen.history.Op{:process 1, :type :invoke, :f :read, :value [2 nil]}\n"
      "{:process 1, :type :ok, :f :read, :value [2 nil]}\n"
      "{:process 1, :type :invoke, :f :cas, :value [1 [10 11]]}\n"
      "{:process 1, :type :fail, :f :cas, :value [1 [10 11]], :error \"a \\\"reason\\\"\"}\n"
      "{:process 1, :type :invoke, :f :read, :value [1 nil]}\n"
      "{:process 1, :type :ok, :f :read, :value [1 10]}\n");
  EXPECT_EQ(keyed.objects.size(), 2u);
  EXPECT_EQ(judge(keyed), Answer::kYes);

  ForeignLog set = read(
      "{:process 0, :type :invoke, :f :add, :value 1}\n{:process 0, :type :ok, :f :add, :value 1}\n"
      "{:process 0, :type :invoke, :f :read, :value nil}\n"
      "{:process 0, :type :ok, :f :read, :value #{}}\n");
  EXPECT_EQ(set.model, ModelKind::kSet);
  EXPECT_EQ(judge(set), Answer::kNo) << "the element was lost";

  ForeignLog counter = read(
      "{:process 0, :type :invoke, :f :add, :value 2}\n{:process 0, :type :ok, :f :add, :value 2}\n"
      "{:process 0, :type :invoke, :f :read, :value nil}\n"
      "{:process 0, :type :ok, :f :read, :value 3}\n");
  EXPECT_EQ(counter.model, ModelKind::kCounter);
  EXPECT_EQ(judge(counter), Answer::kNo);

  ForeignLog queue = read(
      "{:process 0, :type :invoke, :f :enqueue, :value 1}\n"
      "{:process 0, :type :ok, :f :enqueue, :value 1}\n"
      "{:process 1, :type :invoke, :f :dequeue, :value nil}\n"
      "{:process 1, :type :ok, :f :dequeue, :value 1}\n"
      "{:process 1, :type :invoke, :f :dequeue, :value nil}\n"
      "{:process 1, :type :ok, :f :dequeue, :value 1}\n");
  EXPECT_EQ(queue.model, ModelKind::kQueue);
  EXPECT_EQ(judge(queue), Answer::kNo) << "twice out, once in";

  EXPECT_TRUE(read("{:process 0, :type :invoke, :f :txn, :value [[:append 1 2]]}\n").transactions);
}

TEST(ForeignLog, a_history_may_be_one_vector_with_comments_and_events_that_share_a_line) {
  ForeignLog log = read(
      "; from a paper\n\n[{:process 0, :type :invoke, :f :write, :value 1} "
      "{:process 0, :type :ok, :f :write, :value 1}\n"
      " {:process 1, :type :invoke, :f :read, :value nil} #_ {:process 7} "
      "{:process 1, :type :ok, :f :read, :value nil}]\n");
  ASSERT_EQ(log.objects.size(), 1u);
  EXPECT_EQ(log.objects[0].calls[1].source, 4u);
  EXPECT_EQ(judge(log), Answer::kNo) << "the write had ended before the read began";

  EXPECT_TRUE(read("{:index 0 :type :invoke :value [[:append 253 1]]}\n").transactions)
      << "Elle's own examples name neither :f nor :process";
}

TEST(ForeignLog, a_wrong_line_is_named_with_what_is_wrong) {
  const std::string ok = "{:process 0, :type :invoke, :f :read, :value nil}\n";
  const struct {
    std::string text, says;
  } cases[] = {
      {ok + "{:process 1, :type :invoke, :f :read, :value \"x\n", "line 2: a text has no end"},
      {ok + "\n{:process 1, :f :read}\n", "line 3: has no :type"},
      {ok + "{:process 1, :type :begin, :f :read}\n",
       "line 2: :type :begin is none of :invoke, :ok, :fail, :info"},
      {ok + "{:process 1, :type :invoke, :f :dance, :value 1}\n", "line 2: :f :dance is not known"},
      {ok + ok, "line 2: process 0 has not ended what it began in line 1"},
      {ok + "{:process 0, :type :ok, :f :write, :value 1}\n",
       "line 2: process 0 ends :write, but in line 1 it began :read"},
      {ok + "{:process 7, :type :ok, :f :read, :value 1}\n",
       "line 2: process 7 has begun nothing that could end"},
      {ok + "{:process 1, :type :invoke, :f :cas, :value 4}\n", "line 2: :cas needs [old new]"},
      {ok + "[1 2]\n", "line 2: is no map"},
      {ok + "{:process 1 :type}\n", "line 2: a map has a key without a value"},
      {ok + "{:process 1, :type :invoke, :f :write, :value 4\n", "line 2: '}' is missing"},
      {"{:process 0, :type :invoke, :f :write, :value 4}\n"
       "{:process 1, :type :invoke, :f :enqueue, :value 4}\n",
       "line 2: :f :enqueue belongs to another model than what was before"},
      {etcd({"0 :invoke :read nil"}) + "WARN something\n",
       "line 2: does not begin with \"INFO  jepsen.util - \""},
      {etcd({"0 :invoke :read nil", "0 :ok"}), "line 2: the text ends in the middle of a value"},
  };
  for (const auto& each : cases) EXPECT_EQ(error_of(each.text), each.says);
  EXPECT_FALSE(is_foreign_log("name: \"x\"\n"));
  EXPECT_FALSE(is_foreign_log(""));
}

}  // namespace
}  // namespace ringside
