#include "sim/repeats.h"

#include <gtest/gtest.h>

namespace ringside::sim {
namespace {

uint64_t key_of(uint64_t operation, uint64_t frame) { return mix(mix(operation), frame); }

TEST(Repeats, the_first_of_its_kind_is_told_from_the_second) {
  Repeats repeats;
  for (uint32_t nth = 0; nth < 5; ++nth) {
    EXPECT_EQ(repeats.count(7, key_of(7, 1)), nth);
    EXPECT_EQ(repeats.count(7, key_of(7, 2)), nth);
    EXPECT_EQ(repeats.count(8, key_of(8, 1)), nth);
  }
}

// Of twenty thousand operations, the last five thousand: thirty thousand frames.
TEST(Repeats, what_was_seen_lately_is_remembered_though_much_came_between) {
  Repeats repeats;
  constexpr uint64_t kOperations = 20'000;
  constexpr uint64_t kFrames = 6;
  uint64_t forgotten = 0;
  for (uint64_t operation = 1; operation <= kOperations; ++operation) {
    for (uint64_t frame = 0; frame < kFrames; ++frame)
      EXPECT_EQ(repeats.count(operation, key_of(operation, frame)), 0u);
  }
  for (uint64_t operation = kOperations * 3 / 4; operation <= kOperations; ++operation) {
    for (uint64_t frame = 0; frame < kFrames; ++frame) {
      if (repeats.count(operation, key_of(operation, frame)) == 0) ++forgotten;
    }
  }
  EXPECT_LT(forgotten, kOperations / 4 * kFrames / 100);
}

TEST(Repeats, an_operation_with_many_frames_remembers_its_own) {
  Repeats repeats;
  uint64_t forgotten = 0;
  for (uint64_t operation = 1; operation <= 1'000; ++operation) {
    for (uint64_t frame = 0; frame < 32; ++frame)
      repeats.count(operation, key_of(operation, frame));
    for (uint64_t frame = 0; frame < 32; ++frame) {
      if (repeats.count(operation, key_of(operation, frame)) == 0) ++forgotten;
    }
  }
  EXPECT_LT(forgotten, 32u * 1'000 / 50);
}

TEST(Repeats, a_count_wraps_after_its_byte) {
  Repeats repeats;
  for (uint32_t nth = 0; nth < 600; ++nth) EXPECT_EQ(repeats.count(3, key_of(3, 1)), nth % 256);
}

}  // namespace
}  // namespace ringside::sim
