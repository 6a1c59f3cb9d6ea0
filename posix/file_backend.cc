#include "posix/file_backend.h"

#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

namespace ringside::posix {
namespace {

std::unique_ptr<io_uring> make_ring(unsigned entries, int event_fd) {
  auto ring = std::make_unique<io_uring>();
  if (io_uring_queue_init(entries, ring.get(), 0) < 0)
    return nullptr;  // old kernel, seccomp or sysctl
  if (io_uring_register_eventfd(ring.get(), event_fd) < 0) {
    io_uring_queue_exit(ring.get());
    return nullptr;
  }
  return ring;
}

}  // namespace

FileBackend::FileBackend(Loop& loop, const LoopOptions& options)
    : loop_(loop),
      at_once_(options.files_at_once),
      event_fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      threads_max_(std::max(1, options.pool_threads)) {
  CHECK(event_fd_ >= 0);
  const char* forbidden = getenv("RINGSIDE_NO_IO_URING");
  const bool no_ring = options.thread_pool_files ||
                       (forbidden != nullptr && *forbidden != '\0' && *forbidden != '0');
  if (!no_ring) ring_ = make_ring(kRingEntries, event_fd_);
  watch_ = std::make_unique<Watch>(loop_, event_fd_, [this] { on_event(); }, [] {});
  watch_->want_read();
}

FileBackend::~FileBackend() {
  *alive_ = false;
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  wake_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  watch_.reset();
  if (ring_ != nullptr) io_uring_queue_exit(ring_.get());
  close(event_fd_);
}

void FileBackend::submit(FileJob& job) {
  if (at_once_ && page_cache_.perform(job)) return answer(job);
  if (ring_ != nullptr && job.wants_ring()) {
    backlog_.push_back(job);
    submit_soon();
    return;
  }
  const std::lock_guard lock(mutex_);
  for_pool_.push_back(&job);
  if (threads_idle_ < for_pool_.size() && threads_.size() < static_cast<size_t>(threads_max_)) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // signals are for the loop's thread
    threads_.emplace_back([this] { work(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  wake_.notify_one();
}

void FileBackend::answer(FileJob& job) {
  finish(job);
  submit_soon();
}

// One system call for everything that was asked in this turn of the loop.
void FileBackend::submit_soon() {
  if (std::exchange(submit_posted_, true)) return;
  loop_.post([this, alive = alive_] {
    if (!*alive) return;
    submit_posted_ = false;
    submit_ring();
    reap_ring();  // what the ring did at once
    deliver();
  });
}

void FileBackend::submit_ring() {
  if (ring_ == nullptr) return;
  while (!backlog_.empty() && on_ring_ < kRingEntries) queue_on_ring(*backlog_.pop_front());
  while (io_uring_sq_ready(ring_.get()) > 0) {
    const int taken = io_uring_submit(ring_.get());
    if (taken == -EINTR) continue;
    if (taken < 0) {  // out of kernel memory, or of room for completions: reaping makes room
      submit_soon();
      return;
    }
  }
}

void FileBackend::queue_on_ring(FileJob& job) {
  io_uring_sqe* entry = io_uring_get_sqe(ring_.get());
  CHECK(entry != nullptr);  // on_ring_ keeps within what the ring holds
  const auto length = static_cast<unsigned>(std::min<uint64_t>(job.left(), 1u << 30));
  switch (job.kind) {
    case FileJob::Kind::kRead:
      io_uring_prep_read(entry, job.file->get(), job.position(), length, job.offset + job.moved);
      break;
    case FileJob::Kind::kWrite:
      io_uring_prep_write(entry, job.file->get(), job.position(), length, job.offset + job.moved);
      break;
    default: io_uring_prep_fsync(entry, job.file->get(), IORING_FSYNC_DATASYNC);
  }
  io_uring_sqe_set_data(entry, &job);
  ++on_ring_;
}

void FileBackend::reap_ring() {
  if (ring_ == nullptr) return;
  io_uring_cqe* entry = nullptr;
  while (io_uring_peek_cqe(ring_.get(), &entry) == 0) {
    FileJob& job = *static_cast<FileJob*>(io_uring_cqe_get_data(entry));
    const int result = entry->res;
    io_uring_cqe_seen(ring_.get(), entry);
    --on_ring_;
    if (job.step(result))
      finish(job);
    else
      backlog_.push_back(job);
  }
  if (!backlog_.empty()) submit_soon();
}

void FileBackend::reap_pool() {
  std::vector<FileJob*> done;
  {
    const std::lock_guard lock(mutex_);
    done.swap(from_pool_);
  }
  for (FileJob* job : done) finish(*job);
}

void FileBackend::finish(FileJob& job) {
  job.finished = true;
  if (job.kind == FileJob::Kind::kRead) traffic_.read_bytes += job.moved;
  if (job.kind == FileJob::Kind::kWrite) traffic_.written_bytes += job.moved;
  finished_.push_back(job);
}

void FileBackend::on_event() {
  eventfd_t count;
  (void)eventfd_read(event_fd_, &count);  // nothing there: somebody else has reaped already
  watch_->want_read();
  reap_ring();
  reap_pool();
  submit_ring();
  deliver();
}

// What an owner does with its job may finish others (`wait_for`) or ask for more, some of which the
// page cache answers at once: those are for a later round, and after a few rounds it is others'
// turn.
void FileBackend::deliver() {
  for (int round = 0; round < kRoundsATurn && !finished_.empty(); ++round) {
    List<FileJob> now;
    now.append(finished_);
    while (FileJob* job = now.pop_front()) job->owner->on_done(*job);
  }
  if (!finished_.empty()) submit_soon();
}

void FileBackend::wait_for(FileJob& job) {
  while (!job.finished) {
    submit_ring();
    pollfd event{.fd = event_fd_, .events = POLLIN, .revents = 0};
    poll(&event, 1, 10);  // the loop may have consumed the event: look again soon in any case
    eventfd_t count;
    (void)eventfd_read(event_fd_, &count);
    reap_ring();
    reap_pool();
  }
  job.unlink();
  if (!finished_.empty()) submit_soon();  // the event of these is consumed
}

void FileBackend::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++threads_idle_;
    wake_.wait(lock, [this] { return ending_ || !for_pool_.empty(); });
    --threads_idle_;
    if (for_pool_.empty()) return;
    FileJob* job = for_pool_.front();
    for_pool_.pop_front();
    lock.unlock();
    job->perform();
    lock.lock();
    from_pool_.push_back(job);
    eventfd_write(event_fd_, 1);
  }
}

}  // namespace ringside::posix
