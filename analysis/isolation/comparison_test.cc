#include "analysis/isolation/comparison.h"

#include <gtest/gtest.h>

namespace ringside::isolation {
namespace {

TEST(IsolationComparison, judges_agree_with_those_that_try_everything) {
  const Comparison comparison = compare_isolation(2, 30'000);
  EXPECT_EQ(comparison.disagreement, "");
  EXPECT_EQ(comparison.histories, 30'000u);
  EXPECT_GT(comparison.lies, 30'000u);
}

}  // namespace
}  // namespace ringside::isolation
