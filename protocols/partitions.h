// Partitions: the ranges of the ring that this node holds, and whether each is *whole*: it holds
// everything that was ever acknowledged for it. A range that is not whole takes writes and answers
// no reads. What is held and whole is kept in the engine, beside the rows, and known again after a
// restart.
//
// Every held range lies in tablets, usually one of its own. Where a ring cuts the circle elsewhere
// than the last one did (strategy 1), ranges are cut and joined as marks alone: a tablet may then
// hold several ranges, and a range may lie in several tablets. Engines without tablets hold
// everything in one place; then only the marks are kept.
//
// A crash may come between a mark and its tablet. Tablets are made before their marks and dropped
// after them, so that `load` finds tablets that nobody marked, and drops them. A mark without a
// tablet is the work of a damaged disk: the range is held again and is not whole.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/btree_map.h"
#include "protocols/keys.h"
#include "protocols/ring.h"
#include "runtime/host.h"
#include "runtime/semaphore.h"
#include "runtime/task.h"
#include "storage/engine.h"

namespace ringside {

class Partitions {
 public:
  struct Held {
    PositionRange range;
    bool whole = false;
    uint64_t ticket = 0;  // of the change for which it is, or was, filled
  };
  using Ranges = absl::btree_map<uint64_t, Held>;  // every read and write looks into it

  Partitions(Host& host, Engine& engine) : host_(host), engine_(engine), turn_(host.ready(), 1) {}

  // Makes the tablets for hints and for the node's own rows where there are none, and reads what
  // was kept. kCorrupt.
  Task<Result<void>> load();
  // Whether `load` found an engine in which nobody had held anything yet.
  bool fresh() const { return fresh_; }

  // Holds ranges from now on; what of them is held already stays as it is. Durable when it returns.
  Task<Result<void>> hold(std::vector<PositionRange> ranges, bool whole, uint64_t ticket = 0);
  // kNotFound, here and below, when the range is not held as such.
  Task<Result<void>> set_whole(PositionRange range, bool whole, uint64_t ticket = 0);
  // The same of several, at once.
  Task<Result<void>> set_whole_all(std::vector<PositionRange> ranges, bool whole, uint64_t ticket);
  // Forgets the range and every row in it.
  Task<Result<void>> drop(PositionRange range);
  // Forgets every row of the range and goes on holding it, not whole: for what cannot be read any
  // more. Rows of other ranges that shared its tablets go, too, and then those are not whole
  // either.
  Task<Result<void>> renew(PositionRange range, uint64_t ticket = 0);
  // Held ranges begin and end at each of these positions from now on.
  Task<Result<void>> cut_at(std::vector<uint64_t> positions);
  // Held whole ranges that make up one of these become that one.
  Task<Result<void>> join(std::vector<PositionRange> ranges);

  // Without marks and tablets: for tests and for engines that forget.
  void assume(PositionRange range) { held_[range.begin] = {range, true, 0}; }

  const Held* find(uint64_t position) const {
    auto after = held_.upper_bound(position);
    if (after == held_.begin()) return nullptr;
    const Held& held = std::prev(after)->second;
    return held.range.contains(position) ? &held : nullptr;
  }
  bool holds(uint64_t position) const { return find(position) != nullptr; }
  bool whole(uint64_t position) const {
    const Held* held = find(position);
    return held != nullptr && held->whole;
  }
  // Whether a range is held as such; `holds_all`: whether every position of it is held.
  bool holds_as(const PositionRange& range) const {
    const auto found = held_.find(range.begin);
    return found != held_.end() && found->second.range == range;
  }
  bool holds_all(const PositionRange& range) const;
  bool whole_all(const PositionRange& range) const;
  // In the order of the ring, by their begins.
  const Ranges& all() const { return held_; }

 private:
  using Marks = std::vector<Held>;

  Task<Result<void>> drop_lost_hints();
  Task<Result<void>> make_own_tablets();
  Task<Result<bool>> read_marks();
  Task<Result<void>> forget_marks();
  Task<Result<void>> match_tablets();
  // One batch: marks that go, marks that come.
  Task<Result<void>> keep(Marks gone, Marks come, std::vector<KeyRange> rows_gone = {});
  std::vector<PositionRange> not_held(const PositionRange& range) const;
  bool overlaps_held(const PositionRange& range) const;

  Host& host_;
  Engine& engine_;
  bool fresh_ = false;
  bool tablets_ = true;  // the engine has them
  Ranges held_;
  Semaphore turn_;  // one changes what is held at a time
};

}  // namespace ringside
