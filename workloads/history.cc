#include "workloads/history.h"

#include "absl/container/flat_hash_map.h"
#include "runtime/check.h"
#include "runtime/random.h"

namespace ringside {

const char* phase_name(Phase phase) {
  switch (phase) {
    case Phase::kLoad: return "load";
    case Phase::kMain: return "main";
    case Phase::kFinal: return "final";
  }
  return "?";
}

namespace {
struct KeyHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view key) const { return hash_bytes(key); }
};
}  // namespace

struct HistoryRecorder::Keys {
  absl::flat_hash_map<std::string, KeyIndex, KeyHash, std::equal_to<>> by_name;  // looked up only
};

HistoryRecorder::HistoryRecorder(std::function<Time()> true_time)
    : true_time_(std::move(true_time)), index_(std::make_unique<Keys>()) {}

HistoryRecorder::~HistoryRecorder() = default;

KeyIndex HistoryRecorder::intern(std::string_view key) {
  const auto [entry, fresh] =
      index_->by_name.try_emplace(key, static_cast<KeyIndex>(history_.keys.size()));
  if (fresh) history_.keys.emplace_back(key);
  return entry->second;
}

ClientIndex HistoryRecorder::add_client(NodeId process) {
  history_.clients.push_back({process});
  return static_cast<ClientIndex>(history_.clients.size() - 1);
}

HistorySink::Handle HistoryRecorder::invoked(const Invocation& invocation) {
  CHECK(invocation.id != 0);
  CHECK(invocation.key < history_.keys.size());
  CHECK(invocation.client < history_.clients.size());
  CHECK(invocation.late >= 0);
  Operation operation;
  operation.id = invocation.id;
  operation.invoked = true_time_();
  operation.intended = operation.invoked - invocation.late;
  operation.key = invocation.key;
  operation.client = invocation.client;
  operation.kind = invocation.kind;
  operation.phase = invocation.phase;
  operation.action = invocation.action;
  if (operation.is_put()) {
    operation.value = invocation.id;
    operation.item = invocation.item;
    operation.ids_begin = static_cast<uint32_t>(history_.ids.size());
    operation.ids_count = static_cast<uint32_t>(invocation.covered.size());
    history_.ids.insert(history_.ids.end(), invocation.covered.begin(), invocation.covered.end());
  }
  history_.operations.push_back(operation);
  if (keeps_steps_) note_in_step(operation);
  return static_cast<Handle>(history_.operations.size() - 1);
}

void HistoryRecorder::step_begins(ClientIndex client, ScriptStep::What what,
                                  Duration expire_after) {
  if (!keeps_steps_) return;
  ScriptStep step;
  step.at = true_time_();
  step.client = client + 1;
  step.what = what;
  step.expire_after = expire_after;
  steps_.push_back(std::move(step));
  step_of_.resize(history_.clients.size());
  step_of_[client] = static_cast<uint32_t>(steps_.size());
}

void HistoryRecorder::note_in_step(const Operation& operation) {
  if (operation.phase != Phase::kMain || operation.client >= step_of_.size()) return;
  if (step_of_[operation.client] == 0) return;
  ScriptStep& step = steps_[step_of_[operation.client] - 1];
  step.key = history_.keys[operation.key];
  step.numbers.push_back(static_cast<uint32_t>(operation.id));
}

void HistoryRecorder::finished(Handle handle, const Completion& completion) {
  Operation& operation = history_.operations[handle];
  CHECK(operation.finished == kNever);
  operation.finished = true_time_();
  operation.outcome = completion.outcome;
  operation.coordinator = completion.coordinator;
  if (operation.is_put()) return;
  operation.value = completion.value;
  operation.ids_begin = static_cast<uint32_t>(history_.ids.size());
  operation.ids_count = static_cast<uint32_t>(completion.read.size());
  operation.items_count = static_cast<uint32_t>(completion.items.size());
  history_.ids.insert(history_.ids.end(), completion.read.begin(), completion.read.end());
  history_.ids.insert(history_.ids.end(), completion.items.begin(), completion.items.end());
}

}  // namespace ringside
