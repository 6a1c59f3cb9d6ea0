#include "storage/admission.h"

#include <gtest/gtest.h>

namespace ringside {
namespace {

// Takes what is admitted for a second of virtual time, a thousand bytes at a time.
uint64_t taken_in_a_second(Admission admission, uint64_t fill) {
  uint64_t taken = 0;
  for (Time now = kSecond; now < 2 * kSecond;) {
    const Duration wait = admission.wait(now, fill);
    if (wait > 0) {
      now += wait;
      continue;
    }
    admission.took(1'000, now, fill);
    taken += 1'000;
    now += 10;  // the work itself
  }
  return taken;
}

TEST(Admission, nobody_waits_below_half_full_or_before_a_rate_is_known) {
  Admission admission;
  admission.took(1 << 30, kSecond, Admission::kFull);
  EXPECT_EQ(admission.wait(kSecond, Admission::kFull), 0);
  admission.gave_back(1'000'000, kSecond);
  admission.took(1 << 30, kSecond, Admission::kFull / 2);
  EXPECT_EQ(admission.wait(kSecond, Admission::kFull / 2), 0);
}

TEST(Admission, above_half_full_the_rate_falls_from_three_halves_to_a_sixteenth) {
  Admission admission;
  admission.gave_back(16'000'000, kSecond);
  EXPECT_EQ(admission.rate(), 16'000'000u);
  EXPECT_NEAR(taken_in_a_second(admission, Admission::kFull / 2 + 1), 23'900'000, 1'000'000);
  EXPECT_NEAR(taken_in_a_second(admission, Admission::kFull * 3 / 4), 12'000'000, 600'000);
  EXPECT_NEAR(taken_in_a_second(admission, Admission::kFull), 1'000'000, 60'000);
  EXPECT_NEAR(taken_in_a_second(admission, 2 * Admission::kFull), 1'000'000, 60'000);
}

TEST(Admission, the_rate_follows_what_was_given_back_lately) {
  Admission admission;
  admission.gave_back(8'000'000, kSecond);
  for (int i = 0; i < 20; ++i) admission.gave_back(1'000'000, kSecond);
  EXPECT_NEAR(static_cast<double>(admission.rate()), 1'000'000, 100'000);
  admission.gave_back(1'000, 0);  // in no time at all
  EXPECT_GT(admission.rate(), 0u);
}

}  // namespace
}  // namespace ringside
