#include "sim/queueing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

namespace ringside::sim {
namespace {

// Under a sanitizer the same code runs with fewer arrivals, and is held to five standard errors.
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
constexpr uint64_t kFewer = 50;
#else
constexpr uint64_t kFewer = 1;
#endif
#else
constexpr uint64_t kFewer = 1;
#endif

// Within one percent of theory, with a standard error that is small enough to say so.
void expect_as_theory_says(QueueSpec spec) {
  spec.arrivals /= kFewer;
  const QueueResult result = run_queue(spec, nullptr);
  const double theory = theoretical_wait(spec);
  if (kFewer == 1) {
    EXPECT_LT(result.standard_error, theory / 200);
    EXPECT_NEAR(result.mean_wait, theory, theory / 100);
  } else {
    EXPECT_NEAR(result.mean_wait, theory, 5 * result.standard_error);
  }
}

// Kiefer and Wolfowitz: the next of the line begins when it has arrived and the first server is
// free. To the nanosecond, for every frame.
void expect_each_begins_as_the_recursion_says(const QueueSpec& spec) {
  std::vector<Time> free(spec.servers, 0);
  uint64_t waited = 0;
  uint64_t wrong = 0;
  Duration work = 0;
  const QueueResult result = run_queue(spec, [&](const Served& served) {
    const auto server = std::min_element(free.begin(), free.end());
    const Time begins = std::max(*server, served.arrived);
    waited += begins > served.arrived;
    wrong += begins != served.began;
    *server = begins + served.service;
    work += served.service;
  });
  EXPECT_EQ(wrong, 0u);
  EXPECT_GT(waited, spec.arrivals / 3);
  EXPECT_EQ(result.load.busy, work);
  EXPECT_EQ(result.load.events, spec.arrivals + 1);  // its start
  EXPECT_GT(result.load.longest_line, 10u);
}

TEST(Queueing, every_event_begins_when_the_recursion_says) {
  constexpr uint64_t kArrivals = 100'000;
  expect_each_begins_as_the_recursion_says({.load = 0.9, .arrivals = kArrivals});
  expect_each_begins_as_the_recursion_says({.load = 0.9, .constant = true, .arrivals = kArrivals});
  expect_each_begins_as_the_recursion_says({.load = 0.8, .servers = 2, .arrivals = kArrivals});
  expect_each_begins_as_the_recursion_says({.load = 0.9, .servers = 4, .arrivals = kArrivals});
}

TEST(Queueing, theory_has_its_textbook_values) {
  EXPECT_DOUBLE_EQ(theoretical_wait({.load = 0.9}), 9);
  EXPECT_DOUBLE_EQ(theoretical_wait({.load = 0.8, .constant = true}), 2);
  EXPECT_NEAR(theoretical_wait({.load = 0.5, .servers = 2}), 1.0 / 3, 1e-12);
  EXPECT_NEAR(theoretical_wait({.load = 0.8, .servers = 2}), 0.64 / 0.36, 1e-12);
}

// The standard error of an M/M/1's mean wait over n arrivals is known (Daley 1968): 5.4, 11.1 and
// 21.1 means over the root of n at loads of 0.5, 0.8 and 0.9; the counts make it 0.25 % to 0.33 %.
TEST(Queueing, a_half_loaded_m_m_1_waits_as_theory_says) {
  expect_as_theory_says({.load = 0.5, .arrivals = 5'000'000});
}
TEST(Queueing, an_m_m_1_at_four_fifths_waits_as_theory_says) {
  expect_as_theory_says({.load = 0.8, .arrivals = 16'000'000});
}
TEST(Queueing, an_m_m_1_at_nine_tenths_waits_as_theory_says) {
  expect_as_theory_says({.load = 0.9, .arrivals = 40'000'000});
}
TEST(Queueing, an_m_d_1_waits_as_theory_says) {
  expect_as_theory_says({.load = 0.5, .constant = true, .arrivals = 4'000'000});
  expect_as_theory_says({.load = 0.8, .constant = true, .arrivals = 8'000'000});
}
TEST(Queueing, an_m_m_2_waits_as_erlang_says) {
  expect_as_theory_says({.load = 0.5, .servers = 2, .arrivals = 5'000'000});
  expect_as_theory_says({.load = 0.8, .servers = 2, .arrivals = 16'000'000});
}
TEST(Queueing, an_m_m_4_waits_as_erlang_says) {
  expect_as_theory_says({.load = 0.8, .servers = 4, .arrivals = 16'000'000});
}

}  // namespace
}  // namespace ringside::sim
