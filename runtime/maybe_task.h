// MaybeTask<T>: a T that is there already, or the Task that will have it. Awaiting one that is
// there neither suspends nor takes a frame: for what mostly needs no waiting.
//
//   MaybeTask<Result<void>> load() { return in_memory() ? MaybeTask(Result<void>()) : read(); }
//   Result<void> done = co_await load();
#pragma once

#include <optional>
#include <utility>

#include "runtime/task.h"

namespace ringside {

template <class T>
class [[nodiscard]] MaybeTask {
 public:
  MaybeTask(T value) : value_(std::move(value)) {}     // NOLINT: what is there
  MaybeTask(Task<T> task) : task_(std::move(task)) {}  // NOLINT: or will be

  bool await_ready() const noexcept { return value_.has_value(); }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
    task_.handle().promise().continuation = caller;
    return task_.handle();
  }
  T await_resume() { return value_ ? *std::move(value_) : task_.handle().promise().take(); }

 private:
  std::optional<T> value_;
  Task<T> task_;
};

}  // namespace ringside
