// ProgressLine: how far long work is, on stderr. On a terminal one line that is drawn over;
// elsewhere a line every few seconds, and none at all for short work.
#pragma once

#include <string>

#include "lab/worker.h"

namespace ringside::cli {

class ProgressLine {
 public:
  explicit ProgressLine(std::string what);
  ~ProgressLine() { clear(); }

  void show(const lab::Progress& progress);
  void clear();  // before anything else is printed

 private:
  std::string what_;
  bool terminal_;
  bool drawn_ = false;
  double next_at_;  // seconds since the start
};

}  // namespace ringside::cli
