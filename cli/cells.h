// Cells: text for a terminal, measured in columns. Every character here takes one column; a line
// is made of pieces with styles, cut to a width with "…", and written with or without colours.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace ringside::cli {

enum class Style : unsigned char { kPlain, kBold, kDim, kGood, kBad, kWarn, kBar };

std::size_t columns_of(std::string_view utf8);
// At most this many columns; what is cut ends in "…".
std::string fit(std::string_view utf8, std::size_t columns);
// Exactly this many columns.
std::string pad(std::string_view utf8, std::size_t columns);
std::string repeat(std::string_view utf8, std::size_t times);

class Cells {
 public:
  Cells() = default;
  explicit Cells(std::string_view text, Style style = Style::kPlain) { add(text, style); }

  Cells& add(std::string_view text, Style style = Style::kPlain);
  Cells& add(const Cells& other);
  // Blanks up to this column; none when the line is longer already.
  Cells& to_column(std::size_t column);

  std::size_t columns() const { return columns_; }
  bool empty() const { return pieces_.empty(); }
  // Cut to `columns`; escape codes only with `colour`.
  std::string text(std::size_t columns, bool colour) const;

 private:
  struct Piece {
    std::string text;
    Style style;
  };
  std::vector<Piece> pieces_;
  std::size_t columns_ = 0;
};

// Eighths of blocks, one a value, the greatest `most` as a full one; nothing is a blank, and a
// little is never nothing.
std::string sparkline(const std::vector<double>& values, double most);
// A bar of so many columns, filled to `share` (0..1).
std::string bar(double share, std::size_t columns);

}  // namespace ringside::cli
