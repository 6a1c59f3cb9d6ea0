#include "lab/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <memory>

#include "lab/result_message.h"
#include "lab/text.h"
#include "sim/trip_wire.h"

namespace ringside::lab {
namespace {

using WallClock = std::chrono::steady_clock;

// What goes through the pipe: a letter, a length, and as many bytes.
constexpr char kProgressLetter = 'P';
constexpr char kSnapshotLetter = 'S';
constexpr char kResultLetter = 'R';
constexpr char kErrorLetter = 'E';
constexpr std::size_t kLetterBytes = 1 + sizeof(uint64_t);

bool write_fully(int pipe, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t wrote = ::write(pipe, bytes, size);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes += wrote;
    size -= static_cast<std::size_t>(wrote);
  }
  return true;
}

void send_letter(int pipe, char letter, std::string_view body) {
  std::string bytes(1, letter);
  const uint64_t size = body.size();
  bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
  bytes += body;
  if (!write_fully(pipe, bytes.data(), bytes.size())) _exit(4);  // the parent is gone
}

// The worker's whole life.
[[noreturn]] void live(int pipe, uint64_t seed, const WorkerBody& body, bool trip_wire) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody is left to tell
  if (trip_wire) {
    // Without the feature (an odd kernel) the world runs all the same; the gate insists on it.
    if (Result<void> armed = sim::arm_trip_wire(); !armed.ok()) {
      std::fprintf(stderr, "ringside: no trip-wire here: %s\n", armed.error().message.c_str());
    }
  }
  double told = 0;
  Teller teller;
  teller.progress = [&told, pipe](double share) {
    if (share < told + 0.01) return;
    told = share;
    send_letter(pipe, kProgressLetter, {reinterpret_cast<const char*>(&share), sizeof share});
  };
  teller.snapshot = [pipe](std::string_view bytes) { send_letter(pipe, kSnapshotLetter, bytes); };
  const Result<RunResult> result = body(seed, teller);
  if (result.ok()) {
    send_letter(pipe, kResultLetter, encode_result(*result));
  } else {
    send_letter(pipe, kErrorLetter, result.error().message);
  }
  std::fflush(nullptr);
  _exit(0);
}

class Worker {
 public:
  Worker(uint64_t seed, const WorkerBody& body, const WorkerOptions& options)
      : options_(options), started_(WallClock::now()) {
    out_.seed = seed;
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) {
      out_.message = concat("no pipe for a worker: ", std::strerror(errno));
      return;
    }
    std::fflush(nullptr);
    child_ = fork();
    if (child_ == 0) {
      close(ends[0]);
      live(ends[1], seed, body, options.trip_wire);
    }
    close(ends[1]);
    if (child_ < 0) {
      out_.message = concat("cannot start a worker: ", std::strerror(errno));
      close(ends[0]);
      return;
    }
    pipe_ = ends[0];
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() {
    if (pipe_ >= 0) close(pipe_);
    if (child_ > 0) {
      kill(child_, SIGKILL);
      waitpid(child_, nullptr, 0);
    }
  }

  int pipe() const { return pipe_; }
  double share() const { return share_; }

  // Takes what is in the pipe. False when the worker has ended.
  bool listen() {
    char bytes[1 << 16];
    const ssize_t got = ::read(pipe_, bytes, sizeof bytes);
    if (got < 0 && errno == EINTR) return true;
    if (got > 0) {
      inbox_.append(bytes, static_cast<std::size_t>(got));
      read_letters();
      return true;
    }
    bury();
    return false;
  }

  WorkerResult take() { return std::move(out_); }

 private:
  void read_letters() {
    while (inbox_.size() >= kLetterBytes) {
      uint64_t size = 0;
      std::memcpy(&size, inbox_.data() + 1, sizeof size);
      if (inbox_.size() - kLetterBytes < size) return;
      const std::string body = inbox_.substr(kLetterBytes, size);
      read_letter(inbox_[0], body);
      inbox_.erase(0, kLetterBytes + size);
    }
  }

  void read_letter(char letter, const std::string& body) {
    if (letter == kProgressLetter && body.size() == sizeof share_)
      std::memcpy(&share_, body.data(), sizeof share_);
    if (letter == kSnapshotLetter && options_.on_snapshot) options_.on_snapshot(body);
    if (letter == kErrorLetter) {
      out_.end = WorkerResult::End::kRefused;
      out_.message = body;
    }
    if (letter == kResultLetter) {
      Result<RunResult> result = decode_result(body);
      CHECK(result.ok());
      out_.end = WorkerResult::End::kFinished;
      out_.result = std::move(*result);
    }
  }

  void bury() {
    int status = 0;
    while (waitpid(child_, &status, 0) < 0 && errno == EINTR) {
    }
    child_ = -1;
    out_.wall_seconds = std::chrono::duration<double>(WallClock::now() - started_).count();
    const bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (clean && (out_.end != WorkerResult::End::kCrashed)) return;
    out_.end = WorkerResult::End::kCrashed;
    out_.message = WIFSIGNALED(status) ? concat("killed by signal ", WTERMSIG(status), " (",
                                                strsignal(WTERMSIG(status)), ")")
                                       : concat("exited with code ", WEXITSTATUS(status));
  }

  const WorkerOptions& options_;
  WorkerResult out_;
  WallClock::time_point started_;
  pid_t child_ = -1;
  int pipe_ = -1;
  double share_ = 0;
  std::string inbox_;
};

class Pool {
 public:
  Pool(const std::vector<uint64_t>& seeds, const WorkerBody& body, const WorkerOptions& options)
      : seeds_(seeds), body_(body), options_(options), started_(WallClock::now()) {}

  void run() {
    while (true) {
      while (going_on_ && next_ < seeds_.size() && workers_.size() < std::max(1u, options_.jobs))
        start_one();
      if (workers_.empty()) return;
      std::vector<pollfd> waits;
      for (const auto& worker : workers_) waits.push_back({worker->pipe(), POLLIN, 0});
      if (options_.hold && options_.hold()) {
        poll(nullptr, 0, options_.look_every_ms);
        tell();
        continue;
      }
      poll(waits.data(), waits.size(), options_.look_every_ms);
      for (std::size_t i = waits.size(); i-- > 0;) {
        if (waits[i].revents != 0 && !workers_[i]->listen()) finish(i);
      }
      tell();
    }
  }

 private:
  void start_one() {
    auto worker = std::make_unique<Worker>(seeds_[next_++], body_, options_);
    if (worker->pipe() >= 0) {
      workers_.push_back(std::move(worker));
    } else {
      report(worker->take());
    }
  }
  void finish(std::size_t i) {
    WorkerResult result = workers_[i]->take();
    workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(i));
    report(std::move(result));
  }
  void report(WorkerResult result) {
    ++finished_;
    if (options_.on_result && !options_.on_result(std::move(result))) going_on_ = false;
  }
  void tell() const {
    if (!options_.on_progress) return;
    Progress progress;
    progress.finished = finished_;
    progress.all = seeds_.size();
    double done = static_cast<double>(finished_);
    for (const auto& worker : workers_) done += worker->share();
    progress.share = done / static_cast<double>(seeds_.size());
    progress.elapsed_seconds = std::chrono::duration<double>(WallClock::now() - started_).count();
    options_.on_progress(progress);
  }

  const std::vector<uint64_t>& seeds_;
  const WorkerBody& body_;
  const WorkerOptions& options_;
  WallClock::time_point started_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::size_t next_ = 0;
  uint64_t finished_ = 0;
  bool going_on_ = true;
};

}  // namespace

void run_in_workers(const std::vector<uint64_t>& seeds, const WorkerBody& body,
                    const WorkerOptions& options) {
  Pool(seeds, body, options).run();
}

}  // namespace ringside::lab
