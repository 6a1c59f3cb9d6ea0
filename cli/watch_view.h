// WatchView: a WatchModel drawn as a screen of so many columns and rows, or told as one line. Pure:
// what it needs of the real clock it is handed. What does not fit is left out and said so.
#pragma once

#include <string>
#include <vector>

#include "cli/watch_model.h"

namespace ringside::cli {

struct Screen {
  std::size_t columns = 80;
  std::size_t rows = 24;
  bool colour = false;
  double elapsed_seconds = 0;  // real ones, since the start
  double pace = 0;             // simulated seconds a real one; 0: not known
};

// At most `rows` lines of at most `columns` columns.
std::vector<std::string> draw_watch(const WatchModel& model, const Screen& screen);

// "t 12 s  workload under faults 19 %  up 4/6, cut off 3 4  …", without escape codes or newline.
std::string watch_line(const WatchModel& model);

}  // namespace ringside::cli
