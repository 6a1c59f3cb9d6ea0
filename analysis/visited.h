// What searches for an order remember: which calls are done, and the configurations (calls done,
// state) that were entered before. A hit is compared in full, so no collision of hashes decides.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/bug.h"
#include "runtime/random.h"

namespace ringside {

// A set of calls, most of them in order. Only the words from the first that is not full to the last
// that is not empty are told.
class DoneCalls {
 public:
  explicit DoneCalls(std::size_t calls) : words_(calls / 64 + 1) {}

  bool contains(uint32_t call) const { return (words_[call / 64] >> call % 64 & 1) != 0; }
  void add(uint32_t call) {
    words_[call / 64] |= uint64_t{1} << call % 64;
    hash_ ^= mix(call, 0x5ea6c4);
    high_ = std::max(high_, call / 64 + 1);
  }
  void remove(uint32_t call) {
    words_[call / 64] &= ~(uint64_t{1} << call % 64);
    hash_ ^= mix(call, 0x5ea6c4);
    low_ = std::min(low_, call / 64);
  }
  uint64_t hash() const { return hash_; }
  // The word that `words` begins with; both move as little as the set changed.
  uint32_t first() {
    while (low_ < words_.size() && words_[low_] == ~uint64_t{0}) ++low_;
    return low_;
  }
  std::span<const uint64_t> words() {
    while (high_ > first() && words_[high_ - 1] == 0) --high_;
    return low_ < high_ ? std::span<const uint64_t>(words_).subspan(low_, high_ - low_)
                        : std::span<const uint64_t>();
  }

 private:
  std::vector<uint64_t> words_;
  uint64_t hash_ = 0;
  uint32_t low_ = 0, high_ = 0;
};

template <class State>
class Visited {
 public:
  Visited() : slots_(1 << 8) {}

  // False when it was there.
  bool insert(DoneCalls& done, uint64_t hash_of_state, const State& state) {
    if (entries_.size() * 2 >= slots_.size()) grow();
    const uint64_t hash = mix(done.hash(), hash_of_state);
    const std::span<const uint64_t> words = done.words();
    const uint32_t first = done.first();
    const uint64_t mask = slots_.size() - 1;
    uint64_t at = hash & mask;
    for (; slots_[at] != 0; at = (at + 1) & mask) {
      if (same(entries_[slots_[at] - 1], hash, first, words, state)) return false;
    }
    entries_.push_back({hash, words_.size(), first, static_cast<uint32_t>(words.size()), state});
    words_.insert(words_.end(), words.begin(), words.end());
    slots_[at] = static_cast<uint32_t>(entries_.size());
    return true;
  }
  uint64_t size() const { return entries_.size(); }

 private:
  struct Entry {
    uint64_t hash = 0;
    uint64_t words_begin = 0;
    uint32_t first = 0;
    uint32_t words_count = 0;
    State state;
  };
  bool same(const Entry& entry, uint64_t hash, uint32_t first, std::span<const uint64_t> words,
            const State& state) const {
    if (entry.hash != hash || entry.first != first) return false;
    if (!RINGSIDE_BUG(search_forgets_the_state) && !(entry.state == state)) return false;
    return std::ranges::equal(std::span(words_.data() + entry.words_begin, entry.words_count),
                              words);
  }
  void grow() {
    std::vector<uint32_t> slots(slots_.size() * 4);
    const uint64_t mask = slots.size() - 1;
    for (uint32_t i = 0; i < entries_.size(); ++i) {
      uint64_t at = entries_[i].hash & mask;
      while (slots[at] != 0) at = (at + 1) & mask;
      slots[at] = i + 1;
    }
    slots_ = std::move(slots);
  }

  std::vector<Entry> entries_;
  std::vector<uint64_t> words_;
  std::vector<uint32_t> slots_;
};

}  // namespace ringside
