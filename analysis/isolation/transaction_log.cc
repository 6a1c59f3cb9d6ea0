#include "analysis/isolation/transaction_log.h"

#include <absl/container/flat_hash_map.h>

#include "analysis/foreign_log.h"

namespace ringside::isolation {
namespace {

struct MicroOp {
  OpKind kind;
  ObjectId object;
  Value value = kUnrecorded;
  bool nil = false;  // a read that says nil
  std::vector<Value> list;
};

struct PendingTransaction {
  uint32_t process;
  int64_t begin, end = 0;
  Outcome outcome = Outcome::kUnknown;
  std::vector<MicroOp> ops;
};

Error error_at(const Edn& at, std::string what) {
  return {Code::kInvalid, "line " + std::to_string(at.line) + ": " + std::move(what)};
}

bool to_integer(const Edn& edn, int64_t& into) {
  const std::optional<int64_t> number = edn.number();
  into = number.value_or(kUnrecorded);
  return into > kUnrecorded;
}

class JepsenReader {
 public:
  explicit JepsenReader(std::string_view text) : reader_(text) {}

  Result<TransactionHistory> read() {
    while (!reader_.at_end()) {
      const Result<Edn> edn = reader_.next();
      if (!edn.ok()) return edn.error();
      const std::span<const Edn> events =
          edn->is_vector() ? std::span<const Edn>(edn->items) : std::span<const Edn>(&*edn, 1);
      for (const Edn& event : events) {
        if (Result<void> done = add_event(event); !done.ok()) return done.error();
      }
    }
    return build();
  }

 private:
  Result<void> add_event(const Edn& event) {
    if (event.kind != Edn::Kind::kMap)
      return error_at(event,
                      "an event is a map, such as {:type :invoke, :process 0, :f :txn, "
                      ":value [[:r 1 nil]]}");
    const Edn *type = event.find(":type"), *process = event.find(":process");
    const Edn* value = event.find(":value");
    if (type == nullptr) return error_at(event, "an event needs a :type");
    int64_t client = 0;
    if (process != nullptr && !to_integer(*process, client)) return {};  // :nemesis
    if (client < 0 || client >= UINT32_MAX)
      return error_at(*process, "a process is a number from 0 to 4294967294");
    const int64_t now = ++time_;
    const auto open = open_.find(static_cast<uint32_t>(client));
    if (type->is(":invoke")) {
      if (open != open_.end())
        return error_at(event, "process " + std::to_string(client) +
                                   " begins before it has ended what it began before");
      if (value == nullptr || !is_transaction(*value)) {
        open_[static_cast<uint32_t>(client)] = kNoTransaction;
        return {};
      }
      PendingTransaction& made = made_.emplace_back();
      made.process = static_cast<uint32_t>(client);
      made.begin = now;
      open_[made.process] = static_cast<TransactionId>(made_.size() - 1);
      return read_ops(*value, made.ops);
    }
    if (!type->is(":ok") && !type->is(":fail") && !type->is(":info"))
      return error_at(*type, ":type is :invoke, :ok, :fail or :info");
    if (open == open_.end()) {
      if (type->is(":info")) return {};
      return error_at(event, "process " + std::to_string(client) + " ends what it did not begin");
    }
    const TransactionId id = open->second;
    open_.erase(open);
    if (id == kNoTransaction) return {};
    PendingTransaction& made = made_[id];
    made.end = now;
    if (type->is(":fail")) made.outcome = Outcome::kFailed;
    if (!type->is(":ok")) return {};
    made.outcome = Outcome::kOk;
    if (value == nullptr || !is_transaction(*value))
      return error_at(event, ":value of an :ok is what was done and read, such as [[:r 1 [2 3]]]");
    made.ops.clear();
    return read_ops(*value, made.ops);
  }

  Result<void> read_ops(const Edn& value, std::vector<MicroOp>& into) {
    for (const Edn& one : value.items) {
      if (one.items.size() != 3)
        return error_at(one,
                        "a micro-operation is [:append key value], [:w key value] or [:r key "
                        "value]");
      MicroOp& op = into.emplace_back();
      op.object = object_of(one.items[1]);
      const Edn &name = one.items[0], &argument = one.items[2];
      if (name.is(":append") || name.is(":w")) {
        op.kind = name.is(":w") ? OpKind::kWrite : OpKind::kAppend;
        is_list_[op.object] |= name.is(":append");
        if (!to_integer(argument, op.value))
          return error_at(argument, "what is written is an integer of 64 bits");
        continue;
      }
      if (!name.is(":r"))
        return error_at(name,
                        "a micro-operation is :append, :w or :r, not " + std::string(name.text));
      op.kind = OpKind::kReadRegister;
      op.nil = argument.is_nil();
      if (op.nil) continue;
      if (!argument.is_collection()) {
        if (!to_integer(argument, op.value))
          return error_at(argument, "what is read is nil, an integer or a vector of integers");
        continue;
      }
      op.kind = OpKind::kReadList;
      is_list_[op.object] = 1;
      for (const Edn& element : argument.items) {
        if (!to_integer(element, op.list.emplace_back()))
          return error_at(element, "an element is an integer of 64 bits");
      }
    }
    return {};
  }

  ObjectId object_of(const Edn& key) {
    const auto [at, added] =
        objects_.try_emplace(edn_text(key), static_cast<ObjectId>(history_.objects.size()));
    if (added) {
      history_.objects.push_back(at->first);
      is_list_.push_back(0);
    }
    return at->second;
  }

  // Only now is it known what a key of which somebody read nil is.
  TransactionHistory build() {
    for (const PendingTransaction& made : made_) {
      history_.add(made.process, made.begin, made.end, made.outcome);
      const bool ok = made.outcome == Outcome::kOk;
      for (const MicroOp& op : made.ops) {
        const bool list = is_list_[op.object] != 0;
        if (op.kind == OpKind::kAppend) {
          history_.append(op.object, op.value);
        } else if (op.kind == OpKind::kWrite) {
          history_.write(op.object, op.value);
        } else if (!ok) {
          history_.read_unknown(op.object, list);
        } else if (op.kind == OpKind::kReadList || (op.nil && list)) {
          history_.read_list(op.object, op.list);
        } else {
          history_.read(op.object, op.nil ? kInitialValue : op.value);
        }
      }
    }
    return std::move(history_);
  }

  EdnReader reader_;
  int64_t time_ = 0;
  TransactionHistory history_;
  std::vector<PendingTransaction> made_;
  absl::flat_hash_map<uint32_t, TransactionId> open_;   // by process; looked up, never walked
  absl::flat_hash_map<std::string, ObjectId> objects_;  // likewise
  std::vector<char> is_list_;
};

}  // namespace

Result<TransactionHistory> read_transactions(std::string_view text) {
  Result<TransactionHistory> history = JepsenReader(text).read();
  if (!history.ok()) return history;
  if (Result<void> valid = validate(*history); !valid.ok()) return valid.error();
  return history;
}

}  // namespace ringside::isolation
