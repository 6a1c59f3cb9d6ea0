#include "cli/hunt_report.h"

#include "analysis/plot.h"
#include "cli/json.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "lab/text.h"
#include "runtime/bug.h"
#include "scenarios/scenario.pb.h"

namespace ringside::cli {
namespace {

using lab::append;
using lab::concat;
using lab::format;

constexpr std::size_t kGroupLinesMax = 12;
constexpr std::size_t kScenarioLinesMax = 12;

const char* again_text(lab::Again again) {
  switch (again) {
    case lab::Again::kNotAsked: return "not asked";
    case lab::Again::kSame: return "the same";
    case lab::Again::kDifferent: return "different";
    case lab::Again::kCrashed: return "crashed";
  }
  return "";
}

void add_groups(const lab::HuntFile& hunt, const std::string& directory, std::string& out) {
  std::size_t lines = 0;
  for (const auto& [signature, group] : hunt.totals.groups) {
    if (++lines > kGroupLinesMax) {
      append(out, "  … and ", hunt.totals.groups.size() - kGroupLinesMax,
             " kinds more (all of them in --json)\n");
      break;
    }
    const lab::HuntFound& first = group.first.front();
    append(out, "\n  ", signature.text(), "\n    ", format_count(group.seeds),
           group.seeds == 1 ? " seed" : " seeds", ", the first after ",
           format_count(first.number + 1), ": ", first.name, "\n");
    if (!first.detail.empty()) append(out, "    ", first.detail, "\n");
    if (directory.empty()) continue;
    append(out, "    bundle: ", directory, "/bundles/", first.name, "\n    again:  script/ringside",
           planted_build() ? " --planted" : "", " replay ", directory, "/bundles/", first.name, "/",
           first.name, ".run\n");
  }
}

void add_scenarios(const lab::HuntFile& hunt, std::string& out) {
  const auto& all = hunt.totals.scenarios;
  if (all.size() < 2) return;
  std::vector<std::vector<std::string>> rows = {{"scenario", "seeds", "varied", "failing"}};
  for (std::size_t i = 0; i < std::min(all.size(), kScenarioLinesMax); ++i) {
    rows.push_back({hunt.config.scenarios[i].name, format_count(all[i].played),
                    format_count(all[i].variations), format_count(all[i].failing)});
  }
  append(out, "\n", draw_table(rows));
  if (all.size() > kScenarioLinesMax)
    append(out, "  … and ", all.size() - kScenarioLinesMax, " more (all of them in --json)\n");
}

void groups_as_json(const lab::HuntTotals& totals, Json& json) {
  json.key("failures").begin_array();
  for (const auto& [signature, group] : totals.groups) {
    json.begin_object()
        .field("scenario", signature.scenario)
        .field("expectation", signature.expectation)
        .field("anomaly", signature.anomaly)
        .field("role", signature.role)
        .field("seeds", group.seeds);
    json.key("first").begin_array();
    for (const lab::HuntFound& found : group.first) {
      json.begin_object().field("number", found.number).field("seed", found.seed);
      if (found.variation) json.field("storm_of", found.parent);
      json.field("bundle", "bundles/" + found.name).field("detail", found.detail).end_object();
    }
    json.end_array().end_object();
  }
  json.end_array();
}

std::string bundle_as_json(const lab::HuntConfig& config, const lab::HuntAttempt& attempt,
                           const lab::HuntOutcome& outcome) {
  const lab::HuntScenario& scenario = config.scenarios[attempt.scenario];
  const lab::RunResult& result = outcome.run.result;
  const lab::Signature signature = outcome.signature(scenario.name);
  Json json;
  json.begin_object().field("scenario", scenario.name).field("file", scenario.file);
  json.field("seed", attempt.seed).field("build", fingerprint_text(config.build));
  json.field("planted_build", planted_build()).field("signature", signature.text());
  json.field("replayed_in_a_fresh_process", again_text(outcome.again));
  json.key("hunt").begin_object();
  json.field("seed", config.seed).field("lanes", uint64_t{config.lanes});
  json.field("number", attempt.number).end_object();
  json.key("overrides").begin_object();
  if (attempt.variation) json.field("storm_of", attempt.parent);
  json.key("tunables").begin_array();
  for (const std::string& line : result.faults)
    if (line.starts_with("tunable ")) json.text(line.substr(8));
  json.end_array().end_object();
  json.key("checkpoints").begin_array();
  for (const lab::Checkpoint& one : result.checkpoints) {
    json.begin_object()
        .field("events", one.events)
        .field("at_ns", static_cast<uint64_t>(one.at))
        .field("fingerprint", fingerprint_text(one.fingerprint))
        .end_object();
  }
  json.end_array().end_object();
  return json.str() + "\n";
}

}  // namespace

std::string describe_hunt(const lab::HuntFile& hunt, const std::string& directory) {
  const lab::HuntTotals& totals = hunt.totals;
  std::string out;
  append(out, totals.failing > 0 ? "FOUND     " : "NOTHING   ", hunt.config.title, ": ",
         format_count(totals.failing), " of ", format_count(totals.played), " seeds fail");
  if (totals.failing > 0) {
    append(out, ", of ", totals.groups.size(), totals.groups.size() == 1 ? " kind" : " kinds");
  }
  append(out, "\n  hunt of seed ", hunt.config.seed, ", ", hunt.config.lanes, " lanes; ",
         format_count(totals.variations), " varied a storm, ", format_count(totals.replayed),
         " were played again in a fresh process\n");
  const double cpu = std::max(hunt.cpu_seconds, 1e-9);
  append(out,
         format("  %s, %.1f CPU seconds: %s seeds a core hour; ",
                minutes(hunt.wall_seconds).c_str(), hunt.cpu_seconds,
                format_count(static_cast<uint64_t>(static_cast<double>(totals.played) * 3600 / cpu))
                    .c_str()),
         format_count(totals.events), " events, ", format_count(totals.operations), " operations, ",
         totals.probes.size(), " probes reached\n  decisions ", fingerprint_text(totals.decisions),
         "\n");
  add_groups(hunt, directory, out);
  add_scenarios(hunt, out);
  return out;
}

std::string hunt_as_json(const lab::HuntFile& hunt, bool times) {
  const lab::HuntTotals& totals = hunt.totals;
  Json json;
  json.begin_object().field("hunt", hunt.config.title);
  json.field("verdict", totals.failing > 0 ? "found" : "nothing");
  json.field("seed", hunt.config.seed).field("lanes", uint64_t{hunt.config.lanes});
  json.field("bound", hunt.config.bound).field("guided", hunt.config.guided);
  json.field("played", totals.played).field("holding", totals.holding);
  json.field("failing", totals.failing).field("variations", totals.variations);
  json.field("replayed", totals.replayed).field("events", totals.events);
  json.field("operations", totals.operations);
  json.field("simulated_seconds", static_cast<double>(totals.simulated_ns) / 1e9);
  json.field("decisions", fingerprint_text(totals.decisions));
  if (times) {
    json.field("wall_seconds", hunt.wall_seconds).field("cpu_seconds", hunt.cpu_seconds);
    json.field("seeds_per_core_hour", static_cast<double>(totals.played) * 3600 / hunt.cpu_seconds);
  }
  json.key("scenarios").begin_array();
  for (std::size_t i = 0; i < totals.scenarios.size(); ++i) {
    const lab::HuntTotals::PerScenario& one = totals.scenarios[i];
    json.begin_object()
        .field("name", hunt.config.scenarios[i].name)
        .field("played", one.played)
        .field("variations", one.variations)
        .field("failing", one.failing)
        .field("events", one.events)
        .end_object();
  }
  json.end_array();
  groups_as_json(totals, json);
  json.key("probes").begin_array();
  for (const auto& [name, probe] : totals.probes) {
    json.begin_object()
        .field("name", name)
        .field("seeds", probe.seeds)
        .field("times", probe.times)
        .end_object();
  }
  json.end_array().end_object();
  return json.str();
}

std::string describe_hunting(const lab::HuntConfig& config, const lab::HuntTotals& totals,
                             uint64_t finished, double seconds, double per_second) {
  std::string line = concat(config.title, ": ", format_count(totals.played + finished));
  if (config.bound > 0 && config.shards == 1) append(line, " of ", format_count(config.bound));
  append(line, " seeds, ", minutes(seconds), format(", %.3g a second, ", per_second),
         totals.probes.size(), " probes");
  if (totals.failing > 0) {
    append(line, ", ", format_count(totals.failing), totals.failing == 1 ? " failure" : " failures",
           " of ", totals.groups.size(), totals.groups.size() == 1 ? " kind" : " kinds");
  }
  return line;
}

std::vector<std::pair<std::string, std::string>> bundle_texts(const lab::HuntConfig& config,
                                                              const lab::HuntAttempt& attempt,
                                                              const lab::HuntOutcome& outcome) {
  const lab::HuntScenario& scenario = config.scenarios[attempt.scenario];
  const std::string name = attempt.name(config);
  const Result<std::string> text = lab::text_of(attempt, config);
  const Report report{scenario.name, scenario.scenario->about(), name + ".run"};
  Json json;
  json.begin_object();
  run_as_json(outcome.run, json, false);
  json.end_object();
  return {{"scenario.textproto", text.ok() ? *text : std::string()},
          {"storm.textproto", outcome.run.result.storm},
          {"verdict.txt", describe_run(report, outcome.run)},
          {"verdict.json", json.str() + "\n"},
          {"bundle.json", bundle_as_json(config, attempt, outcome)}};
}

}  // namespace ringside::cli
