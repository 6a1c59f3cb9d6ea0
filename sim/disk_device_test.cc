#include "sim/disk_device.h"

#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "sim/disk_for_test.h"

namespace ringside::sim {
namespace {

TEST(DiskDevice, what_is_written_is_read_back_and_a_read_past_the_end_is_short) {
  Bench bench(DiskModel::nvme());
  const FileId file = open(bench, "a");
  ASSERT_TRUE(write(bench, file, 3, "hello").ok());
  EXPECT_EQ(read(bench, file, 0, 100), std::string("\0\0\0hello", 8));
  EXPECT_EQ(read(bench, file, 6, 100), "lo");
  EXPECT_EQ(read(bench, file, 8, 100), "");
  EXPECT_EQ(read(bench, file, 1'000, 100), "");
  EXPECT_EQ(*ask<uint64_t>(bench, [&] { return bench.size(file); }), 8u);
  EXPECT_GT(bench.now, 0);
  EXPECT_EQ(bench.device.counters().bytes_written, 5u);
}

TEST(DiskDevice, names_can_be_made_listed_renamed_and_removed) {
  Bench bench(DiskModel::free());
  ASSERT_TRUE(ask<void>(bench, [&] { return bench.make_directory("log"); }).ok());
  ASSERT_TRUE(ask<void>(bench, [&] { return bench.make_directory("log"); }).ok());
  open(bench, "log/2");
  open(bench, "log/1");
  using Names = std::vector<std::string>;
  EXPECT_EQ(*ask<Names>(bench, [&] { return bench.list("log"); }), (Names{"1", "2"}));
  ASSERT_TRUE(ask<void>(bench, [&] { return bench.rename("log/2", "log/0"); }).ok());
  ASSERT_TRUE(ask<void>(bench, [&] { return bench.remove("log/1"); }).ok());
  EXPECT_EQ(*ask<Names>(bench, [&] { return bench.list("log"); }), (Names{"0"}));
  EXPECT_EQ(*ask<Names>(bench, [&] { return bench.list(""); }), (Names{"log"}));
}

TEST(DiskDevice, mistakes_are_told_apart) {
  Bench bench(DiskModel::free());
  EXPECT_EQ(ask<FileId>(bench, [&] { return bench.open("missing"); }).code(), Code::kNotFound);
  EXPECT_EQ(ask<FileId>(bench, [&] { return bench.open("no/parent", Disk::kCreate); }).code(),
            Code::kNotFound);
  EXPECT_EQ(ask<FileId>(bench, [&] { return bench.open("../up", Disk::kCreate); }).code(),
            Code::kInvalid);
  EXPECT_EQ(ask<void>(bench, [&] { return bench.remove("missing"); }).code(), Code::kNotFound);
  EXPECT_EQ(ask<std::vector<std::string>>(bench, [&] { return bench.list("missing"); }).code(),
            Code::kNotFound);
  EXPECT_EQ(ask<void>(bench, [&] { return bench.sync_directory("missing"); }).code(),
            Code::kNotFound);
  const FileId file = open(bench, "a");
  EXPECT_EQ(ask<FileId>(bench, [&] { return bench.open("a"); }).code(), Code::kInvalid);
  ASSERT_TRUE(ask<void>(bench, [&] { return bench.close(file); }).ok());
  EXPECT_EQ(write(bench, file, 0, "x").code(), Code::kInvalid);
  EXPECT_EQ(sync(bench, 99).code(), Code::kInvalid);
  EXPECT_NE(open(bench, "a"), file) << "a handle is never reused";
}

TEST(DiskDevice, a_full_disk_says_no_space_and_overwriting_goes_on) {
  DiskModel model;
  model.capacity_bytes = 3 * kPageBytes;
  Bench bench(model);
  const FileId file = open(bench, "a");
  const std::string two_pages(2 * kPageBytes, 'x');
  ASSERT_TRUE(write(bench, file, 0, two_pages).ok());
  EXPECT_EQ(*ask<uint64_t>(bench, [&] { return bench.space(); }), kPageBytes);
  EXPECT_EQ(write(bench, file, kPageBytes, std::string(2 * kPageBytes + 1, 'y')).code(),
            Code::kNoSpace);
  EXPECT_EQ(read(bench, file, kPageBytes, 10), std::string(10, 'x')) << "nothing of it was written";
  EXPECT_TRUE(write(bench, file, 0, two_pages).ok());
  EXPECT_EQ(ask<void>(bench, [&] { return bench.truncate(file, 4 * kPageBytes); }).code(),
            Code::kNoSpace);
  ASSERT_TRUE(ask<void>(bench, [&] { return bench.truncate(file, 0); }).ok());
  EXPECT_EQ(*ask<uint64_t>(bench, [&] { return bench.space(); }), 3 * kPageBytes);
}

TEST(DiskDevice, a_sync_covers_exactly_the_writes_that_completed_before_it_was_called) {
  Bench bench(constant_model(10, 100));
  const FileId file = open(bench, "a");
  ASSERT_TRUE(ask<void>(bench, [&] { return bench.sync_directory(""); }).ok());
  ASSERT_TRUE(write(bench, file, 0, "before").ok());
  // Begun before the sync, done during it; and begun and done during it, over the same page.
  DiskAwaiter<void> overlapping = bench.write_at(file, kPageBytes, Buffer::copy_of("overlapping"));
  bench.start(overlapping);
  DiskAwaiter<void> syncing = bench.sync(file);
  bench.start(syncing);
  DiskAwaiter<void> during = bench.write_at(file, 0, Buffer::copy_of("during"));
  bench.start(during);
  bench.run();
  Draw draw(1);
  bench.device.process_died(draw);
  EXPECT_EQ(bench.device.image().contents("a")->substr(0, 6), "during")
      << "a crash alone keeps all that was written";
  bench.device.power_loss(draw);
  EXPECT_EQ(*bench.device.image().contents("a"), "before");
}

TEST(DiskDevice, a_sync_that_has_not_completed_has_covered_nothing_for_sure) {
  int kept = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    Bench bench(constant_model(10, 100));
    const FileId file = open(bench, "a");
    ASSERT_TRUE(ask<void>(bench, [&] { return bench.sync_directory(""); }).ok());
    ASSERT_TRUE(write(bench, file, 0, "x").ok());
    DiskAwaiter<void> syncing = bench.sync(file);
    syncing.in_flight = true;
    bench.start(syncing);
    Draw draw(seed);
    bench.device.process_died(draw);
    syncing.in_flight = false;
    bench.device.power_loss(draw);
    if (*bench.device.image().contents("a") == "x") ++kept;
    bench.run();  // its event comes and means nothing any more
    EXPECT_TRUE(bench.completed.size() == 3);
  }
  EXPECT_NEAR(kept, 100, 35);
}

TEST(DiskDevice, when_the_process_dies_each_write_in_flight_is_drawn_in_the_order_of_submission) {
  std::map<std::string, int> seen;
  for (uint64_t seed = 0; seed < 4'000; ++seed) {
    Bench bench(constant_model(10, 100));
    const FileId file = open(bench, "a");
    DiskAwaiter<void> first = bench.write_at(file, 0, Buffer::copy_of("11"));
    DiskAwaiter<void> second = bench.write_at(file, 1, Buffer::copy_of("22"));
    bench.start(first);
    bench.start(second);
    Draw draw(seed);
    bench.device.process_died(draw);
    bench.run();
    EXPECT_EQ(bench.device.in_flight(), 0u);
    ++seen[*bench.device.image().contents("a")];
  }
  const std::string only_second(
      "\0"
      "22",
      3);
  EXPECT_EQ(seen.size(), 4u);
  EXPECT_NEAR(seen[""], 1'000, 120);
  EXPECT_NEAR(seen["11"], 1'000, 120);
  EXPECT_NEAR(seen[only_second], 1'000, 120);
  EXPECT_NEAR(seen["122"], 1'000, 120) << "the second lies over the first";
}

TEST(DiskDevice, an_abandoned_call_still_happens_and_wakes_nobody) {
  Bench bench(constant_model(10, 100));
  const FileId file = open(bench, "a");
  bench.completed.clear();
  {
    DiskAwaiter<void> call = bench.write_at(file, 0, Buffer::copy_of("kept"));
    call.in_flight = true;
    bench.start(call);
  }
  bench.run();
  EXPECT_TRUE(bench.completed.empty());
  EXPECT_EQ(read(bench, file, 0, 4), "kept");
}

TEST(DiskDevice, calls_beyond_the_queue_depth_wait_for_a_place) {
  DiskModel model = constant_model(10, 100);
  model.queue_depth = 2;
  Bench bench(model);
  const FileId file = open(bench, "a");
  std::vector<std::unique_ptr<DiskAwaiter<void>>> calls;
  for (int i = 0; i < 5; ++i) {
    calls.emplace_back(new DiskAwaiter<void>(bench.write_at(file, 0, Buffer::copy_of("x"))));
    bench.start(*calls.back());
  }
  std::vector<Time> times;
  for (const auto& [at, id] : bench.events) times.push_back(at);
  EXPECT_EQ(times, (std::vector<Time>{10, 10, 20, 20, 30}));
  bench.run();
}

TEST(DiskDevice, bytes_pass_one_after_the_other_at_the_bandwidth) {
  DiskModel model = constant_model(10, 100);
  model.bandwidth_bytes_per_second = 1'000'000'000;  // a byte a nanosecond
  Bench bench(model);
  const FileId file = open(bench, "a");
  DiskAwaiter<void> first = bench.write_at(file, 0, Buffer::copy_of(std::string(1'000, 'x')));
  DiskAwaiter<void> second = bench.write_at(file, 0, Buffer::copy_of(std::string(500, 'x')));
  DiskAwaiter<void> third = bench.sync(file);
  bench.start(first);
  bench.start(second);
  bench.start(third);
  std::vector<Time> times;
  for (const auto& [at, id] : bench.events) times.push_back(at);
  EXPECT_EQ(times, (std::vector<Time>{100, 1'010, 1'510}));
  bench.run();
}

TEST(DiskDevice, latencies_are_keyed_by_time_and_not_by_what_happened_before) {
  const auto one_sync_at = [](Time when, int writes_before) {
    Bench bench(DiskModel::nvme());
    const FileId file = open(bench, "a");
    for (int i = 0; i < writes_before; ++i) EXPECT_TRUE(write(bench, file, 0, "x").ok());
    bench.now = when;
    DiskAwaiter<void> call = bench.sync(file);
    bench.start(call);
    const Duration took = bench.events.begin()->first - when;
    bench.run();
    return took;
  };
  EXPECT_EQ(one_sync_at(kSecond, 0), one_sync_at(kSecond, 17));
  EXPECT_NE(one_sync_at(kSecond, 0), one_sync_at(2 * kSecond, 0));
}

TEST(DiskModel, presets_are_found_by_name_and_ordered_by_what_they_cost) {
  Draw draw(1);
  Duration sums[3] = {};
  const char* kinds[] = {"NVME", "SSD", "HDD"};
  for (int kind = 0; kind < 3; ++kind) {
    const DiskModel model = *DiskModel::named(kinds[kind]);
    for (int i = 0; i < 1'000; ++i) sums[kind] += model.sync.sample(draw) + model.read.sample(draw);
  }
  EXPECT_LT(sums[0] * 2, sums[1]);
  EXPECT_LT(sums[1] * 2, sums[2]);
  EXPECT_TRUE(DiskModel::named("FREE")->write.is_constant());
  EXPECT_EQ(DiskModel::named("TAPE").code(), Code::kInvalid);
}

}  // namespace
}  // namespace ringside::sim
