// Scope: structured concurrency. Children spawned in a scope end before the scope does: its
// destructor destroys those still running, newest first. Declare a scope *after* whatever its
// children use. A child runs at once, until it first suspends. A scope must not be destroyed by one
// of its own children.
#pragma once

#include "runtime/ready.h"
#include "runtime/task.h"

namespace ringside {

class Scope {
 public:
  explicit Scope(ReadyList& ready) : ready_(ready) {}
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;
  ~Scope() { cancel(); }

  void spawn(Task<void> task);
  bool empty() const { return children_.empty(); }

  // Destroys every child, newest first.
  void cancel();

  // co_await scope.join(): until no child is left. One waiter at a time.
  auto join() {
    struct Awaiter {
      Scope& scope;
      Waiter waiter;
      explicit Awaiter(Scope& joined) : scope(joined) {}
      ~Awaiter() {
        if (scope.joiner_ == &waiter) scope.joiner_ = nullptr;
      }
      bool await_ready() const { return scope.children_.empty(); }
      void await_suspend(std::coroutine_handle<> handle) {
        CHECK(scope.joiner_ == nullptr);
        waiter.handle = handle;
        scope.joiner_ = &waiter;
      }
      void await_resume() {}
    };
    return Awaiter(*this);
  }

 private:
  friend void task_internal::finish_spawned(task_internal::PromiseBase& promise);
  void child_ended();

  ReadyList& ready_;
  List<task_internal::PromiseBase> children_;
  Waiter* joiner_ = nullptr;
};

}  // namespace ringside
