#include "analysis/calls.h"

#include <deque>

#include "absl/container/flat_hash_map.h"
#include "analysis/by_key.h"
#include "runtime/check.h"
#include "runtime/random.h"

namespace ringside {
namespace {

struct TextHash {
  std::size_t operator()(std::string_view text) const { return hash_bytes(text); }
};

}  // namespace

// Looked up only.
struct Texts::Index {
  std::deque<std::string> texts;  // stay where they are
  absl::flat_hash_map<std::string_view, uint64_t, TextHash> numbers;
  absl::flat_hash_map<std::pair<uint64_t, uint64_t>, uint64_t> joined;
};

Texts::Texts() : index_(std::make_unique<Index>()) { intern(""); }
Texts::~Texts() = default;

uint64_t Texts::intern(std::string_view text) {
  const auto found = index_->numbers.find(text);
  if (found != index_->numbers.end()) return found->second;
  const uint64_t number = index_->texts.size();
  index_->numbers.emplace(index_->texts.emplace_back(text), number);
  return number;
}

const std::string& Texts::text(uint64_t number) const {
  CHECK(number < index_->texts.size());
  return index_->texts[number];
}

uint64_t Texts::concat(uint64_t front, uint64_t back) {
  const std::pair key(front, back);
  const auto found = index_->joined.find(key);
  if (found != index_->joined.end()) return found->second;
  const uint64_t number = intern(text(front) + text(back));
  index_->joined.emplace(key, number);
  return number;
}

const char* act_name(Act act) {
  switch (act) {
    case Act::kRead: return "read";
    case Act::kWrite: return "write";
    case Act::kDelete: return "delete";
    case Act::kCompareAndSet: return "compare-and-set";
    case Act::kAppend: return "append";
    case Act::kAdd: return "add";
    case Act::kRemove: return "remove";
    case Act::kReadAll: return "read of all";
    case Act::kEnqueue: return "enqueue";
    case Act::kDequeue: return "dequeue";
  }
  return "?";
}

const char* model_name(ModelKind model) {
  switch (model) {
    case ModelKind::kRegister: return "register";
    case ModelKind::kCounter: return "counter";
    case ModelKind::kSet: return "set";
    case ModelKind::kQueue: return "queue";
  }
  return "?";
}

std::vector<Calls> registers_of(const History& history) {
  const ByKey by_key(history);
  std::vector<Calls> all;
  for (KeyIndex key = 0; key < by_key.keys(); ++key) {
    if (by_key[key].empty()) continue;
    Calls& calls = all.emplace_back();
    calls.object = history.keys[key];
    for (const uint32_t i : by_key[key]) {
      const Operation& op = history.operations[i];
      if (op.outcome == Outcome::kFailed || (op.is_get() && !op.ok())) continue;
      Call call;
      call.begin = op.invoked;
      call.end = op.ok() ? op.finished : kNever;
      call.client = op.client;
      call.source = i;
      call.act = op.is_get() ? Act::kRead : op.is_delete() ? Act::kDelete : Act::kWrite;
      call.value = op.is_delete() ? kAbsent : op.value;
      calls.calls.push_back(call);
    }
  }
  return all;
}

namespace {

std::string value_text(uint64_t value, const Texts* texts) {
  if (value == kAbsent) return "nothing";
  return texts != nullptr ? '"' + texts->text(value) + '"' : std::to_string(value);
}

std::string list_text(std::span<const uint64_t> list, const Texts* texts) {
  constexpr std::size_t kShown = 12;
  std::string text = "{";
  for (std::size_t i = 0; i < list.size() && i < kShown; ++i) {
    text += (i > 0 ? " " : "") + value_text(list[i], texts);
  }
  if (list.size() > kShown) text += " … " + std::to_string(list.size()) + " in all";
  return text + "}";
}

}  // namespace

std::string describe_call(const Calls& calls, uint32_t index, const Texts* texts) {
  const Call& call = calls.calls[index];
  std::string text = act_name(call.act);
  text += " [" + std::to_string(call.begin) + ", " +
          (call.known() ? std::to_string(call.end) : "never") + "] by " +
          std::to_string(call.client);
  switch (call.act) {
    case Act::kRead:
    case Act::kDequeue:
      if (call.known()) text += " returned " + value_text(call.value, texts);
      break;
    case Act::kReadAll: text += " returned " + list_text(calls.list_of(call), texts); break;
    case Act::kCompareAndSet:
      text += " from " + value_text(call.expected, texts) + " to " + value_text(call.value, texts);
      text += call.applied ? "" : " was refused";
      break;
    case Act::kDelete: break;
    default: text += " of " + value_text(call.value, texts);
  }
  return text;
}

}  // namespace ringside
