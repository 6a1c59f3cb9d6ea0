// StoredEntry: one version of a key, as memtables give it and tables hold it.
#pragma once

#include <cstdint>
#include <string_view>

#include "storage/durable_mark.h"

namespace ringside {

struct StoredEntry {
  std::string_view key;
  std::string_view value;
  Lsn lsn = 0;
  bool removed = false;
  int64_t expires = 0;  // wall clock, ns; 0: never. From then on it counts as removed
};

}  // namespace ringside
