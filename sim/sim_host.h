// SimHost: the Host of one incarnation of a process in the simulator. When the process dies, its
// host is dead first: from then on every call is ignored, while the process's frames are destroyed,
// newest first.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "runtime/host.h"
#include "sim/kernel.h"

namespace ringside::sim {

class Machine;
class Process;
class SimNetwork;

// Whoever must act when a process ends or reaches a probe, once control is back.
class Overseer {
 public:
  virtual void process_ended(Process& process, std::string_view why) = 0;
  virtual void probe_reached(Process& process, std::string_view name) = 0;

 protected:
  ~Overseer() = default;
};

class SimHost final : public Host {
 public:
  SimHost(Kernel& kernel, Process& process, SimNetwork& network, Overseer& overseer);
  ~SimHost() override;

  Clock& clock() override { return clock_; }
  Network& network() override { return network_; }
  Disk& disk() override { return disk_; }
  Random& random(std::string_view stream) override;
  // From now on streams are drawn by the kernel's present seed, from their beginning.
  void reseed();
  Cpu& cpu() override { return cpu_; }
  Trace& trace() override { return trace_; }
  ReadyList& ready() override { return ready_; }
  void spawn(Task<void> task) override;
  void abort(std::string_view why) override;

  // For the world.
  void run();  // starts the program
  void drain() {
    if (!ready_.empty()) ready_.drain();
  }
  FrameHandler* handler() { return network_.handler; }
  bool dead() const { return dead_; }
  void set_dead() { dead_ = true; }
  void set_tracing(bool enabled) { trace_.set_enabled(enabled); }
  // Ends it: its calls in flight on the disk are settled already.
  void destroy_frames();

 private:
  class SimClock final : public Clock {
   public:
    explicit SimClock(SimHost& host) : host_(host) {}
    Time now() override;
    Time wall() override;
    void start(Timer& timer, Time at) override;
    void cancel(Timer& timer) override;

   private:
    SimHost& host_;
  };
  class HostNetwork final : public Network {
   public:
    HostNetwork(SimHost& host, SimNetwork& world) : host_(host), world_(world) {}
    NodeId self() const override;
    void attach(FrameHandler* attached) override { handler = attached; }
    bool send(Frame frame) override;
    void when_writable(NodeId peer, Waiter& waiter) override;
    Result<void> learn(NodeId, std::string_view) override { return {}; }
    std::string address() const override;

    FrameHandler* handler = nullptr;

   private:
    SimHost& host_;
    SimNetwork& world_;
  };
  class HostDisk final : public Disk {
   public:
    explicit HostDisk(SimHost& host) : host_(host) {}
    void start(DiskCall& call) override;
    void abandon(DiskCall& call) override;

   private:
    SimHost& host_;
  };
  class HostCpu final : public Cpu {
   public:
    explicit HostCpu(SimHost& host) : host_(host) {}
    void charge(uint64_t units) override;
    uint64_t charged() const override;

   private:
    SimHost& host_;
  };
  class HostTrace final : public Trace {
   public:
    explicit HostTrace(SimHost& host) : host_(host) {}
    void probe(std::string_view name) override;
    void event(const TraceEvent& event) override;
    void set_enabled(bool enabled) { enabled_ = enabled; }

   private:
    SimHost& host_;
  };

  static Task<void> run_program(SimHost* host);
  Random new_stream(std::string_view name) const;

  Kernel& kernel_;
  Process& process_;
  Machine& machine_;
  Overseer& overseer_;
  bool dead_ = false;
  bool disk_settled_ = false;
  SimClock clock_;
  HostNetwork network_;
  HostDisk disk_;
  HostCpu cpu_;
  HostTrace trace_;
  std::map<std::string, Random, std::less<>> streams_;
  ReadyList ready_;
  Scope root_;  // last: what its tasks use outlives them
};

}  // namespace ringside::sim
