#include "lab/text.h"

#include <cstdarg>

namespace ringside::lab {

std::string format(const char* pattern, ...) {
  va_list arguments;
  va_start(arguments, pattern);
  va_list again;
  va_copy(again, arguments);
  const int length = std::vsnprintf(nullptr, 0, pattern, arguments);
  va_end(arguments);
  std::string out(static_cast<std::size_t>(length < 0 ? 0 : length), '\0');
  std::vsnprintf(out.data(), out.size() + 1, pattern, again);
  va_end(again);
  return out;
}

std::vector<std::string> split(std::string_view text, char at) {
  std::vector<std::string> pieces;
  while (true) {
    const std::size_t found = text.find(at);
    pieces.emplace_back(text.substr(0, found));
    if (found == std::string_view::npos) return pieces;
    text.remove_prefix(found + 1);
  }
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

}  // namespace ringside::lab
