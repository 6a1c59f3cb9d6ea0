#include "analysis/isolation/edn.h"

#include <absl/container/flat_hash_map.h>

#include <charconv>

#include "analysis/isolation/edn_form.h"

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

Error error_at(const EdnForm& form, std::string what) {
  return {Code::kInvalid, "line " + std::to_string(form.line) + ": " + std::move(what)};
}

bool to_integer(const EdnForm& form, int64_t& into) {
  if (form.type != EdnForm::Type::kAtom) return false;
  std::string_view digits = form.text;
  if (digits.ends_with('N')) digits.remove_suffix(1);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  const auto [end, code] = std::from_chars(digits.data(), digits.data() + digits.size(), into);
  return code == std::errc() && end == digits.data() + digits.size() && into > kUnrecorded;
}

void write_key(const EdnForm& form, std::string& into) {
  if (form.type == EdnForm::Type::kAtom || form.type == EdnForm::Type::kString) {
    into += form.text;
    return;
  }
  into += '[';
  for (const EdnForm& part : form.parts) {
    if (into.back() != '[') into += ' ';
    write_key(part, into);
  }
  into += ']';
}

class JepsenReader {
 public:
  explicit JepsenReader(std::string_view text) : reader_(text) {}

  Result<TransactionHistory> read() {
    while (!reader_.at_end()) {
      const Result<EdnForm> form = reader_.next();
      if (!form.ok()) return form.error();
      const bool many = form->type == EdnForm::Type::kSequence;
      const std::span<const EdnForm> events =
          many ? std::span<const EdnForm>(form->parts) : std::span<const EdnForm>(&*form, 1);
      for (const EdnForm& event : events) {
        if (Result<void> done = add_event(event); !done.ok()) return done.error();
      }
    }
    return build();
  }

 private:
  Result<void> add_event(const EdnForm& event) {
    if (event.type != EdnForm::Type::kMap)
      return error_at(event,
                      "an event is a map, such as {:type :invoke, :process 0, :f :txn, "
                      ":value [[:r 1 nil]]}");
    const EdnForm *type = event.find(":type"), *process = event.find(":process");
    const EdnForm* value = event.find(":value");
    if (type == nullptr || process == nullptr)
      return error_at(event, "an event needs :type and :process");
    int64_t client = 0;
    if (!to_integer(*process, client)) return {};  // :nemesis
    if (client < 0 || client >= UINT32_MAX)
      return error_at(*process, "a process is a number from 0 to 4294967294");
    const int64_t now = ++time_;
    const auto open = open_.find(static_cast<uint32_t>(client));
    if (type->is(":invoke")) {
      if (open != open_.end())
        return error_at(event, "process " + std::to_string(client) +
                                   " begins before it has ended what it began before");
      if (!has_micro_ops(value)) {
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
    if (!has_micro_ops(value))
      return error_at(event, ":value of an :ok is what was done and read, such as [[:r 1 [2 3]]]");
    made.ops.clear();
    return read_ops(*value, made.ops);
  }

  static bool has_micro_ops(const EdnForm* value) {
    if (value == nullptr || value->type != EdnForm::Type::kSequence) return false;
    for (const EdnForm& op : value->parts) {
      if (op.type != EdnForm::Type::kSequence || op.parts.empty() || op.parts[0].text.empty())
        return false;
      if (op.parts[0].text[0] != ':') return false;
    }
    return true;
  }

  Result<void> read_ops(const EdnForm& value, std::vector<MicroOp>& into) {
    for (const EdnForm& form : value.parts) {
      if (form.parts.size() != 3)
        return error_at(form,
                        "a micro-operation is [:append key value], [:w key value] or [:r key "
                        "value]");
      MicroOp& op = into.emplace_back();
      op.object = object_of(form.parts[1]);
      const EdnForm &name = form.parts[0], &argument = form.parts[2];
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
      op.nil = argument.is("nil");
      if (op.nil) continue;
      if (argument.type != EdnForm::Type::kSequence) {
        if (!to_integer(argument, op.value))
          return error_at(argument, "what is read is nil, an integer or a vector of integers");
        continue;
      }
      op.kind = OpKind::kReadList;
      is_list_[op.object] = 1;
      for (const EdnForm& element : argument.parts) {
        if (!to_integer(element, op.list.emplace_back()))
          return error_at(element, "an element is an integer of 64 bits");
      }
    }
    return {};
  }

  ObjectId object_of(const EdnForm& key) {
    name_.clear();
    write_key(key, name_);
    const auto [at, added] =
        objects_.try_emplace(name_, static_cast<ObjectId>(history_.objects.size()));
    if (added) {
      history_.objects.push_back(name_);
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
  std::string name_;
};

}  // namespace

Result<TransactionHistory> read_transactions(std::string_view text) {
  Result<TransactionHistory> history = JepsenReader(text).read();
  if (!history.ok()) return history;
  if (Result<void> valid = validate(*history); !valid.ok()) return valid.error();
  return history;
}

}  // namespace ringside::isolation
