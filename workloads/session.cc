#include "workloads/session.h"

#include <algorithm>

#include "workloads/value.h"

namespace ringside {

Content content_of(const WorkloadSpec& spec) {
  if (std::holds_alternative<RegistersSpec>(spec.what)) return Content::kRegister;
  if (std::holds_alternative<ScriptSpec>(spec.what)) return Content::kRegister;
  if (std::holds_alternative<CartSpec>(spec.what)) return Content::kCart;
  return Content::kRecord;
}

Session::Session(Store& store, HistorySink& sink, Content content)
    : store_(store), sink_(sink), content_(content), client_(sink.add_client(store.self())) {}

Task<Reading> Session::get(const Key& key, Duration late, Phase phase) {
  Invocation invocation;
  invocation.id = store_.next_operation();
  invocation.client = client_;
  invocation.key = key.index;
  invocation.phase = phase;
  invocation.late = late;
  const HistorySink::Handle handle = sink_.invoked(invocation);
  GetResult result = co_await store_.get(key.name, invocation.id);

  Reading reading;
  reading.outcome = result.outcome;
  if (result.outcome == Outcome::kOk) understand(result, reading);
  reading.context = std::move(result.context);
  Completion completion;
  completion.outcome = result.outcome;
  completion.value = reading.value;
  completion.read = reading.ids;
  if (phase == Phase::kFinal) completion.items = reading.items;
  completion.coordinator = result.coordinator;
  sink_.finished(handle, completion);
  co_return reading;
}

// A value that is not as somebody wrote it counts as kDamaged, which no judge will find a writer
// for.
void Session::understand(const GetResult& result, Reading& reading) const {
  RegisterValue taken;
  for (const Sibling& sibling : result.siblings) {
    ValueId id = value_id(sibling.value);
    RegisterValue content;
    bool intact = false;
    switch (content_) {
      case Content::kRecord: intact = record_intact(sibling.value); break;
      case Content::kCart: intact = merge_cart(sibling.value, reading.items); break;
      case Content::kRegister: intact = parse_register(sibling.value, content); break;
    }
    if (!intact) id = kDamaged;
    if (content_ == Content::kRegister && intact) {
      if (taken.id == kAbsent || older(taken, content)) taken = content;
    } else {
      reading.value = std::max(reading.value, id);
    }
    reading.ids.push_back(id);
  }
  if (reading.value != kDamaged && taken.id != kAbsent) reading.value = taken.id;
  reading.timestamp = taken.timestamp;
}

Task<Written> Session::put(const Key& key, Writing writing) {
  Invocation invocation;
  invocation.id = writing.id;
  invocation.client = client_;
  invocation.key = key.index;
  invocation.kind = OperationKind::kPut;
  invocation.phase = writing.phase;
  invocation.action = writing.action;
  invocation.item = writing.item;
  invocation.late = writing.late;
  invocation.covered = writing.covered;
  const HistorySink::Handle handle = sink_.invoked(invocation);
  std::optional<std::string> value;
  if (writing.action != Action::kDelete) value = std::move(writing.value);
  PutResult result = co_await store_.put(key.name, std::move(writing.context), std::move(value),
                                         writing.id, writing.expires);
  Completion completion;
  completion.outcome = result.outcome;
  completion.coordinator = result.coordinator;
  sink_.finished(handle, completion);
  co_return Written{result.outcome, std::move(result.context)};
}

void Session::skip(const Key& key, OperationKind kind, Duration late) {
  Invocation invocation;
  invocation.id = store_.next_operation();
  invocation.client = client_;
  invocation.key = key.index;
  invocation.kind = kind;
  invocation.late = late;
  Completion completion;
  completion.outcome = Outcome::kFailed;
  sink_.finished(sink_.invoked(invocation), completion);
}

}  // namespace ringside
