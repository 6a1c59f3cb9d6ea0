// For tests: what a scan found, as values that compare with what was expected.
#pragma once

#include <string>
#include <vector>

#include "runtime/result.h"
#include "storage/rows.h"

namespace ringside {

struct Entry {
  std::string key;
  std::string value;
  friend bool operator==(const Entry&, const Entry&) = default;
};

inline Result<std::vector<Entry>> entries_of(const Result<Rows>& rows) {
  if (!rows.ok()) return rows.error();
  std::vector<Entry> entries;
  for (const StoredEntry& row : *rows)
    entries.push_back({std::string(row.key), std::string(row.value)});
  return entries;
}

}  // namespace ringside
