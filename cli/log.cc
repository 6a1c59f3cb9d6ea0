// `ringside log`: the virtual-time log of a recorded run: frames, probes and faults, with what the
// clients asked and were told in between. It comes from a replay, so a recording need not hold it.
#include <signal.h>

#include <algorithm>
#include <cstdio>
#include <vector>

#include "analysis/describe.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "lab/recording.h"
#include "lab/text.h"
#include "lab/worker.h"
#include "runtime/bug.h"
#include "scenarios/scenario.pb.h"
#include "workloads/history.h"

namespace ringside::cli {
namespace {

struct Line {
  Time at = 0;
  std::size_t order = 0;
  std::string text;
  friend bool operator<(const Line& a, const Line& b) {
    return a.at != b.at ? a.at < b.at : a.order < b.order;
  }
};

std::string where(uint32_t node) {
  if (node == 0) return "world";
  return node >= kFirstClient ? lab::concat("client ", node - kFirstClient + 1)
                              : lab::concat("node ", node);
}

void add_operations(const History& history, const std::string& key, std::vector<Line>& lines) {
  for (std::size_t i = 0; i < history.operations.size(); ++i) {
    const Operation& operation = history.operations[i];
    if (!key.empty() && history.keys[operation.key] != key) continue;
    const NodeId process = history.clients[operation.client].process;
    const std::string what = describe_operation(history, static_cast<uint32_t>(i));
    lines.push_back(
        {operation.invoked, lines.size(), lab::concat(where(process), "  asks: ", what)});
    if (operation.finished != kNever) {
      lines.push_back(
          {operation.finished, lines.size(), lab::concat(where(process), "  is told: ", what)});
    }
  }
}

// In the worker, which prints by itself: the log may be far larger than what a pipe should carry.
Result<lab::RunResult> print_log(const scenario::Scenario& scenario,
                                 const lab::Recording& recording, const LogArguments& arguments) {
  std::vector<Line> lines;
  lab::RunOptions options;
  options.gate = recording.gate;
  options.branch = recording.branch;
  options.on_log = [&](const lab::LogLine& line) {
    const bool of_world = line.node == 0;
    if (arguments.node != 0 && !of_world && line.node != arguments.node) return;
    if (!arguments.key.empty() && !of_world && line.key != arguments.key) return;
    lines.push_back({line.at, lines.size(), lab::concat(where(line.node), "  ", line.text)});
  };
  Result<lab::RunResult> result = lab::run_scenario(scenario, recording.seed, options);
  if (!result.ok()) return result;
  if (arguments.node == 0) {
    Result<History> history = decode_history(result->history);
    CHECK(history.ok());
    add_operations(*history, arguments.key, lines);
  }
  std::sort(lines.begin(), lines.end());
  signal(SIGPIPE, SIG_IGN);  // `… | head` wants no more
  for (const Line& line : lines) {
    const double ms = static_cast<double>(line.at) / 1e6;
    if (std::printf("%14.6f ms  %s\n", ms, line.text.c_str()) < 0) break;
  }
  return result;
}

}  // namespace

int log(const LogArguments& arguments) {
  Result<lab::Recording> recording = lab::read_recording(arguments.file);
  Result<std::unique_ptr<scenario::Scenario>> scenario =
      recording.ok() ? lab::parse_scenario(recording->scenario_text, recording->scenario_file)
                     : Result<std::unique_ptr<scenario::Scenario>>(recording.error());
  if (!scenario.ok()) {
    std::fprintf(stderr, "%s\n", scenario.error().message.c_str());
    return kBadInput;
  }
  int code = kCrashed;
  lab::WorkerOptions options;
  options.on_result = [&](lab::WorkerResult run) {
    if (run.end == lab::WorkerResult::End::kFinished) code = kHolds;
    if (run.end == lab::WorkerResult::End::kRefused) code = kBadInput;
    if (!run.message.empty()) std::fprintf(stderr, "%s\n", run.message.c_str());
    if (code == kHolds && recording->finished &&
        run.result.fingerprint != recording->result.fingerprint) {
      std::fprintf(
          stderr,
          "this is not the run that was recorded: the fingerprints differ (see ringside replay)\n");
      code = kNotDeterministic;
    }
    return true;
  };
  lab::run_in_workers(
      {recording->seed},
      [&](uint64_t, const std::function<void(double)>&) {
        return print_log(**scenario, *recording, arguments);
      },
      options);
  return code;
}

}  // namespace ringside::cli
