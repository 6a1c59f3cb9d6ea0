// RealClock: CLOCK_MONOTONIC, CLOCK_REALTIME, and the timers of one process in a heap with one
// alarm for the earliest. Timers fire in the order of their times, equal times in the order in
// which they were started, never inside `start`.
#pragma once

#include <vector>

#include "posix/process.h"
#include "posix/watch.h"
#include "runtime/clock.h"

namespace ringside::posix {

class RealClock final : public Clock {
 public:
  explicit RealClock(Process& process);
  ~RealClock() override;

  Time now() override;
  Time wall() override;
  void start(Timer& timer, Time at) override;
  void cancel(Timer& timer) override;

 private:
  struct Entry {
    Time at;
    uint64_t sequence;
    Timer* timer;
    bool operator<(const Entry& other) const {
      return at != other.at ? at < other.at : sequence < other.sequence;
    }
  };

  void ring();
  void ring_soon();
  void arm();
  void place(size_t index, Entry entry);
  void sift_up(size_t index, Entry entry);
  void sift_down(size_t index, Entry entry);
  void erase(size_t index);

  Process& process_;
  Alarm alarm_;
  std::vector<Entry> heap_;  // each timer's slot is its index here
  uint64_t sequence_ = 0;
  Time fired_until_ =
      0;  // a timer for the past is for now, so that it cannot overtake those which are due
  Time armed_for_ = kNever;
  bool rings_soon_ = false;
  bool ringing_ = false;
};

}  // namespace ringside::posix
