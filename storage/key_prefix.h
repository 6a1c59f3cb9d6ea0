// Comparing keys eight bytes at a time, as numbers.
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

// As std::string_view::compare does; faster for short keys.
inline int compare_keys(std::string_view a, std::string_view b) {
  const std::size_t most = std::min(a.size(), b.size());
  std::size_t at = 0;
  for (; at + 8 <= most; at += 8) {
    const auto x = load<uint64_t>(a.data() + at), y = load<uint64_t>(b.data() + at);
    if (x != y) return __builtin_bswap64(x) < __builtin_bswap64(y) ? -1 : 1;
  }
  return a.substr(at).compare(b.substr(at));
}

// Keys that lie beside each other mostly differ at their ends.
inline bool same_key(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a.size() < 8) return a == b;
  const std::size_t last = a.size() - 8;
  return load<uint64_t>(a.data() + last) == load<uint64_t>(b.data() + last) &&
         std::memcmp(a.data(), b.data(), last) == 0;
}

}  // namespace ringside
