// Comparing keys by their first bytes: what two keys share, and eight bytes as one number.
#pragma once

#include <algorithm>
#include <bit>
#include <cstring>
#include <string_view>

#include "storage/format.h"

namespace ringside {

// How many bytes the two begin with alike.
inline std::size_t common_prefix(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t at = 0;
  while (at + 8 <= most) {
    const uint64_t differ = load<uint64_t>(a.data() + at) ^ load<uint64_t>(b.data() + at);
    if (differ != 0) return at + static_cast<std::size_t>(std::countr_zero(differ)) / 8;
    at += 8;
  }
  while (at < most && a[at] == b[at]) ++at;
  return at;
}

// The first eight bytes as a big-endian number, zeros for what is missing: compares as they do,
// except that an equal number tells nothing.
inline uint64_t first_word(std::string_view bytes) {
  if (bytes.size() >= 8) return __builtin_bswap64(load<uint64_t>(bytes.data()));
  uint64_t word = 0;
  if (!bytes.empty()) std::memcpy(&word, bytes.data(), bytes.size());
  return __builtin_bswap64(word);
}

}  // namespace ringside
