#include "analysis/two_atomicity.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/chains.h"
#include "analysis/made_calls.h"
#include "analysis/verify_verdict.h"

namespace ringside {
namespace {

Call made_call(Act act, uint64_t value, Time begin, Time end, uint64_t expected = kAbsent) {
  Call call;
  call.act = act;
  call.value = value;
  call.expected = expected;
  call.begin = begin;
  call.end = end;
  return call;
}

TEST(TwoAtomicity, forgives_one_missed_write_and_not_two) {
  Calls calls;
  calls.calls = {made_call(Act::kWrite, 1, 0, 1), made_call(Act::kWrite, 2, 2, 3),
                 made_call(Act::kRead, 1, 4, 5)};
  EXPECT_EQ(check_chains(calls).answer, Answer::kNo);
  const Verdict one = check_two_atomicity(calls);
  EXPECT_EQ(one.answer, Answer::kYes);
  EXPECT_EQ(verify_verdict(ModelKind::kRegister, calls, one, nullptr, 2).objection, "");
  EXPECT_FALSE(verify_verdict(ModelKind::kRegister, calls, one, nullptr, 1).holds);

  calls.calls.insert(calls.calls.begin() + 2, made_call(Act::kWrite, 3, 3, 4));
  calls.calls.back().begin = 5;
  const Verdict two = check_two_atomicity(calls);
  EXPECT_EQ(two.answer, Answer::kNo);
  EXPECT_EQ(two.witness.calls, (std::vector<uint32_t>{0, 1, 2, 3}));
  EXPECT_EQ(verify_verdict(ModelKind::kRegister, calls, two, nullptr, 2).objection, "");
}

// Writes and reads of many clients; reads are `behind` writes behind at times.
Calls stale_history(uint64_t count, uint64_t clients, uint64_t behind, uint64_t seed) {
  Random random(seed);
  Calls calls;
  std::vector<Time> free(clients);
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t client = i % clients;
    Call call;
    call.client = static_cast<uint32_t>(client);
    call.begin = free[client] + static_cast<Time>(random.below(100));
    call.end = free[client] = call.begin + 1 + static_cast<Time>(random.below(100));
    call.act = random.chance(0.4) ? Act::kWrite : Act::kRead;
    call.value = i + 1;
    calls.calls.push_back(call);
  }
  std::ranges::sort(calls.calls, {}, &Call::begin);
  std::vector<std::pair<Time, std::size_t>> points;
  for (std::size_t i = 0; i < calls.calls.size(); ++i) {
    const Call& call = calls.calls[i];
    const auto length = static_cast<uint64_t>(call.end - call.begin + 1);
    points.push_back({call.begin + static_cast<Time>(random.below(length)), i});
  }
  std::ranges::sort(points);
  std::vector<uint64_t> values{kAbsent};
  for (const auto& [at, i] : points) {
    Call& call = calls.calls[i];
    if (call.act == Act::kWrite) {
      values.push_back(call.value);
    } else {
      const uint64_t back = std::min<uint64_t>(random.below(behind + 1), values.size() - 1);
      call.value = values[values.size() - 1 - back];
    }
  }
  return calls;
}

TEST(TwoAtomicity, orders_long_histories_and_finds_a_few_calls_in_those_without_an_order) {
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const Calls good = stale_history(20'000, 20, 1, seed);
    const Verdict yes = check_two_atomicity(good);
    ASSERT_EQ(yes.answer, Answer::kYes);
    EXPECT_EQ(verify_verdict(ModelKind::kRegister, good, yes, nullptr, 2).objection, "");
    const Calls bad = stale_history(2'000, 6, 4, seed);
    const Verdict no = check_two_atomicity(bad);
    ASSERT_EQ(no.answer, Answer::kNo);
    EXPECT_LE(no.witness.calls.size(), 12u);
    EXPECT_EQ(verify_verdict(ModelKind::kRegister, bad, no, nullptr, 2).objection, "");
  }
}

TEST(Chains, a_compare_and_set_joins_two_values_and_only_one_may_take_a_values_place) {
  Calls calls;
  calls.calls = {made_call(Act::kWrite, 1, 0, 1), made_call(Act::kCompareAndSet, 2, 2, 3, 1),
                 made_call(Act::kRead, 2, 4, 5)};
  EXPECT_EQ(check_chains(calls).answer, Answer::kYes);
  calls.calls.push_back(made_call(Act::kCompareAndSet, 3, 6, 7, 1));  // again, though 1 is gone
  Verdict verdict = check_chains(calls);
  EXPECT_EQ(verdict.answer, Answer::kNo);
  EXPECT_EQ(verdict.witness.calls, (std::vector<uint32_t>{0, 1, 3}));
  EXPECT_EQ(verify_verdict(ModelKind::kRegister, calls, verdict).objection, "");

  calls.calls[3] = made_call(Act::kCompareAndSet, 3, 6, 7, 9);  // nobody wrote 9
  verdict = check_chains(calls);
  EXPECT_EQ(verdict.answer, Answer::kNo);
  EXPECT_EQ(verdict.witness.calls, (std::vector<uint32_t>{3}));
}

TEST(Chains, the_witness_of_a_long_chain_is_its_part_that_matters) {
  Calls calls;
  Time at = 0;
  for (uint64_t value = 1; value <= 1000; ++value, at += 2) {
    calls.calls.push_back(made_call(Act::kCompareAndSet, value, at, at + 1, value - 1));
  }
  EXPECT_EQ(check_chains(calls).answer, Answer::kYes);
  calls.calls.push_back(made_call(Act::kRead, 998, at, at + 1));  // two behind
  const Verdict verdict = check_chains(calls);
  ASSERT_EQ(verdict.answer, Answer::kNo);
  EXPECT_LE(verdict.witness.calls.size(), 4u);
  EXPECT_EQ(verdict.witness.blind.size(), 1u);
  EXPECT_EQ(verify_verdict(ModelKind::kRegister, calls, verdict).objection, "");
}

TEST(Chains, compare_and_sets_that_need_each_other_are_caught) {
  Calls calls;
  calls.calls = {made_call(Act::kCompareAndSet, 1, 0, 9, 2),
                 made_call(Act::kCompareAndSet, 2, 0, 9, 1)};
  const Verdict verdict = check_chains(calls);
  EXPECT_EQ(verdict.answer, Answer::kNo);
  EXPECT_EQ(verify_verdict(ModelKind::kRegister, calls, verdict).objection, "");
}

}  // namespace
}  // namespace ringside
