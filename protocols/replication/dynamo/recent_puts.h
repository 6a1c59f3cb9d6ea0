// RecentPuts: the puts that this process coordinated lately and their versions, so that a frame
// that comes twice, or a client that asks again, makes no second version. 4,096 places in sets of
// four; a new put takes the place of the oldest in its set, so that what is forgotten is nearly
// always old.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "protocols/replication/dynamo/versioning.h"
#include "runtime/random.h"

namespace ringside {

class RecentPuts {
 public:
  // What the operation made here; counter 0: nothing that is remembered.
  Made find(uint64_t operation) const {
    if (sets_.empty()) return {};
    for (const Entry& entry : sets_[set_of(operation)]) {
      if (entry.operation == operation) return entry.made;
    }
    return {};
  }
  // `operation` is not 0.
  void remember(uint64_t operation, const Made& made) {
    if (sets_.empty()) sets_.resize(kSets);
    Set& set = sets_[set_of(operation)];
    std::size_t place = 0;
    while (place + 1 < kWays && set[place].operation != operation) ++place;
    for (; place > 0; --place) set[place] = set[place - 1];
    set[0] = {operation, made};
  }

 private:
  struct Entry {
    uint64_t operation = 0;
    Made made;
  };
  static constexpr std::size_t kWays = 4;
  static constexpr std::size_t kSets = 1024;
  using Set = std::array<Entry, kWays>;  // newest first

  static std::size_t set_of(uint64_t operation) { return mix(operation) % kSets; }

  std::vector<Set> sets_;
};

}  // namespace ringside
