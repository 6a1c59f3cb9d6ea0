#include "analysis/resurrection.h"

#include <algorithm>
#include <set>

#include "analysis/by_key.h"
#include "analysis/describe.h"
#include "analysis/supersession.h"

namespace ringside {
namespace {

struct FinalReading {
  std::set<std::pair<ValueId, uint32_t>> values;  // with the first get that returned each
  Time first = kNever;
};

FinalReading read_finally(const History& history, std::span<const uint32_t> operations) {
  FinalReading reading;
  std::set<ValueId> seen;
  for (const uint32_t i : operations) {
    const Operation& op = history.operations[i];
    if (op.phase != Phase::kFinal || !op.is_get() || !op.ok()) continue;
    reading.first = std::min(reading.first, op.invoked);
    for (const ValueId value : history.ids_of(op))
      if (seen.insert(value).second) reading.values.insert({value, i});
  }
  return reading;
}

}  // namespace

ResurrectionReport find_resurrected(const History& history,
                                    const std::function<bool(ValueId)>& written_twice) {
  ResurrectionReport report;
  Supersession values(history);
  const ByKey by_key(history);
  for (KeyIndex key = 0; key < by_key.keys(); ++key) {
    const FinalReading reading = read_finally(history, by_key[key]);
    std::set<ValueId> reported;
    for (const uint32_t i : by_key[key]) {
      const Operation& op = history.operations[i];
      if (!op.is_delete() || !op.ok() || op.finished >= reading.first) continue;
      ++report.deletes;
      report.values += op.ids_count;
      values.mark_covered(history.ids_of(op));
      for (const auto& [value, read] : reading.values) {
        if (!values.is_marked(value) || !reported.insert(value).second) continue;
        if (written_twice(value)) {
          ++report.excused;
        } else {
          report.resurrected.push_back({read, i, value});
        }
      }
    }
  }
  return report;
}

std::string describe(const History& history, const Resurrected& resurrected) {
  return describe_operation(history, resurrected.read) + " returned " +
         describe_value(resurrected.value) + ", which was deleted by " +
         describe_operation(history, resurrected.remove);
}

}  // namespace ringside
