// A history of transactions, as clients saw it: what each asked for, what it was told, when it
// began and ended. Two kinds of object: a list, to which unique elements are appended and which is
// read whole, and a register, into which unique values are written. Times are of any unit, only
// their order counts; a transaction precedes another in real time when it ended before the other
// began (equal instants are concurrent). A process is a session: its transactions follow one
// another in the order of their begins. Every object begins empty: a list without elements, a
// register with kInitialValue.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/outcome.h"
#include "runtime/result.h"

namespace ringside::isolation {

using TransactionId = uint32_t;  // index into TransactionHistory::transactions
using ObjectId = uint32_t;       // index into TransactionHistory::objects
using Value = int64_t;

inline constexpr TransactionId kNoTransaction = UINT32_MAX;
inline constexpr uint32_t kNoOp = UINT32_MAX;
inline constexpr Value kInitialValue = std::numeric_limits<Value>::min();
inline constexpr Value kUnrecorded = kInitialValue + 1;  // nobody noted it

enum class OpKind : uint8_t { kAppend, kReadList, kWrite, kReadRegister };

struct Op {
  OpKind kind = OpKind::kAppend;
  ObjectId object = 0;
  // kAppend: the element; kWrite: the value; kReadRegister: what was read, or kUnrecorded.
  Value value = 0;
  // kWrite: the version that it replaced, as the store said; kUnrecorded where it did not.
  Value replaced = kUnrecorded;
  // kReadList: the elements, in TransactionHistory::elements; begin is kNoOp where they are
  // unknown.
  uint32_t list_begin = 0;
  uint32_t list_count = 0;

  bool writes() const { return kind == OpKind::kAppend || kind == OpKind::kWrite; }
  bool of_list() const { return kind == OpKind::kAppend || kind == OpKind::kReadList; }
  // A read that returned something.
  bool read_known() const {
    return kind == OpKind::kReadList ? list_begin != kNoOp
                                     : kind == OpKind::kReadRegister && value != kUnrecorded;
  }
};

struct Transaction {
  uint32_t process = 0;
  Outcome outcome = Outcome::kOk;  // kUnknown: it counts as done where somebody saw its writes
  uint32_t op_begin = 0;           // its operations, in the order in which it made them
  uint32_t op_count = 0;
  int64_t begin = 0;
  int64_t end = 0;  // of no meaning unless ok

  bool ok() const { return outcome == Outcome::kOk; }
};

class TransactionHistory {
 public:
  std::vector<Transaction> transactions;
  std::vector<Op> ops;
  std::vector<Value> elements;  // of all the lists that were read
  std::vector<std::string> objects;

  std::span<const Op> ops_of(TransactionId id) const {
    const Transaction& transaction = transactions[id];
    return {ops.data() + transaction.op_begin, transaction.op_count};
  }
  std::span<const Value> list(const Op& read) const {
    return {elements.data() + read.list_begin, read.list_count};
  }

  // Adds a transaction; the operations that are added next are its own.
  TransactionId add(uint32_t process, int64_t begin, int64_t end, Outcome outcome = Outcome::kOk);
  void append(ObjectId object, Value element);
  void read_list(ObjectId object, std::span<const Value> list);
  void write(ObjectId object, Value value, Value replaced = kUnrecorded);
  void read(ObjectId object, Value value);
  void read_unknown(ObjectId object, bool of_list);  // asked for, and never told
};

// Can it be judged? Every object a list or a register throughout, every value of an object written
// once, no value that means something else, ends not before begins. An error names the
// transactions.
Result<void> validate(const TransactionHistory& history);

// "T3 (process 1): append x 5, read y [1 2]".
std::string describe(const TransactionHistory& history, TransactionId id);
std::string describe_op(const TransactionHistory& history, const Op& op);

}  // namespace ringside::isolation
