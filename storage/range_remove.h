// RangeRemove: the keys in [begin, end) were removed by the batch `lsn`: whatever a tablet holds of
// them under a smaller LSN counts as removed. A tablet keeps a short list of them, by ascending
// LSN, until nothing older than them is left in its tables.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "storage/durable_mark.h"
#include "storage/key_range.h"

namespace ringside {

struct RangeRemove {
  KeyRange range;
  Lsn lsn = 0;

  friend bool operator==(const RangeRemove&, const RangeRemove&) = default;
};

// The newest one at or below `at` that covers the key; 0 when there is none.
inline Lsn newest_cover(const std::vector<RangeRemove>& removes, std::string_view key, Lsn at) {
  for (auto remove = removes.rbegin(); remove != removes.rend(); ++remove) {
    if (remove->lsn <= at && remove->range.contains(key)) return remove->lsn;
  }
  return 0;
}

// The oldest one above `lsn` that covers the key; 0 when there is none.
inline Lsn next_cover(const std::vector<RangeRemove>& removes, std::string_view key, Lsn lsn) {
  for (const RangeRemove& remove : removes) {
    if (remove.lsn > lsn && remove.range.contains(key)) return remove.lsn;
  }
  return 0;
}

}  // namespace ringside
