// Watch and Alarm: what the parts of a host ask of their loop. A Watch reports when a descriptor
// can be read or written, once for each time it is asked; an Alarm calls once at a point of the
// monotonic clock. Nothing is called after either is destroyed, and either may be destroyed from
// inside its own callback.
#pragma once

#include <functional>
#include <memory>

#include "posix/loop.h"

namespace ringside::posix {

class Watch {
 public:
  // Does not own `fd`; destroy the Watch before closing it.
  Watch(Loop& loop, int fd, std::function<void()> readable, std::function<void()> writable);
  ~Watch();
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;

  void want_read();
  void want_write();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

class Alarm {
 public:
  Alarm(Loop& loop, std::function<void()> ring);
  ~Alarm();
  Alarm(const Alarm&) = delete;
  Alarm& operator=(const Alarm&) = delete;

  // Replaces an earlier time that has not come yet.
  void set(Time at);
  void cancel();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace ringside::posix
