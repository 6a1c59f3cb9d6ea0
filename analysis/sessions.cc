#include "analysis/sessions.h"

#include <algorithm>

#include "absl/container/flat_hash_map.h"
#include "analysis/describe.h"
#include "analysis/supersession.h"

namespace ringside {
namespace {

class SessionChecker {
 public:
  SessionChecker(const History& history, SessionRule rule, std::size_t examples_max)
      : history_(history), rule_(rule), examples_max_(examples_max), values_(history) {
    if (rule == SessionRule::kRealTime) first_seen_ = values_.first_seen();
  }

  // `earlier` is what a session last did to a key that a later read of it must live up to.
  template <class Matters, class Owed>
  SessionReport run(Matters matters, Owed owed) {
    SessionReport report;
    absl::flat_hash_map<uint64_t, uint32_t> last;  // by (client, key); looked up only
    for (uint32_t i = 0; i < history_.operations.size(); ++i) {
      const Operation& op = history_.operations[i];
      if (!op.ok()) continue;
      const uint64_t place = uint64_t{op.client} << 32 | op.key;
      if (op.is_get()) {
        const auto earlier = last.find(place);
        if (earlier != last.end() && history_.operations[earlier->second].finished <= op.invoked) {
          judge(i, earlier->second, owed(history_.operations[earlier->second]), report);
        }
      }
      if (matters(op)) last[place] = i;
    }
    return report;
  }

 private:
  void judge(uint32_t read, uint32_t earlier, std::span<const ValueId> owed,
             SessionReport& report) {
    ++report.checked;
    for (const ValueId value : owed) {
      if (!behind(history_.ids_of(history_.operations[read]), value)) continue;
      ++report.violated;
      if (report.examples.size() < examples_max_) report.examples.push_back({read, earlier, value});
      return;
    }
  }

  bool behind(std::span<const ValueId> read, ValueId value) {
    const uint32_t put = values_.put_of(value);
    if (put == kNoOperation) return false;  // not a matter of sessions
    if (rule_ == SessionRule::kCausal) return !values_.covered(read, value);
    const Time written = history_.operations[put].invoked;
    return std::ranges::all_of(read, [&](ValueId id) {
      const uint32_t other = values_.put_of(id);
      return other != kNoOperation && id != value && first_seen_[other] < written;
    });
  }

  const History& history_;
  SessionRule rule_;
  std::size_t examples_max_;
  Supersession values_;
  std::vector<Time> first_seen_;
};

}  // namespace

SessionReport check_read_your_writes(const History& history, SessionRule rule,
                                     std::size_t examples_max) {
  return SessionChecker(history, rule, examples_max)
      .run([](const Operation& op) { return op.is_put(); },
           [](const Operation& put) { return std::span<const ValueId>(&put.value, 1); });
}

SessionReport check_monotonic_reads(const History& history, SessionRule rule,
                                    std::size_t examples_max) {
  return SessionChecker(history, rule, examples_max)
      .run([](const Operation& op) { return op.is_get(); },
           [&history](const Operation& get) { return history.ids_of(get); });
}

std::string describe(const History& history, const SessionViolation& violation) {
  const bool own = history.operations[violation.earlier].is_put();
  return describe_operation(history, violation.read) + " missed " +
         describe_value(violation.missing) + ", which the client had " +
         (own ? "written itself: " : "read before: ") +
         describe_operation(history, violation.earlier);
}

}  // namespace ringside
