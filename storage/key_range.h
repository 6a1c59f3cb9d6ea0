// KeyRange: the keys from `begin` on, up to but without `end`; an empty `end` has no bound.
#pragma once

#include <string>
#include <string_view>

namespace ringside {

inline bool before_end(std::string_view key, std::string_view end) {
  return end.empty() || key < end;
}

struct KeyRange {
  std::string begin;
  std::string end;

  bool contains(std::string_view key) const { return key >= begin && before_end(key, end); }
  bool empty() const { return !end.empty() && begin >= end; }
  // Whether any key lies in both this and [other_begin, other_end).
  bool overlaps(std::string_view other_begin, std::string_view other_end) const {
    return before_end(begin, other_end) && before_end(other_begin, end);
  }
  bool overlaps(const KeyRange& other) const { return overlaps(other.begin, other.end); }
  friend bool operator==(const KeyRange&, const KeyRange&) = default;
};

}  // namespace ringside
