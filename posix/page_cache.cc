#include "posix/page_cache.h"

#include <sys/resource.h>
#include <sys/uio.h>
#include <unistd.h>

namespace ringside::posix {

bool PageCache::perform(FileJob& job) {
  if (job.kind == FileJob::Kind::kRead)
    return !job.bytes.empty() && job.bytes.size() <= kBytesMax && read(job);
  if (job.kind == FileJob::Kind::kWrite) return job.data.size() <= kBytesMax && write(job);
  return false;
}

int64_t PageCache::sleeps_of_thread() {
  rusage usage = {};
  getrusage(RUSAGE_THREAD, &usage);
  return usage.ru_nvcsw;
}

// Errors are for those who come after: they meet them again, unless they can help.
bool PageCache::read(FileJob& job) {
  while (true) {
    const iovec to = {.iov_base = job.position(), .iov_len = job.left()};
    const ssize_t moved =
        preadv2(job.file->get(), &to, 1, static_cast<off_t>(job.offset + job.moved), RWF_NOWAIT);
    if (moved < 0) return false;
    if (job.step(moved)) return true;
  }
}

bool PageCache::write(FileJob& job) {
  const Time start = clock_();
  if (start < no_writes_until_) return false;
  const int64_t sleeps = sleeps_();
  const ssize_t moved = pwrite(job.file->get(), job.position(), job.left(),
                               static_cast<off_t>(job.offset + job.moved));
  const Time end = clock_();
  if (end - start > kHeldUp && sleeps_() != sleeps)
    no_writes_until_ = end + kRestTimes * (end - start);
  return moved > 0 && job.step(moved);
}

}  // namespace ringside::posix
