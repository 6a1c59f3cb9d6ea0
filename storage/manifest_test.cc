#include "storage/manifest.h"

#include <gtest/gtest.h>

#include "storage/test_bytes.h"
#include "storage/test_host.h"

namespace ringside {
namespace {

TableDescription table(uint64_t id, Lsn last) {
  return {.id = id,
          .file_bytes = 100,
          .index_offset = 50,
          .index_bytes = 20,
          .index_checksum = 9,
          .entries = 3,
          .removes = 1,
          .data_bytes = 30,
          .first_lsn = last - 5,
          .last_lsn = last,
          .smallest = "a",
          .largest = "b"};
}

std::string three_records() {
  return encode_manifest_record(ManifestRecordKind::kSnapshot, 4,
                                {.flushed = 10, .next_table = 3, .added = {table(2, 10)}}) +
         encode_manifest_record(ManifestRecordKind::kEdit, 5,
                                {.flushed = 20, .next_table = 4, .added = {table(3, 20)}}) +
         encode_manifest_record(
             ManifestRecordKind::kEdit, 6,
             {.flushed = 20, .next_table = 5, .removed = {2, 3}, .added = {table(4, 20)}});
}

TEST(Manifest, a_record_has_the_bytes_of_version_1) {
  const std::string record = encode_manifest_record(
      ManifestRecordKind::kEdit, 6,
      {.flushed = 300, .next_table = 5, .removed = {2}, .added = {table(4, 20)}});
  EXPECT_EQ(record.size(), kPageBytes);
  EXPECT_EQ(hex(record.substr(0, 60)),
            "52534d4601000200"  // magic, version 1, edit
            "b4e8caa8cd756574"
            "0600000000000000"  // sequence
            "1c00000000000000"  // payload length
            "ac0205"            // flushed 300, next table 5
            "0102"              // removed: 2
            "01046432140900000000000000"
            "03011e0f14000161"
            "0162");
}

TEST(Manifest, edits_add_up) {
  Result<ManifestState> state = parse_manifest(three_records(), "manifest");
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->sequence, 6u);
  EXPECT_EQ(state->flushed, 20u);
  EXPECT_EQ(state->next_table, 5u);
  ASSERT_EQ(state->tables.size(), 1u);
  EXPECT_EQ(state->tables[0].id, 4u);
}

TEST(Manifest, a_torn_tail_is_cut_and_any_other_damage_is_refused) {
  std::string torn = three_records();
  torn[2 * kPageBytes + 40] ^= 1;
  Result<ManifestState> cut = parse_manifest(torn, "manifest");
  ASSERT_TRUE(cut.ok());
  EXPECT_EQ(cut->sequence, 5u);
  EXPECT_EQ(cut->tables.size(), 2u);

  std::string middle = three_records();
  middle[kPageBytes + 40] ^= 1;
  EXPECT_EQ(parse_manifest(middle, "manifest").error().text(),
            "corrupt: manifest at 4096: a bad record before good ones");
  std::string head = three_records();
  head[40] ^= 1;
  EXPECT_EQ(parse_manifest(head, "manifest").error().text(),
            "corrupt: manifest at 0: the first record is bad");
  EXPECT_EQ(parse_manifest("", "manifest").error().code, Code::kCorrupt);
  const std::string all = three_records();
  EXPECT_EQ(parse_manifest(all.substr(0, kPageBytes) + all.substr(2 * kPageBytes), "manifest")
                .error()
                .text(),
            "corrupt: manifest at 4096: a record out of sequence");
}

TEST(Manifest, is_rewritten_when_it_grows_long_and_says_the_same) {
  TestHost host;
  ASSERT_TRUE(host.run([](Host& on) -> Task<Result<void>> {
                    co_return co_await on.disk().make_directory("d");
                  }(host))
                  .ok());
  Result<std::unique_ptr<Manifest>> manifest = host.run(Manifest::create(host, "d", {}));
  ASSERT_TRUE(manifest.ok());
  for (uint64_t id = 1; id <= 200; ++id) {
    ManifestEdit edit{.flushed = 10 * id, .next_table = id + 1, .added = {table(id, 10 * id)}};
    if (id > 1) edit.removed = {id - 1};
    ASSERT_TRUE(host.run((*manifest)->apply(edit)).ok());
  }
  EXPECT_GE(host.probes("manifest.rewritten"), 2u);
  EXPECT_LE(host.disk().bytes("d/manifest").size(), 65 * kPageBytes);
  const uint64_t sequence = (*manifest)->state().sequence;
  ASSERT_TRUE(host.run((*manifest)->close()).ok());
  Result<ManifestState> read = host.run(Manifest::read(host, "d"));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->sequence, sequence);
  ASSERT_EQ(read->tables.size(), 1u);
  EXPECT_EQ(read->tables[0].id, 200u);
}

}  // namespace
}  // namespace ringside
