// with_deadline: runs a task until it ends or the deadline passes; in the second case its frame is
// destroyed (whatever it had already caused in the world stays caused) and the result is
// Code::kTimeout.
//
//   Result<Reply> reply = co_await with_deadline(host.clock(), deadline, ask(peer));   // ask
//   returns Task<Result<Reply>>
#pragma once

#include "runtime/clock.h"
#include "runtime/result.h"
#include "runtime/task.h"

namespace ringside {

template <class R>
class [[nodiscard]] DeadlineAwaiter : public Timer {
 public:
  DeadlineAwaiter(Clock& clock, Time deadline, Task<R> task)
      : Timer(clock), deadline_(deadline), task_(std::move(task)) {}

  bool await_ready() const { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) {
    caller_ = caller;
    start(deadline_);
    task_.handle().promise().continuation = caller;
    return task_.handle();
  }
  R await_resume() {
    cancel();
    if (!task_.valid()) return R(Code::kTimeout, "the deadline passed");
    return task_.handle().promise().take();
  }
  void fire() override {
    task_.reset();
    caller_.resume();
  }

 private:
  Time deadline_;
  Task<R> task_;
  std::coroutine_handle<> caller_;
};

template <class R>
DeadlineAwaiter<R> with_deadline(Clock& clock, Time deadline, Task<R> task) {
  return DeadlineAwaiter<R>(clock, deadline, std::move(task));
}

}  // namespace ringside
