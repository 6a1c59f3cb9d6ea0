// DurableMark: how far the log is known to have reached the disk, and those who wait for it.
// Waiters live in their own frames; one advance wakes a whole group through the ready list and
// allocates nothing. Once poisoned it never moves again: a wait for anything beyond the mark fails,
// because a second sync would prove nothing.
#pragma once

#include <cstdint>
#include <utility>

#include "runtime/ready.h"
#include "runtime/result.h"

namespace ringside {

// Log sequence number: the place of a batch in the one order of an engine. 0 is before everything.
using Lsn = uint64_t;

class DurableMark {
 private:
  struct Pending : Waiter {
    Lsn lsn = 0;
  };

 public:
  explicit DurableMark(ReadyList& ready) : ready_(ready) {}
  DurableMark(const DurableMark&) = delete;
  DurableMark& operator=(const DurableMark&) = delete;

  Lsn lsn() const { return lsn_; }
  bool poisoned() const { return poisoned_; }
  const Error& error() const { return error_; }

  // Wakes those at or below `lsn`.
  void advance(Lsn lsn) {
    CHECK(lsn >= lsn_);
    if (poisoned_) return;
    lsn_ = lsn;
    wake(/*all=*/false);
  }
  // Wakes everyone with the error.
  void poison(Error error) {
    if (poisoned_) return;
    poisoned_ = true;
    error_ = std::move(error);
    wake(/*all=*/true);
  }

  // Result<void> held = co_await mark.wait(lsn);
  class [[nodiscard]] Awaiter : Pending {
   public:
    Awaiter(DurableMark& mark, Lsn awaited) : mark_(mark) { lsn = awaited; }
    bool await_ready() const { return lsn <= mark_.lsn_ || mark_.poisoned_; }
    void await_suspend(std::coroutine_handle<> caller) {
      handle = caller;
      mark_.waiting_.push_back(*this);
    }
    Result<void> await_resume() {
      if (lsn <= mark_.lsn_) return {};
      return mark_.error_;
    }

   private:
    DurableMark& mark_;
  };
  Awaiter wait(Lsn lsn) { return Awaiter(*this, lsn); }

 private:
  void wake(bool all) {
    List<Pending> later;
    while (Pending* pending = waiting_.pop_front()) {
      if (all || pending->lsn <= lsn_) {
        ready_.push(*pending);
      } else {
        later.push_back(*pending);
      }
    }
    waiting_.append(later);
  }

  ReadyList& ready_;
  List<Pending> waiting_;
  Lsn lsn_ = 0;
  bool poisoned_ = false;
  Error error_;
};

}  // namespace ringside
