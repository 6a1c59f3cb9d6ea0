// Clock: this machine's monotonic time, its wall time (which may be skewed or step), and timers.
#pragma once

#include <coroutine>
#include <cstdint>

#include "runtime/list.h"
#include "runtime/time.h"

namespace ringside {

class Clock;

// A timer owned by whoever waits; destroying it cancels it. `fire` is a host completion: it may
// resume a coroutine.
class Timer : public Link {
 public:
  explicit Timer(Clock& clock) : clock_(clock) {}
  ~Timer() { cancel(); }

  void start(Time at);
  void cancel();
  bool pending() const { return slot != kIdle; }
  virtual void fire() = 0;

  // For the host alone: where it keeps this timer. The host sets it to kIdle before it calls fire.
  static constexpr uint64_t kIdle = ~uint64_t{0};
  uint64_t slot = kIdle;

 private:
  Clock& clock_;
};

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() = 0;  // monotonic; starts at 0 or later when the machine starts
  virtual Time
  wall() = 0;  // nanoseconds since the Unix epoch as this machine believes; may step back
  virtual void start(Timer& timer, Time at) = 0;
  virtual void cancel(Timer& timer) = 0;

  // co_await clock.sleep_until(at), clock.sleep(for)
  auto sleep_until(Time at);
  auto sleep(Duration duration);
};

inline void Timer::start(Time at) { clock_.start(*this, at); }
inline void Timer::cancel() {
  if (pending()) clock_.cancel(*this);
  slot = kIdle;
}

class SleepAwaiter : public Timer {
 public:
  SleepAwaiter(Clock& clock, Time at) : Timer(clock), at_(at) {}
  bool await_ready() const { return false; }
  void await_suspend(std::coroutine_handle<> caller) {
    caller_ = caller;
    start(at_);
  }
  void await_resume() {}
  void fire() override { caller_.resume(); }

 private:
  Time at_;
  std::coroutine_handle<> caller_;
};

inline auto Clock::sleep_until(Time at) { return SleepAwaiter(*this, at); }
inline auto Clock::sleep(Duration duration) { return SleepAwaiter(*this, now() + duration); }

}  // namespace ringside
