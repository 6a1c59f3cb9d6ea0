#include "runtime/random.h"

#include <gtest/gtest.h>

#include <array>

namespace ringside {
namespace {

// Golden values: a change of the generator would silently change every recorded run.
TEST(Random, gives_the_same_numbers_on_every_compiler_and_machine) {
  Random random(42);
  const uint64_t first = random.next();
  const uint64_t second = random.next();
  EXPECT_EQ(first, 1546998764402558742u);
  EXPECT_EQ(second, 6990951692964543102u);
}

TEST(Random, below_is_uniform_within_a_chi_square_bound) {
  Random random(7);
  std::array<int, 10> count{};
  constexpr int kDraws = 1'000'000;
  for (int i = 0; i < kDraws; ++i) ++count[random.below(10)];
  double chi_square = 0;
  for (int seen : count)
    chi_square += (seen - kDraws / 10.0) * (seen - kDraws / 10.0) / (kDraws / 10.0);
  EXPECT_LT(chi_square, 27.9);  // 9 degrees of freedom, p = 0.001
}

TEST(Random, streams_of_neighbouring_seeds_are_unrelated) {
  Random a(1), b(2);
  int equal_bits = 0;
  for (int i = 0; i < 1000; ++i) equal_bits += 64 - __builtin_popcountll(a.next() ^ b.next());
  EXPECT_NEAR(equal_bits, 32'000, 1'000);
}

}  // namespace
}  // namespace ringside
