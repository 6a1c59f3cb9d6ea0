// Hostile tables. The first byte of an input says what the rest is: a description and the file of a
// table; the same with every checksum made right, so that what lies behind them is reached; a
// block; an index block.

#include <algorithm>
#include <limits>

#include "runtime/fuzz.h"
#include "storage/format.h"
#include "storage/test_table.h"

namespace ringside {
namespace {

enum : uint8_t { kTable = 0, kRepairedTable = 1, kBlock = 2, kIndexBlock = 3, kKinds = 4 };
constexpr int kEntriesMax = 50'000;  // a good block may hold millions in a few bytes
constexpr uint64_t kHashedMax = 4u << 20;
constexpr Lsn kLatest = std::numeric_limits<Lsn>::max();

void play_block(std::string_view block) {
  BlockCursor cursor(block, 0);
  cursor.seek_first();
  std::string middle;
  for (int i = 0; cursor.valid() && i < kEntriesMax; ++i, cursor.next()) {
    if (i % 7 == 3) middle = cursor.key();
  }
  for (const std::string_view key : {std::string_view(), std::string_view(middle)}) {
    StoredEntry found;
    search_block(block, 0, key, kLatest, found);
    search_block(block, 0, key, 1, found);
    cursor.seek(key);
  }
}

void play_index_block(std::string_view block) {
  IndexBlock index;
  if (!index.parse(block)) return;
  BlockHandle handle;
  for (uint32_t i = 0; i < index.size(); ++i) (void)index.handle(i, handle);
  CHECK(index.find("user/5") <= index.size());
  CHECK(index.find("") <= index.size());
}

// Walks the pieces of an index block that lies in `file` and makes their checksums those of what
// they point to, in place. `visit(offset, bytes)` comes first.
template <class Visit>
void repair_pieces(std::string& file, std::size_t at, std::size_t size, uint64_t& hashed,
                   Visit visit) {
  const std::string_view block = std::string_view(file).substr(at, size);
  IndexBlock index;
  if (!index.parse(block)) return;
  const uint64_t count = index.size();
  const std::size_t places = 8 + load<uint32_t>(block.data() + 4) + 8 * count;
  const std::size_t pieces = places + 4 * count;
  for (uint64_t i = 0; i < count && hashed < kHashedMax; ++i) {
    const std::size_t place = pieces + load<uint32_t>(file.data() + at + places + 4 * i);
    BlockHandle handle;
    if (place >= size || !index.handle(static_cast<uint32_t>(i), handle)) continue;
    std::string_view rest = std::string_view(file).substr(at + place, size - place);
    uint64_t length = 0;
    if (!take_varint(rest, length)) continue;
    rest.remove_prefix(length < 8 ? 0 : length - 8);
    if (!take_block_handle(rest, handle)) continue;
    const auto checksum = static_cast<std::size_t>(rest.data() - file.data()) - 8;
    if (handle.offset > file.size() || handle.bytes > file.size() - handle.offset) continue;
    hashed += handle.bytes;
    visit(handle.offset, handle.bytes);
    store(file.data() + checksum,
          hash_bytes(std::string_view(file).substr(handle.offset, handle.bytes)));
  }
}

void repair(std::string& file, TableDescription& table) {
  if (table.index_offset > file.size() || table.index_bytes > file.size() - table.index_offset)
    return;
  const auto index_bytes = [&] {
    return std::string_view(file).substr(table.index_offset, table.index_bytes);
  };
  TableIndex index;
  FileCipher cipher;
  if (decode_table_index(index_bytes(), table.index_offset, nullptr, index, cipher) ==
      IndexVerdict::kGood) {
    const std::size_t top = table.index_offset + table.index_bytes - index.top.size();
    uint64_t hashed = 0;
    repair_pieces(file, top, index.top.size(), hashed, [&](uint64_t offset, uint64_t bytes) {
      repair_pieces(file, offset, bytes, hashed, [](uint64_t, uint64_t) {});
    });
    if (index.filter_probes > 0) {
      store(file.data() + top - 8,
            hash_bytes(std::string_view(file).substr(std::min(index.filter.offset, file.size()),
                                                     index.filter.bytes)));
    }
    const TableDescription said = table;
    table = index.properties;
    table.id = said.id;
    table.file_bytes = said.file_bytes;
    table.index_offset = said.index_offset;
    table.index_bytes = said.index_bytes;
  }
  table.index_checksum = hash_bytes(index_bytes());
}

Task<uint64_t> read_some(Host& host, std::shared_ptr<Table> table, std::string begin,
                         Caching caching) {
  TableCursor cursor(host, std::move(table), caching);
  uint64_t entries = 0;
  Result<void> done = co_await cursor.seek(begin);
  while (done.ok() && cursor.valid() && ++entries < kEntriesMax) {
    if (!cursor.step()) done = co_await cursor.load();
  }
  co_return entries;
}

Task<Result<void>> put_file(Host& host, std::string path, std::string bytes) {
  Result<void> done = co_await host.disk().make_directory("t");
  Result<FileId> file = co_await host.disk().open(path, Disk::kCreate);
  if (!file.ok()) co_return file.error();
  done = co_await host.disk().write_at(*file, 0, Buffer::copy_of(bytes));
  if (done.ok()) done = co_await host.disk().close(*file);
  co_return done;
}

void play_table(std::string_view in, bool repaired) {
  TableDescription description;
  if (!take_table_description(in, description)) return;
  description.id = 1;
  std::string file(in);
  if (repaired) repair(file, description);
  TestHost host;
  CHECK(host.run(put_file(host, "t/000001", file)).ok());
  BlockCache cache(1u << 20);
  Result<std::shared_ptr<Table>> table = host.run(Table::open(host, "t", description, {}, &cache));
  if (!table.ok()) return;
  for (const Caching caching : {Caching::kBypass, Caching::kFill}) {
    host.run(read_some(host, *table, "", caching));
    host.run(read_some(host, *table, "user/5", caching));
  }
  for (const std::string& key :
       {description.smallest, description.largest, std::string("user/5")}) {
    for (const Lsn at : {kLatest, Lsn{2'000}}) {
      StoredEntry found;
      (void)(*table)->lookup(key, hash_bytes(key), at, found);
      (void)get_from(host, **table, key, at);
    }
  }
}

}  // namespace

std::vector<std::string> fuzz_seeds() {
  std::vector<std::string> seeds;
  const Entries entries = many_entries(60, 1);
  for (const TableOptions& options :
       {TableOptions{.block_bytes = 200}, TableOptions{.compression = Compression::kLz4},
        TableOptions{.compression = Compression::kZstd}}) {
    TestHost host;
    Result<TableDescription> written = host.run(write_table(host, entries, options));
    CHECK(written.ok());
    std::string input;
    append_table_description(input, *written);
    input += host.disk().bytes("t/000001");
    seeds.push_back(char{kTable} + input);
    seeds.push_back(char{kRepairedTable} + input);
  }
  BlockBuilder block(kTestFirstLsn);
  for (std::size_t i = 0; i < 40; ++i) block.add(entries[i].stored());
  std::string bytes(1, char{kBlock});
  block.finish(bytes);
  seeds.push_back(bytes);
  IndexBlockBuilder index;
  for (std::size_t i = 0; i < 40; ++i)
    index.add(entries[i].key, {.offset = 4096 * i, .bytes = 4096, .checksum = mix(i)});
  bytes.assign(1, char{kIndexBlock});
  index.finish(bytes);
  seeds.push_back(bytes);
  return seeds;
}

}  // namespace ringside

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace ringside;
  if (size == 0) return 0;
  const std::string_view in(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % kKinds) {
    case kTable: play_table(in, false); break;
    case kRepairedTable: play_table(in, true); break;
    case kBlock: play_block(in); break;
    case kIndexBlock: play_index_block(in); break;
  }
  return 0;
}
