#include "lab/worker_process.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "lab/result_message.h"
#include "lab/text.h"
#include "sim/trip_wire.h"

namespace ringside::lab {
namespace {

// What goes over the line: a letter, a length, and as many bytes.
constexpr char kProgressLetter = 'P';
constexpr char kResultLetter = 'R';
constexpr char kErrorLetter = 'E';
constexpr std::size_t kLetterBytes = 1 + sizeof(uint64_t);

bool write_fully(int line, const char* bytes, std::size_t size) {
  while (size > 0) {
    const ssize_t wrote = ::write(line, bytes, size);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) return false;
    bytes += wrote;
    size -= static_cast<std::size_t>(wrote);
  }
  return true;
}

// The worker's whole life.
[[noreturn]] void live(int line, uint64_t seed, const WorkerBody& body, bool trip_wire) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody is left to tell
  if (trip_wire) {
    // Without the feature (an odd kernel) the world runs all the same; the gate insists on it.
    if (Result<void> armed = sim::arm_trip_wire(); !armed.ok()) {
      std::fprintf(stderr, "ringside: no trip-wire here: %s\n", armed.error().message.c_str());
    }
  }
  double told = 0;
  Teller teller;
  teller.line = line;
  teller.progress = [&told, line](double share) {
    if (share < told + 0.01) return;
    told = share;
    send_letter(line, kProgressLetter, {reinterpret_cast<const char*>(&share), sizeof share});
  };
  teller.snapshot = [line](std::string_view bytes) {
    send_letter(line, WorkerProcess::kSnapshotLetter, bytes);
  };
  const Result<RunResult> result = body(seed, teller);
  if (result.ok()) {
    send_letter(line, kResultLetter, encode_result(*result));
  } else {
    send_letter(line, kErrorLetter, result.error().message);
  }
  std::fflush(nullptr);
  _exit(0);
}

}  // namespace

void send_letter(int line, char letter, std::string_view body) {
  std::string bytes(1, letter);
  const uint64_t size = body.size();
  bytes.append(reinterpret_cast<const char*>(&size), sizeof size);
  bytes += body;
  if (!write_fully(line, bytes.data(), bytes.size())) _exit(4);
}

Result<Line> open_line() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
    return {Code::kUnavailable, concat("no line for a worker: ", std::strerror(errno))};
  return Line{ends[0], ends[1]};
}

Result<Started> start_worker(uint64_t seed, const WorkerBody& body, bool trip_wire) {
  Result<Line> line = open_line();
  if (!line.ok()) return line.error();
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child == 0) {
    close(line->here);
    live(line->there, seed, body, trip_wire);
  }
  const int why = errno;
  close(line->there);
  if (child < 0) {
    close(line->here);
    return {Code::kUnavailable, concat("cannot start a worker: ", std::strerror(why))};
  }
  return Started{child, line->here};
}

WorkerProcess::WorkerProcess(uint64_t seed, Started started)
    : started_(started), begun_(WallClock::now()) {
  out_.seed = seed;
}

WorkerProcess::~WorkerProcess() {
  if (started_.line >= 0) close(started_.line);
  if (started_.process > 0) {
    kill(started_.process, SIGKILL);
    waitpid(started_.process, nullptr, 0);
  }
}

bool WorkerProcess::listen() {
  if (started_.process < 0) return false;
  char bytes[1 << 16];
  const ssize_t got = ::read(started_.line, bytes, sizeof bytes);
  if (got < 0 && errno == EINTR) return true;
  if (got > 0) {
    inbox_.append(bytes, static_cast<std::size_t>(got));
    read_letters();
    return true;
  }
  bury();
  return false;
}

void WorkerProcess::read_letters() {
  while (inbox_.size() >= kLetterBytes) {
    uint64_t size = 0;
    std::memcpy(&size, inbox_.data() + 1, sizeof size);
    if (inbox_.size() - kLetterBytes < size) return;
    const std::string body = inbox_.substr(kLetterBytes, size);
    read_letter(inbox_[0], body);
    inbox_.erase(0, kLetterBytes + size);
  }
}

void WorkerProcess::read_letter(char letter, std::string_view body) {
  if (letter == kProgressLetter && body.size() == sizeof share_) {
    std::memcpy(&share_, body.data(), sizeof share_);
  } else if (letter == kErrorLetter) {
    out_.end = WorkerResult::End::kRefused;
    out_.message = body;
  } else if (letter == kResultLetter) {
    Result<RunResult> result = decode_result(std::string(body));
    CHECK(result.ok());
    out_.end = WorkerResult::End::kFinished;
    out_.result = std::move(*result);
  } else if (on_letter) {
    on_letter(letter, body);
  }
}

void WorkerProcess::bury() {
  int status = 0;
  while (waitpid(started_.process, &status, 0) < 0 && errno == EINTR) {
  }
  started_.process = -1;
  out_.wall_seconds = std::chrono::duration<double>(WallClock::now() - begun_).count();
  const bool clean = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (clean && (out_.end != WorkerResult::End::kCrashed)) return;
  out_.end = WorkerResult::End::kCrashed;
  out_.message = WIFSIGNALED(status) ? concat("killed by signal ", WTERMSIG(status), " (",
                                              strsignal(WTERMSIG(status)), ")")
                                     : concat("exited with code ", WEXITSTATUS(status));
}

}  // namespace ringside::lab
