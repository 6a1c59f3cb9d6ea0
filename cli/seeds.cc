#include "cli/seeds.h"

#include <charconv>

#include "lab/text.h"

namespace ringside::cli {
namespace {

bool parse_number(std::string_view text, uint64_t* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

}  // namespace

Result<std::vector<uint64_t>> parse_seeds(const std::string& text) {
  const auto wrong = [&](const char* why) {
    return Result<std::vector<uint64_t>>(
        Code::kInvalid,
        lab::concat("--seeds ", text, ": ", why, "; write 20 for seeds 1 to 20, or 5..9"));
  };
  uint64_t first = 1, last = 0;
  const std::size_t dots = text.find("..");
  if (dots == std::string::npos) {
    if (!parse_number(text, &last)) return wrong("is no number of seeds");
  } else if (!parse_number(std::string_view(text).substr(0, dots), &first) ||
             !parse_number(std::string_view(text).substr(dots + 2), &last)) {
    return wrong("is no range of seeds");
  }
  if (last < first) return wrong("holds no seed");
  if (last - first >= kSeedsMax) return wrong("holds too many seeds");
  std::vector<uint64_t> seeds;
  for (uint64_t seed = first; seed != last; ++seed) seeds.push_back(seed);
  seeds.push_back(last);
  return seeds;
}

}  // namespace ringside::cli
