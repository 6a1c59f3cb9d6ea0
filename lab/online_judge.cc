#include "lab/online_judge.h"

namespace ringside::lab {

HistorySink::Handle OnlineJudge::invoked(const Invocation& invocation) {
  const Handle handle = next_.invoked(invocation);
  const Operation& operation = history_.operations[handle];
  if (operation.is_put())
    registers_[operation.key].write_begins(operation.value, operation.invoked, handle);
  return handle;
}

void OnlineJudge::finished(Handle handle, const Completion& completion) {
  next_.finished(handle, completion);
  const Operation& operation = history_.operations[handle];
  OnlineRegister& key = registers_[operation.key];
  bool holds = true;
  if (operation.is_get()) {
    holds = !operation.ok() ||
            key.read_ends(operation.value, operation.invoked, operation.finished, handle);
  } else if (operation.outcome != Outcome::kUnknown) {
    holds = key.write_ends(operation.value, operation.finished, operation.ok());
  }
  if (!holds && breaking_ == kNoOperation) breaking_ = handle;
}

}  // namespace ringside::lab
