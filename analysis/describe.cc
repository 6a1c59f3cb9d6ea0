#include "analysis/describe.h"

#include <cstdio>

namespace ringside {
namespace {

std::string id_text(uint64_t id) {
  const auto high = static_cast<uint32_t>(id >> 32);
  // Client processes are numbered from kFirstClient.
  const std::string process =
      high >= kFirstClient ? "c" + std::to_string(high - kFirstClient) : std::to_string(high);
  return "#" + process + ":" + std::to_string(static_cast<uint32_t>(id));
}

}  // namespace

std::string describe_time(Time at) {
  if (at == kNever) return "never";
  char text[40];
  std::snprintf(text, sizeof text, "%.6f ms", static_cast<double>(at) / kMillisecond);
  return text;
}

std::string describe_value(ValueId value) {
  if (value == kAbsent) return "absent";
  return value == kDamaged ? "a damaged value" : "value " + id_text(value);
}

std::string describe_operation(const History& history, uint32_t operation) {
  const Operation& op = history.operations[operation];
  std::string text = (op.is_get()      ? "get "
                      : op.is_delete() ? "delete "
                                       : "put ") +
                     id_text(op.id) + " of \"" + history.keys[op.key] + "\" by client " +
                     std::to_string(op.client) + " [" + describe_time(op.invoked) + ", " +
                     describe_time(op.finished) + "]";
  if (op.outcome == Outcome::kUnknown) text += " (unknown)";
  if (op.outcome == Outcome::kFailed) text += " (failed)";
  return text;
}

}  // namespace ringside
