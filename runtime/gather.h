// Gather: awaits the need-th success of n replies without a coroutine a leg. Whoever receives the
// replies calls `succeed` or `fail`, one call a leg; the owner awaits. After a wait returned, later
// replies still count, and the owner may wait again with another need (read repair waits for
// stragglers this way). A call may get more legs while it is under way, and a leg may stop to
// count.
#pragma once

#include <cstdint>

#include "runtime/clock.h"
#include "runtime/ready.h"

namespace ringside {

class Gather {
 public:
  enum class Outcome : uint8_t {
    kReached,     // at least `need` legs succeeded
    kImpossible,  // so many failed that `need` cannot be reached
    kLegFailed,   // more legs failed than the waiter wanted to sit through
    kDeadline,
  };

  Gather(ReadyList& ready, Clock& clock, uint32_t legs)
      : ready_(ready), clock_(clock), legs_(legs) {}
  Gather(const Gather&) = delete;
  Gather& operator=(const Gather&) = delete;

  uint32_t legs() const { return legs_; }
  uint32_t succeeded() const { return succeeded_; }
  uint32_t failed() const { return failed_; }
  uint32_t outstanding() const { return legs_ - succeeded_ - failed_; }

  void succeed() {
    CHECK(outstanding() > 0);
    ++succeeded_;
    settle();
  }
  void fail() {
    CHECK(outstanding() > 0);
    ++failed_;
    settle();
  }

  void add_leg() { ++legs_; }
  // One that is outstanding will not be waited for any more.
  void withdraw() {
    CHECK(outstanding() > 0);
    --legs_;
    settle();
  }

  // Outcome outcome = co_await gather.wait(need, deadline). One waiter at a time. With
  // `failed_max` it also ends as soon as more legs than that have failed.
  auto wait(uint32_t need, Time deadline, uint32_t failed_max = ~0u) {
    return Awaiter(*this, need, deadline, failed_max);
  }

 private:
  class Awaiter : public Timer {
   public:
    Awaiter(Gather& gather, uint32_t need, Time deadline, uint32_t failed_max)
        : Timer(gather.clock_),
          gather_(gather),
          need_(need),
          failed_max_(failed_max),
          deadline_(deadline) {}
    ~Awaiter() {
      if (gather_.awaiter_ == this) gather_.awaiter_ = nullptr;
    }
    bool await_ready() { return settled(); }
    void await_suspend(std::coroutine_handle<> caller) {
      CHECK(gather_.awaiter_ == nullptr);
      gather_.awaiter_ = this;
      waiter_.handle = caller;
      if (deadline_ != kNever) start(deadline_);
    }
    Outcome await_resume() {
      cancel();
      return outcome_;
    }
    void fire() override {
      outcome_ = Outcome::kDeadline;
      gather_.awaiter_ = nullptr;
      gather_.ready_.push(waiter_);
    }
    bool settled() {
      if (gather_.succeeded_ >= need_) {
        outcome_ = Outcome::kReached;
        return true;
      }
      if (gather_.succeeded_ + gather_.outstanding() < need_) {
        outcome_ = Outcome::kImpossible;
        return true;
      }
      if (gather_.failed_ > failed_max_) {
        outcome_ = Outcome::kLegFailed;
        return true;
      }
      return false;
    }

   private:
    friend class Gather;
    Gather& gather_;
    uint32_t need_;
    uint32_t failed_max_;
    Time deadline_;
    Waiter waiter_;
    Outcome outcome_ = Outcome::kDeadline;
  };

  void settle() {
    if (awaiter_ == nullptr || !awaiter_->settled()) return;
    Awaiter& awaiter = *awaiter_;
    awaiter_ = nullptr;
    ready_.push(awaiter.waiter_);
  }

  ReadyList& ready_;
  Clock& clock_;
  uint32_t legs_;
  uint32_t succeeded_ = 0;
  uint32_t failed_ = 0;
  Awaiter* awaiter_ = nullptr;
};

}  // namespace ringside
