// The inside of World: it takes events from the queue, hands them to machines, hosts and the
// network, and settles what must wait until control is back. For world.cc and world_machines.cc
// alone.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/kernel.h"
#include "sim/machine.h"
#include "sim/process.h"
#include "sim/sim_network.h"
#include "sim/world.h"

namespace ringside::sim {

class World::Impl final : public Overseer {
 public:
  explicit Impl(WorldSpec the_spec);
  ~Impl();

  Process& process(NodeId node) const;
  Machine& machine(MachineId id) const;

  // One event that is part of the run; false when there is none up to `limit`.
  bool run_one(Time limit);
  void start(Process& process);
  // The process is no more. `told`: its peers see a reset.
  void stop(Process& process, std::string_view why, bool told);
  void fault(const std::string& what);

  void process_ended(Process& process, std::string_view why) override;
  void probe_reached(Process& process, std::string_view name) override;

  const WorldSpec spec;
  Kernel kernel;
  std::vector<std::unique_ptr<Machine>> machines;
  SimNetwork network;
  std::vector<std::unique_ptr<Process>> processes;

  struct Action {
    std::string label;
    std::function<void()> run;
  };
  struct ProbeFault {
    std::string probe;
    NodeId node;
    std::function<void(NodeId)> action;
    bool lives;
  };
  std::vector<ProbeFault> probe_faults;
  uint64_t troubles_begun = 0;
  uint64_t checkpoint_every = 0;
  std::function<void(const Checkpoint&)> checkpoint_sink;
  std::function<void(const EventRecord&)> event_sink;
  void watch_from_here();  // after a change of the two sinks

 private:
  // What waits until control is back.
  struct Verdict {
    Process* process;
    uint64_t incarnation;
    std::string why;
    std::function<void(NodeId)> action;
    bool lives;
  };

  bool dispatch(QueuedEvent& event);
  bool run(Process& process, const QueuedEvent& event);
  bool run_disk(Process& process, const QueuedEvent& event, uint64_t& payload);
  void run_action(const QueuedEvent& event);
  void record(EventKind kind, NodeId node, uint64_t payload, const Frame* frame);
  void tell_watchers(EventKind kind, NodeId node, uint64_t payload, const Frame* frame);
  void settle();

  std::vector<Verdict> verdicts_;
  uint64_t watch_at_ = ~uint64_t{0};  // the event after which someone wants to know
};

}  // namespace ringside::sim
