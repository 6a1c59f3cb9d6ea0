// Faults laid over pristine bytes: what they show, what writes and power losses do to them, and
// that mending takes them back to the byte.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <string>

#include "sim/disk_image.h"

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

std::string drawn_bytes(Draw& draw, uint64_t count) {
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(draw.next());
  return bytes;
}

int bits_that_differ(std::string_view a, std::string_view b) {
  EXPECT_EQ(a.size(), b.size());
  int bits = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    bits += std::popcount(static_cast<uint8_t>(a[i] ^ b[i]));
  return bits;
}

TEST(DiskRot, flips_so_many_bits_and_mending_takes_them_back_to_the_byte) {
  Draw draw(1);
  DiskImage image;
  const std::string a = drawn_bytes(draw, 10'000);
  const std::string b = drawn_bytes(draw, 30'001);
  ASSERT_TRUE(image.install("tables/1", a).ok());
  ASSERT_TRUE(image.install("tables/2", b).ok());
  ASSERT_TRUE(image.install("log/1", a).ok());
  const uint64_t pristine = image.content_hash();
  EXPECT_EQ(image.rot(draw, "tables", 1'000), 1'000u);
  const int in_first = bits_that_differ(*image.contents("tables/1"), a);
  const int in_second = bits_that_differ(*image.contents("tables/2"), b);
  EXPECT_EQ(in_first + in_second, 1'000);
  EXPECT_NEAR(in_first, 250, 70) << "a bit of a file is as likely as a bit of another";
  EXPECT_EQ(*image.contents("log/1"), a);
  EXPECT_EQ(image.rot(draw, "", 500), 500u);
  EXPECT_GT(bits_that_differ(*image.contents("log/1"), a), 0);
  EXPECT_NE(image.content_hash(), pristine);
  EXPECT_GT(image.faulty_pages(), 0u);

  DiskImage copy = image;
  EXPECT_TRUE(copy.mend());
  EXPECT_FALSE(copy.mend());
  EXPECT_EQ(copy.content_hash(), pristine);
  EXPECT_EQ(*copy.contents("tables/2"), b);
  EXPECT_EQ(copy.faulty_pages(), 0u);
  EXPECT_NE(image.content_hash(), pristine) << "the copy alone was mended";
}

TEST(DiskRot, counts_what_it_flipped_when_hardly_any_bit_is_left) {
  DiskImage image;
  Draw draw(2);
  EXPECT_EQ(image.rot(draw, "", 10), 0u) << "an empty disk";
  ASSERT_TRUE(image.install("a", "x").ok());
  EXPECT_EQ(image.rot(draw, "b", 10), 0u);
  EXPECT_EQ(image.rot(draw, "a", 100), 8u);
  EXPECT_EQ((*image.contents("a"))[0], static_cast<char>(~'x'));
  EXPECT_EQ(image.rot(draw, "a", 100), 0u) << "no second flip undoes the first";
  image.mend();
  EXPECT_EQ(*image.contents("a"), "x");
}

TEST(DiskRot, strikes_durable_bytes_alone) {
  DiskImage image;
  ASSERT_TRUE(image.install("a", page_of('a') + page_of('b')).ok());
  const InodeId file = *image.find("a");
  image.write(file, kPageBytes, "unsynced");
  Draw draw(3);
  image.rot(draw, "", 200);
  const std::string seen = *image.contents("a");
  EXPECT_EQ(bits_that_differ(seen.substr(0, kPageBytes), page_of('a')), 200);
  EXPECT_EQ(seen.substr(kPageBytes, 8), "unsynced");
  EXPECT_EQ(seen.substr(kPageBytes + 8), std::string(kPageBytes - 8, 'b'));
}

TEST(DiskRot, a_write_replaces_what_it_covers_and_a_whole_page_leaves_no_fault) {
  DiskImage image;
  ASSERT_TRUE(image.install("a", page_of('a')).ok());
  const InodeId file = *image.find("a");
  Draw draw(4);
  image.rot(draw, "", 300);
  image.write(file, 0, std::string(2'000, 'n'));
  const std::string seen = *image.contents("a");
  EXPECT_EQ(seen.substr(0, 2'000), std::string(2'000, 'n'));
  EXPECT_GT(bits_that_differ(seen.substr(2'000), std::string(kPageBytes - 2'000, 'a')), 0);
  EXPECT_EQ(image.faulty_pages(), 1u);
  DiskImage mended = image;
  mended.mend();
  EXPECT_EQ(*mended.contents("a"), std::string(2'000, 'n') + std::string(kPageBytes - 2'000, 'a'));
  image.write(file, 0, page_of('w'));
  EXPECT_EQ(image.faulty_pages(), 0u);
  EXPECT_EQ(*image.contents("a"), page_of('w'));
}

TEST(DiskRot, a_misdirected_write_lands_there_and_not_where_it_should) {
  DiskImage image;
  ASSERT_TRUE(image.install("a", page_of('a') + page_of('b') + page_of('c')).ok());
  const InodeId file = *image.find("a");
  image.write_astray(file, 100, 2 * kPageBytes + 100, "astray");
  std::string expected = page_of('a') + page_of('b') + page_of('c');
  expected.replace(2 * kPageBytes + 100, 6, "astray");
  EXPECT_EQ(*image.contents("a"), expected);
  // Beyond the end: the file grows, as its reader expects, and holds nothing there.
  image.write_astray(file, 3 * kPageBytes, kPageBytes, page_of('d'));
  expected.replace(kPageBytes, kPageBytes, page_of('d'));
  EXPECT_EQ(*image.contents("a"), expected + page_of('\0'));
  EXPECT_EQ(image.used_bytes(), 4 * kPageBytes);
  image.mend();
  std::string meant = page_of('a') + page_of('b') + page_of('c') + page_of('d');
  meant.replace(100, 6, "astray");
  EXPECT_EQ(*image.contents("a"), meant);
}

TEST(DiskRot, a_fault_goes_with_a_write_that_a_power_loss_undoes_and_stays_otherwise) {
  DiskImage image;
  ASSERT_TRUE(image.install("a", page_of('a') + page_of('b')).ok());
  const InodeId file = *image.find("a");
  image.write_astray(file, 0, kPageBytes, page_of('x'));
  DiskImage kept = image;
  Draw draw(5);
  kept.power_loss(draw, kKeepAll);
  EXPECT_EQ(*kept.contents("a"), page_of('a') + page_of('x'));
  kept.mend();
  EXPECT_EQ(*kept.contents("a"), page_of('x') + page_of('b'));
  image.power_loss(draw, kDropAll);
  EXPECT_EQ(*image.contents("a"), page_of('a') + page_of('x')) << "it landed at once";
  image.mend();
  EXPECT_EQ(*image.contents("a"), page_of('a') + page_of('b'));
}

TEST(DiskRot, whatever_happens_a_mended_disk_is_one_that_never_had_a_fault) {
  for (uint64_t seed = 0; seed < 200; ++seed) {
    DiskImage faulty;
    DiskImage pristine;
    Draw draw(seed);
    const std::string start = drawn_bytes(draw, draw.below(30'000));
    ASSERT_TRUE(faulty.install("a", start).ok());
    ASSERT_TRUE(pristine.install("a", start).ok());
    const InodeId file = *faulty.find("a");
    uint64_t faults = 0;
    for (int i = 0; i < 60; ++i) {
      const uint64_t what = draw.below(12);
      const uint64_t size = faulty.size(file);
      if (what < 3) {
        faults += faulty.rot(draw, "", 1 + draw.below(5));
      } else if (what == 3) {
        const uint64_t to = draw.below(40'000);
        faulty.truncate(file, to);
        pristine.truncate(file, to);
      } else if (what == 4) {
        faulty.sync(file);
        pristine.sync(file);
      } else if (what == 5) {
        const uint64_t key = draw.next();
        Draw one(key);
        Draw two(key);
        faulty.power_loss(one);
        pristine.power_loss(two);
      } else {
        const uint64_t offset = draw.below(35'000);
        std::string bytes = drawn_bytes(draw, 1 + draw.below(9'000));
        if (draw.chance(0.2)) std::fill(bytes.begin(), bytes.end(), '\0');
        const uint64_t place = draw.below(9) * kPageBytes + offset % kPageBytes;
        pristine.write(file, offset, bytes);
        if (what < 8 && place != offset && place + bytes.size() <= size) {
          faulty.write_astray(file, offset, place, bytes);
          ++faults;
        } else {
          faulty.write(file, offset, bytes);
        }
      }
      ASSERT_EQ(faulty.size(file), pristine.size(file));
      ASSERT_EQ(faulty.used_bytes(), pristine.used_bytes());
      DiskImage mended = faulty;
      mended.mend();
      ASSERT_EQ(*mended.contents("a"), *pristine.contents("a")) << "seed " << seed << " step " << i;
      ASSERT_EQ(mended.content_hash(), pristine.content_hash());
    }
    EXPECT_GT(faults, 5u) << seed;
  }
}

TEST(DiskSync, what_a_forgotten_sync_should_have_covered_no_later_sync_covers) {
  DiskImage image;
  ASSERT_TRUE(image.install("a", page_of('a') + page_of('b') + page_of('c')).ok());
  const InodeId file = *image.find("a");
  image.write(file, 0, page_of('1'));
  image.write(file, kPageBytes, page_of('2'));
  const DiskImage::Mark mark = image.begin_sync(file);
  image.write(file, 2 * kPageBytes, page_of('3'));  // after the sync was asked for: still dirty
  image.forget_sync(file, mark);
  EXPECT_EQ(image.dirty_bytes(file), kPageBytes);
  image.write(file, 0, "again");  // dirty again, and whole
  image.sync(file);
  EXPECT_EQ(image.dirty_bytes(file), 0u);
  EXPECT_FALSE(image.durable());
  EXPECT_EQ(*image.contents("a"), "again" + page_of('1').substr(5) + page_of('2') + page_of('3'));
  Draw draw(6);
  image.power_loss(draw, kKeepAll);  // the rules would keep whatever was on its way
  EXPECT_EQ(*image.contents("a"), "again" + page_of('1').substr(5) + page_of('b') + page_of('3'));
  EXPECT_TRUE(image.durable());
}

TEST(DiskSync, a_forgotten_size_goes_back_unless_something_beyond_it_is_written_again) {
  for (const uint64_t again : {0, 1, 2}) {  // the page; 0 lies within the old size
    DiskImage image;
    ASSERT_TRUE(image.install("a", page_of('a')).ok());
    const InodeId file = *image.find("a");
    image.write(file, kPageBytes, page_of('b'));
    image.forget_sync(file, image.begin_sync(file));
    image.write(file, again * kPageBytes, page_of('c'));
    image.sync(file);
    Draw draw(7);
    image.power_loss(draw, kKeepAll);
    const std::string expected[] = {page_of('c'), page_of('a') + page_of('c'),
                                    page_of('a') + page_of('\0') + page_of('c')};
    EXPECT_EQ(*image.contents("a"), expected[again]);
  }
}

}  // namespace
}  // namespace ringside::sim
