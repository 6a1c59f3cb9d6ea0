#include "sim/disk_image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>

namespace ringside::sim {
namespace {

constexpr PowerLossRules kKeepAll{.page_kept = 1,
                                  .page_garbage = 0,
                                  .page_torn = 0,
                                  .size_kept = 1,
                                  .size_between = 0,
                                  .name_kept = 1};
constexpr PowerLossRules kDropAll{.page_kept = 0,
                                  .page_garbage = 0,
                                  .page_torn = 0,
                                  .size_kept = 0,
                                  .size_between = 0,
                                  .name_kept = 0};

std::string page_of(char letter) { return std::string(kPageBytes, letter); }

void write_durable(DiskImage& image, std::string_view path, std::string_view bytes) {
  ASSERT_TRUE(image.install(path, bytes).ok());
}

TEST(DiskImage, keeps_what_was_written_byte_for_byte_against_a_plain_string) {
  DiskImage image;
  const InodeId file = *image.create("a");
  std::string model;
  Draw draw(1);
  for (int i = 0; i < 3'000; ++i) {
    const uint64_t what = draw.below(10);
    if (what == 0) {
      const uint64_t size = draw.below(40'000);
      image.truncate(file, size);
      model.resize(size, '\0');
    } else if (what == 1) {
      image.sync(file);
    } else {
      const uint64_t offset = draw.below(40'000);
      std::string bytes(draw.below(9'000), static_cast<char>('a' + draw.below(26)));
      if (draw.chance(0.5) && !bytes.empty())
        std::fill(bytes.begin() + static_cast<long>(draw.below(bytes.size())), bytes.end(), '\0');
      if (draw.chance(0.2)) std::fill(bytes.begin(), bytes.end(), '\0');
      image.write(file, offset, bytes);
      if (!bytes.empty() && model.size() < offset + bytes.size())
        model.resize(offset + bytes.size(), '\0');
      std::copy(bytes.begin(), bytes.end(),
                model.begin() + static_cast<long>(std::min(offset, model.size())));
    }
    ASSERT_EQ(image.size(file), model.size());
    const uint64_t from = draw.below(45'000);
    const uint64_t length = draw.below(10'000);
    ASSERT_EQ(image.read(file, from, length).view(),
              from < model.size() ? model.substr(from, length) : "");
  }
  EXPECT_EQ(*image.contents("a"), model);
}

// A second model: the durable bytes are what the string held when the last covered sync began.
TEST(DiskImage, a_power_loss_that_drops_everything_goes_back_to_the_last_sync) {
  for (uint64_t seed = 0; seed < 300; ++seed) {
    DiskImage image;
    Draw draw(seed);
    write_durable(image, "a", std::string(draw.below(20'000), 's'));
    const InodeId file = *image.find("a");
    std::string durable = *image.contents("a");
    for (uint64_t i = draw.below(12); i-- > 0;) {
      const DiskImage::Mark mark = image.begin_sync(file);
      const std::string when_called = *image.contents("a");
      for (uint64_t writes = draw.below(4); writes-- > 0;) {
        const uint64_t offset = draw.below(20'000);
        image.write(file, offset, std::string(1 + draw.below(6'000), static_cast<char>('a' + i)));
        if (draw.chance(0.3)) image.truncate(file, draw.below(20'000));
      }
      if (draw.chance(0.5)) {
        image.end_sync(file, mark);
        durable = when_called;
      }
    }
    const std::string seen = *image.contents("a");
    DiskImage kept = image;
    Draw loss(seed);
    kept.power_loss(loss, kKeepAll);
    EXPECT_EQ(*kept.contents("a"), seen);
    image.power_loss(loss, kDropAll);
    ASSERT_EQ(*image.contents("a"), durable) << seed;
    EXPECT_TRUE(image.durable());
  }
}

TEST(DiskImage, synced_pages_survive_every_power_loss) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    DiskImage image;
    write_durable(image, "dir/a", page_of('a') + page_of('b'));
    const InodeId file = *image.find("dir/a");
    image.write(file, 2 * kPageBytes, page_of('c'));
    Draw draw(seed);
    image.power_loss(draw);
    EXPECT_EQ(image.contents("dir/a")->substr(0, 2 * kPageBytes), page_of('a') + page_of('b'));
    EXPECT_TRUE(image.durable());
  }
}

TEST(DiskImage, unsynced_pages_are_kept_dropped_garbled_and_torn_at_the_stated_rates) {
  constexpr int kPages = 20'000;
  DiskImage image;
  std::string before, after;
  for (int i = 0; i < kPages; ++i) before += page_of('b');
  for (int i = 0; i < kPages; ++i) after += page_of('a');
  write_durable(image, "a", before);
  image.write(*image.find("a"), 0, after);
  EXPECT_EQ(image.unsynced_pages(*image.find("a")), static_cast<uint64_t>(kPages));
  Draw draw(3);
  image.power_loss(draw, PowerLossRules{});
  const std::string bytes = *image.contents("a");
  int kept = 0, dropped = 0, torn = 0, garbage = 0;
  int torn_sectors_kept = 0;
  for (int i = 0; i < kPages; ++i) {
    const std::string_view page =
        std::string_view(bytes).substr(static_cast<std::size_t>(i) * kPageBytes, kPageBytes);
    const auto count = [page](char letter) {
      return static_cast<uint64_t>(std::count(page.begin(), page.end(), letter));
    };
    if (count('a') == kPageBytes)
      ++kept;
    else if (count('b') == kPageBytes)
      ++dropped;
    else if (count('a') + count('b') == kPageBytes) {
      ++torn;
      torn_sectors_kept += static_cast<int>(count('a') / kSectorBytes);
      for (std::size_t sector = 0; sector < kPageBytes; sector += kSectorBytes) {
        EXPECT_EQ(page.substr(sector, kSectorBytes), std::string(kSectorBytes, page[sector]))
            << "a sector is one";
      }
    } else {
      ++garbage;
    }
  }
  // 5 standard deviations of 20,000 draws: at most 350. Of the torn, 2 in 256 look kept or dropped.
  EXPECT_NEAR(kept, 0.40 * kPages, 350);
  EXPECT_NEAR(dropped, 0.35 * kPages, 350);
  EXPECT_NEAR(garbage, 0.10 * kPages, 215);
  EXPECT_NEAR(torn, 0.15 * kPages * 254 / 256, 260);
  EXPECT_NEAR(torn_sectors_kept / static_cast<double>(torn), 4, 0.15);
}

TEST(DiskImage, garbage_takes_synced_bytes_of_its_page_with_it_and_tearing_does_not) {
  const auto lose = [](PowerLossRules rules) {
    DiskImage image;
    EXPECT_TRUE(image.install("a", page_of('s')).ok());
    image.write(*image.find("a"), 600, "new");  // in the second sector
    Draw draw(5);
    image.power_loss(draw, rules);
    return *image.contents("a");
  };
  PowerLossRules garbage = kDropAll;
  garbage.page_garbage = 1;
  EXPECT_NE(lose(garbage).substr(0, 512), std::string(512, 's'));
  PowerLossRules torn = kDropAll;
  torn.page_torn = 1;
  EXPECT_EQ(lose(torn).substr(0, 512), std::string(512, 's'));
  EXPECT_EQ(lose(torn).substr(1'024), std::string(kPageBytes - 1'024, 's'));
}

TEST(DiskImage, the_size_of_a_grown_file_is_kept_reverted_or_in_between) {
  int kept = 0, reverted = 0, between = 0;
  for (uint64_t seed = 0; seed < 5'000; ++seed) {
    DiskImage image;
    write_durable(image, "a", "1234");
    image.write(*image.find("a"), 4, std::string(9'000, 'x'));
    Draw draw(seed);
    image.power_loss(draw);
    const uint64_t size = image.size(*image.find("a"));
    EXPECT_EQ(image.contents("a")->size(), size);
    if (size == 9'004)
      ++kept;
    else if (size == 4)
      ++reverted;
    else
      ++between;
  }
  EXPECT_NEAR(kept, 2'500, 180);
  EXPECT_NEAR(reverted, 1'500, 165);
  EXPECT_NEAR(between, 1'000, 145);
}

TEST(DiskImage, bytes_beyond_a_reverted_end_do_not_come_back_when_the_file_grows_again) {
  DiskImage image;
  write_durable(image, "a", "1234");
  const InodeId file = *image.find("a");
  image.write(file, 4, "ghost");
  PowerLossRules rules = kKeepAll;
  rules.size_kept = 0;
  Draw draw(1);
  image.power_loss(draw, rules);
  EXPECT_EQ(*image.contents("a"), "1234");
  image.truncate(file, 9);
  EXPECT_EQ(*image.contents("a"), std::string("1234\0\0\0\0\0", 9));
}

TEST(DiskImage, a_new_name_may_vanish_until_its_directory_is_synced) {
  int there = 0;
  for (uint64_t seed = 0; seed < 2'000; ++seed) {
    DiskImage image;
    const InodeId file = *image.create("new");
    image.write(file, 0, "synced bytes");
    image.sync(file);
    Draw draw(seed);
    image.power_loss(draw);
    if (image.find("new").ok()) {
      ++there;
      EXPECT_EQ(*image.contents("new"), "synced bytes");
    } else {
      EXPECT_EQ(image.used_bytes(), 0u);
    }
  }
  EXPECT_NEAR(there, 1'000, 112);
  DiskImage image;
  ASSERT_TRUE(image.create("new").ok());
  image.end_sync_directory(*image.find_directory(""), image.begin_sync_directory());
  EXPECT_TRUE(image.durable());
  Draw draw(1);
  image.power_loss(draw, kDropAll);
  EXPECT_TRUE(image.find("new").ok());
}

TEST(DiskImage, a_name_made_during_a_directory_sync_is_not_covered_by_it) {
  DiskImage image;
  ASSERT_TRUE(image.create("before").ok());
  const DiskImage::Mark mark = image.begin_sync_directory();
  ASSERT_TRUE(image.create("during").ok());
  image.end_sync_directory(*image.find_directory(""), mark);
  Draw draw(1);
  image.power_loss(draw, kDropAll);
  EXPECT_EQ(image.files(), std::vector<std::string>{"before"});
}

TEST(DiskImage, a_rename_over_an_old_file_is_undone_or_kept_as_one_step) {
  int kept = 0;
  for (uint64_t seed = 0; seed < 1'000; ++seed) {
    DiskImage image;
    write_durable(image, "manifest", "old");
    write_durable(image, "manifest.new", "new");
    ASSERT_TRUE(image.rename("manifest.new", "manifest").ok());
    EXPECT_EQ(*image.contents("manifest"), "new");
    Draw draw(seed);
    image.power_loss(draw);
    if (*image.contents("manifest") == "new") {
      ++kept;
      EXPECT_FALSE(image.find("manifest.new").ok());
    } else {
      EXPECT_EQ(*image.contents("manifest"), "old");
      EXPECT_EQ(*image.contents("manifest.new"), "new");
    }
  }
  EXPECT_NEAR(kept, 500, 80);
}

TEST(DiskImage, a_removed_file_may_come_back_and_a_change_never_outlives_what_it_built_upon) {
  int both = 0, none = 0, second = 0;
  for (uint64_t seed = 0; seed < 1'000; ++seed) {
    DiskImage image;
    write_durable(image, "a", "first");
    ASSERT_TRUE(image.remove("a").ok());
    const InodeId again = *image.create("a");
    image.write(again, 0, "second");
    image.sync(again);
    Draw draw(seed);
    image.power_loss(draw);
    if (!image.find("a").ok())
      ++none;
    else if (*image.contents("a") == "first")
      ++both;
    else
      ++second;
  }
  EXPECT_NEAR(both, 500, 80) << "the removal was undone, so the new file cannot have its name";
  EXPECT_NEAR(none, 250, 70);
  EXPECT_NEAR(second, 250, 70);
}

TEST(DiskImage, files_in_a_directory_that_vanishes_vanish_with_it) {
  DiskImage image;
  ASSERT_TRUE(image.make_directory("log").ok());
  const InodeId file = *image.create("log/1");
  image.write(file, 0, "x");
  image.sync(file);
  image.end_sync_directory(*image.find_directory("log"), image.begin_sync_directory());
  EXPECT_EQ(image.unsynced_names(), 1u) << "the root was not synced";
  Draw draw(1);
  image.power_loss(draw, kDropAll);
  EXPECT_FALSE(image.find_directory("log").ok());
  EXPECT_TRUE(image.files().empty());
  EXPECT_EQ(image.used_bytes(), 0u);
}

TEST(DiskImage, a_rename_across_directories_is_durable_with_either_and_takes_its_past_along) {
  DiskImage image;
  write_durable(image, "x/keep", "");
  write_durable(image, "y/keep", "");
  const InodeId file = *image.create("x/a");
  image.write(file, 0, "moved");
  image.sync(file);
  ASSERT_TRUE(image.rename("x/a", "y/b").ok());
  image.end_sync_directory(*image.find_directory("y"), image.begin_sync_directory());
  Draw draw(1);
  image.power_loss(draw, kKeepAll);
  EXPECT_EQ(image.files(), (std::vector<std::string>{"x/keep", "y/b", "y/keep"}));
  EXPECT_EQ(*image.contents("y/b"), "moved");
}

TEST(DiskImage, a_crash_of_the_process_alone_keeps_everything_written) {
  DiskImage image;
  const InodeId file = *image.create("a");
  image.hold(file);
  image.write(file, 0, "unsynced");
  image.drop_holds();
  EXPECT_EQ(*image.contents("a"), "unsynced");
  EXPECT_FALSE(image.durable());
}

TEST(DiskImage, an_open_file_lives_on_without_a_name_until_it_is_let_go) {
  DiskImage image;
  write_durable(image, "a", page_of('x'));
  const InodeId file = *image.find("a");
  image.hold(file);
  ASSERT_TRUE(image.remove("a").ok());
  image.end_sync_directory(*image.find_directory(""), image.begin_sync_directory());
  EXPECT_EQ(image.read(file, 0, 3).view(), page_of('x').substr(0, 3));
  image.release(file);
  EXPECT_FALSE(image.lives(file));
  EXPECT_EQ(image.used_bytes(), 0u);
}

TEST(DiskImage, a_copy_shares_the_bytes_until_one_side_writes) {
  DiskImage image;
  for (int i = 0; i < 8; ++i)
    write_durable(image, "f" + std::to_string(i), std::string(64 * kPageBytes, 'x'));
  DiskImage copy = image;
  const uint64_t hash = image.content_hash();
  EXPECT_EQ(copy.content_hash(), hash);
  copy.write(*copy.find("f3"), 5 * kPageBytes, "changed");
  ASSERT_TRUE(copy.remove("f4").ok());
  ASSERT_TRUE(copy.create("g").ok());
  EXPECT_EQ(image.content_hash(), hash);
  EXPECT_NE(copy.content_hash(), hash);
  EXPECT_TRUE(image.durable());
  image.write(*image.find("f0"), 0, "other");
  EXPECT_EQ(copy.contents("f0")->substr(0, 5), "xxxxx");
  EXPECT_EQ(copy.contents("f3")->substr(5 * kPageBytes, 7), "changed");
  EXPECT_EQ(image.contents("f3")->substr(5 * kPageBytes, 7), "xxxxxxx");
  Draw draw(1);
  copy.power_loss(draw, kDropAll);
  EXPECT_EQ(copy.content_hash(), hash);
}

TEST(DiskImage, memory_is_about_what_the_files_hold_and_padding_costs_nothing) {
  DiskImage image;
  write_durable(image, "table", std::string(4 << 20, 'x'));
  EXPECT_LT(image.memory_bytes(), (4u << 20) * 1.05);
  DiskImage log;
  const InodeId file = *log.create("log");
  for (uint64_t group = 0; group < 256; ++group) {
    std::string padded(300, 'x');
    padded.resize(kPageBytes, '\0');
    log.write(file, group * kPageBytes, padded);
    log.sync(file);
  }
  EXPECT_EQ(log.size(file), 1u << 20);
  EXPECT_LT(log.memory_bytes(), (1u << 20) / 5);
  for (uint64_t again = 0; again < 10; ++again) {
    log.write(file, 0, std::string(1 << 20, 'y'));
    log.sync(file);
  }
  EXPECT_LT(log.memory_bytes(), (1u << 20) * 1.1) << "old versions are gone after a sync";
}

TEST(DiskImage, the_content_hash_sees_names_sizes_and_bytes_and_not_how_they_came_about) {
  DiskImage a, b;
  write_durable(a, "x", std::string("ab\0\0", 4));
  const InodeId file = *b.create("y");
  b.write(file, 0, std::string(kPageBytes, 'z'));
  b.truncate(file, 0);
  b.write(file, 0, "a");
  b.write(file, 1, "b");
  b.truncate(file, 4);
  EXPECT_NE(a.content_hash(), b.content_hash());
  ASSERT_TRUE(b.rename("y", "x").ok());
  EXPECT_EQ(a.content_hash(), b.content_hash());
  b.truncate(file, 5);
  EXPECT_NE(a.content_hash(), b.content_hash());
}

TEST(DiskImage, one_draw_gives_one_outcome_and_another_draw_another) {
  const auto lose = [](uint64_t key) {
    DiskImage image;
    const InodeId file = *image.create("a");
    image.end_sync_directory(*image.find_directory(""), image.begin_sync_directory());
    image.write(file, 0, std::string(32 * kPageBytes, 'x'));
    Draw draw(key);
    image.power_loss(draw);
    return image.content_hash();
  };
  EXPECT_EQ(lose(1), lose(1));
  EXPECT_NE(lose(1), lose(2));
}

TEST(DiskImage, random_work_and_power_losses_keep_the_books_in_order) {
  Draw draw(9);
  DiskImage image;
  for (int round = 0; round < 60; ++round) {
    for (int step = 0; step < 60; ++step) {
      const std::string path = (draw.chance(0.5) ? "d/f" : "f") + std::to_string(draw.below(6));
      const std::string to = (draw.chance(0.5) ? "d/f" : "f") + std::to_string(draw.below(6));
      const uint64_t what = draw.below(9);
      if (what == 0 && !image.make_directory("d").ok()) ADD_FAILURE();
      if (what == 1) (void)image.create(path);
      if (what == 2) (void)image.rename(path, to);
      if (what == 3) (void)image.remove(path);
      const Result<InodeId> directory = image.find_directory(draw.chance(0.5) ? "d" : "");
      if (what == 4 && directory.ok())
        image.end_sync_directory(*directory, image.begin_sync_directory());
      const Result<InodeId> file = image.find(path);
      if (!file.ok()) continue;
      if (what == 5) image.sync(*file);
      if (what >= 6)
        image.write(*file, draw.below(30'000), std::string(1 + draw.below(9'000), 'w'));
    }
    const DiskImage before = image;
    const uint64_t hash = before.content_hash();
    if (round % 3 == 0) image.power_loss(draw);
    EXPECT_EQ(before.content_hash(), hash);
    uint64_t used = 0;
    for (const std::string& path : image.files())
      used += (image.contents(path)->size() + kPageBytes - 1) / kPageBytes * kPageBytes;
    if (round % 3 == 0) {
      EXPECT_TRUE(image.durable());
      EXPECT_EQ(image.used_bytes(), used);
    } else {
      EXPECT_GE(image.used_bytes(), used);
    }
  }
}

}  // namespace
}  // namespace ringside::sim
