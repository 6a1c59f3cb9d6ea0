// Process: what the parts of one real host share. From `abort` (or the host's destruction) on it is
// dead: its calls do nothing and nothing is delivered to it any more.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "posix/loop.h"
#include "runtime/ready.h"

namespace ringside::posix {

struct Process {
  explicit Process(Loop& owner) : loop(owner) {}

  Loop& loop;
  ReadyList ready;
  bool dead = false;
  uint64_t charged_total = 0;
  uint64_t charged_now = 0;    // since the process last let go
  uint64_t partial_bytes = 0;  // held for frames that have not arrived in full

  // After every completion.
  void drain() {
    if (!dead) ready.drain();
    charged_now = 0;
  }
  // For whoever wakes from outside a completion.
  void drain_soon() {
    if (ready.empty() || std::exchange(drain_posted_, true)) return;
    post([this] {
      drain_posted_ = false;
      drain();
    });
  }
  // Calls `action` at a later turn, unless the process is gone by then.
  void post(std::function<void()> action) {
    loop.post([alive = alive_, action = std::move(action)] {
      if (*alive) action();
    });
  }
  void die() {
    dead = true;
    ready.clear();
  }
  ~Process() { *alive_ = false; }

 private:
  bool drain_posted_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ringside::posix
