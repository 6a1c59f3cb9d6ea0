#include "cli/cells.h"

#include <algorithm>

namespace ringside::cli {
namespace {

constexpr const char* kEighths[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
constexpr const char* kReset = "\033[0m";

const char* code_of(Style style) {
  switch (style) {
    case Style::kPlain: return "";
    case Style::kBold: return "\033[1m";
    case Style::kDim: return "\033[2m";
    case Style::kGood: return "\033[32m";
    case Style::kBad: return "\033[1;31m";
    case Style::kWarn: return "\033[33m";
    case Style::kBar: return "\033[36m";
  }
  return "";
}

bool starts_character(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

// The bytes of the first `columns` characters.
std::size_t bytes_of(std::string_view utf8, std::size_t columns) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < utf8.size(); ++i) {
    if (starts_character(utf8[i]) && seen++ == columns) return i;
  }
  return utf8.size();
}

}  // namespace

std::size_t columns_of(std::string_view utf8) {
  return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), starts_character));
}

std::string fit(std::string_view utf8, std::size_t columns) {
  if (columns_of(utf8) <= columns) return std::string(utf8);
  if (columns == 0) return {};
  return std::string(utf8.substr(0, bytes_of(utf8, columns - 1))) + "…";
}

std::string pad(std::string_view utf8, std::size_t columns) {
  std::string text = fit(utf8, columns);
  text.append(columns - columns_of(text), ' ');
  return text;
}

std::string repeat(std::string_view utf8, std::size_t times) {
  std::string text;
  for (std::size_t i = 0; i < times; ++i) text += utf8;
  return text;
}

Cells& Cells::add(std::string_view text, Style style) {
  if (text.empty()) return *this;
  pieces_.push_back({std::string(text), style});
  columns_ += columns_of(text);
  return *this;
}

Cells& Cells::add(const Cells& other) {
  pieces_.insert(pieces_.end(), other.pieces_.begin(), other.pieces_.end());
  columns_ += other.columns_;
  return *this;
}

Cells& Cells::to_column(std::size_t column) {
  return columns_ < column ? add(std::string(column - columns_, ' ')) : *this;
}

std::string Cells::text(std::size_t columns, bool colour) const {
  std::string out;
  std::size_t left = columns;
  bool cut = columns_ > columns;
  for (const Piece& piece : pieces_) {
    const std::size_t here = columns_of(piece.text);
    // Room for the sign that something is missing.
    const std::size_t most = cut && here >= left ? left - std::min<std::size_t>(left, 1) : left;
    std::string text = piece.text.substr(0, bytes_of(piece.text, most));
    if (cut && here >= left && left > 0) text += "…";
    if (colour && piece.style != Style::kPlain && !text.empty()) {
      out += code_of(piece.style) + text + kReset;
    } else {
      out += text;
    }
    left -= std::min(left, here);
    if (left == 0) break;
  }
  return out;
}

std::string sparkline(const std::vector<double>& values, double most) {
  std::string text;
  for (const double value : values) {
    const double eighths = most > 0 ? 8 * value / most : 0;
    int level = std::clamp(static_cast<int>(eighths + 0.5), 0, 8);
    if (level == 0 && value > 0) level = 1;
    text += kEighths[level];
  }
  return text;
}

std::string bar(double share, std::size_t columns) {
  const double filled = std::clamp(share, 0.0, 1.0) * static_cast<double>(columns);
  const auto full = static_cast<std::size_t>(filled);
  return repeat("█", full) + repeat("░", columns - full);
}

}  // namespace ringside::cli
