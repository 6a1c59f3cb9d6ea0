#include "posix/clock.h"

#include <time.h>

#include <algorithm>
#include <utility>

namespace ringside::posix {

RealClock::RealClock(Process& process)
    : process_(process), alarm_(process.loop, [this] {
        armed_for_ = kNever;
        ring();
      }) {}

RealClock::~RealClock() {
  for (Entry& entry : heap_) entry.timer->slot = Timer::kIdle;
}

Time RealClock::now() { return Loop::monotonic(); }

Time RealClock::wall() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

void RealClock::start(Timer& timer, Time at) {
  if (process_.dead) return;
  if (timer.pending()) cancel(timer);
  heap_.emplace_back();
  sift_up(heap_.size() - 1, Entry{std::max(at, fired_until_), sequence_++, &timer});
  arm();
}

void RealClock::cancel(Timer& timer) {
  if (!timer.pending()) return;
  CHECK(timer.slot < heap_.size() && heap_[timer.slot].timer == &timer);
  erase(timer.slot);
  timer.slot =
      Timer::kIdle;  // the alarm may ring for nothing, which is cheaper than to set it again
}

// A turn of the loop costs a fraction of what an alarm does, and what lets others run is due at
// once.
void RealClock::ring_soon() {
  if (std::exchange(rings_soon_, true)) return;
  process_.post([this] {
    rings_soon_ = false;
    ring();
  });
}

void RealClock::ring() {
  ringing_ = true;
  fired_until_ = now();
  const uint64_t newest = sequence_;
  while (!process_.dead && !heap_.empty() && heap_[0].at <= fired_until_ &&
         heap_[0].sequence < newest) {
    Timer& timer = *heap_[0].timer;
    erase(0);
    timer.slot = Timer::kIdle;
    timer.fire();
    process_.drain();
  }
  ringing_ = false;
  arm();
}

void RealClock::arm() {
  if (ringing_ || heap_.empty()) return;
  if (heap_[0].at <= now()) return ring_soon();
  if (heap_[0].at >= armed_for_) return;
  armed_for_ = heap_[0].at;
  alarm_.set(armed_for_);
}

void RealClock::place(size_t index, Entry entry) {
  heap_[index] = entry;
  entry.timer->slot = index;
}

void RealClock::sift_up(size_t index, Entry entry) {
  while (index > 0) {
    const size_t parent = (index - 1) / 2;
    if (!(entry < heap_[parent])) break;
    place(index, heap_[parent]);
    index = parent;
  }
  place(index, entry);
}

void RealClock::sift_down(size_t index, Entry entry) {
  while (true) {
    size_t child = 2 * index + 1;
    if (child >= heap_.size()) break;
    if (child + 1 < heap_.size() && heap_[child + 1] < heap_[child]) ++child;
    if (!(heap_[child] < entry)) break;
    place(index, heap_[child]);
    index = child;
  }
  place(index, entry);
}

void RealClock::erase(size_t index) {
  const Entry last = heap_.back();
  heap_.pop_back();
  if (index == heap_.size()) return;
  if (index > 0 && last < heap_[(index - 1) / 2])
    sift_up(index, last);
  else
    sift_down(index, last);
}

}  // namespace ringside::posix
