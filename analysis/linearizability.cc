#include "analysis/linearizability.h"

#include <algorithm>

#include "analysis/by_key.h"
#include "analysis/describe.h"
#include "analysis/plot.h"
#include "analysis/supersession.h"
#include "runtime/bug.h"

namespace ringside {
namespace {

constexpr Time kBeforeEverything = INT64_MIN;

// A value's write and its reads.
struct Zone {
  Time first_finish = kNever;
  Time last_start = kBeforeEverything;
  uint32_t first_op = kNoOperation;  // that finished first
  uint32_t last_op = kNoOperation;   // that started last
  bool read = false;

  bool forward() const { return first_finish < last_start; }
  void add(uint32_t op, Time start, Time finish) {
    if (finish < first_finish) {
      first_finish = finish;
      first_op = op;
    }
    if (start >= last_start) {  // of equals a read, which comes after its write here
      last_start = start;
      last_op = op;
    }
  }
};

class RegisterChecker {
 public:
  explicit RegisterChecker(const History& history)
      : history_(history), values_(history), zone_of_(history.operations.size()) {}

  uint64_t reads = 0, writes = 0;

  bool check(std::span<const uint32_t> operations, LinearizabilityViolation& violation) {
    if (!collect(operations, violation)) return false;
    if (compare(violation)) return true;
    find_plain(operations, violation);
    return false;
  }

 private:
  // Fills zones_: the first is that of "absent", which was written before everything.
  bool collect(std::span<const uint32_t> operations, LinearizabilityViolation& violation) {
    zones_.assign(1, Zone{kBeforeEverything, kBeforeEverything, kNoOperation, kNoOperation, false});
    for (const uint32_t i : operations) {
      const Operation& op = history_.operations[i];
      if (!op.is_put() || op.outcome == Outcome::kFailed) continue;
      zone_of_[i] = static_cast<uint32_t>(zones_.size());
      zones_.emplace_back().add(i, op.invoked, op.ok() ? op.finished : kNever);
      ++writes;
    }
    for (const uint32_t i : operations) {
      const Operation& op = history_.operations[i];
      if (!op.is_get() || !op.ok()) continue;
      ++reads;
      uint32_t zone = 0;
      if (op.value != kAbsent) {
        const uint32_t put = values_.put_of(op.value);
        using Kind = LinearizabilityViolation::Kind;
        const bool known = put != kNoOperation && history_.operations[put].key == op.key;
        if (!known) {
          violation = {Kind::kNobodyWrote, op.key, i};
          return false;
        }
        const Operation& write = history_.operations[put];
        if (write.outcome == Outcome::kFailed) {
          violation = {Kind::kFailedWasRead, op.key, i, put};
          return false;
        }
        if (op.finished < write.invoked) {
          violation = {Kind::kReadBeforeWrite, op.key, i, put};
          return false;
        }
        zone = zone_of_[put];
      }
      zones_[zone].add(i, op.invoked, op.finished);
      zones_[zone].read = true;
    }
    return true;
  }

  // Two zones contradict each other when each has an operation that finished before one of the
  // other's began.
  bool compare(LinearizabilityViolation& violation) {
    forward_.clear();
    for (uint32_t z = 0; z < zones_.size(); ++z) {
      if (zones_[z].forward()) forward_.push_back(z);
    }
    std::ranges::sort(forward_, {}, [this](uint32_t z) { return zones_[z].first_finish; });
    for (std::size_t i = 1; i < forward_.size(); ++i) {
      const Zone &older = zones_[forward_[i - 1]], &newer = zones_[forward_[i]];
      if (newer.first_finish < older.last_start) return contradict(older, newer, violation);
    }
    for (const Zone& zone : zones_) {
      if (zone.forward() || zone.last_start == kBeforeEverything) continue;
      if (zone.first_finish == kNever) continue;  // unknown and never read
      if (RINGSIDE_BUG(zone_test_skips_backward_zones)) break;
      auto after = std::ranges::lower_bound(forward_, zone.last_start, {},
                                            [this](uint32_t z) { return zones_[z].first_finish; });
      if (after == forward_.begin()) continue;
      const Zone& around =
          zones_[*std::prev(after)];  // the last that had begun before all of `zone`
      if (around.last_start > zone.first_finish) return contradict(around, zone, violation);
    }
    return true;
  }

  // Zones prove a violation; people see it sooner when one put began after another was acknowledged
  // and a read, later still, returned the older. Where there is such a case the first of them
  // replaces what the zones found.
  void find_plain(std::span<const uint32_t> operations, LinearizabilityViolation& violation) const {
    std::vector<uint32_t> puts;
    for (const uint32_t i : operations) {
      const Operation& op = history_.operations[i];
      if (op.is_put() && op.ok()) puts.push_back(i);
    }
    std::vector<uint32_t> first_done(
        puts);  // of the puts from here on, the one that finished first
    for (std::size_t i = puts.size(); i-- > 1;) {
      const Operation &a = history_.operations[first_done[i - 1]],
                      &b = history_.operations[first_done[i]];
      if (b.finished < a.finished) first_done[i - 1] = first_done[i];
    }
    for (const uint32_t i : operations) {
      const Operation& read = history_.operations[i];
      if (!read.is_get() || !read.ok()) continue;
      const uint32_t put = read.value == kAbsent ? kNoOperation : values_.put_of(read.value);
      if (put != kNoOperation && !history_.operations[put].ok()) continue;
      const Time done = put == kNoOperation ? kBeforeEverything : history_.operations[put].finished;
      const auto later = std::ranges::upper_bound(
          puts, done, {}, [this](uint32_t p) { return history_.operations[p].invoked; });
      if (later == puts.end()) continue;
      const uint32_t newer = first_done[static_cast<std::size_t>(later - puts.begin())];
      if (history_.operations[newer].finished >= read.invoked) continue;
      violation = {LinearizabilityViolation::Kind::kStaleRead, read.key, i, newer, put, newer};
      return;
    }
  }

  // A forward zone's last start is a read's: a write's would come after a read of it.
  bool contradict(const Zone& older, const Zone& newer, LinearizabilityViolation& violation) const {
    violation = {LinearizabilityViolation::Kind::kStaleRead,
                 history_.operations[older.last_op].key,
                 older.last_op,
                 newer.first_op,
                 older.first_op,
                 newer.last_op};
    return false;
  }

  const History& history_;
  Supersession values_;
  std::vector<uint32_t> zone_of_;  // by operation
  std::vector<Zone> zones_;
  std::vector<uint32_t> forward_;
};

}  // namespace

LinearizabilityReport check_linearizability(const History& history) {
  const ByKey by_key(history);
  RegisterChecker checker(history);
  LinearizabilityReport report;
  for (KeyIndex key = 0; key < by_key.keys(); ++key) {
    if (by_key[key].empty()) continue;
    ++report.keys;
    LinearizabilityViolation violation;
    if (checker.check(by_key[key], violation)) continue;
    ++report.keys_violated;
    report.violations.push_back(violation);
  }
  report.reads = checker.reads;
  report.writes = checker.writes;
  return report;
}

bool check_register(const History& history, std::span<const uint32_t> operations,
                    LinearizabilityViolation& violation) {
  return RegisterChecker(history).check(operations, violation);
}

std::string describe(const History& history, const LinearizabilityViolation& violation) {
  using Kind = LinearizabilityViolation::Kind;
  const Operation& read = history.operations[violation.read];
  std::string text = describe_operation(history, violation.read) + " returned " +
                     (read.value == kAbsent ? "absent" : describe_value(read.value));
  if (violation.kind == Kind::kNobodyWrote) return text + ", which nobody wrote";
  const std::string other = describe_operation(history, violation.other);
  if (violation.kind == Kind::kReadBeforeWrite) return text + " before it was written: " + other;
  if (violation.kind == Kind::kFailedWasRead) return text + ", which surely failed: " + other;

  const Operation& newer = history.operations[violation.other];
  text += ", but " + other + " had " +
          (newer.is_put() ? "been acknowledged" : "returned " + describe_value(newer.value)) + " " +
          format_duration(static_cast<double>(read.invoked - newer.finished)) + " before";
  if (violation.before == kNoOperation) return text;
  if (violation.after == violation.other && history.operations[violation.before].is_put()) {
    return text + "; that put began after " + describe_operation(history, violation.before) +
           " had been acknowledged";
  }
  text += "; " + describe_value(newer.value) + " is the newer: ";
  text += describe_operation(history, violation.after) + " began after ";
  return text + describe_operation(history, violation.before) + " had finished";
}

}  // namespace ringside
