#include "cli/progress.h"

#include <gtest/gtest.h>

namespace ringside::cli {
namespace {

lab::Progress progress_of(uint64_t finished, uint64_t all, double share, double elapsed) {
  lab::Progress progress;
  progress.finished = finished;
  progress.all = all;
  progress.share = share;
  progress.elapsed_seconds = elapsed;
  return progress;
}

TEST(Progress, long_work_says_its_share_and_what_it_took_and_may_take) {
  EXPECT_EQ(describe_progress("swarm", progress_of(400, 1000, 0.4, 12)),
            "swarm:  40 %, 400 of 1000 seeds, 12 s, about 18 s left");
  EXPECT_EQ(describe_progress("one", progress_of(0, 1, 0.5, 3600)),
            "one:  50 %, 60 min 00 s, about 60 min 00 s left");
}

TEST(Progress, nobody_guesses_from_the_first_steps) {
  EXPECT_EQ(describe_progress("one", progress_of(0, 1, 0.01, 9)), "one:   1 %, 9 s");
}

TEST(Progress, a_run_whose_workload_is_over_is_not_said_to_be_done) {
  EXPECT_EQ(describe_progress("one", progress_of(0, 1, 0.999, 9)),
            "one:  99 %, 9 s, about 0 s left");
  EXPECT_EQ(describe_progress("one", progress_of(0, 1, 1, 9)),
            "one: 100 %, 9 s, the last reads and the verdict");
}

TEST(Progress, spans_are_told_in_the_units_that_people_think_in) {
  EXPECT_EQ(minutes(0), "0 s");
  EXPECT_EQ(minutes(99.4), "99 s");
  EXPECT_EQ(minutes(125), "2 min 05 s");
  EXPECT_EQ(minutes(3 * 3600 + 20 * 60 + 7), "3 h 20 min");
}

}  // namespace
}  // namespace ringside::cli
