// What is known of the order of one register's versions: a directed graph over them. Version 0 is
// the initial one, the others are the writes of transactions that count. Reused from object to
// object.
#pragma once

#include <span>
#include <vector>

#include "analysis/isolation/versions.h"

namespace ringside::isolation {

class RegisterOrder {
 public:
  void begin(ObjectId object, const TransactionHistory& history, const Versions& versions);

  uint32_t versions() const { return static_cast<uint32_t>(writes_.size()); }
  uint32_t version_of_write(uint32_t op) const;
  uint32_t version_of(uint32_t op) const { return op == kInitialOp ? 0 : version_of_write(op); }
  uint32_t write_of(uint32_t version) const { return writes_[version]; }

  void precede(uint32_t before, uint32_t after) {
    if (before != after) edges_.push_back({before, after});
  }
  // `write` replaced `before`, and nothing came between. The write that did so before, else kNoOp.
  uint32_t replace(uint32_t before, uint32_t write);
  // The last version that a transaction of a process met is not after the first that the next met.
  void follow_processes();
  // The same for transactions that ended before others began.
  void follow_real_time();

  // To be called once, at the end: puts the initial version before all that nothing precedes. The
  // writers of versions that are in a circle, two at most; empty when there is none.
  std::vector<TransactionId> close();
  std::span<const uint32_t> after(uint32_t version) const {
    return {targets_.data() + begin_[version], begin_[version + 1] - begin_[version]};
  }

 private:
  struct Pair {
    uint32_t before, after;
    auto operator<=>(const Pair&) const = default;
  };
  // The versions that a transaction met first and last.
  struct Met {
    TransactionId transaction;
    uint32_t first, last;
  };
  std::vector<Met> met() const;

  const TransactionHistory* history_ = nullptr;
  const Versions* versions_ = nullptr;
  std::span<const Touch> touches_;
  std::vector<uint32_t> writes_;    // by version, the operations in ascending order
  std::vector<uint32_t> replacer_;  // by version
  std::vector<Pair> edges_;
  std::vector<uint32_t> begin_, targets_;
};

}  // namespace ringside::isolation
