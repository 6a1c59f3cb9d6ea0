#include "analysis/availability.h"

#include <algorithm>

namespace ringside {
namespace {

bool counts(const Operation& op, const OperationFilter& filter) {
  return filter ? filter(op) : op.phase == Phase::kMain;
}

void count(const Operation& op, Duration deadline, AvailabilityCount& into) {
  if (op.outcome == Outcome::kFailed)
    ++into.failed;
  else if (op.ok() && op.finished - op.intended <= deadline)
    ++into.ok;
  else
    ++into.unknown;
}

}  // namespace

std::vector<AvailabilitySecond> availability_per_second(const History& history, Duration deadline,
                                                        const OperationFilter& filter) {
  Time first = kNever, last = 0;
  for (const Operation& op : history.operations) {
    if (!counts(op, filter)) continue;
    first = std::min(first, op.intended);
    last = std::max(last, op.intended);
  }
  std::vector<AvailabilitySecond> seconds;
  if (first == kNever) return seconds;
  for (Time at = first / kSecond; at <= last / kSecond; ++at)
    seconds.push_back({at * kSecond, {}, {}});
  for (const Operation& op : history.operations) {
    if (!counts(op, filter)) continue;
    AvailabilitySecond& second =
        seconds[static_cast<std::size_t>(op.intended / kSecond - first / kSecond)];
    count(op, deadline, op.is_get() ? second.gets : second.puts);
  }
  return seconds;
}

AvailabilityCount availability(const History& history, Time from, Time to, Duration deadline,
                               const OperationFilter& filter) {
  AvailabilityCount all;
  for (const Operation& op : history.operations) {
    if (op.intended >= from && op.intended < to && counts(op, filter)) count(op, deadline, all);
  }
  return all;
}

Duration longest_gap(const History& history, Time from, Time to, const OperationFilter& filter) {
  std::vector<Time> successes = {from, to};
  for (const Operation& op : history.operations) {
    if (op.ok() && op.finished >= from && op.finished < to && counts(op, filter)) {
      successes.push_back(op.finished);
    }
  }
  std::ranges::sort(successes);
  Duration longest = 0;
  for (std::size_t i = 1; i < successes.size(); ++i) {
    longest = std::max(longest, successes[i] - successes[i - 1]);
  }
  return longest;
}

}  // namespace ringside
