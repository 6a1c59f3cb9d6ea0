// RINGSIDE_HISTORIES: how many histories (30,000 if not set).
#include "analysis/isolation/comparison.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "runtime/test_scale.h"

namespace ringside::isolation {
namespace {

TEST(IsolationComparison, judges_agree_with_those_that_try_everything) {
  const char* asked = std::getenv("RINGSIDE_HISTORIES");
  const uint64_t count = asked != nullptr ? std::strtoull(asked, nullptr, 10) : scaled(30'000);
  const Comparison comparison = compare_isolation(2, count);
  EXPECT_EQ(comparison.disagreement, "");
  EXPECT_EQ(comparison.histories, count);
  EXPECT_GT(comparison.lies, count);
}

}  // namespace
}  // namespace ringside::isolation
