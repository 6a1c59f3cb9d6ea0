// Mutants of the checkers, one switched on at a time: the comparison of all checkers sees each, and
// soon.
#include <gtest/gtest.h>

#include "analysis/made_calls.h"
#include "runtime/bug.h"

namespace ringside {
namespace {

struct Mutant {
  const char* name;
  MadeKind kind;  // where it shows
};

class CheckerMutants : public testing::TestWithParam<Mutant> {
 protected:
  ~CheckerMutants() override { set_planted_bugs({}); }
};

TEST_P(CheckerMutants, are_caught_within_5000_small_histories) {
  ASSERT_TRUE(planted_build());
  set_planted_bugs({GetParam().name});
  const Agreement agreement = compare_checkers(GetParam().kind, 3, 5'000);
  EXPECT_NE(agreement.disagreement, "");
  std::printf("%s: after %lu histories\n", GetParam().name, agreement.histories);
}

INSTANTIATE_TEST_SUITE_P(
    each, CheckerMutants,
    testing::Values(Mutant{"zone_test_skips_backward_zones", MadeKind::kPlain},
                    Mutant{"chains_skip_backward_zones", MadeKind::kRegister},
                    Mutant{"chains_let_forward_zones_overlap", MadeKind::kRegister},
                    Mutant{"chains_have_no_order_within", MadeKind::kRegister},
                    Mutant{"search_forgets_the_state", MadeKind::kRepeated},
                    Mutant{"search_never_backs_up", MadeKind::kRepeated},
                    Mutant{"queue_is_empty_at_any_time", MadeKind::kQueue},
                    Mutant{"queue_is_taken_from_before_it_is_put_in", MadeKind::kQueue},
                    Mutant{"queue_search_keeps_no_deadline", MadeKind::kQueue},
                    Mutant{"two_atomicity_lets_two_be_forced", MadeKind::kPlain},
                    Mutant{"two_atomicity_has_no_clock", MadeKind::kPlain},
                    Mutant{"online_test_never_compares", MadeKind::kPlain},
                    Mutant{"counter_misses_what_is_under_way", MadeKind::kCounter},
                    Mutant{"set_reads_need_not_hold_each_other", MadeKind::kGrowOnly},
                    Mutant{"set_has_no_clock", MadeKind::kGrowOnly},
                    Mutant{"verifier_has_no_clock", MadeKind::kPlain},
                    Mutant{"verifier_lets_anything_out", MadeKind::kRepeated}),
    [](const testing::TestParamInfo<Mutant>& each) { return std::string(each.param.name); });

TEST(CheckersPlanted, with_none_on_all_agree) {
  for (int i = 0; i < kMadeKinds; ++i) {
    EXPECT_EQ(compare_checkers(static_cast<MadeKind>(i), 3, 500).disagreement, "");
  }
}

}  // namespace
}  // namespace ringside
