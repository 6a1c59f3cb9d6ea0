// Actors: in whose name this process makes versions. An actor is 40 bits that were drawn for this
// life of the process and a birth, which is counted: each key begins with a new one, and keeps it
// while its object is stored here, so that its counters have no gaps. A life never hands out a
// (actor, counter) twice, whatever becomes of the disk: a node that lost it is somebody else, and a
// key that was removed here (reaped, expired, handed over) and comes back is born anew, however
// little of its past comes back with it.
#pragma once

#include <compare>
#include <cstdint>

#include "runtime/bug.h"
#include "runtime/host.h"
#include "runtime/random.h"

namespace ringside {

// Names one put: the n-th of an actor.
struct Dot {
  uint64_t actor = 0;
  uint64_t counter = 0;
  auto operator<=>(const Dot&) const = default;
};

class Actors {
 public:
  explicit Actors(Host& host) : random_(host.random("dynamo.actor")), node_(host.network().self()) {
    draw();
  }

  // An actor that has made nothing yet.
  uint64_t fresh() {
    if (RINGSIDE_BUG(actor_counters_reissued)) return epoch_ | 1;
    if (births_ == kBirthsMax) draw();
    return epoch_ | ++births_;
  }
  // A counter above `least` and above all that this gave before, for counters that may have gaps.
  uint64_t count(uint64_t least) {
    if (RINGSIDE_BUG(actor_counters_reissued)) return least + 1;
    counted_ = std::max(counted_, least) + 1;
    return counted_;
  }
  // Stands for all of them, where an actor is no more than a name.
  uint64_t life() const { return epoch_; }
  // Whether this life of the process made it.
  bool own(uint64_t actor) const { return (actor & ~kBirthsMax) == epoch_; }
  // Whether it may go on counting from what an object that is stored here says.
  bool usable(uint64_t actor) const { return own(actor) && (actor & kBirthsMax) > retired_; }
  // Objects of keys that had been removed here came back: no actor that was born so far goes on.
  void retire() { retired_ = births_; }

 private:
  static constexpr uint64_t kBirthsMax = (uint64_t{1} << 24) - 1;

  void draw() {
    const uint64_t drawn = random_.next();
    epoch_ = (RINGSIDE_BUG(actor_counters_reissued) ? mix(node_) : drawn) & ~kBirthsMax;
    births_ = retired_ = 0;
  }

  Random& random_;
  NodeId node_;
  uint64_t epoch_ = 0;
  uint64_t births_ = 0;
  uint64_t retired_ = 0;
  uint64_t counted_ = 0;
};

}  // namespace ringside
