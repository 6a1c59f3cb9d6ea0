// Which write made each version, and which transactions count. A list's versions are ordered by its
// longest read (Kingsbury & Alvaro, "Elle", 2020, section 4): every other read has to be a prefix
// of it. A transaction of unknown outcome counts as committed when a read returned one of its
// writes, or a write replaced one. O(operations + elements of the longest reads), plus a sort for
// each object whose values do not ascend.
#pragma once

#include <span>
#include <vector>

#include "analysis/isolation/transactions.h"

namespace ringside::isolation {

struct Touch {
  TransactionId transaction;
  uint32_t op;  // index into TransactionHistory::ops
};

inline constexpr uint32_t kInitialOp = kNoOp - 1;  // "wrote" the initial version

class Versions {
 public:
  explicit Versions(const TransactionHistory& history);

  // The operations on an object, transaction by transaction.
  std::span<const Touch> touches(ObjectId object) const {
    return {touches_.data() + begin_[object], begin_[object + 1] - begin_[object]};
  }
  // A list: its longest read, or kNoOp; and the append of each element of it (kNoOp: nobody's).
  uint32_t longest(ObjectId object) const { return longest_[object]; }
  std::span<const uint32_t> order(ObjectId object) const {
    return {order_.data() + order_begin_[object], order_begin_[object + 1] - order_begin_[object]};
  }
  // An append: its position in the order, kNoOp when it was not read. A register's read, or its
  // write with a recorded replacement: the write of that version, kInitialOp, or kNoOp for
  // nobody's.
  uint32_t link(uint32_t op) const { return link_[op]; }
  // Is this write the last of its transaction to its object?
  bool final(uint32_t op) const { return final_[op]; }
  TransactionId owner(uint32_t op) const { return owner_[op]; }
  bool committed(TransactionId id) const { return committed_[id]; }
  // The write of a value to an object, kNoOp when there is none.
  uint32_t writer_of(ObjectId object, Value value) const;

 private:
  void group();
  void find_writes(ObjectId object);
  void order_list(ObjectId object);
  void link_register(ObjectId object);
  uint32_t find(Value value);
  void observe(uint32_t op) {
    if (op < kInitialOp && history_.transactions[owner_[op]].outcome == Outcome::kUnknown)
      committed_[owner_[op]] = 1;
  }

  const TransactionHistory& history_;
  std::vector<Touch> touches_;   // by object
  std::vector<uint32_t> begin_;  // by object, into touches_
  std::vector<uint32_t> longest_, order_, order_begin_;
  std::vector<uint32_t> link_;  // by operation, as are the next two
  std::vector<TransactionId> owner_;
  std::vector<char> final_;
  std::vector<char> committed_;  // by transaction

  struct Write {
    Value value;
    uint32_t op;
  };
  std::vector<Write> writes_;  // of the object in hand, by value
  std::size_t hint_ = 0;  // values are mostly looked up in the order in which they were written
};

}  // namespace ringside::isolation
