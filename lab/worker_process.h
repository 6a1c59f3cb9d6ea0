// WorkerProcess: a process that plays a world, and what it tells. It speaks in letters over its
// line, one end of a pair of sockets: its share, snapshots, at last a result or a refusal. Whoever
// started it listens. What becomes of it is told also when it says nothing any more: it crashed, or
// was killed.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "lab/worker.h"

namespace ringside::lab {

// A process that was started, and this side's end of its line. It must be this one's child, or an
// orphan that came to it.
struct Started {
  pid_t process = -1;
  int line = -1;
};

// Runs `body` in a process of its own. It dies with this one.
Result<Started> start_worker(uint64_t seed, const WorkerBody& body, bool trip_wire);

// A pair of sockets for a line; closed at exec.
struct Line {
  int here = -1;
  int there = -1;
};
Result<Line> open_line();

// A letter and its body, in one piece. Ends the process when nobody listens any more.
void send_letter(int line, char letter, std::string_view body);

class WorkerProcess {
 public:
  // Owns what was started.
  WorkerProcess(uint64_t seed, Started started);
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;
  ~WorkerProcess();  // kills it if it still runs

  uint64_t seed() const { return out_.seed; }
  pid_t process() const { return started_.process; }  // -1 once it has ended
  int line() const { return started_.line; }
  double share() const { return share_; }  // 0..1, as it last said
  // What it told besides.
  std::function<void(char letter, std::string_view body)> on_letter;

  // Waits for something and takes what is there. False when the process has ended.
  bool listen();
  // How it ended, once it has.
  WorkerResult take() { return std::move(out_); }

  static constexpr char kSnapshotLetter = 'S';

 private:
  void read_letters();
  void read_letter(char letter, std::string_view body);
  void bury();

  using WallClock = std::chrono::steady_clock;

  Started started_;
  WorkerResult out_;
  WallClock::time_point begun_;
  double share_ = 0;
  std::string inbox_;
};

}  // namespace ringside::lab
