// Experiment: one scenario under one seed, from world to verdict, inside the calling process. Build
// the world, run the safety phase with its faults, heal, read everything a last time, let it come
// to rest, open the disk images with fresh engines, and judge what clients, the wire and the disks
// saw. The result depends on nothing but (scenario, seed, build).
//
// This header is the library's front: tests and the determinism gate use it as it stands. `ringside
// run` calls it inside a worker process (lab/worker.h) that has the trip-wire armed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/result.h"
#include "runtime/time.h"

namespace ringside {
struct ScriptStep;
namespace scenario {
class Scenario;
}
}  // namespace ringside

namespace ringside::lab {

// A line of the virtual-time log.
struct LogLine {
  enum class What : uint8_t {
    kSend,
    kDeliver,
    kLose,
    kProbe,
    kTrace,
    kStart,
    kStop,
    kDisk,
    kFault
  };
  Time at = 0;
  uint32_t node = 0;     // where it happened; 0: not at a node
  std::string_view key;  // empty: of no key, or of an unknown one
  std::string_view text;
  What what = What::kFault;
  // Of frames, the other side of the link; what the frame is about.
  uint32_t peer = 0;
  uint32_t kind = 0;             // FrameKind
  uint64_t operation = 0;        // 0: background
  std::vector<uint64_t> values;  // value ids of the versions that it carries
};

// An event of the world that ran, with what the fingerprint sees of it.
struct EventLine {
  uint64_t index = 0;  // 1 for the first
  Time at = 0;
  uint32_t node = 0;  // whose machine ran it; 0: the world's own
  std::string_view kind;
  uint64_t payload = 0;  // a hash of its content
};

// A run that stands still between two events.
struct Standing {
  uint64_t events = 0;  // that have run
  Time at = 0;          // of the last of them
  uint64_t fingerprint = 0;
  bool over = false;  // the world has come to rest, and only the verdict is missing
  Time workload_start = 0;
  Time workload_end = 0;  // kNever: when its clients are done
  struct Process {
    uint32_t id = 0;
    bool running = false;
    uint64_t starts = 0;
  };
  std::vector<Process> nodes;
  uint32_t clients = 0;          // processes
  uint32_t clients_at_work = 0;  // … that have more to do
  uint64_t operations = 0;       // begun by clients
  uint64_t unanswered = 0;       // of these
  uint64_t frames_sent = 0;
  uint64_t frames_lost = 0;
};

// How it goes on: to a moment at which it stands still again, the earlier one of the two; without
// any to the end of the run.
struct Onward {
  static constexpr uint64_t kNoEvent = ~uint64_t{0};
  uint64_t until_event = kNoEvent;  // so many events have run
  Time until = kNever;              // everything up to and including this time has run
  uint64_t seed = 0;                // from here on the world draws by this seed; 0: by its own

  bool to_the_end() const { return until_event == kNoEvent && until == kNever; }
};

// A future: after so many events the world draws by this seed instead of its own.
struct Branch {
  uint64_t event = 0;
  uint64_t seed = 0;  // 0: it is none
};

struct RunOptions {
  bool gate = false;  // cut the scenario to its gate_for: shorter workload, no expectations judged
  // Replay only: stop after this many events (0: run to the end).
  uint64_t until_event = 0;
  // … and call this while the world still stands there.
  std::function<void()> on_stop;
  // Receives the virtual-time log when set: frames, probes, trace events and faults, in order.
  std::function<void(const LogLine& line)> on_log;
  Branch branch;
  // Called while the run stands still, when set: before the first event, then wherever its last
  // answer said, and a last time when the run is over, unless it was to play to the end. Standing
  // still changes nothing about the run.
  std::function<Onward(const Standing&)> on_stand;
  // Receives every event after it ran, when set; the log's lines of it came before.
  std::function<void(const EventLine& event)> on_event;
  // Called now and then (every few thousand events) with the share of the run that is done, 0..1.
  // Must not read clocks.
  std::function<void(double done)> on_progress;
  // Receives snapshots of the run as it plays when set (watch.proto, serialised; lab/watcher.h says
  // when). It may wait for whoever reads them, and changes nothing.
  std::function<void(std::string_view snapshot)> on_snapshot;
  Duration snapshot_every = 100 * kMillisecond;
  // Receives what the clients did to registers, when set, as a script's steps (lab/overrides.h).
  std::function<void(std::vector<ScriptStep> steps)> on_steps;
};

// One line of the verdict.
struct Expectation {
  std::string name;  // as the scenario spells it: "acknowledged_writes"
  bool holds = false;
  std::string detail;  // one line
};

struct Metric {
  std::string name;  // "put_p999_ms"
  double value = 0;
};

// The fingerprint after so many events.
struct Checkpoint {
  uint64_t events = 0;
  int64_t at = 0;
  uint64_t fingerprint = 0;
};

struct TVisibility {
  double t_ms = 0;
  uint64_t reads = 0;
  uint64_t consistent = 0;
  double predicted_percent = -1;  // by the model (lab/predict.h); -1: there is none
};

// An estimate that many seeds refine together: what one seed adds, and the rule to judge the sum
// by.
struct Pooled {
  std::string name;  // of the expectation
  // "share": successes / trials; "quantile": buckets of a histogram; "t_visibility": points
  std::string kind;
  double published = 0;
  double tolerance = 0;  // points (0..100) for a share, percent for a quantile
  double quantile = 0;   // 0..1
  uint64_t successes = 0;
  uint64_t trials = 0;
  std::string histogram;  // serialised (analysis/histogram.h)
  std::vector<TVisibility> points;
};

struct RunResult {
  std::string scenario;
  uint64_t seed = 0;
  bool holds = false;
  uint64_t fingerprint = 0;
  uint64_t events = 0;
  double simulated_seconds = 0;
  uint64_t operations = 0;
  std::vector<Expectation> expectations;
  std::vector<Metric> metrics;
  std::vector<Pooled> pooled;
  std::vector<TVisibility> t_visibility;
  std::vector<Checkpoint> checkpoints;
  std::vector<std::string> faults;     // resolved, in order, one line each
  std::string storm;                   // the same as a scenario's faults (lab/storm.h)
  std::vector<std::string> witnesses;  // the operations that violate, one line each
  uint64_t history_hash = 0;
  std::string history;  // workloads/history.proto, serialised
};

// Parses and checks `text`; the error's message is one "FILE:LINE:COLUMN: what, and what would be
// right" a line.
Result<std::unique_ptr<scenario::Scenario>> parse_scenario(std::string_view text,
                                                           std::string_view file_name);
Result<std::unique_ptr<scenario::Scenario>> load_scenario(const std::string& path);

// kInvalid when this build cannot run it (it names a planted bug).
Result<RunResult> run_scenario(const scenario::Scenario& scenario, uint64_t seed,
                               const RunOptions& options = {});
// Both in one; for the gate and for tests.
Result<RunResult> run_scenario_file(const std::string& path, uint64_t seed,
                                    const RunOptions& options = {});

}  // namespace ringside::lab
