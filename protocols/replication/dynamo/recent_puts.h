// RecentPuts: the puts that this process coordinated lately and their dots, so that a frame that
// comes twice, or a client that asks again, makes no second version. It holds a bounded number;
// older ones are forgotten.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "protocols/replication/dynamo/version.h"

namespace ringside {

class RecentPuts {
 public:
  // The dot that the operation got here; counter 0: none that is remembered.
  Dot find(uint64_t operation) const {
    const auto found = dots_.find(operation);
    return found == dots_.end() ? Dot{} : found->second;
  }
  void remember(uint64_t operation, Dot dot) {
    if (!dots_.insert_or_assign(operation, dot).second) return;
    if (order_.size() < kMax) {
      order_.push_back(operation);
      return;
    }
    dots_.erase(order_[next_]);
    order_[next_] = operation;
    next_ = (next_ + 1) % kMax;
  }

 private:
  static constexpr std::size_t kMax = 8192;
  absl::flat_hash_map<uint64_t, Dot> dots_;  // looked up, never walked
  std::vector<uint64_t> order_;              // a circle of kMax
  std::size_t next_ = 0;
};

}  // namespace ringside
