#include "analysis/collections.h"

#include <gtest/gtest.h>

#include "analysis/ladder.h"
#include "analysis/made_history.h"
#include "analysis/verify_verdict.h"

namespace ringside {
namespace {

class MadeSet {
 public:
  uint32_t add(uint64_t element, Time begin, Time end) {
    Call call;
    call.act = Act::kAdd;
    call.value = element;
    return push(call, begin, end);
  }
  uint32_t read(const std::vector<uint64_t>& elements, Time begin, Time end) {
    Call call;
    call.act = Act::kReadAll;
    call.list_begin = static_cast<uint32_t>(calls.lists.size());
    call.list_count = static_cast<uint32_t>(elements.size());
    calls.lists.insert(calls.lists.end(), elements.begin(), elements.end());
    return push(call, begin, end);
  }
  // Says no, by these calls, and the verifier agrees.
  void expect_no(const std::vector<uint32_t>& witness) {
    const Verdict verdict = judge_calls(ModelKind::kSet, calls);
    ASSERT_EQ(verdict.answer, Answer::kNo);
    EXPECT_EQ(verdict.witness.calls, witness);
    EXPECT_EQ(verify_verdict(ModelKind::kSet, calls, verdict).objection, "");
  }
  Calls calls;

 private:
  uint32_t push(Call call, Time begin, Time end) {
    call.begin = begin;
    call.end = end;
    calls.calls.push_back(call);
    return static_cast<uint32_t>(calls.calls.size() - 1);
  }
};

TEST(GrowOnlySet, an_element_that_was_added_and_is_not_read_is_lost) {
  MadeSet set;
  set.add(1, 0, 1);
  const uint32_t lost = set.add(2, 2, 3);
  const uint32_t read = set.read({1}, 4, 5);
  set.expect_no({lost, read});
  EXPECT_EQ(report_set(set.calls).lost, std::vector<uint64_t>{2});
}

TEST(GrowOnlySet, one_that_comes_back_is_stale_and_one_that_nobody_added_is_a_phantom) {
  MadeSet set;
  const uint32_t add = set.add(1, 0, 1);
  const uint32_t missed = set.read({}, 2, 3);
  set.read({1}, 4, 5);
  set.expect_no({add, missed});
  EXPECT_EQ(report_set(set.calls).stale, std::vector<uint64_t>{1});
  MadeSet phantom;
  phantom.expect_no({phantom.read({9}, 0, 1)});
  EXPECT_EQ(report_set(phantom.calls).phantom, std::vector<uint64_t>{9});
  MadeSet early;
  const uint32_t read = early.read({1}, 0, 1);
  const uint32_t late = early.add(1, 2, 3);
  early.expect_no({read, late});
}

TEST(GrowOnlySet, two_reads_that_each_miss_an_element_of_the_other_contradict_each_other) {
  MadeSet set;
  const uint32_t a = set.add(1, 0, 9), b = set.add(2, 0, 9);
  const uint32_t first = set.read({1}, 0, 9), second = set.read({2}, 0, 9);
  set.expect_no({a, b, first, second});
}

TEST(GrowOnlySet, an_element_twice_in_one_read_is_no_set) {
  MadeSet set;
  const uint32_t add = set.add(1, 0, 1);
  set.expect_no({add, set.read({1, 1}, 2, 3)});
}

TEST(Counter, a_read_outside_what_was_surely_and_what_may_have_been_added_is_caught) {
  Calls calls;
  const auto call = [&](Act act, uint64_t value, Time begin, Time end) {
    Call made;
    made.act = act;
    made.value = value;
    made.begin = begin;
    made.end = end;
    calls.calls.push_back(made);
  };
  call(Act::kAdd, 5, 0, 1);
  call(Act::kAdd, 2, 2, kNever);
  call(Act::kRead, 7, 3, 4);
  EXPECT_EQ(check_counter(calls).answer, Answer::kUnknown) << "within the bounds";
  EXPECT_EQ(judge_calls(ModelKind::kCounter, calls).answer, Answer::kYes);
  for (const uint64_t wrong : {4u, 8u}) {
    calls.calls.back().value = wrong;
    const Verdict verdict = check_counter(calls);
    EXPECT_EQ(verdict.answer, Answer::kNo) << wrong;
    EXPECT_EQ(verify_verdict(ModelKind::kCounter, calls, verdict).objection, "");
  }
  calls.calls.back().value = 6;  // within the bounds, and yet no sum
  EXPECT_EQ(check_counter(calls).answer, Answer::kUnknown);
  EXPECT_EQ(judge_calls(ModelKind::kCounter, calls).answer, Answer::kNo);
}

TEST(Carts, lose_no_item_and_show_none_that_nobody_put_in) {
  MadeHistory made;
  made.put(1, 0, 1, {.action = Action::kAdd, .item = 1});
  made.get(1, 2, 3, {.items = {1}});
  made.get(1, 10, 11, {.phase = Phase::kFinal, .items = {1}});
  EXPECT_TRUE(judge_carts(made.history).lost.empty());
  EXPECT_TRUE(judge_carts(made.history).phantoms.empty());
  const uint32_t ghost = made.get(1, 12, 13, {.items = {1, 77}});
  EXPECT_EQ(judge_carts(made.history).phantoms, std::vector<uint32_t>{ghost});
  const uint32_t lost = made.put(2, 14, 15, {.action = Action::kAdd, .item = 2});
  made.get(1, 20, 21, {.phase = Phase::kFinal, .items = {1}});
  EXPECT_EQ(judge_carts(made.history).lost, std::vector<uint32_t>{lost});
}

}  // namespace
}  // namespace ringside
