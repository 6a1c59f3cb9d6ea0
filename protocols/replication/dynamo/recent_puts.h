// RecentPuts: the puts that this process coordinated lately and their dots, so that a frame that
// comes twice, or a client that asks again, makes no second version. 4,096 places in sets of four;
// a new put takes the place of the oldest in its set, so that what is forgotten is nearly always
// old.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "protocols/replication/dynamo/version.h"
#include "runtime/random.h"

namespace ringside {

class RecentPuts {
 public:
  // The dot that the operation got here; counter 0: none that is remembered.
  Dot find(uint64_t operation) const {
    if (sets_.empty()) return {};
    for (const Entry& entry : sets_[set_of(operation)]) {
      if (entry.operation == operation) return entry.dot;
    }
    return {};
  }
  // `operation` is not 0.
  void remember(uint64_t operation, Dot dot) {
    if (sets_.empty()) sets_.resize(kSets);
    Set& set = sets_[set_of(operation)];
    std::size_t place = 0;
    while (place + 1 < kWays && set[place].operation != operation) ++place;
    for (; place > 0; --place) set[place] = set[place - 1];
    set[0] = {operation, dot};
  }

 private:
  struct Entry {
    uint64_t operation = 0;
    Dot dot;
  };
  static constexpr std::size_t kWays = 4;
  static constexpr std::size_t kSets = 1024;
  using Set = std::array<Entry, kWays>;  // newest first

  static std::size_t set_of(uint64_t operation) { return mix(operation) % kSets; }

  std::vector<Set> sets_;
};

}  // namespace ringside
