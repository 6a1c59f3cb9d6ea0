// DropRules: what of a key's versions a flush or merge may leave out. Fed with the versions of one
// key after the other, newest first.
//
//   superseded   a newer version exists, and no snapshot lies between the two
//   in a range   a newer remove of a range covers it, and no snapshot lies between the two
//   expired      counts as a remove
//   removes      gone for good once every snapshot sees them, no place outside of this merge may
//                hold an older version, and (with hold_removes) every replica has seen them
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "runtime/bug.h"
#include "storage/entry.h"
#include "storage/range_remove.h"
#include "storage/view.h"

namespace ringside {

enum class Fate : uint8_t {
  kKeep,
  kKeepAsRemove,  // it has expired
  kSuperseded,
  kInRange,
  kRemoveDone,
  kExpired,
};

class DropRules {
 public:
  // Removes above `repaired` stay. `now`: wall clock.
  DropRules(const SnapshotList& snapshots, const std::vector<RangeRemove>& ranges, int64_t now,
            Lsn repaired)
      : snapshots_(snapshots), ranges_(ranges), now_(now), repaired_(repaired) {}

  // `older_elsewhere(entry)`: whether a place outside of this merge may hold an older version.
  template <class OlderElsewhere>
  Fate judge(const StoredEntry& entry, OlderElsewhere older_elsewhere) {
    const bool first = !any_ || entry.key != key_;
    const Lsn newer = first ? 0 : newer_lsn_;
    if (first) key_ = entry.key;
    any_ = true;
    newer_lsn_ = entry.lsn;
    if (!first && !held(entry.lsn, newer)) return Fate::kSuperseded;
    if (!ranges_.empty()) {
      const Lsn cover = next_cover(ranges_, entry.key, entry.lsn);
      if (cover != 0 && !held(entry.lsn, cover)) return Fate::kInRange;
    }
    const bool expired = !entry.removed && entry.expires != 0 && entry.expires <= now_;
    if (!entry.removed && !expired) return Fate::kKeep;
    const bool everyone_sees_it = RINGSIDE_BUG(compaction_forgets_snapshot) ||
                                  entry.lsn <= snapshots_.oldest(std::numeric_limits<Lsn>::max());
    const bool alone = RINGSIDE_BUG(tombstone_dropped_early) || !older_elsewhere(entry);
    if (everyone_sees_it && alone && entry.lsn <= repaired_) {
      return expired ? Fate::kExpired : Fate::kRemoveDone;
    }
    return expired ? Fate::kKeepAsRemove : Fate::kKeep;
  }

 private:
  // Whether a snapshot sees the older of two LSNs and not the newer one.
  bool held(Lsn older, Lsn newer) const {
    return !RINGSIDE_BUG(compaction_forgets_snapshot) && snapshots_.any_in(older, newer);
  }

  const SnapshotList& snapshots_;
  const std::vector<RangeRemove>& ranges_;
  int64_t now_;
  Lsn repaired_;
  std::string key_;
  Lsn newer_lsn_ = 0;
  bool any_ = false;
};

}  // namespace ringside
