// Partitions: the ranges of the ring that this node holds, a tablet each, and whether each is
// *whole*: it holds everything that was ever acknowledged for it. A range that is not whole takes
// writes and answers no reads. What is held and whole is kept in the engine, beside the rows, and
// known again after a restart. Engines without tablets hold everything in one place; then only the
// marks are kept.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "protocols/keys.h"
#include "protocols/ring.h"
#include "runtime/host.h"
#include "runtime/task.h"
#include "storage/engine.h"

namespace ringside {

class Partitions {
 public:
  struct Held {
    PositionRange range;
    bool whole = false;
    uint64_t ticket = 0;  // of the change for which it is being filled
  };

  Partitions(Host& host, Engine& engine) : host_(host), engine_(engine) {}

  // Makes the tablets for hints and for the node's own rows where there are none, and reads what
  // was kept. kCorrupt.
  Task<Result<void>> load();
  // Whether `load` found an engine in which nobody had held anything yet.
  bool fresh() const { return fresh_; }

  // Holds ranges from now on; those that are held already stay as they are. Durable when it
  // returns. kExists when one overlaps what is held.
  Task<Result<void>> hold(std::vector<PositionRange> ranges, bool whole, uint64_t ticket = 0);
  Task<Result<void>> set_whole(PositionRange range, bool whole, uint64_t ticket = 0);
  // Forgets the range and every row in it.
  Task<Result<void>> drop(PositionRange range);

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
  // In the order of the ring, by their begins.
  const std::map<uint64_t, Held>& all() const { return held_; }

 private:
  Task<Result<void>> keep(std::vector<Held> marks);

  Host& host_;
  Engine& engine_;
  bool fresh_ = false;
  bool tablets_ = true;  // the engine has them
  std::map<uint64_t, Held> held_;
};

}  // namespace ringside
