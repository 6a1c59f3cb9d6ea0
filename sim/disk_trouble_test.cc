// Each trouble of a disk happens, at its rate, and nothing happens without it.
#include "sim/disk_trouble.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <string>
#include <vector>

#include "sim/disk_for_test.h"
#include "sim/rate_for_test.h"
#include "sim/world.h"
#include "sim/world_for_test.h"

namespace ringside::sim {
namespace {

constexpr int kCalls = 100'000;

// Within five standard deviations of a binomial.
void expect_share(const char* what, uint64_t struck, double share, int calls = kCalls) {
  const double deviation = std::sqrt(share * (1 - share) * calls);
  EXPECT_NEAR(static_cast<double>(struck), share * calls, 5 * deviation);
  note_rate(what, share, static_cast<double>(struck) / calls, static_cast<uint64_t>(calls));
}

// A free disk with a file of sixteen pages, each full of its own letter, all durable.
struct Sixteen : Bench {
  explicit Sixteen(DiskModel model = constant_model(0, 0), uint64_t key = 7) : Bench(model, key) {
    for (char letter = 'a'; letter < 'q'; ++letter) bytes += std::string(kPageBytes, letter);
    EXPECT_TRUE(ask<void>(*this, [&] { return make_directory("log"); }).ok());
    EXPECT_TRUE(ask<void>(*this, [&] { return sync_directory(""); }).ok());
    file = sim::open(*this, "log/a");
    EXPECT_TRUE(sim::write(*this, file, 0, bytes).ok());
    EXPECT_TRUE(sim::sync(*this, file).ok());
    EXPECT_TRUE(ask<void>(*this, [&] { return sync_directory("log"); }).ok());
  }
  Result<Buffer> read_page(uint64_t page) {
    return ask<Buffer>(*this, [&] { return read_at(file, page * kPageBytes, kPageBytes); });
  }
  const InjectedFaults& injected() const { return device.counters().injected; }
  void tick() { ++now; }

  std::string bytes;
  FileId file = 0;
};

TEST(DiskTrouble, reads_fail_at_the_stated_share_and_not_after_it_ended) {
  Sixteen bench;
  bench.device.begin_trouble(1, bench.now, {.read_error = 0.03});
  uint64_t failed = 0;
  for (int i = 0; i < kCalls; ++i) {
    bench.tick();
    const uint64_t page = static_cast<uint64_t>(i) % 16;
    const Result<Buffer> got = bench.read_page(page);
    if (got.ok()) {
      ASSERT_EQ(got->view(), bench.bytes.substr(page * kPageBytes, kPageBytes));
    } else {
      EXPECT_EQ(got.code(), Code::kIo);
      ++failed;
    }
  }
  expect_share("read fails", failed, 0.03);
  EXPECT_EQ(bench.injected().read_errors, failed);
  EXPECT_EQ(bench.device.counters().failed, failed);
  EXPECT_TRUE(bench.device.end_trouble(1));
  EXPECT_FALSE(bench.device.end_trouble(1));
  for (int i = 0; i < 10'000; ++i) {
    bench.tick();
    ASSERT_TRUE(bench.read_page(3).ok());
  }
}

TEST(DiskTrouble, writes_and_syncs_fail_at_the_stated_shares_and_have_no_effect) {
  Sixteen bench;
  bench.device.begin_trouble(1, bench.now, {.write_error = 0.1, .sync_error = 0.2});
  uint64_t writes = 0, syncs = 0;
  std::string expected = bench.bytes;
  for (int i = 0; i < kCalls; ++i) {
    bench.tick();
    const auto at = static_cast<uint64_t>(i) * 37 % (16 * kPageBytes);
    const std::string byte(1, static_cast<char>('A' + i % 26));
    Result<void> done = write(bench, bench.file, at, byte);
    if (done.ok()) {
      expected[at] = byte[0];
    } else {
      EXPECT_EQ(done.code(), Code::kIo);
      ++writes;
    }
    if (!sync(bench, bench.file).ok()) ++syncs;
  }
  expect_share("write fails", writes, 0.1);
  expect_share("sync fails", syncs, 0.2);
  EXPECT_EQ(bench.injected().write_errors, writes);
  EXPECT_EQ(bench.injected().sync_errors, syncs);
  EXPECT_EQ(*bench.device.image().contents("log/a"), expected);
}

TEST(DiskTrouble, a_failed_sync_is_made_good_by_a_later_one) {
  Sixteen bench;
  bench.device.begin_trouble(1, bench.now, {.sync_error = 1});
  ASSERT_TRUE(write(bench, bench.file, 0, "new").ok());
  EXPECT_EQ(sync(bench, bench.file).code(), Code::kIo);
  DiskImage image = bench.device.image();
  Draw draw(1);
  image.power_loss(draw, kDropAll);
  EXPECT_EQ(image.contents("log/a")->substr(0, 3), "aaa");
  bench.device.end_trouble(1);
  EXPECT_TRUE(sync(bench, bench.file).ok());
  bench.device.process_died(draw);
  bench.device.power_loss(draw);
  EXPECT_EQ(bench.device.image().contents("log/a")->substr(0, 3), "new");
}

TEST(DiskTrouble, a_sync_that_fails_once_is_forgotten_and_later_ones_say_ok) {
  Sixteen bench;
  bench.device.begin_trouble(1, bench.now, {.sync_fails_once = true});
  ASSERT_TRUE(write(bench, bench.file, 0, "lost").ok());
  EXPECT_EQ(sync(bench, bench.file).code(), Code::kIo);
  EXPECT_TRUE(sync(bench, bench.file).ok());
  ASSERT_TRUE(write(bench, bench.file, kPageBytes, "kept").ok());
  EXPECT_TRUE(sync(bench, bench.file).ok());
  EXPECT_EQ(read(bench, bench.file, 0, 4), "lost") << "the process sees what it wrote";
  EXPECT_EQ(bench.injected().syncs_forgotten, 1u);
  EXPECT_EQ(bench.injected().sync_errors, 0u);
  Draw draw(1);
  bench.device.process_died(draw);
  bench.device.power_loss(draw);
  EXPECT_EQ(bench.device.image().contents("log/a")->substr(0, 4), "aaaa");
  EXPECT_EQ(bench.device.image().contents("log/a")->substr(kPageBytes, 4), "kept");
}

TEST(DiskTrouble, a_sync_that_lies_makes_nothing_durable_and_an_honest_one_does) {
  Sixteen bench;
  bench.device.begin_trouble(1, bench.now, {.sync_lies = 0.25});
  uint64_t lied = 0;
  std::string durable = "xxxx";
  ASSERT_TRUE(write(bench, bench.file, 0, "xxxx").ok());
  for (int i = 0; i < kCalls; ++i) {
    bench.tick();
    ASSERT_TRUE(write(bench, bench.file, 0, std::to_string(1000 + i % 9000)).ok());
    ASSERT_TRUE(sync(bench, bench.file).ok());
    if (bench.injected().syncs_lied == lied) durable = std::to_string(1000 + i % 9000);
    lied = bench.injected().syncs_lied;
    if (i % 1'000 != 0) continue;
    DiskImage image = bench.device.image();
    Draw draw(1);
    image.power_loss(draw, kDropAll);
    ASSERT_TRUE(durable == "xxxx" || image.contents("log/a")->substr(0, 4) == durable) << i;
  }
  expect_share("sync lies", lied, 0.25);
}

TEST(DiskTrouble, directories_lie_too) {
  Sixteen bench;
  bench.device.begin_trouble(1, bench.now, {.sync_lies = 1});
  open(bench, "log/b");
  ASSERT_TRUE(ask<void>(bench, [&] { return bench.sync_directory("log"); }).ok());
  Draw draw(1);
  bench.device.process_died(draw);
  bench.device.power_loss(draw);
  EXPECT_FALSE(bench.device.image().find("log/b").ok());
  EXPECT_TRUE(bench.device.image().find("log/a").ok());
}

TEST(DiskTrouble, directories_lie_alone_and_files_keep_what_they_hold) {
  Sixteen bench;
  bench.device.begin_trouble(1, bench.now, {.name_sync_lies = 1});
  open(bench, "log/b");
  ASSERT_TRUE(write(bench, bench.file, 0, "kept").ok());
  ASSERT_TRUE(sync(bench, bench.file).ok());
  EXPECT_EQ(bench.injected().syncs_lied, 0u);
  ASSERT_TRUE(ask<void>(bench, [&] { return bench.sync_directory("log"); }).ok());
  EXPECT_EQ(bench.injected().syncs_lied, 1u);
  Draw draw(1);
  bench.device.process_died(draw);
  bench.device.power_loss(draw);
  EXPECT_FALSE(bench.device.image().find("log/b").ok());
  EXPECT_EQ(bench.device.image().contents("log/a")->substr(0, 4), "kept");
}

TEST(DiskTrouble, reads_are_short_misdirected_and_rotten_at_the_stated_shares) {
  Sixteen bench;
  bench.device.begin_trouble(1, bench.now,
                             {.short_read = 0.02, .misdirected_read = 0.03, .rot_on_read = 0.05});
  uint64_t cut = 0, misdirected = 0, rotted = 0;
  uint64_t lengths = 0;
  std::vector<int> places(16);
  for (int i = 0; i < kCalls; ++i) {
    bench.tick();
    const auto got = std::string(bench.read_page(5)->view());
    if (got.size() < kPageBytes) {
      ++cut;
      lengths += got.size();
    }
    // All bytes but one are of one letter.
    std::vector<int> counts(256);
    for (const char byte : got) ++counts[static_cast<uint8_t>(byte)];
    const auto most =
        static_cast<int>(std::max_element(counts.begin(), counts.end()) - counts.begin());
    if (got.size() < 16) continue;
    if (most != 'f') ++misdirected;
    ++places[static_cast<std::size_t>(most - 'a')];
    for (const char byte : got) {
      if (byte == most) continue;
      EXPECT_EQ(std::popcount(static_cast<uint8_t>(byte ^ most)), 1);
      ++rotted;
    }
  }
  expect_share("read is short", cut, 0.02);
  EXPECT_NEAR(static_cast<double>(lengths) / static_cast<double>(cut), kPageBytes / 2.0, 150);
  expect_share("read goes astray", misdirected, 0.03);
  for (std::size_t page = 0; page < 16; ++page) {
    if (page != 5) EXPECT_NEAR(places[page], 200, 75) << "every other place is as likely";
  }
  expect_share("read with a bad bit, seen", rotted,
               0.05 * 0.99);  // where a short read did not cut the bit off
  const InjectedFaults& injected = bench.injected();
  EXPECT_EQ(injected.short_reads, cut);
  EXPECT_NEAR(static_cast<double>(injected.misdirected_reads), static_cast<double>(misdirected), 8);
  expect_share("read with a bad bit", injected.rotted_reads, 0.05);
  EXPECT_EQ(*bench.device.image().contents("log/a"), bench.bytes) << "the medium is fine";
}

TEST(DiskTrouble, writes_go_astray_at_the_stated_share_and_are_mended_to_the_byte) {
  Sixteen bench;
  std::string meant = bench.bytes;
  bench.device.begin_trouble(1, bench.now, {.misdirected_write = 0.04});
  for (int i = 0; i < kCalls; ++i) {
    bench.tick();
    const auto at = static_cast<uint64_t>(i) * 1'237 % (15 * kPageBytes);
    const std::string word = std::to_string(i);
    ASSERT_TRUE(write(bench, bench.file, at, word).ok());
    meant.replace(at, word.size(), word);
  }
  expect_share("write goes astray", bench.injected().misdirected_writes, 0.04);
  EXPECT_NE(*bench.device.image().contents("log/a"), meant);
  EXPECT_TRUE(bench.device.mend());
  EXPECT_EQ(*bench.device.image().contents("log/a"), meant);
  EXPECT_EQ(bench.injected().mended, 1u);
}

TEST(DiskTrouble, a_call_that_fits_nowhere_else_is_left_alone) {
  Sixteen bench;
  bench.device.begin_trouble(1, bench.now, {.misdirected_read = 1, .misdirected_write = 1});
  EXPECT_EQ(read(bench, bench.file, 0, 16 * kPageBytes), bench.bytes);
  ASSERT_TRUE(write(bench, bench.file, 0, bench.bytes).ok());
  EXPECT_EQ(bench.injected().misdirected_reads + bench.injected().misdirected_writes, 0u);
}

TEST(DiskTrouble, a_full_disk_takes_nothing_that_grows) {
  Sixteen bench;
  bench.device.begin_trouble(1, bench.now, {.full = true});
  EXPECT_TRUE(write(bench, bench.file, 0, "over").ok());
  EXPECT_EQ(write(bench, bench.file, 16 * kPageBytes, "x").code(), Code::kNoSpace);
  EXPECT_EQ(*ask<uint64_t>(bench, [&] { return bench.space(); }), 0u);
  EXPECT_EQ(bench.injected().full_calls, 1u);
  bench.device.end_trouble(1);
  EXPECT_TRUE(write(bench, bench.file, 16 * kPageBytes, "x").ok());
}

TEST(DiskTrouble, a_dead_disk_answers_nothing_and_is_as_it_was_when_it_comes_back) {
  Sixteen bench;
  const uint64_t before = bench.device.image().content_hash();
  bench.device.begin_trouble(1, bench.now, {.dead = true});
  EXPECT_EQ(write(bench, bench.file, 0, "x").code(), Code::kIo);
  EXPECT_EQ(sync(bench, bench.file).code(), Code::kIo);
  EXPECT_EQ(bench.read_page(0).code(), Code::kIo);
  EXPECT_EQ(ask<FileId>(bench, [&] { return bench.open("b", Disk::kCreate); }).code(), Code::kIo);
  EXPECT_EQ(ask<void>(bench, [&] { return bench.remove("log/a"); }).code(), Code::kIo);
  EXPECT_EQ(ask<uint64_t>(bench, [&] { return bench.space(); }).code(), Code::kIo);
  EXPECT_EQ(bench.injected().dead_calls, 6u);
  EXPECT_TRUE(bench.device.clear_troubles());
  EXPECT_FALSE(bench.device.clear_troubles());
  EXPECT_EQ(bench.device.image().content_hash(), before);
  EXPECT_TRUE(bench.read_page(0).ok());
}

TEST(DiskTrouble, strikes_only_the_files_that_it_names) {
  Sixteen bench;
  const FileId other = open(bench, "table");
  ASSERT_TRUE(write(bench, other, 0, "x").ok());
  bench.device.begin_trouble(
      1, bench.now, {.read_error = 1, .write_error = 1, .sync_fails_once = true, .files = "log"});
  EXPECT_TRUE(write(bench, other, 0, "x").ok());
  EXPECT_TRUE(sync(bench, other).ok());
  EXPECT_EQ(read(bench, other, 0, 1), "x");
  EXPECT_EQ(write(bench, bench.file, 0, "x").code(), Code::kIo);
  EXPECT_EQ(bench.read_page(0).code(), Code::kIo);
  EXPECT_EQ(sync(bench, bench.file).code(), Code::kIo);
  EXPECT_TRUE(sync(bench, bench.file).ok());
}

TEST(DiskTrouble, overlapping_ones_combine_as_independent_chances_and_factors) {
  Sixteen bench(constant_model(1'000, 0));
  bench.device.begin_trouble(1, bench.now, {.write_error = 0.3, .slower = 2});
  bench.device.begin_trouble(2, bench.now, {.write_error = 0.2, .slower = 3});
  for (int i = 0; i < kCalls; ++i) {
    const Time before = bench.now;
    const Result<void> done = write(bench, bench.file, 0, "x");
    ASSERT_EQ(bench.now - before, 6'000);
  }
  expect_share("write fails, two troubles", bench.injected().write_errors, 0.44);
  EXPECT_EQ(bench.injected().slowed, static_cast<uint64_t>(kCalls));
  bench.device.end_trouble(1);
  const Time before = bench.now;
  const Result<void> done = write(bench, bench.file, 0, "x");
  EXPECT_EQ(bench.now - before, 3'000);
}

// Which of a thousand reads fail.
std::vector<int> failing_reads(const std::vector<DiskTrouble>& troubles) {
  Sixteen bench;
  bench.now = kSecond;
  uint64_t id = 0;
  for (const DiskTrouble& trouble : troubles) bench.device.begin_trouble(++id, bench.now, trouble);
  std::vector<int> failing;
  for (int i = 0; i < 1'000; ++i) {
    bench.tick();
    if (!bench.read_page(1).ok()) failing.push_back(i);
  }
  return failing;
}

TEST(DiskTrouble, one_more_trouble_moves_no_draw_of_another) {
  const std::vector<int> alone = failing_reads({{.read_error = 0.1}});
  EXPECT_GT(alone.size(), 60u);
  EXPECT_EQ(failing_reads({{.write_error = 0.5, .short_read = 0.5}, {.read_error = 0.1}}), alone);
  EXPECT_EQ(failing_reads({{.read_error = 0.1, .files = "log"}, {.read_error = 1, .files = "no"}}),
            alone);
  EXPECT_EQ(failing_reads({}), std::vector<int>());
}

TEST(DiskTrouble, one_that_strikes_nothing_changes_nothing) {
  const auto play = [](bool trouble) {
    Bench bench(DiskModel::nvme());
    const FileId file = open(bench, "a");
    if (trouble) {
      bench.device.begin_trouble(1, bench.now,
                                 {.read_error = 1,
                                  .write_error = 1,
                                  .sync_error = 1,
                                  .sync_lies = 1,
                                  .short_read = 1,
                                  .misdirected_read = 1,
                                  .misdirected_write = 1,
                                  .rot_on_read = 1,
                                  .files = "elsewhere"});
    }
    std::vector<Time> times;
    for (int i = 0; i < 3'000; ++i) {
      const auto at = static_cast<uint64_t>(i) * 701 % 20'000;
      EXPECT_TRUE(write(bench, file, at, std::to_string(i)).ok());
      times.push_back(bench.now);
      if (i % 3 == 0) EXPECT_TRUE(sync(bench, file).ok());
      times.push_back(bench.now);
      EXPECT_EQ(read(bench, file, at, 1), std::to_string(i).substr(0, 1));
      times.push_back(bench.now);
    }
    times.push_back(static_cast<Time>(bench.device.image().content_hash() >> 1));
    return times;
  };
  EXPECT_EQ(play(false), play(true));
}

TEST(DiskTrouble, a_gray_disk_is_bad_for_the_right_share_of_time_and_its_latencies_show_it) {
  Sixteen bench(constant_model(1'000, 0));
  bench.device.begin_trouble(
      1, bench.now,
      {.good_mean = 30 * kMillisecond, .bad_mean = 10 * kMillisecond, .bad_slower = 50});
  uint64_t bad = 0, runs = 0;
  bool was_bad = false;
  constexpr int kAsked = 4'000'000;  // four million milliseconds, a hundred thousand cycles
  for (int i = 0; i < kAsked; ++i) {
    const Time when = bench.now + kMillisecond;
    bench.now = when;
    DiskAwaiter<void> call = bench.write_at(bench.file, 0, Buffer());
    bench.start(call);
    const auto [done, id] = *bench.events.begin();
    bench.events.clear();
    bench.device.complete(id);
    ASSERT_TRUE(done - when == 1'000 || done - when == 50'000);
    const bool is_bad = done - when == 50'000;
    bad += is_bad ? 1 : 0;
    runs += is_bad && !was_bad ? 1 : 0;
    was_bad = is_bad;
  }
  EXPECT_NEAR(static_cast<double>(bad) / kAsked, 0.25, 0.25 * 0.02);
  EXPECT_EQ(bench.injected().slowed, bad);
  // Seen every millisecond, a bad run begins with 1 - e^(-(a + b)) of its share: the chain's
  // memory.
  const double rate = 1 / 30.0 + 1 / 10.0;
  const double begins = 0.75 * 0.25 * (1 - std::exp(-rate)) * kAsked;
  EXPECT_NEAR(static_cast<double>(runs) / begins, 1, 0.02);
}

TEST(DiskTrouble, of_one_machine_is_none_of_another_and_the_world_tells_of_each) {
  struct Watcher : Observer {
    void on_fault(Time, std::string_view what) override { faults.emplace_back(what); }
    std::vector<std::string> faults;
  } watcher;
  World world(small_world(2));
  world.set_observer(&watcher);
  std::vector<std::string> answers(3);
  const auto program = [&answers](Host& host) -> Task<void> {
    Result<FileId> file = co_await host.disk().open("a", Disk::kCreate);
    Result<void> wrote = co_await host.disk().write_at(*file, 0, Buffer::copy_of("bytes"));
    Result<void> synced = co_await host.disk().sync(*file);
    while (true) {
      co_await host.clock().sleep(kMillisecond);
      Result<Buffer> got = co_await host.disk().read_at(*file, 0, 5);
      answers[host.network().self()] = got.ok() ? std::string(got->view()) : got.error().text();
    }
  };
  world.place(1, 0, program);
  world.place(2, 1, program);
  world.start(1);
  world.start(2);
  world.run_until(10 * kMillisecond);
  const World::TroubleId first = world.begin_trouble(0, {.read_error = 1});
  const World::TroubleId second = world.begin_trouble(1, {.slower = 2});
  world.run_until(20 * kMillisecond);
  EXPECT_NE(answers[1], "bytes");
  EXPECT_EQ(answers[2], "bytes");
  EXPECT_GT(world.disk_counters(0).injected.read_errors, 5u);
  EXPECT_EQ(world.disk_counters(1).injected.read_errors, 0u);
  EXPECT_TRUE(world.end_trouble(first));
  EXPECT_FALSE(world.end_trouble(first));
  EXPECT_EQ(world.rot(1, "", 1), 1u);
  world.run_until(30 * kMillisecond);
  EXPECT_EQ(answers[1], "bytes");
  EXPECT_NE(answers[2], "bytes");
  const DiskImage rotted = world.image(2);
  EXPECT_TRUE(world.mend(1));
  EXPECT_FALSE(world.mend(1));
  world.run_until(40 * kMillisecond);
  EXPECT_EQ(answers[2], "bytes");
  world.crash(2);
  world.set_image(2, rotted);
  EXPECT_EQ(world.disk_counters(1).injected.images_replaced, 1u);
  EXPECT_TRUE(world.mend(1)) << "an image brings its faults along";
  EXPECT_EQ(*world.image(2).contents("a"), "bytes");
  EXPECT_TRUE(world.clear_troubles());
  EXPECT_FALSE(world.clear_troubles());
  EXPECT_FALSE(world.end_trouble(second));
  const std::vector<std::string> expected = {"trouble 1 of the disk of m1: read errors 100 %",
                                             "trouble 2 of the disk of m2: 2 times slower",
                                             "end of trouble 1 of the disk of m1",
                                             "rot on the disk of m2: 1 bits flipped",
                                             "the disk of m2 is mended",
                                             "crash of node 2",
                                             "the disk of m2 is mended",
                                             "end of every trouble of a disk"};
  EXPECT_EQ(watcher.faults, expected);
}

}  // namespace
}  // namespace ringside::sim
