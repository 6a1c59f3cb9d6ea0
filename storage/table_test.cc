#include "storage/table.h"

#include <gtest/gtest.h>

#include <optional>

#include "storage/bloom.h"
#include "storage/test_table.h"

namespace ringside {
namespace {

const Cipher& test_cipher() {
  static const Cipher cipher("0123456789abcdef0123456789abcdef");
  return cipher;
}

struct Shape {
  const char* name;
  TableOptions options;
};

std::vector<Shape> shapes() {
  return {{"plain", {}},
          {"lz4", {.compression = Compression::kLz4}},
          {"zstd", {.compression = Compression::kZstd}},
          {"sealed", {.cipher = &test_cipher()}},
          {"sealed zstd", {.compression = Compression::kZstd, .cipher = &test_cipher()}},
          {"small blocks, no filter", {.block_bytes = 100, .filter_bits_per_key = 0}}};
}

std::shared_ptr<Table> open_table(TestHost& host, const TableDescription& description,
                                  const TableOptions& options, BlockCache* cache) {
  Result<std::shared_ptr<Table>> table =
      host.run(Table::open(host, "t", description, options, cache));
  EXPECT_TRUE(table.ok()) << (table.ok() ? "" : table.error().text());
  return table.ok() ? *table : nullptr;
}

TEST(Table, gives_back_every_version_in_order_from_any_place) {
  const Entries entries = many_entries(5'000, 1);
  for (const auto& [name, options] : shapes()) {
    TestHost host;
    Result<TableDescription> written = host.run(write_table(host, entries, options));
    ASSERT_TRUE(written.ok()) << name;
    BlockCache cache(1u << 20);
    const std::shared_ptr<Table> table = open_table(host, *written, options, &cache);
    for (const Caching caching : {Caching::kFill, Caching::kBypass}) {
      Result<Entries> all = host.run(read_table(host, table, "", caching));
      ASSERT_TRUE(all.ok()) << name;
      EXPECT_EQ(*all, entries) << name;
      for (const std::string& begin :
           {std::string("user/5"), std::string("user/500000x"), std::string("a"),
            std::string("zebra"), entries[777].key, entries[777].key + '\0', entries.back().key}) {
        Result<Entries> some = host.run(read_table(host, table, begin, caching));
        ASSERT_TRUE(some.ok()) << name;
        const auto first = std::find_if(entries.begin(), entries.end(),
                                        [&](const auto& entry) { return entry.key >= begin; });
        EXPECT_EQ(*some, Entries(first, entries.end())) << name << " from " << begin;
      }
    }
  }
}

TEST(Table, gets_the_newest_version_at_or_below) {
  const Entries entries = many_entries(2'000, 2);
  for (const auto& [name, options] : shapes()) {
    TestHost host;
    Result<TableDescription> written = host.run(write_table(host, entries, options));
    BlockCache cache(64u << 20);
    const std::shared_ptr<Table> table = open_table(host, *written, options, &cache);
    const std::shared_ptr<Table> uncached =
        open_table(host, *host.run(write_table(host, entries, options, 2)), options, nullptr);
    Random random(3);
    int found = 0, on_disk = 0;
    for (int i = 0; i < 6'000; ++i) {
      const OwnedEntry& near = entries[random.below(entries.size())];
      const std::string key = random.chance(0.1) ? near.key + "0" : near.key;
      const Lsn at = random.chance(0.5) ? ~Lsn{0} : near.lsn - 1 + random.below(3);
      const OwnedEntry* expected = newest_at(entries, key, at);
      const uint64_t hash = hash_bytes(key);
      StoredEntry entry;
      const Table::Answer answer = table->lookup(key, hash, at, entry);
      const Result<std::optional<OwnedEntry>> got = get_from(host, *table, key, at);
      ASSERT_TRUE(got.ok()) << name;
      ASSERT_EQ(got->has_value(), expected != nullptr) << name << " " << key;
      if (expected != nullptr) {
        ASSERT_EQ(**got, *expected) << name;
      }
      on_disk += answer == Table::Answer::kNeedsDisk ? 1 : 0;
      if (answer == Table::Answer::kFound) {
        ++found;
        ASSERT_TRUE(table->lookup(key, hash, at, entry) == Table::Answer::kFound);
        ASSERT_EQ(owned(entry, key), *expected) << name;
      } else if (answer == Table::Answer::kAbsent) {
        ASSERT_EQ(expected, nullptr) << name;
      }
      ASSERT_TRUE(table->lookup(key, hash, at, entry) != Table::Answer::kNeedsDisk) << name;
      if (i % 10 != 0) continue;
      const Result<std::optional<OwnedEntry>> same = get_from(host, *uncached, key, at);
      ASSERT_TRUE(same.ok() && *same == *got) << name;
      ASSERT_TRUE(uncached->lookup(key, hash, at, entry) != Table::Answer::kFound) << name;
    }
    EXPECT_GT(found, 2'000) << name;
    EXPECT_GT(on_disk, 10) << name;
  }
}

// A key with more versions than a block holds, or a leaf.
TEST(Table, follows_the_versions_of_a_key_over_blocks_and_leaves) {
  Entries entries = {{"a", "first", 20}};
  for (Lsn lsn = 3'000; lsn > 1'000; --lsn) entries.push_back({"hot", std::string(40, 'v'), lsn});
  entries.push_back({"zebra", "last", 20});
  const TableOptions options{.block_bytes = 100};
  TestHost host;
  Result<TableDescription> written = host.run(write_table(host, entries, options));
  BlockCache cache(64u << 20);
  const std::shared_ptr<Table> table = open_table(host, *written, options, &cache);
  for (const Lsn at : {5'000, 3'000, 2'999, 2'000, 1'500, 1'001}) {
    const Result<std::optional<OwnedEntry>> got = get_from(host, *table, "hot", at);
    ASSERT_TRUE(got.ok() && got->has_value()) << at;
    EXPECT_EQ((*got)->lsn, std::min<Lsn>(at, 3'000));
    StoredEntry entry;
    ASSERT_TRUE(table->lookup("hot", hash_bytes("hot"), at, entry) == Table::Answer::kFound);
    EXPECT_EQ(entry.lsn, std::min<Lsn>(at, 3'000));
  }
  EXPECT_FALSE(get_from(host, *table, "hot", 1'000)->has_value());
  EXPECT_TRUE(get_from(host, *table, "zebra", 20)->has_value());
  Result<Entries> rest = host.run(read_table(host, table, "hot", Caching::kFill));
  EXPECT_EQ(rest->size(), 2'001u);
}

TEST(Table, holds_values_of_any_size) {
  Entries entries;
  for (int i = 0; i < 40; ++i) {
    const std::size_t size = i % 10 == 3 ? 300'000 + i : i % 7 == 1 ? 0 : 50 * i;
    entries.push_back(
        {"key" + std::to_string(100 + i), std::string(size, static_cast<char>(i)), 11});
  }
  entries.push_back({"last", std::string(kCompressedTextMax + 1, 'x'), 11});
  for (const auto& [name, options] : shapes()) {
    TestHost host;
    Result<TableDescription> written = host.run(write_table(host, entries, options));
    const std::shared_ptr<Table> table = open_table(host, *written, options, nullptr);
    for (const Caching caching : {Caching::kFill, Caching::kBypass}) {
      Result<Entries> all = host.run(read_table(host, table, "", caching));
      ASSERT_TRUE(all.ok()) << name;
      EXPECT_TRUE(*all == entries) << name;
    }
    for (const OwnedEntry& entry : entries)
      EXPECT_TRUE(**get_from(host, *table, entry.key, 11) == entry) << name;
  }
}

TEST(Table, is_described_by_what_was_added) {
  const Entries entries = {
      {"a", "12", 15}, {"a", "", 12, true}, {"b", "3", 30, false, 900}, {"c", "", 11, false, 800}};
  TestHost host;
  Result<TableDescription> written = host.run(write_table(host, entries, {}));
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(written->entries, 4u);
  EXPECT_EQ(written->removes, 1u);
  EXPECT_EQ(written->data_bytes, 7u);
  EXPECT_EQ(written->first_lsn, kTestFirstLsn);
  EXPECT_EQ(written->last_lsn, 30u);
  EXPECT_EQ(written->first_expiry, 800);
  EXPECT_EQ(written->smallest, "a");
  EXPECT_EQ(written->largest, "c");
  EXPECT_EQ(written->file_bytes, host.disk().bytes("t/000001").size());
  std::string encoded;
  append_table_description(encoded, *written);
  std::string_view in = encoded;
  TableDescription again;
  ASSERT_TRUE(take_table_description(in, again));
  EXPECT_TRUE(in.empty());
  EXPECT_EQ(again, *written);
  for (std::size_t size = 0; size < encoded.size(); ++size) {
    in = std::string_view(encoded).substr(0, size);
    EXPECT_FALSE(take_table_description(in, again));
  }
}

TEST(Table, compresses_what_shrinks_and_leaves_the_rest) {
  Random random(7);
  Entries text, noise;
  for (int i = 1'000; i < 4'000; ++i) {
    std::string bytes(100, 0);
    for (char& byte : bytes) byte = static_cast<char>(random.next());
    noise.push_back({std::to_string(i), bytes, 11});
    text.push_back(
        {std::to_string(i), "the same sentence over and over, " + std::to_string(i), 11});
  }
  const auto file_bytes = [](const Entries& entries, Compression compression) {
    TestHost host;
    return host.run(write_table(host, entries, {.compression = compression}))->file_bytes;
  };
  const uint64_t plain = file_bytes(text, Compression::kNone);
  const uint64_t lz4 = file_bytes(text, Compression::kLz4);
  const uint64_t zstd = file_bytes(text, Compression::kZstd);
  EXPECT_LT(lz4, plain / 2);
  EXPECT_LT(zstd, lz4);
  const uint64_t raw = file_bytes(noise, Compression::kNone);
  EXPECT_EQ(file_bytes(noise, Compression::kLz4), raw);
  EXPECT_EQ(file_bytes(noise, Compression::kZstd), raw);
}

TEST(Table, nothing_readable_is_left_of_a_sealed_table) {
  Entries entries;
  for (int i = 1'000; i < 3'000; ++i)
    entries.push_back({"secret" + std::to_string(i), "payload", 11});
  const TableOptions options{.cipher = &test_cipher()};
  TestHost host;
  Result<TableDescription> written = host.run(write_table(host, entries, options));
  const std::string& bytes = host.disk().bytes("t/000001");
  EXPECT_EQ(bytes.find("secret"), std::string::npos);
  EXPECT_EQ(bytes.find("payload"), std::string::npos);
  // The same table again has another salt, so every byte of it differs, somewhere.
  Result<TableDescription> again = host.run(write_table(host, entries, options, 2));
  EXPECT_NE(host.disk().bytes("t/000002").substr(0, 4096), bytes.substr(0, 4096));

  EXPECT_EQ(host.run(Table::open(host, "t", *written, {}, nullptr)).error().text(),
            "invalid: t/000001: it is sealed, and no key was given");
  const Cipher other("another key, of thirty-two bytes");
  EXPECT_EQ(host.run(Table::open(host, "t", *written, {.cipher = &other}, nullptr)).error().text(),
            "corrupt: t/000001 at " + std::to_string(written->index_offset) +
                ": a table index that the engine's key does not open");
  EXPECT_NE(open_table(host, *written, options, nullptr), nullptr) << "a failed opening is closed";
}

// An engine that was given a key later still reads what it wrote before.
TEST(Table, a_key_does_not_hinder_a_table_that_is_not_sealed) {
  const Entries entries = many_entries(100, 4);
  TestHost host;
  Result<TableDescription> written = host.run(write_table(host, entries, {}));
  const std::shared_ptr<Table> table =
      open_table(host, *written, {.cipher = &test_cipher()}, nullptr);
  EXPECT_FALSE(table->sealed());
  EXPECT_EQ(*host.run(read_table(host, table, "", Caching::kFill)), entries);
}

TEST(TableCursor, reads_ahead_as_it_goes_on) {
  Entries entries;
  for (int i = 10'000; i < 30'000; ++i)
    entries.push_back({std::to_string(i), std::string(100, 'v'), 11});
  TestHost host;
  Result<TableDescription> written = host.run(write_table(host, entries, {}));
  const uint64_t blocks = written->file_bytes / 4096;
  const std::shared_ptr<Table> table = open_table(host, *written, {}, nullptr);
  const auto reads = [&](Caching caching) {
    const uint64_t before = host.disk().reads;
    EXPECT_EQ(host.run(read_table(host, table, "", caching))->size(), entries.size());
    return host.disk().reads - before;
  };
  EXPECT_GT(blocks, 500u);
  EXPECT_LT(reads(Caching::kBypass), blocks / 25);
  EXPECT_LT(reads(Caching::kFill), blocks / 8);

  const uint64_t before = host.disk().reads;
  TableCursor cursor(host, table, Caching::kFill);
  ASSERT_TRUE(host.run(cursor.seek("20000")).ok());
  EXPECT_EQ(host.disk().reads - before, 2u) << "a leaf and one block";
}

TEST(TableCursor, a_bypassing_one_leaves_the_cache_alone) {
  const Entries entries = many_entries(3'000, 5);
  TestHost host;
  Result<TableDescription> written = host.run(write_table(host, entries, {}));
  BlockCache cache(1u << 20);
  const std::shared_ptr<Table> table = open_table(host, *written, {}, &cache);
  EXPECT_EQ(*host.run(read_table(host, table, "", Caching::kBypass)), entries);
  EXPECT_EQ(cache.bytes(), 0u);
  EXPECT_EQ(cache.stats().hits + cache.stats().misses, 0u);
  EXPECT_EQ(*host.run(read_table(host, table, "", Caching::kFill)), entries);
  EXPECT_GT(cache.bytes(), 200'000u);
  const uint64_t before = host.disk().reads;
  EXPECT_EQ(*host.run(read_table(host, table, "", Caching::kFill)), entries);
  EXPECT_EQ(*host.run(read_table(host, table, "", Caching::kBypass)), entries);
  EXPECT_EQ(host.disk().reads, before) << "both read from the cache";
}

}  // namespace
}  // namespace ringside
