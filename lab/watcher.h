// Watcher: stands between a world and its observer, and between clients and their recorder, passes
// everything on, and tells a snapshot (watch.proto) every so often in virtual time. It is driven by
// what happens and puts no event into the world, so a run that is watched is the same run. When
// nothing happens for a while, nothing is told for as long.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/plan.h"
#include "lab/watch.pb.h"
#include "sim/world.h"
#include "workloads/history.h"

namespace ringside::lab {

struct WatcherOptions {
  Duration every = 100 * kMillisecond;
  std::function<void(std::string_view)> tell;  // a serialised record::Snapshot
  std::function<double()> share;               // of the workload, 0..1
};

class Watcher final : public sim::Observer, public HistorySink {
 public:
  // All of them must outlive this.
  Watcher(const Plan& plan, sim::Observer& observer, HistoryRecorder& recorder,
          WatcherOptions options);

  // The last snapshot, when the world stands still.
  void finish(Time now);

  void on_send(Time at, const Frame& frame) override;
  void on_deliver(Time at, const Frame& frame) override;
  void on_lost(Time at, const Frame& frame, std::string_view why) override;
  void on_probe(Time at, NodeId node, std::string_view name) override;
  void on_trace(Time at, NodeId node, const TraceEvent& event) override;
  void on_start(Time at, NodeId node, uint64_t incarnation) override;
  void on_stop(Time at, NodeId node, std::string_view why) override;
  void on_disk(Time at, NodeId node, const DiskCall& call) override {
    observer_.on_disk(at, node, call);
  }
  void on_fault(Time at, std::string_view what) override;

  KeyIndex intern(std::string_view key) override { return recorder_.intern(key); }
  ClientIndex add_client(NodeId process) override { return recorder_.add_client(process); }
  void step_begins(ClientIndex client, ScriptStep::What what, Duration expire_after) override {
    recorder_.step_begins(client, what, expire_after);
  }
  Handle invoked(const Invocation& invocation) override { return recorder_.invoked(invocation); }
  void finished(Handle operation, const Completion& completion) override;

 private:
  struct Probe {
    uint64_t times = 0;
    Time first = 0;
    bool told = false;
  };

  // Tells what was true at the last boundary before `at`, before `at` changes it.
  void look(Time at) {
    if (at >= next_) tell(at / options_.every * options_.every);
  }
  void tell(Time now);
  char* state(NodeId node);  // null for clients
  void note(Time at, std::string text);

  sim::Observer& observer_;
  HistoryRecorder& recorder_;
  WatcherOptions options_;
  Time next_;
  record::Snapshot snapshot_;
  std::string nodes_;  // by node, as in the snapshot
  std::map<std::string, Probe, std::less<>> probes_;
};

}  // namespace ringside::lab
