#include "lab/worker.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <map>

namespace ringside::lab {
namespace {

using End = WorkerResult::End;

std::map<uint64_t, WorkerResult> run_all(const std::vector<uint64_t>& seeds, unsigned jobs,
                                         bool trip_wire, const WorkerBody& body) {
  std::map<uint64_t, WorkerResult> results;
  WorkerOptions options;
  options.jobs = jobs;
  options.trip_wire = trip_wire;
  options.on_result = [&](WorkerResult result) {
    const uint64_t seed = result.seed;
    EXPECT_TRUE(results.emplace(seed, std::move(result)).second);
    return true;
  };
  run_in_workers(seeds, body, options);
  return results;
}

TEST(Workers, each_seed_comes_back_with_its_own_result) {
  const auto results = run_all({1, 2, 3, 4, 5}, 3, true, [](uint64_t seed, const auto&) {
    RunResult result;
    result.seed = seed;
    result.fingerprint = seed * 1000;
    result.witnesses.assign(1000, std::string(200, 'w'));  // more than a pipe holds
    return Result<RunResult>(std::move(result));
  });
  ASSERT_EQ(results.size(), 5u);
  for (const auto& [seed, run] : results) {
    EXPECT_EQ(run.end, End::kFinished);
    EXPECT_EQ(run.result.fingerprint, seed * 1000);
    EXPECT_EQ(run.result.witnesses.size(), 1000u);
  }
}

TEST(Workers, one_that_crashes_takes_nothing_down_with_it) {
  const auto results = run_all({1, 2, 3}, 2, false, [](uint64_t seed, const auto&) {
    if (seed == 2) abort();
    return Result<RunResult>(RunResult{});
  });
  EXPECT_EQ(results.at(1).end, End::kFinished);
  EXPECT_EQ(results.at(2).end, End::kCrashed);
  EXPECT_NE(results.at(2).message.find("signal 6"), std::string::npos);
  EXPECT_EQ(results.at(3).end, End::kFinished);
}

TEST(Workers, a_refusal_carries_its_reason_and_can_stop_the_rest) {
  uint64_t seen = 0;
  WorkerOptions options;
  options.on_result = [&](WorkerResult result) {
    ++seen;
    EXPECT_EQ(result.end, End::kRefused);
    EXPECT_EQ(result.message, "no such thing");
    return false;
  };
  run_in_workers(
      {1, 2, 3, 4},
      [](uint64_t, const auto&) { return Result<RunResult>(Code::kInvalid, "no such thing"); },
      options);
  EXPECT_EQ(seen, 1u);
}

TEST(Workers, a_world_that_reads_a_real_clock_is_stopped) {
  const auto results = run_all({1}, 1, true, [](uint64_t, const auto&) {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return Result<RunResult>(RunResult{});
  });
  EXPECT_EQ(results.at(1).end, End::kCrashed);
}

TEST(Workers, progress_rises_to_the_whole) {
  double last = 0;
  WorkerOptions options;
  options.on_progress = [&](const Progress& progress) {
    EXPECT_GE(progress.share, last);
    EXPECT_LE(progress.share, 1);
    last = progress.share;
  };
  run_in_workers(
      {1, 2},
      [](uint64_t, const std::function<void(double)>& progress) {
        for (double share = 0; share <= 1; share += 0.1) progress(share);
        return Result<RunResult>(RunResult{});
      },
      options);
  EXPECT_EQ(last, 1);
}

TEST(Workers, snapshots_come_whole_and_in_order_however_seldom_anybody_listens) {
  constexpr std::size_t kSnapshots = 500;
  const auto body_of = [](std::size_t i) {  // more in all than a pipe holds
    return std::to_string(i) + std::string(1000, 's');
  };
  std::vector<std::string> got;
  std::size_t before_the_first_look = 0;
  int looks = 0;
  WorkerOptions options;
  options.look_every_ms = 5;
  options.on_snapshot = [&](std::string_view bytes) { got.emplace_back(bytes); };
  options.hold = [&] {
    if (++looks == 10) before_the_first_look = got.size();
    return looks < 10 || looks % 2 == 0;
  };
  run_in_workers(
      {1},
      [&](uint64_t, const Teller& teller) {
        for (std::size_t i = 0; i < kSnapshots; ++i) teller.snapshot(body_of(i));
        return Result<RunResult>(RunResult{});
      },
      options);
  EXPECT_EQ(before_the_first_look, 0u);
  ASSERT_EQ(got.size(), kSnapshots);
  for (std::size_t i = 0; i < kSnapshots; ++i) EXPECT_EQ(got[i], body_of(i));
}

}  // namespace
}  // namespace ringside::lab
