// VersionMap: ordered versions of keys in memory, with removes of ranges: all of the memory engine,
// and what another engine has taken and not yet written. A cost that matters: a remove of a range
// is looked at by every look-up until it is forgotten.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/time.h"
#include "storage/entry.h"
#include "storage/key_range.h"
#include "storage/view.h"

namespace ringside {

inline bool live(const StoredEntry& entry, Time wall) {
  return !entry.removed && (entry.expires == 0 || wall < entry.expires);
}

class VersionMap {
 public:
  // `batch`: the encoding of a Batch. LSNs rise.
  void apply(std::string_view batch, Lsn lsn);
  // The newest that was said of the key at or below `at`, removes too; valid until the next change.
  std::optional<StoredEntry> find(std::string_view key, Lsn at) const;
  // The first key at or after `from` that a batch named by itself, or null.
  const std::string* key_from(std::string_view from) const;

  // What is not wanted by readers of what is durable or later, or of a snapshot. Values that
  // expired at or before `expired` go, too. Walks everything: call it when `garbage` says so.
  void forget(Lsn durable, const SnapshotList& snapshots, int64_t expired);
  bool garbage() const { return changes_ >= 64 + keys_.size() + kept_; }
  // Everything up to `lsn`: somebody else holds it.
  void forget_through(Lsn lsn);

  uint64_t keys() const { return keys_.size(); }
  uint64_t versions() const;
  uint64_t bytes() const { return bytes_; }  // of keys and values; ranges are few

 private:
  struct Version {
    Lsn lsn;
    bool removed;
    int64_t expires;
    std::string value;
  };
  using Versions = std::vector<Version>;  // oldest first
  struct RangeRemove {
    KeyRange range;
    Lsn lsn;
    bool hides = true;  // something that is still here
  };

  // The newest remove of a range at or below `at` that holds the key; 0: none.
  Lsn removed_at(std::string_view key, Lsn at) const;
  // The oldest one after `after`, or null.
  RangeRemove* removed_after(std::string_view key, Lsn after);
  // The LSN from which on no reader sees the i-th version; 0: it is the newest.
  Lsn replaced_at(std::string_view key, const Versions& versions, std::size_t i);
  template <class Unwanted>
  void erase_versions(Versions& versions, Unwanted unwanted);

  std::map<std::string, Versions, std::less<>> keys_;
  std::vector<RangeRemove> ranges_;  // oldest first
  uint64_t changes_ = 0;             // since `forget`
  uint64_t kept_ = 0;                // versions beyond one a key, and ranges, after it
  uint64_t bytes_ = 0;
};

}  // namespace ringside
