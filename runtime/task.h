// Task<T>: a lazy coroutine that its awaiter owns. Awaiting starts it by symmetric transfer; its
// end transfers back. Destroying a Task destroys its frame wherever it is suspended, and with it
// every awaiter that lives there: that is how a process dies. A Task<void> may instead be handed to
// a Scope, which then owns it; the link lives in the promise.
#pragma once

#include <coroutine>
#include <cstdlib>
#include <exception>
#include <optional>
#include <utility>

#include "runtime/check.h"
#include "runtime/frame_pool.h"
#include "runtime/list.h"

namespace ringside {

template <class T>
class Task;
class Scope;

namespace task_internal {

// What a Scope tells apart by: a spawned coroutine has a scope and no continuation.
struct PromiseBase : Link {
  std::coroutine_handle<> continuation;
  std::coroutine_handle<> self;
  Scope* scope = nullptr;

  static void* operator new(std::size_t bytes) { return FramePool::allocate(bytes); }
  static void operator delete(void* frame, std::size_t bytes) { FramePool::release(frame, bytes); }

  std::suspend_always initial_suspend() noexcept { return {}; }
  void unhandled_exception() noexcept { std::terminate(); }
};

// Destroys the finished frame of a spawned task and tells its scope.
void finish_spawned(PromiseBase& promise);

struct FinalAwaiter {
  bool await_ready() noexcept { return false; }
  template <class Promise>
  std::coroutine_handle<> await_suspend(std::coroutine_handle<Promise> done) noexcept {
    PromiseBase& promise = done.promise();
    if (promise.continuation) return promise.continuation;
    if (promise.scope != nullptr) finish_spawned(promise);
    return std::noop_coroutine();
  }
  void await_resume() noexcept {}
};

template <class T>
struct Promise : PromiseBase {
  std::optional<T> value;

  Task<T> get_return_object();
  FinalAwaiter final_suspend() noexcept { return {}; }
  template <class U>
  void return_value(U&& result) {
    value.emplace(std::forward<U>(result));
  }
  T take() {
    CHECK(value.has_value());
    return std::move(*value);
  }
};

template <>
struct Promise<void> : PromiseBase {
  Task<void> get_return_object();
  FinalAwaiter final_suspend() noexcept { return {}; }
  void return_void() {}
  void take() {}
};

}  // namespace task_internal

template <class T>
class [[nodiscard]] Task {
 public:
  using promise_type = task_internal::Promise<T>;
  using Handle = std::coroutine_handle<promise_type>;

  Task() = default;
  explicit Task(Handle handle) : handle_(handle) {}
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      reset();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() { reset(); }

  bool valid() const { return handle_ != nullptr; }
  bool done() const { return handle_ && handle_.done(); }
  void reset() {
    if (handle_) std::exchange(handle_, nullptr).destroy();
  }
  Handle release() { return std::exchange(handle_, nullptr); }
  Handle handle() const { return handle_; }

  auto operator co_await() && noexcept {
    struct Awaiter {
      Handle handle;
      bool await_ready() noexcept { return false; }
      std::coroutine_handle<> await_suspend(std::coroutine_handle<> caller) noexcept {
        handle.promise().continuation = caller;
        return handle;
      }
      T await_resume() { return handle.promise().take(); }
    };
    CHECK(handle_);
    return Awaiter{handle_};
  }

 private:
  Handle handle_;
};

namespace task_internal {

template <class T>
Task<T> Promise<T>::get_return_object() {
  auto handle = std::coroutine_handle<Promise<T>>::from_promise(*this);
  self = handle;
  return Task<T>(handle);
}

inline Task<void> Promise<void>::get_return_object() {
  auto handle = std::coroutine_handle<Promise<void>>::from_promise(*this);
  self = handle;
  return Task<void>(handle);
}

}  // namespace task_internal
}  // namespace ringside
