// The ready list of one process: coroutines that something inside the process woke. The host drains
// it after every completion it delivers, in the order of waking; so a wake-up never runs in the
// middle of the code that caused it.
#pragma once

#include <coroutine>

#include "runtime/list.h"

namespace ringside {

// Lives in the awaiter, so a destroyed frame is no longer ready.
struct Waiter : Link {
  std::coroutine_handle<> handle;
};

class ReadyList {
 public:
  void push(Waiter& waiter) { list_.push_back(waiter); }
  bool empty() const { return list_.empty(); }

  // Resumes until nothing is ready. Only the host calls this.
  void drain() {
    while (Waiter* waiter = list_.pop_front()) waiter->handle.resume();
  }

  // Forgets everything: the process died.
  void clear() {
    while (list_.pop_front() != nullptr) {
    }
  }

 private:
  List<Waiter> list_;
};

}  // namespace ringside
