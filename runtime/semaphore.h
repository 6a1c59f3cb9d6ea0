// Semaphore: `permits` holders at a time, first come first served. A Permit gives itself back.
#pragma once

#include <cstdint>
#include <utility>

#include "runtime/ready.h"

namespace ringside {

class Semaphore;

class [[nodiscard]] Permit {
 public:
  Permit() = default;
  explicit Permit(Semaphore& semaphore) : semaphore_(&semaphore) {}
  Permit(Permit&& other) noexcept : semaphore_(std::exchange(other.semaphore_, nullptr)) {}
  Permit& operator=(Permit&& other) noexcept {
    if (this != &other) {
      release();
      semaphore_ = std::exchange(other.semaphore_, nullptr);
    }
    return *this;
  }
  ~Permit() { release(); }
  void release();

 private:
  Semaphore* semaphore_ = nullptr;
};

class Semaphore {
 private:
  struct Pending : Waiter {
    bool granted = false;
  };

 public:
  Semaphore(ReadyList& ready, uint64_t permits) : ready_(ready), permits_(permits) {}

  uint64_t available() const { return permits_; }

  // Permit permit = co_await semaphore.acquire();
  auto acquire() {
    struct Awaiter : Pending {
      Semaphore& semaphore;
      explicit Awaiter(Semaphore& owner) : semaphore(owner) {}
      ~Awaiter() {
        if (granted) semaphore.release();  // granted, then destroyed before it could run
      }
      bool await_ready() {
        if (semaphore.permits_ == 0 || !semaphore.waiting_.empty()) return false;
        --semaphore.permits_;
        return granted = true;
      }
      void await_suspend(std::coroutine_handle<> caller) {
        this->handle = caller;
        semaphore.waiting_.push_back(*this);
      }
      Permit await_resume() {
        granted = false;
        return Permit(semaphore);
      }
    };
    return Awaiter(*this);
  }

 private:
  friend class Permit;
  void release() {
    if (Pending* next = waiting_.pop_front()) {
      next->granted = true;
      ready_.push(*next);
    } else {
      ++permits_;
    }
  }

  ReadyList& ready_;
  List<Pending> waiting_;
  uint64_t permits_;
};

inline void Permit::release() {
  if (semaphore_ != nullptr) std::exchange(semaphore_, nullptr)->release();
}

}  // namespace ringside
