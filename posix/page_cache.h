// PageCache: does small reads and writes at once, on the loop's thread, when memory can answer: a
// system call, where a thread's wake-up and the way back take ten times as long. A read never
// waits (RWF_NOWAIT): what memory does not hold is left for the ring or the pool. A write can be
// held up by the kernel (too many dirty pages, a journal that commits), and file systems that would
// say so beforehand are few; so after one that was, writes are left for the others for ten times as
// long as it took, which bounds what of its time a loop can lose.
#pragma once

#include "posix/file_job.h"
#include "posix/loop.h"
#include "runtime/time.h"

namespace ringside::posix {

class PageCache {
 public:
  // `sleeps`: how often this thread has gone to sleep so far. One that others were given the
  // processor instead of has not.
  explicit PageCache(Time (*clock)() = Loop::monotonic, int64_t (*sleeps)() = sleeps_of_thread)
      : clock_(clock), sleeps_(sleeps) {}

  // True when the job is finished. Otherwise it may be done in part, and what is left is for
  // somebody who can wait.
  bool perform(FileJob& job);

 private:
  static constexpr uint64_t kBytesMax = 64u << 10;   // copying more holds up the loop
  static constexpr Duration kHeldUp = kMillisecond;  // a write that slept and took longer
  static constexpr int kRestTimes = 10;

  static int64_t sleeps_of_thread();
  bool read(FileJob& job);
  bool write(FileJob& job);

  Time (*clock_)();
  int64_t (*sleeps_)();
  Time no_writes_until_ = 0;
};

}  // namespace ringside::posix
