#include "storage/table.h"

#include <gtest/gtest.h>

#include <map>

#include "storage/bloom.h"
#include "storage/table_writer.h"
#include "storage/test_bytes.h"
#include "storage/test_host.h"

namespace ringside {
namespace {

using Model = std::map<std::string, std::optional<std::string>>;

// A free function: a coroutine's parameters live in its frame, a lambda's captures do not.
Task<Result<TableDescription>> write_table(Host& host, Model model) {
  Result<void> made = co_await host.disk().make_directory("t");
  CHECK(made.ok());
  TableWriter writer(host, "t", 1, 10);
  Result<void> done = co_await writer.open();
  Lsn lsn = 10;
  for (const auto& [key, value] : model) {
    writer.add(key, value.value_or(""), !value, lsn++);
    if (writer.wants_write()) done = co_await writer.write();
  }
  CHECK(done.ok());
  co_return co_await writer.finish();
}

Task<Result<Model>> read_table(Host& host, std::shared_ptr<Table> table, std::string begin) {
  Model model;
  TableCursor cursor(host, table);
  Result<void> done = co_await cursor.seek(begin);
  while (done.ok() && cursor.valid()) {
    std::optional<std::string>& value = model[std::string(cursor.entry().key())];
    if (!cursor.entry().removed()) value = std::string(cursor.entry().value());
    if (!cursor.step()) done = co_await cursor.load();
  }
  if (!done.ok()) co_return done.error();
  co_return model;
}

Model many(int count) {
  Model model;
  Random random(9);
  for (int i = 0; i < count; ++i) {
    std::optional<std::string>& value = model["user/" + std::to_string(random.below(1'000'000))];
    if (!random.chance(0.1)) value = std::string(random.below(200), 'v');
  }
  return model;
}

TEST(Table, has_the_bytes_of_version_1) {
  TestHost host;
  Result<TableDescription> written =
      host.run(write_table(host, {{"apple", "red"}, {"apricot", std::nullopt}, {"pear", ""}}));
  ASSERT_TRUE(written.ok());
  const std::string& bytes = host.disk().bytes("t/000001");
  EXPECT_EQ(bytes.size(), written->file_bytes);
  EXPECT_EQ(hex(bytes.substr(0, 37)),
            "00050600"
            "6170706c65"
            "726564"  // apple = red
            "02050101"
            "7269636f74"  // apricot is removed; it shares "ap"
            "00040002"
            "70656172"  // pear = nothing
            "00000000"
            "01000000");  // one restart
  EXPECT_EQ(hash_bytes(bytes), 1401534658206739646u) << "filter, index and footer";
  EXPECT_EQ(hex(bytes.substr(bytes.size() - 32, 8)), "5253544201000000");
}

TEST(Table, gives_back_every_entry_in_order_from_any_place) {
  TestHost host;
  const Model model = many(5'000);
  Result<TableDescription> written = host.run(write_table(host, model));
  ASSERT_TRUE(written.ok());
  EXPECT_EQ(written->entries, model.size());
  Result<std::shared_ptr<Table>> table = host.run(Table::open(host, "t", *written));
  ASSERT_TRUE(table.ok());
  EXPECT_GT((*table)->index().blocks.size(), 100u);
  Result<Model> all = host.run(read_table(host, *table, ""));
  ASSERT_TRUE(all.ok());
  EXPECT_EQ(*all, model);
  for (const char* begin : {"user/5", "user/500000x", "a", "zebra"}) {
    Result<Model> some = host.run(read_table(host, *table, begin));
    ASSERT_TRUE(some.ok());
    EXPECT_EQ(*some, Model(model.lower_bound(begin), model.end()));
  }
}

TEST(Table, the_filter_passes_every_key_and_few_others) {
  TestHost host;
  const Model model = many(5'000);
  Result<TableDescription> written = host.run(write_table(host, model));
  Result<std::shared_ptr<Table>> table = host.run(Table::open(host, "t", *written));
  for (const auto& [key, value] : model) ASSERT_TRUE((*table)->block_for(key, hash_bytes(key)));
  int passed = 0;
  for (int i = 0; i < 10'000; ++i) {
    const std::string key = "user/5other" + std::to_string(i);
    passed += (*table)->block_for(key, hash_bytes(key)) ? 1 : 0;
  }
  EXPECT_LT(passed, 250);
}

TEST(Table, a_rotten_byte_fails_the_reads_of_its_block_and_no_others) {
  TestHost host;
  const Model model = many(5'000);
  Result<TableDescription> written = host.run(write_table(host, model));
  Result<std::shared_ptr<Table>> table = host.run(Table::open(host, "t", *written));
  const TableBlock& hit = (*table)->index().blocks[3];
  host.disk().bytes("t/000001")[hit.offset + 17] ^= 4;
  Result<Buffer> bad = host.run((*table)->read_block(host, 3));
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().text(),
            "corrupt: t/000001 at " + std::to_string(hit.offset) + ": a bad table block");
  EXPECT_TRUE(host.run((*table)->read_block(host, 2)).ok());
  EXPECT_TRUE(host.run((*table)->read_block(host, 4)).ok());
}

TEST(Table, rot_in_index_or_filter_is_found_when_it_opens) {
  TestHost host;
  Result<TableDescription> written = host.run(write_table(host, many(500)));
  std::string& bytes = host.disk().bytes("t/000001");
  for (const uint64_t offset : {written->index_offset + 5, written->index_offset - 5}) {
    bytes[offset] ^= 1;
    Result<std::shared_ptr<Table>> table = host.run(Table::open(host, "t", *written));
    ASSERT_FALSE(table.ok());
    EXPECT_EQ(table.code(), Code::kCorrupt);
    bytes[offset] ^= 1;
    host.kill();
  }
}

TEST(BlockCursor, survives_any_bytes) {
  Random random(3);
  BlockBuilder builder;
  for (int i = 100; i < 200; ++i) builder.add("key" + std::to_string(i), "value", i % 7 == 0, 1);
  std::string good;
  builder.finish(good);
  int corrupt = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes = good;
    for (uint64_t n = 1 + random.below(3); n > 0; --n)
      bytes[random.below(bytes.size())] = static_cast<char>(random.next());
    if (random.chance(0.1)) bytes.resize(random.below(bytes.size()));
    BlockCursor cursor(bytes);
    cursor.seek("key150");
    for (int steps = 0; cursor.valid() && steps < 1'000; ++steps) cursor.next();
    corrupt += cursor.corrupt() ? 1 : 0;
  }
  EXPECT_GT(corrupt, 1'000);
}

}  // namespace
}  // namespace ringside
