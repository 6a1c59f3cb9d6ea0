// Drawing in a terminal: a curve on axes, in braille dots, and tables. Plain text, no colour, at
// most `width` columns.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/time.h"

namespace ringside {

struct PlotSpec {
  std::string title;
  std::string x_label;
  std::string y_label;
  int width = 72;      // columns in all
  int height = 12;     // rows of the drawing
  bool log_x = false;  // points at x <= 0 are drawn at the left edge
  // Equal: taken from the points.
  double y_min = 0, y_max = 0;
};
// Points by rising x, joined by lines.
std::string draw_curve(const std::vector<std::pair<double, double>>& points, const PlotSpec& spec);

// The first row is the heading. Columns that hold only numbers are set flush right.
std::string draw_table(const std::vector<std::vector<std::string>>& rows);

// "812 ns", "1.25 ms", "3.4 s"
std::string format_duration(double nanoseconds);
// 12,800
std::string format_count(uint64_t count);
// "97.41 %"
std::string format_percent(double share, int digits = 2);

}  // namespace ringside
