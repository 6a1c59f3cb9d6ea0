#include "analysis/verify_verdict.h"

#include <gtest/gtest.h>

#include "analysis/made_calls.h"

namespace ringside {
namespace {

// write 1, write 2, then a read of 1: the smallest stale read; and a third value beside them.
Calls stale_read() {
  Calls calls;
  const struct {
    Act act;
    uint64_t value;
    Time begin, end;
  } made[] = {{Act::kWrite, 1, 0, 1},
              {Act::kWrite, 2, 2, 3},
              {Act::kWrite, 3, 2, 9},
              {Act::kRead, 1, 4, 5},
              {Act::kRead, 3, 4, 6}};
  for (const auto& each : made) {
    Call call;
    call.act = each.act;
    call.value = each.value;
    call.begin = each.begin;
    call.end = each.end;
    calls.calls.push_back(call);
  }
  return calls;
}

std::string objection(const Calls& calls, std::vector<uint32_t> witness) {
  return verify_witness(ModelKind::kRegister, calls, {std::move(witness), {}, kNever}).objection;
}

TEST(VerifyVerdict, accepts_the_few_calls_that_contradict_each_other) {
  EXPECT_EQ(objection(stale_read(), {0, 1, 3}), "");
  EXPECT_EQ(objection(stale_read(), {0, 1, 2, 3, 4}), "");
}

TEST(VerifyVerdict, refuses_a_witness_that_leaves_out_what_could_explain_it) {
  EXPECT_EQ(objection(stale_read(), {1, 3}), "call 3: a call on its value was left out");
  EXPECT_EQ(objection(stale_read(), {0, 3}), "an order explains the witness");
  EXPECT_EQ(objection(stale_read(), {0, 1, 3, 4}), "call 4: a call on its value was left out");
  EXPECT_EQ(objection(stale_read(), {0, 9}), "there is no call 9");
  EXPECT_FALSE(objection(stale_read(), {}).empty());
}

TEST(VerifyVerdict, refuses_an_order_that_is_late_wrong_short_or_double) {
  Calls calls = stale_read();
  calls.calls[3].value = 2;  // now it is legal: 1, 2, read of 2, 3, read of 3
  const auto says = [&](const std::vector<uint32_t>& order) {
    return verify_order(ModelKind::kRegister, calls, order).objection;
  };
  EXPECT_EQ(says({0, 1, 3, 2, 4}), "");
  EXPECT_EQ(says({1, 0, 3, 2, 4}), "call 0 had ended before call 1 began");
  EXPECT_EQ(says({0, 1, 2, 3, 4}), "call 3 cannot have returned what it did");
  EXPECT_EQ(says({0, 1, 3, 2}), "call 4 is left out");
  EXPECT_EQ(says({0, 1, 3, 2, 4, 4}), "call 4 is there twice");
}

}  // namespace
}  // namespace ringside
