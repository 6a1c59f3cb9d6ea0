// Putting text together: concat("n = ", 3), join(names, ", "), split, format("%.2f", x). (Debian's
// Abseil is built without std::string_view, so its StrCat does not take one.)
#pragma once

#include <concepts>
#include <cstdio>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace ringside::lab {

// printf's format.
[[gnu::format(printf, 1, 2)]] std::string format(const char* pattern, ...);

namespace text_internal {

inline void append_piece(std::string& out, std::string_view piece) { out += piece; }
inline void append_piece(std::string& out, char piece) { out += piece; }
template <class T>
  requires std::is_arithmetic_v<T>
void append_piece(std::string& out, T number) {
  if constexpr (std::is_floating_point_v<T>) {
    out += format("%g", static_cast<double>(number));
  } else {
    out += std::to_string(number);
  }
}

}  // namespace text_internal

template <class... Pieces>
void append(std::string& out, const Pieces&... pieces) {
  (text_internal::append_piece(out, pieces), ...);
}

template <class... Pieces>
std::string concat(const Pieces&... pieces) {
  std::string out;
  append(out, pieces...);
  return out;
}

template <class Container>
std::string join(const Container& pieces, std::string_view between) {
  std::string out;
  for (const auto& piece : pieces) {
    if (!out.empty()) out += between;
    out += piece;
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char at);
bool contains(std::string_view text, std::string_view part);

}  // namespace ringside::lab
