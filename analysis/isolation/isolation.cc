#include "analysis/isolation/isolation.h"

#include <algorithm>

#include "analysis/isolation/verify.h"

namespace ringside::isolation {
namespace {

constexpr AnomalyKind kBreakWeakLevels[] = {AnomalyKind::kDuplicateElements,
                                            AnomalyKind::kIncompatibleOrder,
                                            AnomalyKind::kGarbageRead,
                                            AnomalyKind::kDirtyUpdate,
                                            AnomalyKind::kG1a,
                                            AnomalyKind::kG1b};

// What holds because the order that was found serves as a serial one.
LevelSet certified(const TransactionHistory& history, IsolationReport& report) {
  if (report.order.empty() && report.committed > 0) return 0;
  if (verify_order(history, report.order, {.processes = true, .real_time = true}).ok())
    return implied_by(Level::kStrictSerializable);
  if (verify_order(history, report.order, {.processes = true}).ok())
    return implied_by(Level::kStrongSessionSerializable);
  if (verify_order(history, report.order).ok()) return implied_by(Level::kSerializable);
  report.order.clear();
  return 0;
}

void judge_weak_levels(const TransactionHistory& history, const Versions& versions,
                       const IsolationOptions& options, IsolationReport& report) {
  using Kind = WeakVerdict::Kind;
  const bool all_hold = report.level(Level::kStrongSessionSerializable) == LevelVerdict::kHolds;
  const bool broken =
      std::ranges::any_of(kBreakWeakLevels, [&](AnomalyKind kind) { return report.shows(kind); });
  for (std::size_t i = 0; i < kWeakLevels; ++i) {
    const auto level = static_cast<WeakLevel>(i);
    WeakVerdict& verdict = report.weak[i];
    const bool internal = report.shows(AnomalyKind::kInternal) &&
                          (level == WeakLevel::kReadAtomic || level == WeakLevel::kCausal);
    if (all_hold) {
      verdict.kind = Kind::kHolds;
      continue;
    }
    if (options.judge_weak) verdict = check_weak(history, versions, level, options.weak);
    // The linear anomalies are witness enough.
    if (internal || (broken && level <= WeakLevel::kCausal)) verdict.kind = Kind::kViolated;
    if (broken && verdict.kind == Kind::kHolds) verdict.kind = Kind::kUnknown;
  }
}

std::string verdict_text(LevelVerdict verdict) {
  switch (verdict) {
    case LevelVerdict::kHolds: return "holds";
    case LevelVerdict::kRuledOut: return "ruled out";
    case LevelVerdict::kOpen: break;
  }
  return "not ruled out";
}

}  // namespace

Result<IsolationReport> check_isolation(const TransactionHistory& history,
                                        const IsolationOptions& options) {
  if (Result<void> valid = validate(history); !valid.ok()) return valid.error();
  const Versions versions(history);
  const Dependencies dependencies(history, versions, options.dependencies);
  CycleReport cycles = find_cycles(dependencies, options.cycles);

  IsolationReport report;
  report.transactions = history.transactions.size();
  for (TransactionId id = 0; id < history.transactions.size(); ++id) {
    const bool failed = history.transactions[id].outcome == Outcome::kFailed;
    ++(versions.committed(id) ? report.committed : failed ? report.failed : report.unknown);
  }
  for (std::size_t i = 0; i < kEdgeKinds; ++i)
    report.edges[i] = dependencies.edges(static_cast<EdgeKind>(i)).size();
  for (std::size_t i = 0; i < kAnomalyKinds; ++i) {
    report.counts[i] = dependencies.count(static_cast<AnomalyKind>(i));
    std::ranges::copy_if(
        dependencies.anomalies(), std::back_inserter(report.anomalies),
        [&](const Anomaly& one) { return static_cast<std::size_t>(one.kind) == i; });
  }
  for (Anomaly& anomaly : cycles.anomalies) {
    report.counts[static_cast<std::size_t>(anomaly.kind)] = 1;
    report.anomalies.push_back(std::move(anomaly));
  }
  report.stopped = cycles.stopped;
  report.order = std::move(cycles.order);
  std::erase_if(report.order, [&](TransactionId id) { return !versions.committed(id); });

  LevelSet ruled_out = 0;
  for (std::size_t i = 0; i < kAnomalyKinds; ++i) {
    if (report.counts[i] > 0) ruled_out |= ruled_out_by(static_cast<AnomalyKind>(i));
  }
  const LevelSet holds = certified(history, report);
  for (std::size_t i = 0; i < kLevels; ++i) {
    const LevelSet one = set_of(static_cast<Level>(i));
    report.levels[i] = (holds & one) != 0       ? LevelVerdict::kHolds
                       : (ruled_out & one) != 0 ? LevelVerdict::kRuledOut
                                                : LevelVerdict::kOpen;
  }
  judge_weak_levels(history, versions, options, report);
  return report;
}

std::string describe(const TransactionHistory& history, const IsolationReport& report) {
  std::string text = std::to_string(report.transactions) + " transactions, " +
                     std::to_string(report.committed) + " committed, " +
                     std::to_string(report.failed) + " failed, " + std::to_string(report.unknown) +
                     " unknown and unseen\n";
  for (std::size_t i = 0; i < kLevels; ++i)
    text += std::string(level_name(static_cast<Level>(i))) + ": " + verdict_text(report.levels[i]) +
            "\n";
  for (std::size_t i = 0; i < kWeakLevels; ++i) {
    const WeakVerdict& verdict = report.weak[i];
    text += std::string(weak_level_name(static_cast<WeakLevel>(i))) +
            (verdict.kind == WeakVerdict::Kind::kHolds      ? ": holds\n"
             : verdict.kind == WeakVerdict::Kind::kViolated ? ": violated\n"
                                                            : ": not judged\n");
    if (verdict.kind == WeakVerdict::Kind::kViolated && !verdict.witness.transactions.empty())
      text += describe(history, verdict.witness) + "\n";
  }
  for (const Anomaly& anomaly : report.anomalies) text += describe(history, anomaly) + "\n";
  for (std::size_t i = 0; i < kAnomalyKinds; ++i) {
    const bool missing = report.stopped[i] && report.counts[i] == 0;
    if (missing)
      text += std::string(anomaly_name(static_cast<AnomalyKind>(i))) +
              ": the search stopped at its budget\n";
  }
  return text;
}

}  // namespace ringside::isolation
