#include "lab/judge_disks.h"

#include <algorithm>

#include "analysis/divergence.h"
#include "analysis/plot.h"
#include "lab/text.h"
#include "lab/units.h"

namespace ringside::lab {

DiskJudge::DiskJudge(const scenario::Scenario& scenario, const Plan& plan, const Evidence& evidence,
                     Verdict& verdict)
    : expect_(scenario.expect()),
      plan_(plan),
      evidence_(evidence),
      verdict_(verdict),
      reaps_(scenario.cluster().strategy().dynamo().upkeep().reap()) {
  for (const std::vector<Member>& members : evidence.members)
    rings_.emplace_back(members, plan.node.ring);
}

std::vector<NodeId> DiskJudge::homes(std::string_view key) const {
  const std::span<const NodeId> list = rings_.back().preference(key);
  return {list.begin(), list.begin() + static_cast<std::ptrdiff_t>(std::min<std::size_t>(
                                           plan_.node.dynamo.n, list.size()))};
}

bool DiskJudge::always_home(std::string_view key, NodeId node) const {
  return std::all_of(rings_.begin(), rings_.end(), [&](const Ring& ring) {
    return ring.is_home(Ring::position_of(key), node, plan_.node.dynamo.n);
  });
}

bool DiskJudge::excused(NodeId node) const {
  return expect_.evidence().excuse_damaged_disks() &&
         std::find(evidence_.damaged.begin(), evidence_.damaged.end(), node) !=
             evidence_.damaged.end();
}

DiskJudge::Snapshots DiskJudge::usable() const {
  Snapshots snapshots;
  for (const std::vector<ReadImage>* images : {&evidence_.restarts, &evidence_.finals}) {
    for (const ReadImage& image : *images) {
      if (excused(image.snapshot.replica)) {
        ++snapshots.excused;
        continue;
      }
      if (!image.error.empty()) {
        snapshots.readable = false;
        verdict_.witness(concat("node ", image.snapshot.replica, "'s disk ", image.snapshot.when,
                                " cannot be opened by a fresh engine: ", image.error));
        continue;
      }
      snapshots.list.push_back(image.snapshot);
    }
  }
  return snapshots;
}

bool DiskJudge::handed_over(const BrokenPromise& broken) {
  const std::string& key = evidence_.history.keys[broken.key];
  if (always_home(key, broken.replica)) return false;
  if (!values_) values_.emplace(evidence_.history);
  bool held_somewhere = false;
  for (const NodeId home : homes(key)) {
    const auto image =
        std::find_if(evidence_.finals.begin(), evidence_.finals.end(),
                     [&](const ReadImage& final) { return final.snapshot.replica == home; });
    if (image == evidence_.finals.end()) return false;
    if (!image->error.empty() && excused(home)) continue;  // it is no witness of anything
    const auto held = image->snapshot.keys.find(key);
    if (held == image->snapshot.keys.end() || !values_->covered(held->second, broken.value))
      return false;
    held_somewhere = true;
  }
  return held_somewhere;
}

std::size_t DiskJudge::excuse(std::vector<BrokenPromise>& broken) {
  return std::erase_if(broken, [this](const BrokenPromise& one) { return handed_over(one); });
}

void DiskJudge::judge_replicas() {
  const Snapshots snapshots = usable();
  const History& history = evidence_.history;
  const RunObserver& wire = evidence_.observer;
  // A delete's tombstone may be reaped, or superseded by a writer who saw nothing: what it covered
  // is owed no more. Whether it comes back is no_resurrection's to say.
  ReplicaReport report = check_replicas(history, wire.acks(), snapshots.list, true);
  ReplicaReport hints = check_hints(history, wire.hinted_acks(), wire.acks(), snapshots.list, true);
  const std::size_t handed_over = excuse(report.broken) + excuse(hints.broken);
  const auto words = [&](const BrokenPromise& broken) {
    return describe(history, broken, snapshots.list);
  };
  verdict_.witnesses(report.broken, words);
  verdict_.witnesses(hints.broken, words);
  std::string checked =
      concat(format_count(report.acks), " acknowledgements on the wire, ",
             format_count(report.checked), " checks against ", snapshots.list.size(), " disks");
  if (hints.acks > 0) {
    append(checked, ", and ", format_count(hints.acks), " of stand-ins, ",
           format_count(hints.checked), " checks");
  }
  if (handed_over > 0) append(checked, ", ", format_count(handed_over), " handed over to others");
  if (snapshots.excused > 0)
    append(checked, ", ", snapshots.excused, " excused: damaged by faults");
  const std::size_t broken = report.broken.size() + hints.broken.size();
  if (report.checked == 0 && snapshots.readable) {
    verdict_.say("replicas_keep_acknowledged", false, "nothing was tested: " + checked);
  } else if (!snapshots.readable) {
    verdict_.say("replicas_keep_acknowledged", false,
                 "a disk cannot be opened by a fresh engine; " + checked);
  } else {
    verdict_.say("replicas_keep_acknowledged", broken == 0,
                 broken == 0 ? checked
                             : concat(format_count(broken),
                                      " acknowledged versions are not on the disk of the replica "
                                      "that acknowledged them; ",
                                      checked));
  }
}

// Who holds what.
std::string DiskJudge::describe_divergence(const std::string& key,
                                           const std::vector<NodeId>& behind,
                                           const std::vector<ReplicaSnapshot>& snapshots) const {
  std::vector<std::string> held;
  for (const NodeId node : homes(key)) {
    for (const ReplicaSnapshot& snapshot : snapshots) {
      if (snapshot.replica != node) continue;
      std::vector<std::string> values;
      const auto found = snapshot.keys.find(key);
      if (found != snapshot.keys.end()) {
        for (const ValueId value : found->second)
          values.push_back(format("%llx", static_cast<unsigned long long>(value)));
      }
      const bool is_behind = std::find(behind.begin(), behind.end(), node) != behind.end();
      held.push_back(concat("node ", node, " holds ",
                            values.empty() ? "nothing" : concat("{", join(values, ", "), "}"),
                            is_behind ? " and is behind" : ""));
    }
  }
  return concat("replicas differ on \"", key, "\": ", join(held, "; "));
}

void DiskJudge::judge_convergence() {
  std::vector<ReplicaSnapshot> snapshots;
  std::string unreadable;
  for (const ReadImage& image : evidence_.finals) {
    if (!image.error.empty() && excused(image.snapshot.replica)) continue;  // rot that nobody met
    if (!image.error.empty())
      unreadable = concat("node ", image.snapshot.replica, ": ", image.error);
    snapshots.push_back(image.snapshot);
  }
  const DivergenceReport report =
      find_divergence(snapshots, [this](std::string_view key) { return homes(key); }, reaps_);
  for (const DivergentKey& key : report.examples)
    verdict_.witness(describe_divergence(key.key, key.behind, snapshots));
  for (const std::string& line : evidence_.stuck) verdict_.witness(line);
  const Duration took = evidence_.rested - evidence_.healed;
  const bool in_time = took <= span_of(expect_.converges_within());
  std::string detail;
  if (!unreadable.empty()) {
    detail = "a disk cannot be opened by a fresh engine: " + unreadable;
  } else if (report.keys == 0) {
    detail = "nothing was tested: no keys on the disks";
  } else {
    detail = report.converged()
                 ? concat("all replicas of ", format_count(report.keys), " keys are equal on disk")
                 : concat(format_count(report.keys_differing), " of ", format_count(report.keys),
                          " keys differ between replicas");
    append(detail, ", ", format_span(took), " after the healing");
    if (!in_time) append(detail, ", more than ", expect_.converges_within());
  }
  if (!evidence_.stuck.empty()) append(detail, "; ", join(evidence_.stuck, "; "));
  verdict_.say("converges_within",
               unreadable.empty() && report.keys > 0 && report.converged() && in_time &&
                   evidence_.stuck.empty(),
               std::move(detail));
}

void DiskJudge::judge_hints() {
  uint64_t waiting = 0;
  for (const ReadImage& image : evidence_.finals) {
    waiting += image.hints_waiting;
    if (image.hints_waiting > 0) {
      verdict_.witness(concat("node ", image.snapshot.replica, " still keeps ",
                              format_count(image.hints_waiting), " hints at the end"));
    }
  }
  const uint64_t kept = evidence_.observer.hinted_acks().acks.size();
  if (kept == 0) {
    verdict_.say("hints_delivered", false, "nothing was tested: no hint was acknowledged");
  } else {
    verdict_.say("hints_delivered", waiting == 0,
                 waiting == 0
                     ? concat("none is left of ", format_count(kept), " that stand-ins took")
                     : concat(format_count(waiting), " are left at the end, of ",
                              format_count(kept), " that stand-ins took"));
  }
}

}  // namespace ringside::lab
