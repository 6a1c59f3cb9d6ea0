// Channel<T>: a bounded queue between coroutines of one process. `push` says no when it is full or
// closed (back-pressure is the sender's decision); `pop` waits, and returns nothing once the
// channel is closed and empty.
#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <utility>

#include "runtime/ready.h"
#include "runtime/task.h"

namespace ringside {

template <class T>
class Channel {
 public:
  Channel(ReadyList& ready, std::size_t capacity) : ready_(ready), capacity_(capacity) {}

  std::size_t size() const { return items_.size(); }
  bool push(T item) {
    if (closed_ || items_.size() >= capacity_) return false;
    items_.push_back(std::move(item));
    wake_one();
    return true;
  }
  void close() {
    closed_ = true;
    while (Waiter* waiter = waiting_.pop_front()) ready_.push(*waiter);
  }

  // std::optional<T> item = co_await channel.pop();
  Task<std::optional<T>> pop() {
    while (items_.empty() && !closed_) co_await wait();
    if (items_.empty()) co_return std::nullopt;
    T item = std::move(items_.front());
    items_.pop_front();
    if (!items_.empty())
      wake_one();  // a waiter that was woken and then destroyed must not strand the others
    co_return std::optional<T>(std::move(item));
  }

 private:
  auto wait() {
    struct Awaiter : Waiter {
      Channel& channel;
      explicit Awaiter(Channel& owner) : channel(owner) {}
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> caller) {
        handle = caller;
        channel.waiting_.push_back(*this);
      }
      void await_resume() {}
    };
    return Awaiter(*this);
  }
  void wake_one() {
    if (Waiter* waiter = waiting_.pop_front()) ready_.push(*waiter);
  }

  ReadyList& ready_;
  std::deque<T> items_;
  List<Waiter> waiting_;
  std::size_t capacity_;
  bool closed_ = false;
};

}  // namespace ringside
