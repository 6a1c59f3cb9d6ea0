#include "analysis/plot.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>

namespace ringside {
namespace {

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

// Columns that a UTF-8 text takes, one a code point.
std::size_t columns_of(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (c & 0xc0) != 0x80; }));
}
std::string padded(const std::string& text, std::size_t columns, bool right) {
  const std::string space(columns - std::min(columns, columns_of(text)), ' ');
  return right ? space + text : text + space;
}

// Dots, two a column and four a row; a character of braille (U+2800) is a bit a dot.
class Canvas {
 public:
  Canvas(int columns, int rows)
      : columns_(columns), cells_(static_cast<std::size_t>(columns * rows)) {}

  void dot(int x, int y) {  // y counts downwards
    static constexpr uint8_t kBit[4][2] = {{1, 8}, {2, 16}, {4, 32}, {64, 128}};
    cells_[static_cast<std::size_t>(y / 4 * columns_ + x / 2)] |= kBit[y % 4][x % 2];
  }
  void line(double x0, double y0, double x1, double y1) {
    const int steps =
        std::max(1, static_cast<int>(std::ceil(std::max(std::abs(x1 - x0), std::abs(y1 - y0)))));
    for (int i = 0; i <= steps; ++i) {
      const double part = static_cast<double>(i) / steps;
      dot(static_cast<int>(std::lround(x0 + part * (x1 - x0))),
          static_cast<int>(std::lround(y0 + part * (y1 - y0))));
    }
  }
  std::string row(int r) const {
    std::string out;
    for (int c = 0; c < columns_; ++c) {
      const uint8_t bits = cells_[static_cast<std::size_t>(r * columns_ + c)];
      if (bits == 0) {
        out += ' ';
        continue;
      }
      out += '\xe2';
      out += static_cast<char>(0xa0 | bits >> 6);
      out += static_cast<char>(0x80 | (bits & 0x3f));
    }
    return out;
  }

 private:
  int columns_;
  std::vector<uint8_t> cells_;
};

}  // namespace

std::string draw_curve(const std::vector<std::pair<double, double>>& points, const PlotSpec& spec) {
  std::string out = spec.title.empty() ? "" : spec.title + "\n";
  if (points.empty()) return out + "(no points)\n";
  double y_min = spec.y_min, y_max = spec.y_max;
  if (y_min == y_max) {
    const auto [low, high] = std::ranges::minmax(points, {}, &std::pair<double, double>::second);
    y_min = low.second;
    y_max = high.second;
    if (y_min == y_max) y_max += 1;
  }
  // On a logarithmic axis, what is at or left of 0 stands half a decade left of the first point
  // beyond it.
  double first = 1;
  for (const auto& [x, y] : points) {
    if (x > 0) {
      first = x;
      break;
    }
  }
  auto scale = [&](double x) {
    return !spec.log_x ? x : x > 0 ? std::log10(x) : std::log10(first) - 0.5;
  };
  const double x_min = scale(points.front().first);
  const double x_max = std::max(scale(points.back().first), x_min + 1e-12);

  const int margin = 9;
  const int columns = std::max(10, spec.width - margin - 1), rows = std::max(3, spec.height);
  Canvas canvas(columns, rows);
  auto place_x = [&](double x) { return (scale(x) - x_min) / (x_max - x_min) * (2 * columns - 1); };
  auto place_y = [&](double y) {
    return (y_max - std::clamp(y, y_min, y_max)) / (y_max - y_min) * (4 * rows - 1);
  };
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& [x0, y0] = points[i == 0 ? 0 : i - 1];
    const auto& [x1, y1] = points[i];
    canvas.line(place_x(x0), place_y(y0), place_x(x1), place_y(y1));
  }
  if (!spec.y_label.empty()) out += padded(spec.y_label, margin, true) + "\n";
  for (int r = 0; r < rows; ++r) {
    const bool labelled = r == 0 || r == rows - 1 || r == rows / 2;
    const double y = y_max - (y_max - y_min) * r / (rows - 1);
    out += padded(labelled ? number_text(y) : "", margin - 1, true) + (labelled ? " ┤" : " │") +
           canvas.row(r);
    while (out.back() == ' ') out.pop_back();
    out += '\n';
  }
  out += std::string(static_cast<std::size_t>(margin), ' ') + "└";
  for (int c = 0; c < columns; ++c) out += "─";
  const std::string left = number_text(points.front().first),
                    right = number_text(points.back().first);
  std::string foot = std::string(static_cast<std::size_t>(margin) + 1, ' ') + left;
  const std::size_t width = static_cast<std::size_t>(margin + 1 + columns);
  const std::string label = spec.x_label + (spec.log_x && !spec.x_label.empty() ? " (log)" : "");
  const std::size_t middle = (width + foot.size() - columns_of(label)) / 2;
  if (middle > foot.size())
    foot += std::string(middle - foot.size(), ' ');
  else
    foot += ' ';
  foot += label;
  const std::size_t used = columns_of(foot) + right.size();
  foot += std::string(used < width ? width - used : 1, ' ') + right;
  return out + "\n" + foot + "\n";
}

std::string draw_table(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> width;
  std::vector<bool> numeric;
  for (std::size_t r = 0; r < rows.size(); ++r) {
    for (std::size_t c = 0; c < rows[r].size(); ++c) {
      if (c >= width.size()) {
        width.push_back(0);
        numeric.push_back(true);
      }
      const std::string& cell = rows[r][c];
      width[c] = std::max(width[c], columns_of(cell));
      const bool number = cell.empty() || (cell[0] >= '0' && cell[0] <= '9') || cell[0] == '-' ||
                          cell[0] == '+' || cell[0] == '.';
      if (r > 0 && !number) numeric[c] = false;
    }
  }
  std::string out;
  for (const std::vector<std::string>& row : rows) {
    std::string line;
    for (std::size_t c = 0; c < row.size(); ++c) {
      line += (c == 0 ? "" : "  ") + padded(row[c], width[c], numeric[c]);
    }
    while (!line.empty() && line.back() == ' ') line.pop_back();
    out += line + "\n";
  }
  return out;
}

std::string format_duration(double nanoseconds) {
  char text[40];
  if (nanoseconds < 1e3)
    std::snprintf(text, sizeof text, "%.4g ns", nanoseconds);
  else if (nanoseconds < 1e6)
    std::snprintf(text, sizeof text, "%.4g us", nanoseconds / 1e3);
  else if (nanoseconds < 1e9)
    std::snprintf(text, sizeof text, "%.4g ms", nanoseconds / 1e6);
  else
    std::snprintf(text, sizeof text, "%.4g s", nanoseconds / 1e9);
  return text;
}

std::string format_count(uint64_t count) {
  std::string text = std::to_string(count);
  for (std::size_t at = text.size(); at > 3;) {
    at -= 3;
    text.insert(at, ",");
  }
  return text;
}

std::string format_percent(double share, int digits) {
  char text[40];
  std::snprintf(text, sizeof text, "%.*f %%", digits, 100 * share);
  return text;
}

}  // namespace ringside
