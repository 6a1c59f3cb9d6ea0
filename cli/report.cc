#include "cli/report.h"

#include <algorithm>

#include "analysis/plot.h"
#include "lab/measure.h"
#include "lab/text.h"

namespace ringside::cli {
namespace {

using lab::append;
using lab::concat;
using lab::format;
using End = lab::WorkerResult::End;

constexpr std::size_t kFaultLinesMax = 6;
constexpr std::size_t kSeedLinesMax = 20;

std::string replay_hint(const std::string& recording) {
  return recording.empty() ? std::string()
                           : concat("  recording: ", recording,
                                    "\n  again:     script/ringside replay ", recording, "\n");
}

void add_expectations(const std::vector<lab::Expectation>& expectations, std::string& out) {
  std::size_t width = 0;
  for (const lab::Expectation& line : expectations) width = std::max(width, line.name.size());
  for (const lab::Expectation& line : expectations) {
    append(out, line.holds ? "  holds     " : "  VIOLATED  ", line.name,
           std::string(width - line.name.size() + 2, ' '), line.detail, "\n");
  }
}

void add_latencies(const std::vector<lab::Metric>& metrics, std::string& out) {
  const auto find = [&](const std::string& name) -> const lab::Metric* {
    for (const lab::Metric& metric : metrics) {
      if (metric.name == name) return &metric;
    }
    return nullptr;
  };
  const auto count = [&](const std::string& name) {
    const lab::Metric* metric = find(name);
    return format_count(metric == nullptr ? 0 : static_cast<uint64_t>(metric->value));
  };
  for (const std::string kind : {"get", "put"}) {
    if (find(kind + "_p50_ms") == nullptr) continue;
    append(out, "  ", kind, "s: ", count(kind + "s_ok"), " ok, ", count(kind + "s_failed"),
           " failed, ", count(kind + "s_unknown"), " unknown; p50 ");
    const auto latency = [&](const char* name) {
      return format_duration(find(kind + name)->value * 1e6);
    };
    append(out, latency("_p50_ms"), ", p99 ", latency("_p99_ms"), ", p99.9 ", latency("_p999_ms"));
    if (const lab::Metric* predicted = find(concat("predicted_", kind, "_p999_ms")))
      append(out, " (the WARS model predicts ", format_duration(predicted->value * 1e6), ")");
    append(out, "\n");
  }
}

void add_curve(const std::vector<lab::TVisibility>& curve, std::string& out) {
  if (curve.size() < 2) return;
  std::vector<std::pair<double, double>> points;
  for (const lab::TVisibility& point : curve) {
    if (point.reads == 0) continue;
    points.emplace_back(point.t_ms, 100.0 * static_cast<double>(point.consistent) /
                                        static_cast<double>(point.reads));
  }
  PlotSpec spec;
  spec.title = "t-visibility: share of reads that see a write, t after its commit";
  spec.x_label = "t, ms";
  spec.y_label = "%";
  spec.log_x = true;
  append(out, "\n", draw_curve(points, spec), "\n");
  const bool predicted = curve[0].predicted_percent >= 0;
  std::vector<std::vector<std::string>> rows = {{"t ms", "consistent %", "reads"}};
  if (predicted) rows[0].insert(rows[0].begin() + 2, "predicted %");
  std::size_t next = 0;
  for (const lab::TVisibility& point : curve) {
    if (point.reads == 0) continue;
    const auto& [t, percent] = points[next++];
    rows.push_back({format("%g", t), format("%.2f", percent), format_count(point.reads)});
    if (predicted)
      rows.back().insert(rows.back().begin() + 2, format("%.2f", point.predicted_percent));
  }
  append(out, draw_table(rows));
}

void add_faults(const std::vector<std::string>& faults, std::string& out) {
  for (std::size_t i = 0; i < std::min(faults.size(), kFaultLinesMax); ++i)
    append(out, "  fault: ", faults[i], "\n");
  if (faults.size() > kFaultLinesMax)
    append(out, "  … and ", faults.size() - kFaultLinesMax, " more (in the recording)\n");
}

void expectations_as_json(const std::vector<lab::Expectation>& expectations, Json& json) {
  json.key("expectations").begin_array();
  for (const lab::Expectation& line : expectations) {
    json.begin_object()
        .field("name", line.name)
        .field("holds", line.holds)
        .field("detail", line.detail)
        .end_object();
  }
  json.end_array();
}

void add_field(Json& json, const char* name, const std::vector<std::string>& lines) {
  json.key(name).begin_array();
  for (const std::string& line : lines) json.text(line);
  json.end_array();
}

}  // namespace

std::string fingerprint_text(uint64_t fingerprint) {
  return format("%016llx", static_cast<unsigned long long>(fingerprint));
}

std::string describe_run(const Report& report, const lab::WorkerResult& run) {
  std::string out;
  if (run.end == End::kCrashed) {
    append(out, "CRASHED   ", report.scenario, ", seed ", run.seed, ": the world's worker was ",
           run.message, "\n", replay_hint(report.recording));
    return out;
  }
  const lab::RunResult& result = run.result;
  append(out, result.holds ? "HOLDS     " : "VIOLATED  ", report.scenario, ", seed ", run.seed,
         "\n");
  if (!report.about.empty()) append(out, "  ", report.about, "\n");
  append(out, "  fingerprint ", fingerprint_text(result.fingerprint), ", ",
         format_count(result.events), " events, ",
         format("%.4g simulated seconds in %.2f s, ", result.simulated_seconds, run.wall_seconds),
         format_count(result.operations), " operations\n\n");
  add_expectations(result.expectations, out);
  if (!result.witnesses.empty()) append(out, "\n");
  for (const std::string& witness : result.witnesses) append(out, "  witness: ", witness, "\n");
  append(out, "\n");
  add_latencies(result.metrics, out);
  add_faults(result.faults, out);
  add_curve(result.t_visibility, out);
  append(out, "\n", replay_hint(report.recording));
  return out;
}

void run_as_json(const lab::WorkerResult& run, Json& json, bool times) {
  const lab::RunResult& result = run.result;
  json.field("scenario", result.scenario).field("seed", run.seed);
  if (run.end == End::kCrashed) {
    json.field("verdict", "crashed").field("message", run.message);
    if (times) json.field("wall_seconds", run.wall_seconds);
    return;
  }
  json.field("verdict", result.holds ? "holds" : "violated");
  json.field("fingerprint", fingerprint_text(result.fingerprint));
  json.field("events", result.events);
  json.field("simulated_seconds", result.simulated_seconds);
  if (times) json.field("wall_seconds", run.wall_seconds);
  json.field("operations", result.operations);
  expectations_as_json(result.expectations, json);
  json.key("metrics").begin_object();
  for (const lab::Metric& metric : result.metrics) json.field(metric.name, metric.value);
  json.end_object();
  add_field(json, "witnesses", result.witnesses);
  add_field(json, "faults", result.faults);
  if (result.t_visibility.empty()) return;
  json.key("t_visibility").begin_array();
  for (const lab::TVisibility& point : result.t_visibility) {
    json.begin_object()
        .field("t_ms", point.t_ms)
        .field("reads", point.reads)
        .field("consistent", point.consistent);
    if (point.predicted_percent >= 0) json.field("predicted_percent", point.predicted_percent);
    json.end_object();
  }
  json.end_array();
}

SetVerdict judge_set(const std::vector<lab::WorkerResult>& runs) {
  SetVerdict verdict;
  verdict.seeds = runs.size();
  std::vector<uint64_t> holding;
  std::vector<lab::Pooled> pooled;
  for (const lab::WorkerResult& run : runs) {
    if (run.end == End::kCrashed) ++verdict.crashed;
    if (run.end != End::kFinished) continue;
    ++(run.result.holds ? verdict.holding : verdict.violated);
    // One scenario: every seed has the same expectations in the same order.
    for (std::size_t i = 0; i < run.result.expectations.size(); ++i) {
      if (i == holding.size()) {
        holding.push_back(0);
        verdict.expectations.push_back({run.result.expectations[i].name, false, ""});
      }
      if (run.result.expectations[i].holds) ++holding[i];
    }
    for (std::size_t i = 0; i < run.result.pooled.size(); ++i) {
      if (i == pooled.size()) {
        pooled.push_back(run.result.pooled[i]);
      } else {
        lab::add_pooled(pooled[i], run.result.pooled[i]);
      }
    }
  }
  const uint64_t finished = verdict.holding + verdict.violated;
  for (std::size_t i = 0; i < holding.size(); ++i) {
    verdict.expectations[i].holds = holding[i] == finished;
    verdict.expectations[i].detail =
        concat(format_count(holding[i]), " of ", format_count(finished), " seeds");
  }
  verdict.holds = verdict.crashed == 0 && finished > 0 && verdict.violated == 0;
  for (const lab::Pooled& sum : pooled) {
    verdict.expectations.push_back(lab::judge_pooled(sum, finished));
    verdict.holds = verdict.holds && verdict.expectations.back().holds;
  }
  return verdict;
}

std::string describe_set(const Report& report, const std::vector<lab::WorkerResult>& runs,
                         const SetVerdict& verdict, double wall_seconds) {
  std::string out;
  append(out,
         verdict.holds         ? "HOLDS     "
         : verdict.crashed > 0 ? "CRASHED   "
                               : "VIOLATED  ",
         report.scenario, ": ", format_count(verdict.holding), " of ", format_count(verdict.seeds),
         " seeds hold");
  if (verdict.violated > 0) append(out, ", ", format_count(verdict.violated), " violated");
  if (verdict.crashed > 0) append(out, ", ", format_count(verdict.crashed), " crashed");
  append(out, format(" (%.1f s)\n", wall_seconds));
  if (!report.about.empty()) append(out, "  ", report.about, "\n");
  append(out, "\n");
  add_expectations(verdict.expectations, out);
  std::size_t lines = 0;
  for (const lab::WorkerResult& run : runs) {
    if (run.end == End::kFinished && run.result.holds) continue;
    if (++lines == 1) append(out, "\n");
    if (lines > kSeedLinesMax) {
      append(out, "  … (all of them in --json, recordings in ", report.recording, ")\n");
      break;
    }
    append(out, "  seed ", run.seed,
           run.end == End::kCrashed ? " crashed: " + run.message : std::string(" violated:"));
    for (const lab::Expectation& line : run.result.expectations) {
      if (!line.holds) append(out, " ", line.name, " (", line.detail, ")");
    }
    append(out, "\n");
  }
  if (lines > 0) append(out, "\n  recordings of these seeds: ", report.recording, "\n");
  return out;
}

std::string set_as_json(const Report& report, const std::vector<lab::WorkerResult>& runs,
                        const SetVerdict& verdict, double wall_seconds, bool times) {
  Json json;
  uint64_t events = 0, operations = 0;
  double simulated = 0;
  for (const lab::WorkerResult& run : runs) {
    events += run.result.events;
    operations += run.result.operations;
    simulated += run.result.simulated_seconds;
  }
  json.begin_object().field("scenario", report.scenario);
  json.key("seeds").begin_array();
  for (const lab::WorkerResult& run : runs) json.number(run.seed);
  json.end_array();
  json.field("verdict", verdict.holds ? "holds" : verdict.crashed > 0 ? "crashed" : "violated");
  json.field("holding", verdict.holding)
      .field("violated", verdict.violated)
      .field("crashed", verdict.crashed);
  json.field("events", events).field("simulated_seconds", simulated);
  if (times) json.field("wall_seconds", wall_seconds);
  json.field("operations", operations);
  expectations_as_json(verdict.expectations, json);
  json.key("runs").begin_array();
  for (const lab::WorkerResult& run : runs) {
    json.begin_object();
    run_as_json(run, json, times);
    json.end_object();
  }
  json.end_array().end_object();
  return json.str();
}

}  // namespace ringside::cli
