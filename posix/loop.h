// Loop: the event loop of one thread. Several hosts (nodes, clients) may share it; whatever they do
// happens on the thread that runs it, one callback at a time, and nothing here is safe to call from
// another thread. File work that cannot be done at once goes to io_uring where the kernel allows it
// and to a small thread pool otherwise. A Loop outlives the hosts that use it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "runtime/time.h"

namespace ringside::posix {

class FileBackend;

struct LoopOptions {
  // Never use io_uring. Also forced by RINGSIDE_NO_IO_URING=1 in the environment.
  bool thread_pool_files = false;
  int pool_threads = 4;
  // Small reads and writes that the page cache can answer are done on the loop's thread.
  bool files_at_once = true;
};

// Of all hosts of a loop, since it began.
struct FileTraffic {
  uint64_t read_bytes = 0;
  uint64_t written_bytes = 0;
};

class Loop {
 public:
  explicit Loop(LoopOptions options = {});
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  // Runs callbacks until `stop`.
  void run();
  void stop();
  // Runs until `done` says yes (asked after every callback) or `at_most` has passed; what `done`
  // said last.
  bool run_until(const std::function<bool()>& done, Duration at_most);

  // Calls `action` at a later turn of the loop.
  void post(std::function<void()> action);
  // Calls `action` with each of `signals` that arrives, instead of what the signal does by itself.
  void on_signals(std::vector<int> signals, std::function<void(int)> action);
  // Where a host and a port (decimal, in range) are, without holding up the loop. The answer comes
  // at a later turn: a sockaddr's bytes, or nothing and why.
  void resolve(const std::string& host, const std::string& port,
               std::function<void(std::string socket_address, std::string error)> answer);

  bool uses_io_uring() const;
  FileTraffic file_traffic() const;
  static Time monotonic();  // CLOCK_MONOTONIC

  // For the other files of this room.
  class Impl;
  Impl& impl() { return *impl_; }
  FileBackend& files();

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace ringside::posix
