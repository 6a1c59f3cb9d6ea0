// The zone test while the history still grows: told of calls as they begin and end, in the order of
// time, it says at which one a register (one key, values written once) stopped being linearizable.
// That is exact: the calls told so far have no linearization, and without the last one they had.
// Two values contradict each other when each has a call that ended before one of the other's began
// (Gibbons & Korach); since calls come in the order of their ends, a value's first end never moves,
// and a new call asks one question: among the values that first ended before it began, does another
// have a call that began after this value's first end? A tree of maxima answers in O(log n).
#pragma once

#include <memory>
#include <string>

#include "analysis/verdict.h"

namespace ringside {

class OnlineRegister {
 public:
  OnlineRegister();
  ~OnlineRegister();

  // What contradicts what; calls by the numbers that the caller gave them.
  struct Violation {
    uint32_t call = ~uint32_t{0};   // the one that ended last
    uint32_t other = ~uint32_t{0};  // the call of the other value that began too late for it
  };

  // A write of `value` (not 0, and a new one) begins. Times never go back.
  void write_begins(uint64_t value, Time at, uint32_t call);
  // It ends. `happened`: false when it surely did not. One whose outcome stays unknown never ends.
  // False from the first violation on.
  bool write_ends(uint64_t value, Time at, bool happened);
  // A read that began at `begin` ends and returns `value`, 0 for absent.
  bool read_ends(uint64_t value, Time begin, Time at, uint32_t call);

  bool holds() const { return !violated_; }
  const Violation& violation() const { return violation_; }

 private:
  struct State;
  bool add(uint32_t number, Time begin, Time at, uint32_t call);
  bool fail(uint32_t call, uint32_t other);

  std::unique_ptr<State> state_;
  Violation violation_;
  bool violated_ = false;
};

}  // namespace ringside
