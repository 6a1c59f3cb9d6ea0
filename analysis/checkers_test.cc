// Every checker against every other, against brute force, and against the verifier.
// RINGSIDE_HISTORIES: how many histories in all (160,000 if not set).
#include <gtest/gtest.h>

#include <cstdlib>

#include "analysis/made_calls.h"
#include "runtime/test_scale.h"

namespace ringside {
namespace {

TEST(Checkers, agree_with_each_other_and_with_brute_force) {
  const char* asked = std::getenv("RINGSIDE_HISTORIES");
  const uint64_t each =
      (asked != nullptr ? std::strtoull(asked, nullptr, 10) : scaled(160'000)) / kMadeKinds;
  for (int i = 0; i < kMadeKinds; ++i) {
    const auto kind = static_cast<MadeKind>(i);
    const Agreement agreement = compare_checkers(kind, 7 + static_cast<uint64_t>(i), each);
    ASSERT_EQ(agreement.disagreement, "");
    const double legal = static_cast<double>(agreement.legal) / static_cast<double>(each);
    const double of_witness =
        static_cast<double>(agreement.witness_calls) / static_cast<double>(agreement.witnesses);
    std::printf(
        "%-24s %8lu histories, %4.1f %% legal, %lu orders and %lu witnesses (%.1f calls) "
        "hold, %lu lies refused\n",
        made_kind_name(kind), agreement.histories, 100 * legal, agreement.orders,
        agreement.witnesses, of_witness, agreement.refused);
    EXPECT_GT(legal, 0.15) << made_kind_name(kind);
    EXPECT_LT(legal, 0.85) << made_kind_name(kind);
    EXPECT_GT(agreement.refused, each / 2);
    EXPECT_LT(of_witness, 6) << "a witness is a few calls";
  }
}

}  // namespace
}  // namespace ringside
