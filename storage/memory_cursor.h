// MemoryCursor: a tablet's memtables as one, keys ascending, newest first, as of one LSN. It holds
// them, and what it shows stays: somebody holds a Snapshot of that LSN meanwhile. Batches may be
// submitted while it waits; whoever waited says so.
//
//   for (MemoryCursor at(tablet, begin, lsn); at.valid(); at.next()) { if (at.visible())
//   …at.entry()…; }
#pragma once

#include <absl/container/inlined_vector.h>

#include <memory>
#include <string_view>

#include "storage/memtable.h"
#include "storage/tablet.h"

namespace ringside {

class MemoryCursor {
 public:
  // At the first key at or after `begin`. Without a tablet there is none.
  MemoryCursor(const Tablet* tablet, std::string_view begin, Lsn at);

  bool valid() const { return valid_; }
  std::string_view key() const { return entry_.key; }
  // False: every version of the key is newer than that LSN.
  bool visible() const { return visible_; }
  // Valid as long as the cursor.
  const StoredEntry& entry() const { return entry_; }
  void next();
  // Others may have run.
  void waited();

 private:
  struct Part {
    std::shared_ptr<const Memtable> memtable;
    uint64_t keys = 0;  // of the memtable, when the cursor was placed
    Memtable::Cursor cursor;
    std::string_view key;  // that it is on
    bool valid = false;
  };

  void look(Part& part);
  void find();

  Lsn at_;
  absl::InlinedVector<Part, 3> parts_;
  StoredEntry entry_;
  bool valid_ = false;
  bool visible_ = false;
};

}  // namespace ringside
