#include "analysis/isolation/facts.h"

#include <algorithm>

namespace ringside::isolation {
namespace {

bool holds(const TransactionHistory& history, const Op& list, Value value) {
  return std::ranges::count(history.list(list), value) > 0;
}

}  // namespace

TransactionId Facts::writer(ObjectId object, Value value) const {
  for (TransactionId id = 0; id < history_.transactions.size(); ++id) {
    for (const Op& op : history_.ops_of(id)) {
      if (op.writes() && op.object == object && op.value == value) return id;
    }
  }
  return kNoTransaction;
}

bool Facts::wrote(TransactionId id, ObjectId object) const {
  return std::ranges::any_of(history_.ops_of(id),
                             [&](const Op& op) { return op.writes() && op.object == object; });
}

Value Facts::last_written(TransactionId id, ObjectId object) const {
  Value last = kUnrecorded;
  for (const Op& op : history_.ops_of(id)) {
    if (op.writes() && op.object == object) last = op.value;
  }
  return last;
}

bool Facts::happened(TransactionId id) const {
  const Transaction& transaction = history_.transactions[id];
  if (transaction.outcome != Outcome::kUnknown) return transaction.ok();
  for (const Op& write : history_.ops_of(id)) {
    if (!write.writes()) continue;
    for (const Transaction& other : history_.transactions) {
      if (!other.ok()) continue;
      for (uint32_t i = 0; i < other.op_count; ++i) {
        const Op& op = history_.ops[other.op_begin + i];
        if (op.object != write.object) continue;
        const bool seen = op.kind == OpKind::kReadList && op.read_known()
                              ? holds(history_, op, write.value)
                          : op.kind == OpKind::kReadRegister ? op.value == write.value
                          : op.kind == OpKind::kWrite        ? op.replaced == write.value
                                                             : false;
        if (seen) return true;
      }
    }
  }
  return false;
}

bool Facts::reads_from(const Op& read, TransactionId writer) const {
  if (!read.read_known()) return false;
  Value newest = read.value;
  if (read.kind == OpKind::kReadList) {
    if (read.list_count == 0) return false;
    newest = history_.list(read).back();
  }
  for (const Op& op : history_.ops_of(writer)) {
    if (op.writes() && op.object == read.object && op.value == newest) return true;
  }
  return false;
}

bool Facts::write_read(TransactionId a, TransactionId b) const {
  return a != b && history_.transactions[b].ok() &&
         std::ranges::any_of(history_.ops_of(b),
                             [&](const Op& op) { return !op.writes() && reads_from(op, a); });
}

// Lists grow at their ends: a read that holds the first, and holds the second after it or not at
// all, says that the first was there earlier.
bool Facts::element_before(ObjectId object, Value first, Value second) const {
  for (const Transaction& transaction : history_.transactions) {
    if (!transaction.ok()) continue;
    for (uint32_t i = 0; i < transaction.op_count; ++i) {
      const Op& op = history_.ops[transaction.op_begin + i];
      if (op.object != object || op.kind != OpKind::kReadList || !op.read_known()) continue;
      const std::span<const Value> list = history_.list(op);
      const auto one = std::ranges::find(list, first);
      if (one != list.end() && std::find(list.begin(), one, second) == one) return true;
    }
  }
  return false;
}

// By the replacement that the store reported, by one transaction's own steps, by option.
bool Facts::version_before(ObjectId object, Value first, Value second) const {
  if (first == kInitialValue) return true;
  const TransactionId id = writer(object, second);
  Value before = kUnrecorded;
  for (const Op& op : history_.ops_of(id)) {
    if (op.object != object) continue;
    if (op.writes() && op.value == second) {
      if (before == first || (history_.transactions[id].ok() && op.replaced == first)) return true;
      break;
    }
    if (op.writes() || before == kUnrecorded) before = op.value;
  }
  return met_before(object, first, second);
}

// A transaction met the first version last, and one that follows it met the second first.
bool Facts::met_before(ObjectId object, Value first, Value second) const {
  if (!options_.sequential_registers && !options_.linearizable_registers) return false;
  const auto meets = [&](TransactionId id, bool at_end) {
    Value met = kUnrecorded;
    for (const Op& op : history_.ops_of(id)) {
      if (op.object != object || (!op.writes() && !op.read_known())) continue;
      const TransactionId by = op.value == kInitialValue ? id : writer(object, op.value);
      if (by == kNoTransaction || !happened(by)) continue;
      if (met == kUnrecorded || at_end) met = op.value;
    }
    return met;
  };
  for (TransactionId a = 0; a < history_.transactions.size(); ++a) {
    if (!happened(a) || meets(a, true) != first) continue;
    for (TransactionId b = 0; b < history_.transactions.size(); ++b) {
      if (!happened(b) || meets(b, false) != second) continue;
      if ((options_.sequential_registers && process(a, b)) ||
          (options_.linearizable_registers && real_time(a, b)))
        return true;
    }
  }
  return false;
}

bool Facts::write_write(TransactionId a, TransactionId b) const {
  if (a == b || !happened(a) || !happened(b)) return false;
  for (const Op& one : history_.ops_of(a)) {
    for (const Op& two : history_.ops_of(b)) {
      if (!one.writes() || !two.writes() || one.object != two.object) continue;
      if (one.of_list() ? element_before(one.object, one.value, two.value)
                        : version_before(one.object, one.value, two.value))
        return true;
    }
  }
  return false;
}

bool Facts::read_write(TransactionId a, TransactionId b) const {
  if (a == b || !history_.transactions[a].ok() || !happened(b)) return false;
  for (const Op& read : history_.ops_of(a)) {
    if (!read.read_known()) continue;
    for (const Op& write : history_.ops_of(b)) {
      if (!write.writes() || write.object != read.object) continue;
      if (read.kind == OpKind::kReadList
              ? !holds(history_, read, write.value)
              : read.value != write.value && version_before(read.object, read.value, write.value))
        return true;
    }
  }
  return false;
}

bool Facts::process(TransactionId a, TransactionId b) const {
  const Transaction &one = history_.transactions[a], &two = history_.transactions[b];
  if (a == b || one.process != two.process || !one.ok() || !happened(b)) return false;
  return one.begin != two.begin ? one.begin < two.begin : a < b;
}

bool Facts::real_time(TransactionId a, TransactionId b) const {
  return history_.transactions[a].ok() && happened(b) &&
         history_.transactions[a].end < history_.transactions[b].begin;
}

bool Facts::edge(EdgeKind kind, TransactionId a, TransactionId b) const {
  switch (kind) {
    case EdgeKind::kWriteWrite: return write_write(a, b);
    case EdgeKind::kWriteRead: return write_read(a, b);
    case EdgeKind::kReadWrite: return read_write(a, b);
    case EdgeKind::kProcess: return process(a, b);
    case EdgeKind::kRealTime: return real_time(a, b);
    case EdgeKind::kArbitration:
    case EdgeKind::kPass: break;
  }
  return false;
}

}  // namespace ringside::isolation
