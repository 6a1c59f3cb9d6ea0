#include "lab/judge.h"

#include <algorithm>
#include <cmath>

#include "analysis/availability.h"
#include "analysis/divergence.h"
#include "analysis/durability.h"
#include "analysis/linearizability.h"
#include "analysis/plot.h"
#include "analysis/sessions.h"
#include "lab/measure.h"
#include "lab/text.h"
#include "lab/units.h"
#include "protocols/ring.h"

namespace ringside::lab {
namespace {

constexpr std::size_t kWitnessesMax = 5;  // of one expectation

class Judge {
 public:
  Judge(const scenario::Scenario& scenario, const Plan& plan, const Evidence& evidence,
        RunResult& result)
      : scenario_(scenario),
        expect_(scenario.expect()),
        plan_(plan),
        evidence_(evidence),
        history_(evidence.history),
        result_(result) {}

  void run() {
    judge_evidence();
    if (expect_.has_acknowledged_writes()) judge_acknowledged_writes();
    if (expect_.replicas_keep_acknowledged()) judge_replicas();
    if (expect_.linearizable()) judge_linearizable();
    if (expect_.read_your_writes()) {
      judge_session("read_your_writes", check_read_your_writes(history_, SessionRule::kCausal));
    }
    if (expect_.monotonic_reads()) {
      judge_session("monotonic_reads", check_monotonic_reads(history_, SessionRule::kCausal));
    }
    if (expect_.has_converges_within()) judge_convergence();
    for (const std::string& probe : expect_.reached()) judge_reached(probe);
    for (const scenario::Availability& availability : expect_.availability())
      judge_availability(availability);
    if (expect_.has_siblings_merged()) judge_siblings();
    for (const scenario::Consistent& consistent : expect_.consistent())
      judge_consistent(consistent);
    for (const scenario::Latency& latency : expect_.latency()) judge_latency(latency);
    for (const scenario::TVisibility& asked : expect_.t_visibility()) {
      Pooled pooled;
      result_.expectations.push_back(
          judge_t_visibility(asked, scenario_.workload().pbs(), history_, pooled));
      result_.pooled.push_back(std::move(pooled));
    }
    if (expect_.within_versions_size() > 0) judge_within();
  }

 private:
  void say(std::string name, bool holds, std::string detail) {
    result_.expectations.push_back({std::move(name), holds, std::move(detail)});
  }
  void witness(std::string line) { result_.witnesses.push_back(std::move(line)); }

  void judge_evidence() {
    uint64_t writes = 0, reads = 0, final_reads = 0;
    for (const Operation& operation : history_.operations) {
      if (!operation.ok()) continue;
      if (operation.phase == Phase::kMain) ++(operation.is_put() ? writes : reads);
      if (operation.phase == Phase::kFinal && operation.is_get()) ++final_reads;
    }
    const scenario::Evidence& asked = expect_.evidence();
    const bool enough = writes >= asked.acknowledged_writes() && reads >= asked.verified_reads() &&
                        final_reads >= asked.final_reads();
    say("evidence", enough,
        concat(enough ? "" : "nothing was tested: ", format_count(writes),
               " acknowledged writes (at least ", format_count(asked.acknowledged_writes()), "), ",
               format_count(reads), " reads (", format_count(asked.verified_reads()), "), ",
               format_count(final_reads), " final reads (", format_count(asked.final_reads()),
               ")"));
  }

  void judge_acknowledged_writes() {
    FinalState final_state(history_);
    final_state.add_final_reads(history_);
    const DurabilityReport report = find_lost_writes(history_, final_state);
    for (std::size_t i = 0; i < std::min(kWitnessesMax, report.lost.size()); ++i) {
      witness(describe(history_, report.lost[i]));
    }
    for (std::size_t i = 0; i < std::min(kWitnessesMax, report.nobody_wrote.size()); ++i) {
      witness(format("value %016llx was read at the end, but no client wrote it",
                     static_cast<unsigned long long>(report.nobody_wrote[i])));
    }
    for (std::size_t i = 0; i < std::min(kWitnessesMax, report.failed_yet_there.size()); ++i) {
      witness(format("value %016llx is there, but its client was told that it surely failed",
                     static_cast<unsigned long long>(report.failed_yet_there[i])));
    }
    std::string detail;
    bool holds =
        report.lost.empty() && report.nobody_wrote.empty() && report.failed_yet_there.empty();
    if (report.judged == 0) {
      holds = false;
      detail = "nothing was tested: no acknowledged write could be judged";
    } else if (holds) {
      detail =
          concat("all of ", format_count(report.judged),
                 " are there: ", format_count(report.present), " present, ",
                 format_count(report.superseded), " superseded by a client that had read them");
    } else {
      detail =
          concat(format_count(report.lost.size()), " of ", format_count(report.judged), " lost");
      if (!report.nobody_wrote.empty())
        append(detail, ", ", report.nobody_wrote.size(), " values that nobody wrote");
      if (!report.failed_yet_there.empty())
        append(detail, ", ", report.failed_yet_there.size(), " there though reported as failed");
    }
    judge_carts(holds, detail);
    say("acknowledged_writes", holds, std::move(detail));
  }

  // Carts have a stricter sense of their own: the item, not only the version, must be there.
  void judge_carts(bool& holds, std::string& detail) {
    const CartReport carts = find_lost_items(history_);
    if (carts.adds == 0) return;
    if (carts.lost.empty()) {
      append(detail, "; ", format_count(carts.adds), " items added, none missing");
      return;
    }
    holds = false;
    append(detail, "; ", format_count(carts.lost.size()), " of ", format_count(carts.adds),
           " added items missing");
    for (std::size_t i = 0; i < std::min(kWitnessesMax, carts.lost.size()); ++i) {
      witness("item missing from its cart: " + describe(history_, carts.lost[i]));
    }
  }

  void judge_replicas() {
    std::vector<ReplicaSnapshot> snapshots;
    bool readable = true;
    std::size_t excused = 0;
    for (const std::vector<ReadImage>* images : {&evidence_.restarts, &evidence_.finals}) {
      for (const ReadImage& image : *images) {
        if (expect_.evidence().excuse_damaged_disks() &&
            std::find(evidence_.damaged.begin(), evidence_.damaged.end(), image.snapshot.replica) !=
                evidence_.damaged.end()) {
          ++excused;
          continue;
        }
        if (!image.error.empty()) {
          readable = false;
          witness(concat("node ", image.snapshot.replica, "'s disk ", image.snapshot.when,
                         " cannot be opened by a fresh engine: ", image.error));
          continue;
        }
        snapshots.push_back(image.snapshot);
      }
    }
    const ReplicaReport report = check_replicas(history_, evidence_.observer.acks(), snapshots);
    for (std::size_t i = 0; i < std::min(kWitnessesMax, report.broken.size()); ++i) {
      witness(describe(history_, report.broken[i], snapshots));
    }
    std::string checked =
        concat(format_count(report.acks), " acknowledgements on the wire, ",
               format_count(report.checked), " checks against ", snapshots.size(), " disks");
    if (excused > 0) append(checked, ", ", excused, " excused: damaged by faults");
    if (report.checked == 0 && readable) {
      say("replicas_keep_acknowledged", false, "nothing was tested: " + checked);
    } else if (!readable) {
      say("replicas_keep_acknowledged", false,
          "a disk cannot be opened by a fresh engine; " + checked);
    } else {
      say("replicas_keep_acknowledged", report.broken.empty(),
          report.broken.empty() ? checked
                                : concat(format_count(report.broken.size()),
                                         " acknowledged versions are not on the "
                                         "disk of the replica that acknowledged them; ",
                                         checked));
    }
  }

  void judge_linearizable() {
    const LinearizabilityReport report = check_linearizability(history_);
    // The first stands in the line of the verdict.
    for (std::size_t i = 1; i < std::min(kWitnessesMax, report.violations.size()); ++i) {
      witness(describe(history_, report.violations[i]));
    }
    std::string detail =
        report.reads == 0 ? std::string("nothing was tested: no reads")
        : report.linearizable()
            ? concat(format_count(report.keys), " registers, ", format_count(report.reads),
                     " reads and ", format_count(report.writes), " writes")
            : concat(report.keys_violated, " of ", report.keys, " registers are not; ",
                     describe(history_, report.violations.front()));
    say("linearizable", report.linearizable() && report.reads > 0, std::move(detail));
  }

  void judge_session(const char* name, const SessionReport& report) {
    for (std::size_t i = 0; i < std::min(kWitnessesMax, report.examples.size()); ++i) {
      witness(concat(name, ": ", describe(history_, report.examples[i])));
    }
    if (report.checked == 0) {
      say(name, false, "nothing was tested: no read had anything to live up to");
    } else {
      say(name, report.violated == 0,
          report.violated == 0
              ? concat(format_count(report.checked), " reads checked")
              : concat(format_count(report.violated), " of ", format_count(report.checked),
                       " reads fall behind their own session"));
    }
  }

  // Who holds what.
  std::string describe_divergence(const DivergentKey& key,
                                  const std::vector<ReplicaSnapshot>& snapshots,
                                  const std::vector<NodeId>& homes) const {
    std::vector<std::string> held;
    for (const NodeId node : homes) {
      for (const ReplicaSnapshot& snapshot : snapshots) {
        if (snapshot.replica != node) continue;
        std::vector<std::string> values;
        const auto found = snapshot.keys.find(key.key);
        if (found != snapshot.keys.end()) {
          for (const ValueId value : found->second)
            values.push_back(format("%llx", static_cast<unsigned long long>(value)));
        }
        const bool behind =
            std::find(key.behind.begin(), key.behind.end(), node) != key.behind.end();
        held.push_back(concat("node ", node, " holds ",
                              values.empty() ? "nothing" : concat("{", join(values, ", "), "}"),
                              behind ? " and is behind" : ""));
      }
    }
    return concat("replicas differ on \"", key.key, "\": ", join(held, "; "));
  }

  void judge_convergence() {
    std::vector<ReplicaSnapshot> snapshots;
    std::string unreadable;
    for (const ReadImage& image : evidence_.finals) {
      if (!image.error.empty())
        unreadable = concat("node ", image.snapshot.replica, ": ", image.error);
      snapshots.push_back(image.snapshot);
    }
    const Ring ring(plan_.node.members, plan_.node.ring);
    const auto homes = [&](std::string_view key) {
      const std::span<const NodeId> preference = ring.preference(key);
      return std::vector<NodeId>(preference.begin(), preference.begin() + plan_.node.dynamo.n);
    };
    const DivergenceReport report = find_divergence(snapshots, homes);
    for (const DivergentKey& key : report.examples)
      witness(describe_divergence(key, snapshots, homes(key.key)));
    for (const std::string& line : evidence_.stuck) witness(line);
    const Duration took = evidence_.rested - evidence_.healed;
    const bool in_time = took <= span_of(expect_.converges_within());
    std::string detail;
    if (!unreadable.empty()) {
      detail = "a disk cannot be opened by a fresh engine: " + unreadable;
    } else if (report.keys == 0) {
      detail = "nothing was tested: no keys on the disks";
    } else {
      detail =
          report.converged()
              ? concat("all replicas of ", format_count(report.keys), " keys are equal on disk")
              : concat(format_count(report.keys_differing), " of ", format_count(report.keys),
                       " keys differ between replicas");
      append(detail, ", ", format_span(took), " after the healing");
      if (!in_time) append(detail, ", more than ", expect_.converges_within());
    }
    if (!evidence_.stuck.empty()) append(detail, "; ", join(evidence_.stuck, "; "));
    say("converges_within",
        unreadable.empty() && report.keys > 0 && report.converged() && in_time &&
            evidence_.stuck.empty(),
        std::move(detail));
  }

  void judge_reached(const std::string& probe) {
    const uint64_t times = evidence_.observer.reached(probe);
    say("reached", times > 0,
        times > 0
            ? concat(probe, " was reached ", format_count(times), times == 1 ? " time" : " times")
            : concat(probe, " was never reached"));
  }

  void judge_availability(const scenario::Availability& asked) {
    const Time from = plan_.timeline.start + (asked.has_from() ? span_of(asked.from()) : 0);
    const Time to =
        asked.has_to() ? plan_.timeline.start + span_of(asked.to()) : plan_.timeline.end;
    std::vector<bool> counts(history_.clients.size(), !asked.has_place());
    if (asked.has_place()) {
      const std::vector<uint32_t> zones = plan_.places.zones_in(asked.place());
      for (std::size_t i = 0; i < counts.size(); ++i) {
        const uint32_t process = history_.clients[i].process - kFirstClient;
        counts[i] =
            process < plan_.clients.size() &&
            std::find(zones.begin(), zones.end(), plan_.clients[process].zone) != zones.end();
      }
    }
    const AvailabilityCount count =
        availability(history_, from, to, plan_.client.timeout, [&](const Operation& operation) {
          return operation.phase == Phase::kMain && counts[operation.client];
        });
    const std::string where =
        asked.has_place() ? concat("of clients in ", asked.place()) : std::string("of all clients");
    if (count.all() == 0) {
      say("availability", false,
          concat("nothing was tested: no operations ", where, " in the window"));
      return;
    }
    say("availability", count.share() * 100 >= asked.percent(),
        concat(format_percent(count.share()), " of ", format_count(count.all()), " operations ",
               where, " from ", format_span(from - plan_.timeline.start), " to ",
               format_span(to - plan_.timeline.start), " succeeded (at least ", asked.percent(),
               " %)"));
  }

  void judge_siblings() {
    uint64_t merged = 0;
    for (const Operation& operation : history_.operations) {
      if (operation.is_put() && operation.ok() && operation.ids_count >= 2) ++merged;
    }
    say("siblings_merged", merged >= expect_.siblings_merged(),
        concat(format_count(merged), " acknowledged writes merged siblings (at least ",
               expect_.siblings_merged(), ")"));
  }

  void judge_consistent(const scenario::Consistent& asked) {
    const double t_ms = static_cast<double>(span_of(asked.t())) / 1e6;
    for (const TVisibility& point : result_.t_visibility) {
      if (point.t_ms != t_ms) continue;
      const Expectation line = judge_share(asked, point);
      result_.expectations.push_back(line);
      Pooled pooled;
      pooled.name = line.name;
      pooled.kind = "share";
      pooled.published = asked.percent();
      pooled.tolerance = asked.points();
      pooled.successes = point.consistent;
      pooled.trials = point.reads;
      result_.pooled.push_back(std::move(pooled));
      return;
    }
    say(concat("consistent at ", asked.t()), false, "nothing was tested: no reads at this time");
  }

  void judge_latency(const scenario::Latency& asked) {
    const bool read = asked.operation() == scenario::Latency::READ;
    const Histogram histogram =
        latencies(history_, read ? OperationKind::kGet : OperationKind::kPut);
    result_.expectations.push_back(judge_quantile(asked, histogram));
    Pooled pooled;
    pooled.name = result_.expectations.back().name;
    pooled.kind = "quantile";
    pooled.published = static_cast<double>(span_of(asked.published()));
    pooled.tolerance = asked.percent();
    pooled.quantile = asked.quantile();
    pooled.histogram = histogram.serialize();
    result_.pooled.push_back(std::move(pooled));
  }

  void judge_within() {
    const StalenessReport staleness = measure_staleness(history_);
    for (const scenario::WithinVersions& asked : expect_.within_versions()) {
      result_.expectations.push_back(judge_within_versions(asked, staleness));
      Pooled pooled;
      pooled.name = result_.expectations.back().name;
      pooled.kind = "share";
      pooled.published = asked.percent();
      pooled.tolerance = asked.points();
      pooled.trials = staleness.reads;
      pooled.successes = static_cast<uint64_t>(
          std::llround(staleness.within(asked.k()) * static_cast<double>(staleness.reads)));
      result_.pooled.push_back(std::move(pooled));
    }
  }

  const scenario::Scenario& scenario_;
  const scenario::Expect& expect_;
  const Plan& plan_;
  const Evidence& evidence_;
  const History& history_;
  RunResult& result_;
};

}  // namespace

void judge(const scenario::Scenario& scenario, const Plan& plan, const Evidence& evidence,
           RunResult& result) {
  Judge(scenario, plan, evidence, result).run();
  result.holds = std::all_of(result.expectations.begin(), result.expectations.end(),
                             [](const Expectation& expectation) { return expectation.holds; });
}

bool needs_replica_oracle(const scenario::Expect& expect) {
  return expect.replicas_keep_acknowledged();
}
bool needs_final_images(const scenario::Expect& expect) {
  return expect.replicas_keep_acknowledged() || expect.has_converges_within();
}

}  // namespace ringside::lab
