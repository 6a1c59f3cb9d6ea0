// The bytes of small tables, version 2. The compressors' choices are theirs: another release of one
// may write other bytes. Those here must be readable for ever.

#include <gtest/gtest.h>

#include "storage/format.h"
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
  for (int i = 100; i < 106; ++i)
    entries.push_back({"cherry " + std::to_string(i), "one of many cherries", 15});
  return entries;
}

// Writes the table and expects these bytes; then reads these.
void expect_golden(const TableOptions& options, std::string_view golden_hex) {
  const std::string golden = from_hex(golden_hex);
  TestHost host;
  Result<TableDescription> table = host.run(write_table(host, golden_entries(), options));
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(hex(host.disk().bytes("t/000001")), golden_hex);
  ASSERT_GT(golden.size(), kTableFooterBytes);
  host.disk().bytes("t/000001") = golden;
  const char* footer = golden.data() + golden.size() - kTableFooterBytes;
  EXPECT_EQ(load<uint32_t>(footer), kTableMagic);
  EXPECT_EQ(load<uint32_t>(footer + 4), kTableVersion);
  table->file_bytes = golden.size();
  table->index_offset = load<uint64_t>(footer + 8);
  table->index_bytes = load<uint64_t>(footer + 16);
  table->index_checksum = load<uint64_t>(footer + 24);
  Result<std::shared_ptr<Table>> opened =
      host.run(Table::open(host, "t", *table, options, nullptr));
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  EXPECT_EQ((*opened)->compression(), options.compression);
  Result<Entries> read = host.run(read_table(host, *opened, "", Caching::kFill));
  ASSERT_TRUE(read.ok()) << read.error().text();
  EXPECT_EQ(*read, golden_entries());
}

TEST(TableGolden, plain) {
  expect_golden({.block_bytes = 150},
                "00050c026170706c6572656405001401677265656e020501037269636f7400061a0400ca9a3b0000"
                "000062616e616e6179656c6c6f77000a5005636865727279203130306f6e65206f66206d616e7920"
                "636865727269657309015005316f6e65206f66206d616e7920636865727269657300000000010000"
                "00000a5005636865727279203130326f6e65206f66206d616e792063686572726965730901500533"
                "6f6e65206f66206d616e7920636865727269657309015005346f6e65206f66206d616e7920636865"
                "727269657309015005356f6e65206f66206d616e7920636865727269657300000000010000000200"
                "00000900000063686572727920313000000000000000310000000000000035000000000c00000001"
                "00e40338e374e4c70e40fd0179d403969a78a622ebcc2a0008080200510010001040448a08810000"
                "00220890000000802204000010210800000008480100080000003882000088040000100020080010"
                "00000020004001000a01d9010a0f8094ebdc03056170706c650a6368657272792031303500ee0106"
                "af0280020612bfa13f576ad4010000000a0000006368657272792031303500000000000000000000"
                "000000ee018402acc081c4ac322dff52535442020000006f01000000000000580000000000000094"
                "f547403d6d1c88");
}
TEST(TableGolden, lz4) {
  expect_golden({.compression = Compression::kLz4},
                "f14100050c026170706c6572656405001401677265656e020501037269636f7400061a0400ca9a3b"
                "0000000062616e616e6179656c6c6f77000a5005636865727279203130306f6e65206f66206d616e"
                "792016008f69657309015005311900051f321900051f331900051f341900051f3519000180000000"
                "0001000000010000000a000000636865727279203130350000000000000000000000000000f503dd"
                "012b48904aa60957d60008080200510010001040448a088100000022089000000080220400001021"
                "080000000848010008000000388200008804000010002008001000000020004001000a01d9010a0f"
                "8094ebdc03056170706c650a63686572727920313035017d06a90180020612bfa13f576ad4010000"
                "000a00000063686572727920313035000000000000000000000000007db0010345cd35183bf2d652"
                "53544202000000e9000000000000005600000000000000737ac3311709cd87");
}
TEST(TableGolden, zstd) {
  expect_golden({.compression = Compression::kZstd},
                "28b52ffd20dd9d030042061821902b1dffffb3ffe3ae90e4647265023595c0945d63ef6f3c78bd74"
                "9c829add3205b6cfb6178a04a241e7069343aa694ad483a92b639846b5dd471e7408aeb0b5de5253"
                "b361db0ccbc58183c014f6400b384cfa2fe40c46c7f72b8a3215d00106008016001e001900054fc0"
                "500af30c010000000a000000636865727279203130350000000000000000000000000000f203dd01"
                "7c460d695bdc637b0008080200510010001040448a08810000002208900000008022040000102108"
                "0000000848010008000000388200008804000010002008001000000020004001000a01d9010a0f80"
                "94ebdc03056170706c650a63686572727920313035027c06a80180020612bfa13f576ad401000000"
                "0a00000063686572727920313035000000000000000000000000007cb001a327571ca175fe675253"
                "544202000000e800000000000000560000000000000020433615ed3bdb8d");
}
TEST(TableGolden, sealed) {
  expect_golden({.cipher = &golden_cipher()},
                "7516b7d0f1ad7c851bb65c792b00e823d97f8e8e0851ca913ff022d939e7650e1f1788249fbcd093"
                "f2d6df83d1242d75da7b15a7410f5318f05c32a1fc9b057d803936254a0af41aa8d09b4ebaf25edb"
                "d983b9f4d9ce83532bcd2fa9cfaf7ec5242ddea728349603586d8c1c556c7825e0af0a126bcb39fb"
                "145d3208d51fc05a7697300fcc56a4f651ef5deb57aa0d44d18dcfbc85b9e6149ccee8deee4f047c"
                "66335eb35f2342a9421acc83419e37a47e400dfd4b6e773ed1b8f51ec11c5c98f1eb03c9511dad67"
                "7bcce8e76bfe739a00a48f71b8506d2396ef9a62f1f1912f6434c6979fe8740310c7cd1577c99cf6"
                "5a40451dce8ad35e827f32d5fa3b016c3149a4f1955b5cecd1fd22845c72c831e30cf17431af2dcc"
                "bd95451f3edf5fb90b58c67c649416e1cfe89357e98b2f699b62c2fea4ba27b626cb58e9619b639d"
                "5bbdd5ab42dcb0879d9acce41dc3d38059d1bcdc268c8e3a0e179229b0ddff0d5ad337e6749f5d5e"
                "aec7b4eb98bf44a382191fc4f49f4a0129e6d7e9327c4ac23a7e5e9e302ff3ded5190b9f6f14fff5"
                "4aa8391fa030bc47060e2112663cb3c328803991914f8c9f1e821cdafe123d2b37383b08c6b85095"
                "89f1b4c99a0640cf30bf37788354dcd19a19131e7c163c95bb4b0857e97f9f4f23e2b41aedf548ae"
                "7550a94e91979f35d7a5d991214bbb525354420200000077010000000000007800000000000000fd"
                "3315ed1effcee5");
}

}  // namespace
}  // namespace ringside
