// Event: waits until something happened. `set` wakes everyone and stays set; `pulse` wakes those
// who wait now.
#pragma once

#include "runtime/ready.h"

namespace ringside {

class Event {
 public:
  explicit Event(ReadyList& ready) : ready_(ready) {}

  bool is_set() const { return set_; }
  void set() {
    set_ = true;
    pulse();
  }
  void reset() { set_ = false; }
  void pulse() {
    while (Waiter* waiter = waiters_.pop_front()) ready_.push(*waiter);
  }

  // co_await event.wait(): returns at once when set.
  auto wait() {
    struct Awaiter : Waiter {
      Event& event;
      explicit Awaiter(Event& waited) : event(waited) {}
      bool await_ready() const { return event.set_; }
      void await_suspend(std::coroutine_handle<> caller) {
        handle = caller;
        event.waiters_.push_back(*this);
      }
      void await_resume() {}
    };
    return Awaiter(*this);
  }

 private:
  ReadyList& ready_;
  List<Waiter> waiters_;
  bool set_ = false;
};

}  // namespace ringside
