// Tablet: one key range of an engine, an LSM tree of its own: memtables and levels. The log is
// shared by all of them.
#pragma once

#include <cstdint>
#include <deque>
#include <limits>
#include <memory>
#include <string>

#include "runtime/semaphore.h"
#include "storage/compaction.h"
#include "storage/key_range.h"
#include "storage/memtable.h"
#include "storage/merkle.h"
#include "storage/version.h"

namespace ringside {

struct Tablet {
  // A memtable that takes no more and waits for its flush.
  struct Frozen {
    uint64_t generation = 0;
    std::shared_ptr<Memtable> memtable;
  };

  // What every read and write looks at comes first.
  std::shared_ptr<Memtable> active = std::make_shared<Memtable>();
  Lsn created = 0;              // of batches up to here it takes nothing
  bool ranges_removed = false;  // some range was, at some time
  std::string suspect;          // not empty: part of its log is lost; says which
  std::deque<Frozen> frozen;    // oldest first
  std::shared_ptr<const TabletVersion> version = std::make_shared<TabletVersion>();
  uint64_t id = 0;
  KeyRange range;
  CompactionState compaction;
  uint64_t level0_merged = 0;  // of its tables in a merge; 1 table: kPressureMax
  Lsn repaired = std::numeric_limits<Lsn>::max();  // removes above stay
  std::unique_ptr<MerkleTree> merkle;              // null: none is kept
  std::unique_ptr<Semaphore> merkle_turn;          // one brings it up to date at a time
  bool dropped = false;                            // whoever still works on it throws its work away

  bool ranges_anywhere() const {
    if (!ranges_removed) return false;
    if (!active->ranges().empty() || !version->range_removes.empty()) return true;
    for (const Frozen& at : frozen) {
      if (!at.memtable->ranges().empty()) return true;
    }
    return false;
  }
  // The newest remove of a range at or below `at` that covers the key; 0: none.
  Lsn cover(std::string_view key, Lsn at) const {
    Lsn lsn = newest_cover(active->ranges(), key, at);
    for (auto old = frozen.rbegin(); old != frozen.rend() && lsn == 0; ++old) {
      lsn = newest_cover(old->memtable->ranges(), key, at);
    }
    return lsn != 0 ? lsn : newest_cover(version->range_removes, key, at);
  }
};

}  // namespace ringside
