// The operations of each key, in the order of invocation: one counting sort for whoever judges key
// by key.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "workloads/history.h"

namespace ringside {

class ByKey {
 public:
  explicit ByKey(const History& history)
      : begin_(history.keys.size() + 1), operations_(history.operations.size()) {
    for (const Operation& op : history.operations) ++begin_[op.key + 1];
    for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
    std::vector<uint32_t> next(begin_.begin(), begin_.end() - 1);
    for (std::size_t i = 0; i < history.operations.size(); ++i) {
      operations_[next[history.operations[i].key]++] = static_cast<uint32_t>(i);
    }
  }

  KeyIndex keys() const { return static_cast<KeyIndex>(begin_.size() - 1); }
  std::span<const uint32_t> operator[](KeyIndex key) const {
    return {operations_.data() + begin_[key], begin_[key + 1] - begin_[key]};
  }

 private:
  std::vector<uint32_t> begin_;
  std::vector<uint32_t> operations_;
};

}  // namespace ringside
