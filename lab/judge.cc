#include "lab/judge.h"

#include <algorithm>
#include <cmath>

#include "analysis/availability.h"
#include "analysis/durability.h"
#include "analysis/linearizability.h"
#include "analysis/plot.h"
#include "analysis/resurrection.h"
#include "analysis/sessions.h"
#include "analysis/version_counts.h"
#include "lab/judge_disks.h"
#include "lab/measure.h"
#include "lab/text.h"
#include "lab/units.h"
#include "lab/verdict.h"

namespace ringside::lab {
namespace {

class Judge {
 public:
  Judge(const scenario::Scenario& scenario, const Plan& plan, const Evidence& evidence,
        RunResult& result)
      : scenario_(scenario),
        expect_(scenario.expect()),
        plan_(plan),
        evidence_(evidence),
        history_(evidence.history),
        result_(result),
        verdict_(result),
        disks_(scenario, plan, evidence, verdict_) {}

  void run() {
    if (evidence_.breaking != kNoOperation) return judge_linearizable();
    judge_evidence();
    if (expect_.has_acknowledged_writes()) judge_acknowledged_writes();
    if (expect_.replicas_keep_acknowledged()) disks_.judge_replicas();
    if (expect_.no_resurrection()) judge_resurrection();
    if (expect_.linearizable()) judge_linearizable();
    if (expect_.read_your_writes()) {
      judge_session("read_your_writes", check_read_your_writes(history_, SessionRule::kCausal));
    }
    if (expect_.monotonic_reads()) {
      judge_session("monotonic_reads", check_monotonic_reads(history_, SessionRule::kCausal));
    }
    if (expect_.has_converges_within()) disks_.judge_convergence();
    if (expect_.hints_delivered()) disks_.judge_hints();
    if (expect_.orders_carried_out()) judge_orders();
    if (expect_.repair_comes_to_rest()) judge_rest();
    for (const std::string& probe : expect_.reached()) judge_reached(probe);
    for (const scenario::Availability& availability : expect_.availability())
      judge_availability(availability);
    if (expect_.has_siblings_merged()) judge_siblings();
    for (const scenario::VersionsPerRead& versions : expect_.versions_per_read())
      judge_versions(versions);
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
    verdict_.say(std::move(name), holds, std::move(detail));
  }
  void witness(std::string line) { verdict_.witness(std::move(line)); }

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
    if (evidence_.breaking != kNoOperation) {
      const Operation& last = history_.operations[evidence_.breaking];
      append(detail, "; the run was stopped there, ",
             format_span(last.finished - plan_.timeline.start), " after its start");
    }
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

  void judge_versions(const scenario::VersionsPerRead& asked) {
    const VersionCounts counts = count_versions(history_);
    const std::string name = concat("versions_per_read of ", asked.versions());
    if (counts.reads == 0) return say(name, false, "nothing was tested: no read found anything");
    const uint64_t reads = counts.with(asked.versions());
    const double percent = 100 * static_cast<double>(reads) / static_cast<double>(counts.reads);
    const bool holds = (!asked.has_at_least() || percent >= asked.at_least()) &&
                       (!asked.has_at_most() || percent <= asked.at_most());
    std::string detail = concat(format_percent(percent / 100), " of ", format_count(counts.reads),
                                " reads returned ", asked.versions(),
                                asked.versions() == VersionCounts::kMost ? " versions or more"
                                : asked.versions() == 1                  ? " version"
                                                                         : " versions");
    if (asked.has_at_least()) append(detail, ", at least ", asked.at_least(), " %");
    if (asked.has_at_most()) append(detail, ", at most ", asked.at_most(), " %");
    say(name, holds, std::move(detail));
  }

  void judge_resurrection() {
    const ResurrectionReport report = find_resurrected(
        history_, [this](ValueId value) { return evidence_.observer.written_twice(value); });
    verdict_.witnesses(report.resurrected, [this](const Resurrected& resurrected) {
      return describe(history_, resurrected);
    });
    std::string checked = concat(format_count(report.deletes), " acknowledged deletes ended ",
                                 format_count(report.values), " values");
    if (report.excused > 0)
      append(checked, ", ", report.excused, " excused: written at two coordinators");
    if (report.deletes == 0) return say("no_resurrection", false, "nothing was tested: " + checked);
    say("no_resurrection", report.resurrected.empty(),
        report.resurrected.empty() ? checked + ", and none came back"
                                   : concat(format_count(report.resurrected.size()),
                                            " deleted values came back; ", checked));
  }

  void judge_rest() {
    const Time trees = evidence_.observer.trees_compared();
    const Time leaves = evidence_.observer.leaves_compared();
    const Time last_second = evidence_.rested - kSecond;
    if (trees < last_second)
      return say("repair_comes_to_rest", false,
                 "nothing was tested: nobody compared trees in the last second");
    say("repair_comes_to_rest", leaves < last_second,
        leaves < 0 ? std::string("trees never differed")
                   : concat("leaves were compared for the last time ",
                            format_span(evidence_.rested - leaves), " before the end"));
  }

  void judge_orders() {
    for (const std::string& line : evidence_.unfinished) witness(line);
    if (evidence_.orders == 0)
      return say("orders_carried_out", false, "nothing was tested: no order was given");
    say("orders_carried_out", evidence_.unfinished.empty(),
        evidence_.unfinished.empty()
            ? concat("all ", evidence_.orders, ": ", join(evidence_.carried_out, "; "))
            : concat(evidence_.unfinished.size(), " of ", evidence_.orders,
                     " not: ", join(evidence_.unfinished, "; ")));
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
  Verdict verdict_;
  DiskJudge disks_;
};

}  // namespace

void judge(const scenario::Scenario& scenario, const Plan& plan, const Evidence& evidence,
           RunResult& result) {
  Judge(scenario, plan, evidence, result).run();
  result.holds = std::all_of(result.expectations.begin(), result.expectations.end(),
                             [](const Expectation& expectation) { return expectation.holds; });
}

bool needs_replica_oracle(const scenario::Expect& expect) {
  return expect.replicas_keep_acknowledged() || expect.no_resurrection() ||
         expect.hints_delivered();
}
bool needs_restart_images(const scenario::Expect& expect) {
  return expect.replicas_keep_acknowledged();
}
bool needs_final_images(const scenario::Expect& expect) {
  return expect.replicas_keep_acknowledged() || expect.has_converges_within() ||
         expect.hints_delivered();
}

}  // namespace ringside::lab
