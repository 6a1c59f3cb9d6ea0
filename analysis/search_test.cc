#include "analysis/search.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/ladder.h"
#include "analysis/verify_verdict.h"
#include "runtime/random.h"

namespace ringside {
namespace {

Call call_of(Act act, uint64_t value, Time begin, Time end) {
  Call call;
  call.act = act;
  call.value = value;
  call.begin = begin;
  call.end = end;
  return call;
}

// Calls of clients that follow one another at random, each of which takes effect within its time on
// a counter, a queue or a register with few values.
Calls true_history(ModelKind model, uint64_t count, uint64_t clients, uint64_t seed) {
  Random random(seed);
  Calls calls;
  std::vector<Time> free(clients);
  for (uint64_t i = 0; i < count; ++i) {
    const auto client = static_cast<uint32_t>(i % clients);
    Call call;
    call.client = client;
    call.begin = free[client] + static_cast<Time>(random.below(100));
    call.end = free[client] = call.begin + 1 + static_cast<Time>(random.below(100));
    const bool reads = random.chance(0.5);
    call.act = model == ModelKind::kQueue     ? (reads ? Act::kDequeue : Act::kEnqueue)
               : model == ModelKind::kCounter ? (reads ? Act::kRead : Act::kAdd)
                                              : (reads ? Act::kRead : Act::kWrite);
    call.value = 1 + random.below(5);
    calls.calls.push_back(call);
  }
  std::ranges::sort(calls.calls, {}, &Call::begin);
  std::vector<std::pair<Time, std::size_t>> points;
  for (std::size_t i = 0; i < calls.calls.size(); ++i) {
    const Call& call = calls.calls[i];
    points.push_back({call.begin + static_cast<Time>(random.below(
                                       static_cast<uint64_t>(call.end - call.begin + 1))),
                      i});
  }
  std::ranges::sort(points);
  uint64_t now = 0;
  std::vector<uint64_t> queue;
  for (const auto& [at, i] : points) {
    Call& call = calls.calls[i];
    if (call.act == Act::kWrite) now = call.value;
    if (call.act == Act::kAdd) now += call.value;
    if (call.act == Act::kRead) call.value = now;
    if (call.act == Act::kEnqueue) queue.push_back(call.value);
    if (call.act != Act::kDequeue) continue;
    call.value = queue.empty() ? kAbsent : queue.front();
    if (!queue.empty()) queue.erase(queue.begin());
  }
  return calls;
}

TEST(Search, finds_orders_of_long_true_histories_that_the_verifier_accepts) {
  for (const ModelKind model : {ModelKind::kRegister, ModelKind::kCounter, ModelKind::kQueue}) {
    for (uint64_t seed = 1; seed <= 20; ++seed) {
      const Calls calls = true_history(model, 400, 6, seed);
      const Verdict verdict = search_linearization(model, calls);
      ASSERT_EQ(verdict.answer, Answer::kYes) << model_name(model) << " " << seed;
      EXPECT_EQ(verify_verdict(model, calls, verdict).objection, "");
    }
  }
}

TEST(Search, says_unknown_beyond_its_budget_with_the_part_that_could_be_ordered) {
  // Adds that are all concurrent, and a sum that no subset has: every subset must be tried.
  Calls calls;
  for (uint64_t i = 0; i < 24; ++i) {
    calls.calls.push_back(call_of(Act::kAdd, uint64_t{2} << i, 0, 100));
    calls.calls.back().client = static_cast<uint32_t>(i);
  }
  calls.calls.push_back(call_of(Act::kRead, 1, 50, 60));
  const Verdict verdict = search_linearization(ModelKind::kCounter, calls, nullptr, 10'000);
  EXPECT_EQ(verdict.answer, Answer::kUnknown);
  EXPECT_GE(verdict.visited, 10'000u);
  EXPECT_LT(verdict.visited, 10'010u);
  EXPECT_FALSE(verdict.order.empty());
  EXPECT_FALSE(verify_verdict(ModelKind::kCounter, calls, verdict).holds);
}

TEST(Search, leaves_a_few_calls_of_a_long_illegal_history) {
  Calls calls = true_history(ModelKind::kRegister, 600, 8, 3);
  // A late read returns what nobody had written for long: a value of its own.
  for (std::size_t i = calls.calls.size() - 100; i < calls.calls.size(); ++i) {
    if (calls.calls[i].act != Act::kRead) continue;
    calls.calls[i].value = 77;
    break;
  }
  calls.calls[0].act = Act::kWrite;
  calls.calls[0].value = 77;
  const Verdict verdict = judge_calls(ModelKind::kRegister, calls);
  ASSERT_EQ(verdict.answer, Answer::kNo);
  EXPECT_LE(verdict.witness.calls.size(), 4u);
  EXPECT_EQ(verify_verdict(ModelKind::kRegister, calls, verdict).objection, "");
}

// Twenty values are put in at once and taken out one after the other, in any order; then two of
// them out of order.
TEST(Search, values_that_were_put_in_at_once_have_no_order_until_they_are_taken) {
  Calls calls;
  for (uint64_t value = 1; value <= 20; ++value)
    calls.calls.push_back(call_of(Act::kEnqueue, value, 0, 100));
  for (uint64_t i = 0; i < 20; ++i) {
    const Time at = 101 + 10 * static_cast<Time>(i);
    calls.calls.push_back(call_of(Act::kDequeue, 1 + i * 7 % 20, at, at + 5));
  }
  calls.calls.push_back(call_of(Act::kDequeue, kAbsent, 400, 401));
  const Verdict legal = judge_calls(ModelKind::kQueue, calls);
  ASSERT_EQ(legal.answer, Answer::kYes);
  EXPECT_EQ(legal.visited, 21u);
  EXPECT_EQ(verify_verdict(ModelKind::kQueue, calls, legal).objection, "");

  calls.calls.push_back(call_of(Act::kEnqueue, 21, 500, 501));
  calls.calls.push_back(call_of(Act::kEnqueue, 22, 502, 503));
  calls.calls.push_back(call_of(Act::kDequeue, 22, 504, 510));
  calls.calls.push_back(call_of(Act::kDequeue, 21, 511, 512));
  const Verdict illegal = judge_calls(ModelKind::kQueue, calls);
  ASSERT_EQ(illegal.answer, Answer::kNo);
  EXPECT_EQ(illegal.witness.calls.size(), 4u);
  EXPECT_EQ(verify_verdict(ModelKind::kQueue, calls, illegal).objection, "");
}

// The register went from absent to 3 before anybody could exchange absent for 6; that this happened
// shows by the exchange of 6 for 5 alone.
TEST(Search, a_witness_shows_that_what_nobody_was_told_of_did_happen) {
  Calls calls;
  calls.calls = {call_of(Act::kWrite, 3, 10, 14), call_of(Act::kRead, 3, 11, 16),
                 call_of(Act::kCompareAndSet, 5, 15, 21),
                 call_of(Act::kCompareAndSet, 6, 16, kNever)};
  calls.calls[2].expected = 6;
  const Verdict verdict = judge_calls(ModelKind::kRegister, calls);
  ASSERT_EQ(verdict.answer, Answer::kNo);
  EXPECT_EQ(verify_verdict(ModelKind::kRegister, calls, verdict).objection, "");
}

TEST(Search, a_deleted_register_is_absent_and_a_queue_keeps_its_order) {
  Calls calls;
  calls.calls = {call_of(Act::kWrite, 5, 0, 1), call_of(Act::kDelete, kAbsent, 2, 3),
                 call_of(Act::kRead, kAbsent, 4, 5)};
  EXPECT_EQ(judge_calls(ModelKind::kRegister, calls).answer, Answer::kYes);
  calls.calls.back().value = 5;  // it comes back
  EXPECT_EQ(judge_calls(ModelKind::kRegister, calls).answer, Answer::kNo);

  calls.calls = {call_of(Act::kEnqueue, 1, 0, 1), call_of(Act::kEnqueue, 2, 2, 3),
                 call_of(Act::kDequeue, 2, 4, 5)};
  const Verdict queue = judge_calls(ModelKind::kQueue, calls);
  EXPECT_EQ(queue.answer, Answer::kNo) << "out of order";
  EXPECT_EQ(verify_verdict(ModelKind::kQueue, calls, queue).objection, "");
  calls.calls[1].begin = 1;  // now the two enqueues touch, and either may be first
  EXPECT_EQ(judge_calls(ModelKind::kQueue, calls).answer, Answer::kYes);
}

}  // namespace
}  // namespace ringside
