// PageCache: does small reads and writes at once, on the loop's thread, when memory can answer: a
// system call, where a thread's wake-up and the way back take ten times as long. A read never
// waits (RWF_NOWAIT): what memory does not hold is left for the ring or the pool. A write can be
// held up by the kernel (too many dirty pages, a journal that commits), and file systems that would
// say so beforehand are few; so after one that was, writes are left for the others for a while.
#pragma once

#include "posix/file_job.h"
#include "runtime/time.h"

namespace ringside::posix {

class PageCache {
 public:
  // A write that took longer than `held_up` was held up.
  explicit PageCache(Duration held_up = kMillisecond) : held_up_(held_up) {}

  // True when the job is finished. Otherwise it may be done in part, and what is left is for
  // somebody who can wait.
  bool perform(FileJob& job);

 private:
  static constexpr uint64_t kBytesMax = 64u << 10;  // copying more holds up the loop
  static constexpr Duration kRestAfterwards = kSecond;

  bool read(FileJob& job);
  bool write(FileJob& job);

  Duration held_up_;
  Time no_writes_until_ = 0;
};

}  // namespace ringside::posix
