// For tests of tables: entries that own their bytes, written and read back through the real thing.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/table.h"
#include "storage/table_writer.h"
#include "storage/test_host.h"

namespace ringside {

struct OwnedEntry {
  std::string key;
  std::string value;
  Lsn lsn = 10;
  bool removed = false;
  int64_t expires = 0;

  StoredEntry stored() const {
    return {.key = key, .value = value, .lsn = lsn, .removed = removed, .expires = expires};
  }
  bool operator==(const OwnedEntry&) const = default;
};
using Entries = std::vector<OwnedEntry>;

inline constexpr Lsn kTestFirstLsn = 10;  // of the tables here

inline OwnedEntry owned(const StoredEntry& entry, std::string_view key) {
  return {std::string(key), std::string(entry.value), entry.lsn, entry.removed, entry.expires};
}

// As t/000001, unless another id is given.
Task<Result<TableDescription>> write_table(Host& host, Entries entries, TableOptions options,
                                           uint64_t id = 1);
// What a cursor gives from `begin` on.
Task<Result<Entries>> read_table(Host& host, std::shared_ptr<Table> table, std::string begin,
                                 Caching caching);
// What `get` gives.
Result<std::optional<OwnedEntry>> get_from(TestHost& host, const Table& table,
                                           const std::string& key, Lsn at);

// Keys with up to five versions, removes, expiries, and values that compress, in order.
Entries many_entries(int keys, uint64_t seed);
// The entry that `get` must give, if any.
const OwnedEntry* newest_at(const Entries& entries, std::string_view key, Lsn at);

}  // namespace ringside
