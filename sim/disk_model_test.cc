// The device against closed forms: queueing, bandwidth, flush cost, stalls.
#include "sim/disk_model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "sim/disk_for_test.h"
#include "sim/math.h"

namespace ringside::sim {
namespace {

// The mean time in the queue. Poisson arrivals of writes at one device, which is one server; what
// Lindley's recursion says of the same arrivals and services is checked call by call.
double mean_wait(const Distribution& service, double mean_between, uint64_t calls) {
  DiskModel model;
  model.write = service;
  model.queue_depth = 1;
  Bench bench(model);
  const FileId file = open(bench, "a");
  Draw arrivals(11);
  double clock = static_cast<double>(bench.now);
  Time free_at = 0;
  double total = 0;
  uint64_t nth = 1;  // the file was opened at time 0
  for (uint64_t i = 0; i < calls; ++i) {
    clock += -mean_between * log(arrivals.open_uniform());
    const Time last = std::exchange(bench.now, std::max(bench.now, static_cast<Time>(clock)));
    nth = bench.now == last ? nth + 1 : 0;  // of this nanosecond
    DiskAwaiter<void> call = bench.write_at(file, 0, Buffer());
    bench.start(call);
    const auto [done, id] = *bench.events.begin();
    bench.events.clear();
    bench.device.complete(id);
    Draw key = Draw::of(7, bench.now, static_cast<uint64_t>(DiskCall::Kind::kWrite), nth);
    const Duration serves = service.sample(key);
    const Time begins = std::max(bench.now, free_at);
    free_at = begins + serves;
    EXPECT_EQ(done, free_at);
    total += static_cast<double>(begins - bench.now);
  }
  return total / static_cast<double>(calls);
}

constexpr double kServiceNs = 1e6;

TEST(DiskQueue, one_place_exponential_service_and_poisson_arrivals_wait_like_m_m_1) {
  for (const double rho : {0.5, 0.8}) {
    const uint64_t calls = rho > 0.6 ? 6'000'000 : 2'000'000;
    const double waits = mean_wait(*Distribution::exponential(kServiceNs), kServiceNs / rho, calls);
    const double expected = rho / (1 - rho) * kServiceNs;  // rho / (mu - lambda)
    EXPECT_NEAR(waits / expected, 1, 0.01) << "rho " << rho;
  }
}

TEST(DiskQueue, one_place_constant_service_and_poisson_arrivals_wait_like_m_d_1) {
  for (const double rho : {0.5, 0.8}) {
    const uint64_t calls = rho > 0.6 ? 3'000'000 : 1'000'000;
    const double waits = mean_wait(Distribution::constant(static_cast<Duration>(kServiceNs)),
                                   kServiceNs / rho, calls);
    const double expected = rho / (2 * (1 - rho)) * kServiceNs;
    EXPECT_NEAR(waits / expected, 1, 0.01) << "rho " << rho;
  }
}

TEST(DiskBandwidth, n_writes_of_b_bytes_end_at_the_start_plus_i_times_b_over_the_rate) {
  constexpr uint64_t kBytes = 64'000;
  DiskModel model;
  model.bandwidth_bytes_per_second = 500'000'000;
  Bench bench(model);
  const FileId file = open(bench, "a");
  bench.now = 12'345;
  std::vector<std::unique_ptr<DiskAwaiter<void>>> calls;
  for (uint64_t i = 0; i < 1'000; ++i) {
    calls.emplace_back(
        new DiskAwaiter<void>(bench.write_at(file, i * kBytes, Buffer::with_size(kBytes))));
    bench.start(*calls.back());
  }
  Time i = 0;
  for (const auto& [at, id] : bench.events) EXPECT_EQ(at, 12'345 + ++i * 128'000);
  EXPECT_EQ(i, 1'000);
  bench.run();
}

TEST(DiskFlush, a_sync_takes_as_long_as_what_is_dirty_takes_to_write_out) {
  DiskModel model = constant_model(0, 1'000);
  model.flush_bytes_per_second = 4'096'000'000;  // a page a microsecond
  Bench bench(model);
  const FileId file = open(bench, "a");
  const auto sync_takes = [&] {
    const Time before = bench.now;
    EXPECT_TRUE(sync(bench, file).ok());
    return bench.now - before;
  };
  EXPECT_EQ(sync_takes(), 1'000);
  EXPECT_TRUE(write(bench, file, 0, std::string(10 * kPageBytes, 'x')).ok());
  EXPECT_EQ(sync_takes(), 11'000);
  EXPECT_EQ(sync_takes(), 1'000) << "nothing is dirty any more";
  EXPECT_TRUE(write(bench, file, 0, "a little").ok());
  EXPECT_EQ(sync_takes(), 2'000);
}

TEST(DiskStall, comes_after_so_many_bytes_and_lasts_as_long_as_drawn) {
  DiskModel model = constant_model(10, 100);
  model.stalls.bytes_between = 100 * kPageBytes;
  model.stalls.length = *Distribution::uniform(1e6, 3e6);
  Bench bench(model);
  const FileId file = open(bench, "a");
  const std::string page(kPageBytes, 'x');
  double stalled = 0;
  for (int i = 1; i <= 200'000; ++i) {
    const Time before = bench.now;
    ASSERT_TRUE(write(bench, file, 0, page).ok());
    const Duration took = bench.now - before;
    if (i % 100 == 0) {
      EXPECT_GE(took, 1'000'010);
      EXPECT_LE(took, 3'000'010);
      stalled += static_cast<double>(took - 10);
    } else {
      EXPECT_EQ(took, 10);
    }
  }
  EXPECT_NEAR(stalled / 2'000 / 2e6, 1, 0.02);
  EXPECT_EQ(bench.device.counters().stalled, 2'000u);
  EXPECT_EQ(static_cast<double>(bench.device.counters().stalled_for), stalled);
}

TEST(DiskStall, comes_by_time_at_its_rate_whatever_is_asked_and_spares_reads) {
  DiskModel model = constant_model(0, 0);
  model.stalls.between = *Distribution::exponential(90e6);
  model.stalls.length = *Distribution::exponential(10e6);
  Bench often(model);
  Bench seldom(model);
  const FileId file = open(often, "a");
  const FileId other = open(seldom, "a");
  uint64_t struck = 0;
  constexpr uint64_t kCalls = 1'000'000;
  const auto wait_at = [](Bench& bench, Time when, FileId on) {
    bench.now = when;
    DiskAwaiter<void> call = bench.sync(on);
    bench.start(call);
    const auto [done, id] = *bench.events.begin();
    bench.events.clear();
    bench.device.complete(id);
    return done - when;
  };
  for (uint64_t i = 1; i <= kCalls; ++i) {
    const Time when = static_cast<Time>(i) * kMillisecond;
    const Duration waited = wait_at(often, when, file);
    struck += waited > 0 ? 1 : 0;
    if (i % 37 == 0) ASSERT_EQ(wait_at(seldom, when, other), waited);
    if (i % 1'000 == 0) {
      often.now = when;
      DiskAwaiter<Buffer> reading = often.read_at(file, 0, 1);
      often.start(reading);
      EXPECT_EQ(often.events.begin()->first, when);
      often.run();
    }
  }
  EXPECT_NEAR(static_cast<double>(struck) / kCalls, 0.1, 0.004);
  EXPECT_EQ(often.device.counters().stalled, struck);
}

TEST(DiskStall, is_off_in_the_presets_and_its_own_are_ordered_by_what_they_cost) {
  for (const char* kind : {"NVME", "SSD", "HDD", "FREE"}) {
    const DiskModel model = *DiskModel::named(kind);
    EXPECT_EQ(model.stalls.bytes_between, 0u);
    EXPECT_TRUE(model.stalls.between.is_constant());
    EXPECT_EQ(model.flush_bytes_per_second, 0u);
  }
  Draw draw(1);
  Duration nvme = 0, ssd = 0;
  for (int i = 0; i < 1'000; ++i) {
    nvme += DiskStalls::nvme().length.sample(draw);
    ssd += DiskStalls::ssd().length.sample(draw);
  }
  EXPECT_LT(nvme * 4, ssd);
}

}  // namespace
}  // namespace ringside::sim
