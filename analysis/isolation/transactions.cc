#include "analysis/isolation/transactions.h"

#include <algorithm>

namespace ringside::isolation {
namespace {

constexpr std::size_t kShownElements = 12;

std::string value_text(Value value) {
  if (value == kInitialValue) return "nil";
  return value == kUnrecorded ? "?" : std::to_string(value);
}

std::string name_of(TransactionId id) { return "T" + std::to_string(id); }

struct Written {
  ObjectId object;
  Value value;
  TransactionId by;
  auto operator<=>(const Written&) const = default;
};

}  // namespace

TransactionId TransactionHistory::add(uint32_t process, int64_t begin, int64_t end,
                                      Outcome outcome) {
  transactions.push_back({process, outcome, static_cast<uint32_t>(ops.size()), 0, begin, end});
  return static_cast<TransactionId>(transactions.size() - 1);
}

void TransactionHistory::append(ObjectId object, Value element) {
  ops.push_back({OpKind::kAppend, object, element});
  ++transactions.back().op_count;
}

void TransactionHistory::read_list(ObjectId object, std::span<const Value> list) {
  ops.push_back({OpKind::kReadList, object, 0, kUnrecorded, static_cast<uint32_t>(elements.size()),
                 static_cast<uint32_t>(list.size())});
  elements.insert(elements.end(), list.begin(), list.end());
  ++transactions.back().op_count;
}

void TransactionHistory::write(ObjectId object, Value value, Value replaced) {
  ops.push_back({OpKind::kWrite, object, value, replaced});
  ++transactions.back().op_count;
}

void TransactionHistory::read(ObjectId object, Value value) {
  ops.push_back({OpKind::kReadRegister, object, value});
  ++transactions.back().op_count;
}

void TransactionHistory::read_unknown(ObjectId object, bool of_list) {
  if (of_list)
    ops.push_back({OpKind::kReadList, object, 0, kUnrecorded, kNoOp, 0});
  else
    ops.push_back({OpKind::kReadRegister, object, kUnrecorded});
  ++transactions.back().op_count;
}

Result<void> validate(const TransactionHistory& history) {
  std::vector<TransactionId> first_of(history.objects.size(), kNoTransaction);
  std::vector<char> list(history.objects.size(), 0);
  std::vector<uint32_t> written_before(history.objects.size() + 1, 0);
  for (TransactionId id = 0; id < history.transactions.size(); ++id) {
    const Transaction& transaction = history.transactions[id];
    if (transaction.ok() && transaction.end < transaction.begin)
      return Error{Code::kInvalid, name_of(id) + " ends before it begins"};
    for (const Op& op : history.ops_of(id)) {
      if (op.object >= history.objects.size())
        return Error{Code::kInvalid, name_of(id) + " uses object " + std::to_string(op.object) +
                                         ", which has no name"};
      const std::string& object = history.objects[op.object];
      if (first_of[op.object] == kNoTransaction) {
        first_of[op.object] = id;
        list[op.object] = op.of_list();
      } else if (static_cast<bool>(list[op.object]) != op.of_list()) {
        return Error{Code::kInvalid,
                     object + " is a list in " + name_of(op.of_list() ? id : first_of[op.object]) +
                         " and a register in " + name_of(op.of_list() ? first_of[op.object] : id)};
      }
      if (!op.writes()) continue;
      ++written_before[op.object + 1];
      if (op.value == kInitialValue || op.value == kUnrecorded)
        return Error{Code::kInvalid,
                     name_of(id) + " writes no value to " + object + ": it cannot be told apart"};
    }
  }
  // Written values by object, then sorted within each: unique values are what everything rests on.
  for (std::size_t i = 1; i < written_before.size(); ++i)
    written_before[i] += written_before[i - 1];
  std::vector<Written> written(written_before.back());
  std::vector<uint32_t> next(written_before.begin(), written_before.end() - 1);
  for (TransactionId id = 0; id < history.transactions.size(); ++id) {
    for (const Op& op : history.ops_of(id)) {
      if (op.writes()) written[next[op.object]++] = {op.object, op.value, id};
    }
  }
  for (ObjectId object = 0; object < history.objects.size(); ++object) {
    const auto begin = written.begin() + written_before[object];
    const auto end = written.begin() + written_before[object + 1];
    if (!std::is_sorted(begin, end)) std::sort(begin, end);
    const auto twice = std::adjacent_find(
        begin, end, [](const Written& a, const Written& b) { return a.value == b.value; });
    if (twice == end) continue;
    return Error{Code::kInvalid, history.objects[object] + " = " + value_text(twice->value) +
                                     " is written twice, by " + name_of(twice->by) + " and by " +
                                     name_of((twice + 1)->by) + ": values must be unique"};
  }
  return {};
}

std::string describe_op(const TransactionHistory& history, const Op& op) {
  const std::string& object = history.objects[op.object];
  switch (op.kind) {
    case OpKind::kAppend: return "append " + object + " " + value_text(op.value);
    case OpKind::kWrite:
      return "write " + object + " " + value_text(op.value) +
             (op.replaced == kUnrecorded ? "" : " (over " + value_text(op.replaced) + ")");
    case OpKind::kReadRegister: return "read " + object + " " + value_text(op.value);
    case OpKind::kReadList: break;
  }
  if (!op.read_known()) return "read " + object + " ?";
  std::string text = "read " + object + " [";
  const std::span<const Value> list = history.list(op);
  const std::size_t from = list.size() > kShownElements ? list.size() - kShownElements : 0;
  if (from > 0) text += "… ";  // the end of a list is what tells
  for (std::size_t i = from; i < list.size(); ++i)
    text += (i > from ? " " : "") + value_text(list[i]);
  return text + "]";
}

std::string describe(const TransactionHistory& history, TransactionId id) {
  const Transaction& transaction = history.transactions[id];
  std::string text = name_of(id) + " (process " + std::to_string(transaction.process);
  if (transaction.outcome == Outcome::kUnknown) text += ", outcome unknown";
  if (transaction.outcome == Outcome::kFailed) text += ", failed";
  text += "):";
  const char* separator = " ";
  for (const Op& op : history.ops_of(id)) {
    text += separator + describe_op(history, op);
    separator = ", ";
  }
  return text;
}

}  // namespace ringside::isolation
