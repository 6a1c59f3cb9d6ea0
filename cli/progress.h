// ProgressLine: how far long work is, on stderr: its share, how long it took and how long it may
// still take. On a terminal one line that is drawn over; elsewhere a line now and then, the longer
// it takes the rarer, and none at all for short work.
#pragma once

#include <string>

#include "lab/worker.h"

namespace ringside::cli {

// "registers_swarm:  40 %, 400 of 1000 seeds, 12 s, about 18 s left"
std::string describe_progress(const std::string& what, const lab::Progress& progress);
// "42 s", "2 min 05 s", "3 h 20 min"
std::string minutes(double seconds);

class ProgressLine {
 public:
  explicit ProgressLine(std::string what);
  ~ProgressLine() { clear(); }

  void show(const lab::Progress& progress);
  void show(double elapsed_seconds, const std::string& line);  // in other words
  void clear();                                                // before anything else is printed

 private:
  std::string what_;
  bool terminal_;
  bool drawn_ = false;
  double next_at_;  // seconds since the start
};

}  // namespace ringside::cli
