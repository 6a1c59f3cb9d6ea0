// Tables on a disk that lies: nothing wrong is ever given out.

#include <gtest/gtest.h>

#include "runtime/bug.h"
#include "storage/test_table.h"

namespace ringside {
namespace {

const Cipher& fault_cipher() {
  static const Cipher cipher("0123456789abcdef0123456789abcdef");
  return cipher;
}

// A block each, all of the same length: misplaced bytes differ from the right ones in nothing but
// their hash.
Entries alike_entries() {
  Entries entries;
  for (int i = 1'000; i < 1'300; ++i)
    entries.push_back({std::to_string(i), std::string(4'000, 'v') + std::to_string(i), 11});
  return entries;
}

std::vector<BlockHandle> handles_of(TestHost& host, const TableDescription& table) {
  TableIndex index;
  FileCipher cipher;
  const std::string& bytes = host.disk().bytes(table_file_name("t", table.id));
  const std::string_view view = bytes;
  CHECK(decode_table_index(view.substr(table.index_offset, table.index_bytes), table.index_offset,
                           nullptr, index, cipher) == IndexVerdict::kGood);
  IndexBlock top;
  CHECK(top.parse(index.top));
  std::vector<BlockHandle> handles;
  for (uint32_t leaf = 0; leaf < top.size(); ++leaf) {
    BlockHandle handle;
    IndexBlock blocks;
    CHECK(top.handle(leaf, handle) && blocks.parse(view.substr(handle.offset, handle.bytes)));
    for (uint32_t block = 0; block < blocks.size(); ++block)
      CHECK(blocks.handle(block, handles.emplace_back()));
  }
  return handles;
}

#ifndef RINGSIDE_PLANTED

TEST(TableOnBadDisk, every_flipped_bit_is_found_or_harmless) {
  Entries entries = many_entries(60, 6);
  for (const TableOptions& options :
       {TableOptions{.block_bytes = 700}, TableOptions{.compression = Compression::kLz4},
        TableOptions{.compression = Compression::kZstd, .cipher = &fault_cipher()}}) {
    TestHost host;
    Result<TableDescription> written = host.run(write_table(host, entries, options));
    ASSERT_TRUE(written.ok());
    std::string& bytes = host.disk().bytes("t/000001");
    uint64_t refused = 0, without_filter = 0, failed = 0, harmless = 0;
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
      const auto flip = [&] {
        bytes[bit / 8] = static_cast<char>(bytes[bit / 8] ^ (1 << bit % 8));
      };
      flip();
      Result<std::shared_ptr<Table>> table =
          host.run(Table::open(host, "t", *written, options, nullptr));
      if (!table.ok()) {
        ASSERT_EQ(table.code(), Code::kCorrupt);
        ++refused;
      } else {
        without_filter += (*table)->has_filter() ? 0 : 1;
        Result<Entries> all = host.run(read_table(host, *table, "", Caching::kBypass));
        if (all.ok()) {
          ASSERT_EQ(*all, entries) << "bit " << bit;
          ++harmless;
        } else {
          ASSERT_EQ(all.code(), Code::kCorrupt);
          ++failed;
        }
        host.kill();
      }
      flip();
    }
    // Harmless are the footer, which is for tools, and the filter.
    EXPECT_EQ(refused, 8 * written->index_bytes);
    EXPECT_EQ(harmless, without_filter + 8 * kTableFooterBytes);
    EXPECT_EQ(without_filter % (8 * 64), options.cipher == nullptr ? 0u : 8 * Cipher::kTagBytes);
    EXPECT_EQ(failed + refused + harmless, 8 * bytes.size());
    EXPECT_EQ(host.probes("table.filter_lost"), without_filter);
  }
}

TEST(TableOnBadDisk, a_rotten_block_fails_its_own_reads_and_no_others) {
  const Entries entries = alike_entries();
  TestHost host;
  Result<TableDescription> written = host.run(write_table(host, entries, {}));
  const std::vector<BlockHandle> blocks = handles_of(host, *written);
  Result<std::shared_ptr<Table>> table = host.run(Table::open(host, "t", *written, {}, nullptr));
  host.disk().bytes("t/000001")[blocks[3].offset + 17] ^= 4;
  uint64_t bad = 0;
  for (const OwnedEntry& entry : entries) {
    const Result<std::optional<OwnedEntry>> got = get_from(host, **table, entry.key, 11);
    if (got.ok()) {
      ASSERT_EQ(**got, entry);
    } else {
      EXPECT_EQ(got.error().text(),
                "corrupt: t/000001 at " + std::to_string(blocks[3].offset) + ": a bad table block");
      ++bad;
    }
  }
  EXPECT_EQ(bad, 1u);
  // A cursor gives what lies before it, though it had read both in one call.
  Result<Entries> from = host.run(read_table(host, *table, "", Caching::kBypass));
  EXPECT_EQ(from.code(), Code::kCorrupt);
}

TEST(TableOnBadDisk, an_error_ahead_does_not_fail_the_block_before_it) {
  TestHost host;
  Result<TableDescription> written = host.run(write_table(host, alike_entries(), {}));
  Result<std::shared_ptr<Table>> table = host.run(Table::open(host, "t", *written, {}, nullptr));
  TableCursor cursor(host, *table, Caching::kBypass);
  host.disk().fail(DiskCall::Kind::kRead, Code::kIo, 1);  // a leaf, then the blocks
  ASSERT_TRUE(host.run(cursor.seek("")).ok());
  EXPECT_EQ(cursor.key(), "1000");
  host.disk().fail(DiskCall::Kind::kRead, Code::kIo);
  const uint64_t before = host.disk().reads;
  Result<void> done;
  while (done.ok() && cursor.valid() && host.disk().reads == before) {
    if (!cursor.step()) done = host.run(cursor.load());
  }
  EXPECT_TRUE(done.ok());
}

TEST(TableOnBadDisk, a_misdirected_write_is_found) {
  const Entries entries = alike_entries();
  TestHost host;
  Result<TableDescription> written = host.run(write_table(host, entries, {}));
  Result<std::shared_ptr<Table>> table = host.run(Table::open(host, "t", *written, {}, nullptr));
  const std::vector<BlockHandle> blocks = handles_of(host, *written);
  ASSERT_EQ(blocks.size(), entries.size());
  ASSERT_EQ(blocks[2].bytes, blocks[5].bytes);
  std::string& bytes = host.disk().bytes("t/000001");
  bytes.replace(blocks[2].offset, blocks[2].bytes, bytes, blocks[5].offset, blocks[5].bytes);
  for (const OwnedEntry& entry : entries) {
    const Result<std::optional<OwnedEntry>> got = get_from(host, **table, entry.key, 11);
    if (got.ok()) {
      ASSERT_EQ(**got, entry);
    } else {
      ASSERT_EQ(got.code(), Code::kCorrupt);
    }
  }
  EXPECT_EQ(host.probes("table.checksum_failed"), 1u);
}

TEST(TableOnBadDisk, does_not_open_without_its_index_or_its_file) {
  TestHost host;
  Result<TableDescription> written = host.run(write_table(host, alike_entries(), {}));
  std::string& bytes = host.disk().bytes("t/000001");
  const std::string good = bytes;
  bytes.resize(written->index_offset + 10);
  EXPECT_EQ(
      host.run(Table::open(host, "t", *written, {}, nullptr)).error().text(),
      "corrupt: t/000001 at " + std::to_string(written->index_offset) + ": a bad table index");
  bytes = good;
  TableDescription other = *written;
  other.entries += 1;
  EXPECT_EQ(host.run(Table::open(host, "t", other, {}, nullptr)).error().text(),
            "corrupt: t/000001 at " + std::to_string(written->index_offset) +
                ": a table index of another shape");
  other.id = 7;
  EXPECT_EQ(host.run(Table::open(host, "t", other, {}, nullptr)).error().text(),
            "corrupt: t/000007 at 0: the manifest names this table and it is not there");
}

#endif

// What misdirected reads do to the gets of a table: how many gave a wrong answer, and how many said
// that the table is bad.
struct Misread {
  uint64_t wrong = 0;
  uint64_t refused = 0;
};

Misread play_misdirected_reads() {
  const Entries entries = alike_entries();
  TestHost host;
  Result<TableDescription> written = host.run(write_table(host, entries, {}));
  Result<std::shared_ptr<Table>> table = host.run(Table::open(host, "t", *written, {}, nullptr));
  const std::vector<BlockHandle> blocks = handles_of(host, *written);
  Random random(8);
  Misread seen;
  for (int i = 0; i < 500; ++i) {
    const uint64_t asked = random.below(blocks.size());
    const uint64_t given = random.below(blocks.size());
    if (asked == given) continue;
    CHECK(blocks[asked].bytes == blocks[given].bytes);
    const OwnedEntry& entry = entries[asked];
    host.disk().misdirect_read(blocks[asked].offset, blocks[given].offset);
    const Result<std::optional<OwnedEntry>> got = get_from(host, **table, entry.key, 11);
    if (!got.ok()) {
      ++seen.refused;
    } else if (!got->has_value() || **got != entry) {
      ++seen.wrong;
    }
  }
  return seen;
}

TEST(TableOnBadDisk, a_misdirected_read_is_found) {
  const Misread seen = play_misdirected_reads();
  EXPECT_EQ(seen.wrong, 0u);
  EXPECT_GT(seen.refused, 400u);
}

#ifdef RINGSIDE_PLANTED
TEST(TableOnBadDisk, catches_a_checksum_that_does_not_hold_the_place) {
  set_planted_bugs({"table_checksum_without_place"});
  EXPECT_GT(play_misdirected_reads().wrong, 400u);
  set_planted_bugs({});
}
#endif

}  // namespace
}  // namespace ringside
