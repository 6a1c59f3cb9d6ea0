#include "runtime/scope.h"

namespace ringside {
namespace task_internal {

void finish_spawned(PromiseBase& promise) {
  Scope& scope = *promise.scope;
  promise.unlink();
  promise.self.destroy();  // legal here: the coroutine is suspended at its final point
  scope.child_ended();
}

}  // namespace task_internal

void Scope::spawn(Task<void> task) {
  CHECK(task.valid());
  Task<void>::Handle handle = task.release();
  handle.promise().scope = this;
  children_.push_back(handle.promise());
  handle.resume();
}

void Scope::cancel() {
  while (!children_.empty()) {
    task_internal::PromiseBase& newest = children_.back();
    newest.unlink();
    newest.self.destroy();
  }
}

void Scope::child_ended() {
  if (!children_.empty() || joiner_ == nullptr) return;
  Waiter& waiter = *joiner_;
  joiner_ = nullptr;
  ready_.push(waiter);
}

}  // namespace ringside
