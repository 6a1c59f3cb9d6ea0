// FileBackend: carries out file jobs. What the page cache can answer is done at once; other reads,
// writes and syncs go to io_uring when the kernel allows it; names and directories, and everything
// when it does not, go to a small pool of threads. Both tell the loop through one eventfd. Jobs are
// handed back from the loop, never from within `submit`, in the order in which they were found
// finished.
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "posix/file_job.h"
#include "posix/page_cache.h"
#include "posix/watch.h"

struct io_uring;

namespace ringside::posix {

class FileBackend {
 public:
  FileBackend(Loop& loop, const LoopOptions& options);
  ~FileBackend();

  bool uses_io_uring() const { return ring_ != nullptr; }
  const FileTraffic& traffic() const { return traffic_; }

  // `job.owner->on_done(job)` follows from the loop. The job must live until then, or until
  // `wait_for` returned.
  void submit(FileJob& job);
  // Hands back a job that needed no work.
  void answer(FileJob& job);
  // Blocks until nobody touches the job any more, and takes it back without telling its owner.
  void wait_for(FileJob& job);

 private:
  static constexpr unsigned kRingEntries = 256;
  static constexpr int kRoundsATurn = 16;

  void queue_on_ring(FileJob& job);
  void submit_ring();
  void submit_soon();
  void reap_ring();
  void reap_pool();
  void finish(FileJob& job);
  void deliver();
  void on_event();
  void work();

  Loop& loop_;
  bool at_once_;
  PageCache page_cache_;
  FileTraffic traffic_;
  int event_fd_;
  std::unique_ptr<Watch> watch_;
  std::unique_ptr<io_uring> ring_;
  unsigned on_ring_ = 0;    // handed to the ring, not yet reaped
  List<FileJob> backlog_;   // waits for room on the ring
  List<FileJob> finished_;  // waits to be delivered
  bool submit_posted_ = false;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<FileJob*> for_pool_;
  std::vector<FileJob*> from_pool_;
  bool ending_ = false;
  int threads_max_;
  size_t threads_idle_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace ringside::posix
