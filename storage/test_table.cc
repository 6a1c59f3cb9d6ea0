#include "storage/test_table.h"

#include <algorithm>
#include <set>

namespace ringside {

Task<Result<TableDescription>> write_table(Host& host, Entries entries, TableOptions options,
                                           uint64_t id) {
  Result<void> made = co_await host.disk().make_directory("t");
  CHECK(made.ok());
  TableWriter writer(host, "t", id, options, kTestFirstLsn);
  Result<void> done = co_await writer.open();
  for (const OwnedEntry& entry : entries) {
    writer.add(entry.stored());
    if (done.ok() && writer.wants_write()) done = co_await writer.write();
  }
  CHECK(done.ok());
  co_return co_await writer.finish();
}

Task<Result<Entries>> read_table(Host& host, std::shared_ptr<Table> table, std::string begin,
                                 Caching caching) {
  Entries entries;
  TableCursor cursor(host, std::move(table), caching);
  Result<void> done = co_await cursor.seek(begin);
  while (done.ok() && cursor.valid()) {
    const StoredEntry entry = cursor.entry();
    entries.push_back(owned(entry, entry.key));
    if (!cursor.step()) done = co_await cursor.load();
  }
  if (!done.ok()) co_return done.error();
  co_return entries;
}

namespace {

Task<Result<bool>> get_into(Host& host, const Table& table, std::string key, Lsn at,
                            OwnedEntry& into) {
  StoredEntry entry;
  Buffer pin;
  if (!table.may_contain(key, hash_bytes(key))) co_return false;
  Result<bool> found = co_await table.get(host, key, at, entry, pin);
  if (found.ok() && *found) into = owned(entry, key);
  co_return found;
}

}  // namespace

Result<std::optional<OwnedEntry>> get_from(TestHost& host, const Table& table,
                                           const std::string& key, Lsn at) {
  OwnedEntry entry;
  Result<bool> found = host.run(get_into(host, table, key, at, entry));
  if (!found.ok()) return found.error();
  return *found ? std::optional<OwnedEntry>(entry) : std::nullopt;
}

Entries many_entries(int keys, uint64_t seed) {
  Random random(seed);
  std::set<std::string> names;
  while (names.size() < static_cast<std::size_t>(keys))
    names.insert("user/" + std::to_string(random.below(100'000'000)));
  Entries entries;
  for (const std::string& key : names) {
    const uint64_t versions = random.chance(0.1) ? 1 + random.below(5) : 1;
    Lsn lsn = kTestFirstLsn + 1'000 + random.below(100'000);
    for (uint64_t version = 0; version < versions; ++version) {
      OwnedEntry entry{.key = key, .lsn = lsn};
      entry.removed = random.chance(0.1);
      if (!entry.removed) {
        const uint64_t length = random.below(300);
        while (entry.value.size() < length)
          entry.value += std::to_string(random.below(50)) + " of ";
        if (random.chance(0.1)) entry.expires = 1 + static_cast<int64_t>(random.below(1u << 30));
      }
      entries.push_back(entry);
      lsn -= 1 + random.below(200);
    }
  }
  return entries;
}

const OwnedEntry* newest_at(const Entries& entries, std::string_view key, Lsn at) {
  auto found = std::lower_bound(
      entries.begin(), entries.end(), key,
      [](const OwnedEntry& entry, std::string_view wanted) { return entry.key < wanted; });
  while (found != entries.end() && found->key == key && found->lsn > at) ++found;
  return found != entries.end() && found->key == key ? &*found : nullptr;
}

}  // namespace ringside
