#include "storage/manifest.h"

#include <gtest/gtest.h>

#include "storage/test_bytes.h"
#include "storage/test_host.h"

namespace ringside {
namespace {

LeveledTable table(uint64_t id, Lsn last, uint64_t level = 0, std::string smallest = "a",
                   std::string largest = "m") {
  return {level,
          {.id = id,
           .file_bytes = 100,
           .index_offset = 50,
           .index_bytes = 20,
           .index_checksum = 9,
           .entries = 3,
           .data_bytes = 40,
           .first_lsn = last - 5,
           .last_lsn = last,
           .smallest = std::move(smallest),
           .largest = std::move(largest)}};
}

std::string snapshot_record() {
  return encode_manifest_record(
      ManifestRecordKind::kSnapshot, 4,
      {.flushed = 10,
       .next_table = 3,
       .next_tablet = 2,
       .created = {{.id = 1, .range = {"", "n"}, .tables = {table(2, 10)}}}});
}

std::string three_records() {
  const ManifestEdit flush{.flushed = 20,
                           .next_table = 4,
                           .next_tablet = 2,
                           .changed = {{.id = 1, .added = {table(3, 20)}}}};
  const ManifestEdit merge{.flushed = 20,
                           .next_table = 5,
                           .next_tablet = 2,
                           .changed = {{.id = 1, .removed = {2, 3}, .added = {table(4, 20, 1)}}}};
  return snapshot_record() + encode_manifest_record(ManifestRecordKind::kEdit, 5, flush) +
         encode_manifest_record(ManifestRecordKind::kEdit, 6, merge);
}

TEST(Manifest, a_record_has_the_bytes_of_version_2) {
  const std::string record = encode_manifest_record(
      ManifestRecordKind::kEdit, 6,
      {.flushed = 300,
       .next_table = 5,
       .next_tablet = 9,
       .created = {{.id = 8, .range = {"x", ""}, .created = 299, .suspect = "why"}},
       .dropped = {7},
       .changed = {{.id = 1,
                    .removed = {2},
                    .added = {table(4, 20, 1)},
                    .range_removes = {{{{"b", "c"}, 200}}}}},
       .checkpoints = {{.name = "cp", .lsn = 300}},
       .checkpoints_dropped = {"old"}});
  EXPECT_EQ(record.size(), kPageBytes);
  const std::size_t length = kManifestHeaderBytes + static_cast<unsigned char>(record[24]);
  EXPECT_EQ(hex(record.substr(0, 8)), "52534d4602000200");  // magic, version 2, edit
  EXPECT_EQ(hex(record.substr(16, length - 16)),
            "0600000000000000"          // sequence
            "4400000000000000"          // payload length
            "ac020509"                  // flushed 300, next table 5, next tablet 9
            "0108017800ab02"            // one tablet: 8, from x on, created at 299
            "037768790000"              // suspect: why; no range removes, no tables
            "0107"                      // dropped: 7
            "010101"                    // one change: of tablet 1, with range removes
            "0102"                      // removed: 2
            "0101"                      // one table, of level 1
            "046432140900000000000000"  // id 4, its file and its index
            "00030028"
            "0f1400"
            "0161016d"        // ranges applied, counts, LSNs, expiry, keys
            "0101620163c801"  // one range remove
            "01026370ac0200"  // one checkpoint
            "01036f6c64");
}

TEST(Manifest, edits_add_up) {
  Result<ManifestState> state = parse_manifest(three_records(), "manifest");
  ASSERT_TRUE(state.ok());
  EXPECT_EQ(state->sequence, 6u);
  EXPECT_EQ(state->flushed, 20u);
  EXPECT_EQ(state->next_table, 5u);
  ASSERT_EQ(state->tablets.size(), 1u);
  ASSERT_EQ(state->tablets[0].tables.size(), 1u);
  EXPECT_EQ(state->tablets[0].tables[0].table.id, 4u);
  EXPECT_EQ(state->tablets[0].tables[0].level, 1u);
  EXPECT_TRUE(state->names_table(4));
  EXPECT_FALSE(state->names_table(3));
}

TEST(Manifest, tablets_and_checkpoints_come_and_go) {
  ManifestState state = *parse_manifest(three_records(), "manifest");
  const auto edit = [&state](ManifestEdit made) {
    made.flushed = state.flushed;
    made.next_table = state.next_table;
    made.next_tablet = 5;
    ManifestState next = state;
    const bool fits = apply_manifest_edit(next, made);
    if (fits) state = next;
    return fits;
  };
  EXPECT_FALSE(edit({.created = {{.id = 2, .range = {"m", "z"}}}})) << "it overlaps the first";
  EXPECT_TRUE(edit({.created = {{.id = 2, .range = {"n", ""}}}}));
  EXPECT_FALSE(edit({.created = {{.id = 3, .range = {"zz", "zzz"}}}}));
  EXPECT_FALSE(edit({.created = {{.id = 5, .range = {"", "a"}}}})) << "5 is the next id";
  EXPECT_TRUE(edit({.checkpoints = {{.name = "b", .lsn = 20, .tablets = state.tablets}}}));
  EXPECT_FALSE(edit({.checkpoints = {{.name = "b"}}})) << "the name is taken";
  EXPECT_TRUE(edit({.dropped = {1}}));
  EXPECT_FALSE(edit({.dropped = {1}}));
  EXPECT_TRUE(state.names_table(4)) << "the checkpoint still has it";
  EXPECT_TRUE(edit({.checkpoints_dropped = {"b"}}));
  EXPECT_FALSE(state.names_table(4));
  ASSERT_EQ(state.tablets.size(), 1u);
  EXPECT_EQ(state.tablets[0].range.begin, "n");
}

TEST(Manifest, levels_above_0_are_disjoint_and_tables_lie_in_their_tablet) {
  ManifestState state = *parse_manifest(snapshot_record(), "manifest");
  const auto fits = [&state](std::vector<LeveledTable> added) {
    ManifestState next = state;
    return apply_manifest_edit(next, {.flushed = 30,
                                      .next_table = 9,
                                      .next_tablet = 2,
                                      .changed = {{.id = 1, .added = std::move(added)}}});
  };
  EXPECT_TRUE(fits({table(5, 20, 1, "a", "c"), table(6, 20, 1, "d", "m")}));
  EXPECT_FALSE(fits({table(5, 20, 1, "a", "c"), table(6, 20, 1, "c", "m")}));
  EXPECT_TRUE(fits({table(5, 20, 0, "a", "c"), table(6, 19, 0, "c", "m")}));
  EXPECT_FALSE(fits({table(5, 20, 1, "a", "n")})) << "the tablet ends before n";
  EXPECT_FALSE(fits({table(9, 20, 1)})) << "9 is the next id";
}

TEST(Manifest, a_torn_tail_is_cut_and_any_other_damage_is_refused) {
  std::string torn = three_records();
  torn[2 * kPageBytes + 40] ^= 1;
  Result<ManifestState> cut = parse_manifest(torn, "manifest");
  ASSERT_TRUE(cut.ok());
  EXPECT_EQ(cut->sequence, 5u);
  EXPECT_EQ(cut->tablets[0].tables.size(), 2u);

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
  ManifestState fresh{.next_tablet = 2, .tablets = {{.id = 1}}};
  Result<std::unique_ptr<Manifest>> manifest = host.run(Manifest::create(host, "d", fresh));
  ASSERT_TRUE(manifest.ok());
  for (uint64_t id = 1; id <= 200; ++id) {
    TabletEdit change{.id = 1, .added = {table(id, 10 * id)}};
    if (id > 1) change.removed = {id - 1};
    ASSERT_TRUE(
        host
            .run((*manifest)->apply(
                {.flushed = 10 * id, .next_table = id + 1, .next_tablet = 2, .changed = {change}}))
            .ok());
  }
  EXPECT_GE(host.probes("manifest.rewritten"), 2u);
  EXPECT_LE(host.disk().bytes("d/manifest").size(), 65 * kPageBytes);
  const uint64_t sequence = (*manifest)->state().sequence;
  ASSERT_TRUE(host.run((*manifest)->close()).ok());
  Result<ManifestState> read = host.run(Manifest::read(host, "d"));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->sequence, sequence);
  ASSERT_EQ(read->tablets[0].tables.size(), 1u);
  EXPECT_EQ(read->tablets[0].tables[0].table.id, 200u);
}

}  // namespace
}  // namespace ringside
