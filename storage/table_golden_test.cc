// The bytes of small tables, version 2.

#include <gtest/gtest.h>

#include "storage/test_bytes.h"
#include "storage/test_table.h"

namespace ringside {
namespace {

const Cipher& golden_cipher() {
  static const Cipher cipher("0123456789abcdef0123456789abcdef");
  return cipher;
}

Entries golden_entries() {
  Entries entries = {{"apple", "red", 12},
                     {"apple", "green", 11},
                     {"apricot", "", 13, true},
                     {"banana", "yellow", 14, false, 1'000'000'000}};
  for (int i = 100; i < 120; ++i)
    entries.push_back({"cherry " + std::to_string(i), "one of many cherries", 15});
  return entries;
}

std::string file_of(const TableOptions& options, TableDescription& table) {
  TestHost host;
  Result<TableDescription> written = host.run(write_table(host, golden_entries(), options));
  CHECK(written.ok());
  table = *written;
  return host.disk().bytes("t/000001");
}

TEST(TableGolden, plain) {
  TableDescription table;
  const std::string file = file_of({.block_bytes = 300}, table);
  EXPECT_EQ(hex(file.substr(0, 61)), "");
  EXPECT_EQ(hex(file.substr(table.index_offset)), "");
  EXPECT_EQ(hash_bytes(file), 0u);
}

// The compressors' output is theirs: another release of one may choose other bytes, which this
// release reads as well. So here is what must be read, and separately what is written today.
TEST(TableGolden, lz4) {
  TableDescription table;
  const std::string file = file_of({.compression = Compression::kLz4}, table);
  EXPECT_EQ(hex(file), "");
}

TEST(TableGolden, zstd) {
  TableDescription table;
  const std::string file = file_of({.compression = Compression::kZstd}, table);
  EXPECT_EQ(hex(file), "");
}

TEST(TableGolden, sealed) {
  TableDescription table;
  const std::string file = file_of({.cipher = &golden_cipher()}, table);
  EXPECT_EQ(hash_bytes(file), 0u);
  EXPECT_EQ(hex(file.substr(table.index_offset, 17)), "");
}

}  // namespace
}  // namespace ringside
