// Mutants of the judges of transactions and of their verifier, one switched on at a time: the
// comparison with those that try everything sees each.
#include <gtest/gtest.h>

#include "analysis/isolation/comparison.h"
#include "runtime/bug.h"

namespace ringside::isolation {
namespace {

class IsolationMutants : public testing::TestWithParam<const char*> {
 protected:
  ~IsolationMutants() override { set_planted_bugs({}); }
};

TEST_P(IsolationMutants, are_caught_within_10000_small_histories) {
  ASSERT_TRUE(planted_build());
  set_planted_bugs({GetParam()});
  const Comparison comparison = compare_isolation(1, 10'000);
  EXPECT_NE(comparison.disagreement, "");
  std::printf("%s: after %lu histories\n", GetParam(), comparison.histories);
}

INSTANTIATE_TEST_SUITE_P(
    each, IsolationMutants,
    testing::Values("list_writes_have_no_order", "list_reads_follow_nobody",
                    "list_reads_precede_nobody", "unread_appends_follow_nobody",
                    "failed_appends_may_be_read", "middle_appends_may_be_read",
                    "lists_may_lose_updates", "processes_have_no_order",
                    "real_time_orders_what_touches", "g_single_may_have_two_anti_dependencies",
                    "g_nonadjacent_may_have_adjacent_ones", "replacements_order_nothing",
                    "causal_past_forgets_reads", "atomic_reads_see_no_session",
                    "sessions_forget_what_they_saw", "serial_orders_have_no_clock",
                    "serial_orders_read_anything", "verifier_knows_no_classes"),
    [](const testing::TestParamInfo<const char*>& each) { return std::string(each.param); });

TEST(IsolationPlanted, with_no_mutant_on_all_agree) {
  const Comparison comparison = compare_isolation(1, 10'000);
  EXPECT_EQ(comparison.disagreement, "");
  EXPECT_GT(comparison.lies, 10'000u);
}

}  // namespace
}  // namespace ringside::isolation
