// parse_manifest over hostile bytes, with checksums that fit when the input asks for them.

#include <algorithm>

#include "runtime/fuzz.h"
#include "runtime/random.h"
#include "storage/format.h"
#include "storage/manifest.h"

namespace ringside {
namespace {

void fit_record_checksums(std::string& bytes) {
  for (std::size_t at = 0; at + kManifestHeaderBytes <= bytes.size(); at += kPageBytes) {
    char* record = bytes.data() + at;
    if (load<uint32_t>(record) != kManifestMagic) continue;
    const std::size_t room = bytes.size() - at - kManifestHeaderBytes;
    const std::size_t payload = std::min<uint64_t>(load<uint64_t>(record + 24), room);
    store(record + 8,
          hash_bytes({record + 16, kManifestHeaderBytes - 16 + payload}, load<uint64_t>(record)));
  }
}

TableDescription table_of(uint64_t id) {
  TableDescription table;
  table.id = id;
  table.file_bytes = 10'000 * id;
  table.entries = 100;
  table.first_lsn = 10 * id;
  table.last_lsn = 10 * id + 9;
  return table;
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  std::string bytes = encode_manifest_record(
      ManifestRecordKind::kSnapshot, 3,
      {.flushed = 19,
       .next_table = 2,
       .next_tablet = 2,
       .created = {{.id = 1, .range = {"", "n"}, .tables = {{0, table_of(1)}}}}});
  bytes += encode_manifest_record(
      ManifestRecordKind::kEdit, 4,
      {.flushed = 29,
       .next_table = 3,
       .next_tablet = 3,
       .created = {{.id = 2, .range = {"n", ""}, .created = 25}},
       .changed = {{.id = 1, .added = {{0, table_of(2)}}, .range_removes = {{{{"b", "c"}, 20}}}}},
       .checkpoints = {{.name = "c", .lsn = 29}}});
  bytes += encode_manifest_record(
      ManifestRecordKind::kEdit, 5,
      {.flushed = 29,
       .next_table = 4,
       .next_tablet = 3,
       .dropped = {2},
       .changed = {{.id = 1, .removed = {1, 2}, .added = {{1, table_of(3)}}}},
       .checkpoints_dropped = {"c"}});
  return {std::string(1, '\0') + bytes, std::string(1, '\1') + bytes,
          std::string(1, '\1') + bytes.substr(0, kPageBytes)};
}

}  // namespace ringside

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ringside;
  if (size < 1) return 0;
  std::string bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  if (data[0] != 0) fit_record_checksums(bytes);
  Result<ManifestState> state = parse_manifest(bytes, "manifest");
  if (!state.ok()) CHECK(state.code() == Code::kCorrupt);
  return 0;
}
