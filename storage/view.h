// View: which of a key's versions a reader sees. Snapshot: the state of an engine at one LSN, kept
// readable for as long as the Snapshot lives, whatever is written meanwhile.
//
//   Snapshot now = engine.snapshot();
//   co_await engine.get(key, now);
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <utility>

#include "storage/durable_mark.h"

namespace ringside {

// The LSNs at which somebody still reads. Outlives its Snapshots.
class SnapshotList {
 public:
  void hold(Lsn lsn) { ++held_[lsn]; }
  void release(Lsn lsn) {
    const auto found = held_.find(lsn);
    CHECK(found != held_.end());
    if (--found->second == 0) held_.erase(found);
  }
  bool empty() const { return held_.empty(); }
  // The least LSN held; `otherwise` when there is none.
  Lsn oldest(Lsn otherwise) const { return held_.empty() ? otherwise : held_.begin()->first; }
  // Whether one is held in [first, end).
  bool any_in(Lsn first, Lsn end) const {
    const auto found = held_.lower_bound(first);
    return found != held_.end() && found->first < end;
  }

 private:
  std::map<Lsn, uint64_t> held_;
};

class Snapshot {
 public:
  Snapshot(SnapshotList& list, Lsn lsn) : list_(&list), lsn_(lsn) { list_->hold(lsn); }
  Snapshot(Snapshot&& other) noexcept
      : list_(std::exchange(other.list_, nullptr)), lsn_(other.lsn_) {}
  Snapshot& operator=(Snapshot&& other) noexcept {
    std::swap(list_, other.list_);
    std::swap(lsn_, other.lsn_);
    return *this;
  }
  ~Snapshot() {
    if (list_ != nullptr) list_->release(lsn_);
  }
  Lsn lsn() const { return lsn_; }

 private:
  SnapshotList* list_;
  Lsn lsn_;
};

class View {
 public:
  static const View kDurable;  // what a reader may be told
  static const View kLatest;   // with batches still on their way to the log; for read-modify-write

  View(const Snapshot& snapshot) : at_(snapshot.lsn()) {}

  // The newest LSN that it shows, given what is durable.
  constexpr Lsn at(Lsn durable) const { return at_ == kWhatIsDurable ? durable : at_; }
  friend constexpr bool operator==(const View& a, const View& b) = default;

 private:
  static constexpr Lsn kAll = std::numeric_limits<Lsn>::max();
  static constexpr Lsn kWhatIsDurable = kAll - 1;

  constexpr explicit View(Lsn at) : at_(at) {}

  Lsn at_;
};

inline constexpr View View::kDurable{View::kWhatIsDurable};
inline constexpr View View::kLatest{View::kAll};

}  // namespace ringside
