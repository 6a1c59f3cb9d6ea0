#include "storage/range_stream.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "runtime/random.h"
#include "storage/format.h"
#include "storage/test_bytes.h"

namespace ringside {
namespace {

struct Sent {
  std::string value;
  int64_t expires = 0;
  friend bool operator==(const Sent&, const Sent&) = default;
};
using Rows = std::map<std::string, Sent>;

std::vector<std::string> chunks_of(const KeyRange& range, const Rows& rows) {
  RangeChunkWriter writer(range);
  std::vector<std::string> chunks;
  for (const auto& [key, sent] : rows) {
    writer.add({key, sent.value, sent.expires});
    if (writer.full()) chunks.push_back(writer.take(false));
  }
  chunks.push_back(writer.take(true));
  EXPECT_EQ(writer.entries(), rows.size());
  return chunks;
}

Result<Rows> rows_of(const KeyRange& range, const std::vector<std::string>& chunks) {
  RangeChunkReader reader(range);
  Rows rows;
  for (const std::string& chunk : chunks) {
    const Result<void> good = reader.open(chunk);
    if (!good.ok()) {
      EXPECT_FALSE(reader.finish().ok());
      EXPECT_FALSE(reader.open(chunk).ok());
      return good.error();
    }
    for (RangeEntry entry; reader.next(entry);)
      rows[std::string(entry.key)] = {std::string(entry.value), entry.expires};
  }
  const Result<void> finished = reader.finish();
  if (!finished.ok()) return finished.error();
  EXPECT_EQ(reader.entries(), rows.size());
  return rows;
}

std::string refusal(const KeyRange& range, const std::vector<std::string>& chunks) {
  const Result<Rows> rows = rows_of(range, chunks);
  return rows.ok() ? "none" : rows.error().text();
}

Rows many_rows(std::size_t count, uint64_t seed) {
  Random random(seed);
  Rows rows;
  while (rows.size() < count) {
    std::string key = "k" + std::to_string(random.next());
    const uint64_t bytes = random.below(200);
    const bool expires = random.chance(0.3);
    rows[key] = {std::string(bytes, 'v'), expires ? static_cast<int64_t>(random.next() >> 1) : 0};
  }
  return rows;
}

// A chunk with its checksum made right again.
std::string forged(std::string chunk) {
  store(chunk.data() + 8,
        hash_bytes(std::string_view(chunk).substr(16), load<uint64_t>(chunk.data())));
  return chunk;
}

TEST(RangeStream, a_chunk_has_the_bytes_of_version_1) {
  const std::vector<std::string> chunks =
      chunks_of({"a", "b"}, {{"apple", {"red", 300}}, {"apricot", {""}}});
  ASSERT_EQ(chunks.size(), 1u);
  EXPECT_EQ(hex(chunks[0]),
            "5253524301000100"          // magic, version 1, last
            "e407c6b01eed389b"          // checksum
            "0000000000000000"          // sequence
            "376385a53b9a7845"          // link: of the range
            "0200000000000000"          // entries
            "056170706c65ac0203726564"  // apple until 300 = red
            "0761707269636f740000");    // apricot = nothing
}

TEST(RangeStream, what_goes_in_comes_out_over_many_chunks) {
  const Rows rows = many_rows(20'000, 1);
  const std::vector<std::string> chunks = chunks_of({"k", "l"}, rows);
  EXPECT_GT(chunks.size(), 5u);
  for (const std::string& chunk : chunks) EXPECT_LE(chunk.size(), kRangeChunkBytes + 300);
  const Result<Rows> back = rows_of({"k", "l"}, chunks);
  ASSERT_TRUE(back.ok()) << back.error().text();
  EXPECT_EQ(*back, rows);
}

TEST(RangeStream, an_empty_range_is_one_last_chunk_and_a_large_value_is_a_chunk_of_its_own) {
  EXPECT_EQ(chunks_of({}, {}).size(), 1u);
  EXPECT_EQ(rows_of({}, chunks_of({}, {}))->size(), 0u);
  const Rows large = {{"", {std::string(3u << 20, 'x')}}, {"b", {"y"}}};
  const std::vector<std::string> chunks = chunks_of({}, large);
  EXPECT_EQ(chunks.size(), 2u);
  EXPECT_EQ(*rows_of({}, chunks), large);
}

TEST(RangeStream, chunks_that_are_missing_twice_there_swapped_or_of_another_stream_do_not_fit) {
  const KeyRange range{"k", "l"};
  const std::vector<std::string> good = chunks_of(range, many_rows(8'000, 1));
  const std::vector<std::string> other = chunks_of(range, many_rows(8'000, 2));
  ASSERT_GE(good.size(), 4u);
  std::vector<std::string> chunks = good;
  chunks.pop_back();
  EXPECT_EQ(refusal(range, chunks), "corrupt: range stream, chunk " +
                                        std::to_string(chunks.size()) + " at 0: it never came");
  chunks = good;
  chunks.erase(chunks.begin() + 1);
  EXPECT_EQ(refusal(range, chunks), "corrupt: range stream, chunk 1 at 16: this is chunk 2");
  chunks = good;
  chunks.insert(chunks.begin() + 1, chunks[0]);
  EXPECT_EQ(refusal(range, chunks), "corrupt: range stream, chunk 1 at 16: this is chunk 0");
  chunks = good;
  std::swap(chunks[1], chunks[2]);
  EXPECT_EQ(refusal(range, chunks), "corrupt: range stream, chunk 1 at 16: this is chunk 2");
  chunks = good;
  chunks[1] = other[1];
  EXPECT_EQ(refusal(range, chunks),
            "corrupt: range stream, chunk 1 at 24: does not follow the chunk before it");
  chunks = good;
  chunks.push_back(good.back());
  EXPECT_EQ(refusal(range, chunks), "corrupt: range stream, chunk " + std::to_string(good.size()) +
                                        " at 0: a chunk after the last one");
  EXPECT_EQ(refusal({"k", "m"}, good), "corrupt: range stream, chunk 0 at 24: of another range");
}

TEST(RangeStream, what_no_writer_writes_is_refused_with_the_place_even_under_a_good_checksum) {
  const KeyRange range{"a", "c"};
  const std::string good = chunks_of(range, {{"aa", {"1"}}, {"ab", {"2"}}})[0];
  const auto changed = [&](std::size_t at, char byte) {
    std::string chunk = good;
    chunk[at] = byte;
    return refusal(range, {forged(chunk)});
  };
  EXPECT_EQ(refusal(range, {good}), "none");
  EXPECT_EQ(changed(0, 'X'), "corrupt: range stream, chunk 0 at 0: not a chunk of a range");
  EXPECT_EQ(changed(4, 2), "corrupt: range stream, chunk 0 at 4: version 2 is not known");
  EXPECT_EQ(changed(6, 3), "corrupt: range stream, chunk 0 at 6: unknown flags");
  EXPECT_EQ(changed(32, 3), "corrupt: range stream, chunk 0 at 32: 2 entries came, and not 3");
  EXPECT_EQ(changed(41, 'c'), "corrupt: range stream, chunk 0 at 40: a key outside of the range");
  EXPECT_EQ(changed(48, 'a'), "corrupt: range stream, chunk 0 at 46: keys out of order");
  EXPECT_EQ(changed(48, 'A'), "corrupt: range stream, chunk 0 at 46: keys out of order");
  EXPECT_EQ(changed(46, 100), "corrupt: range stream, chunk 0 at 46: a malformed entry");
  EXPECT_EQ(refusal(range, {""}), "corrupt: range stream, chunk 0 at 0: cut short at 0 bytes");

  // Order holds across chunks.
  RangeChunkWriter writer(range);
  writer.add({"ab", "1", 0});
  const std::string first = writer.take(false);
  writer.add({"ac", "2", 0});
  std::string second = writer.take(true);
  EXPECT_EQ(refusal(range, {first, second}), "none");
  second[42] = 'b';
  EXPECT_EQ(refusal(range, {first, forged(second)}),
            "corrupt: range stream, chunk 1 at 40: keys out of order");
  // An expiry beyond what a clock can show.
  std::string beyond = good.substr(0, kRangeChunkHeaderBytes);
  append_bytes(beyond, "aa");
  append_varint(beyond, uint64_t{1} << 63);
  append_bytes(beyond, "1");
  EXPECT_EQ(refusal(range, {forged(beyond)}),
            "corrupt: range stream, chunk 0 at 40: a malformed entry");
}

TEST(RangeStream, no_flipped_bit_and_no_cut_goes_unnoticed) {
  const KeyRange range{"", "z"};
  const std::string good = chunks_of(range, {{"apple", {"red", 5}}, {"pear", {"green"}}})[0];
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    std::string bad = good;
    bad[bit / 8] ^= static_cast<char>(1 << bit % 8);
    EXPECT_NE(refusal(range, {bad}), "none") << "bit " << bit;
  }
  for (std::size_t size = 0; size < good.size(); ++size)
    EXPECT_NE(refusal(range, {good.substr(0, size)}), "none");
  EXPECT_NE(refusal(range, {good + '\0'}), "none");
}

TEST(RangeStream, a_reader_stays_within_hostile_bytes) {
  const KeyRange range{};
  const std::string good = chunks_of(range, many_rows(50, 4))[0];
  Random random(5);
  int taken = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bad = good;
    const uint64_t size = kRangeChunkHeaderBytes + random.below(good.size());
    bad.resize(std::min<std::size_t>(size, bad.size()));
    for (uint64_t changes = 1 + random.below(4); changes > 0; --changes) {
      const uint64_t at = random.below(bad.size() - 32) + 32;
      bad[at] = static_cast<char>(random.next());
    }
    if (refusal(range, {forged(bad)}) == "none") ++taken;
  }
  EXPECT_LT(taken, 20'000);  // a byte of a value may change: the checksum was made right again
}

}  // namespace
}  // namespace ringside
