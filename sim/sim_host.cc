#include "sim/sim_host.h"

#include <utility>

#include "sim/machine.h"
#include "sim/process.h"
#include "sim/sim_network.h"

namespace ringside::sim {

SimHost::SimHost(Kernel& kernel, Process& process, SimNetwork& network, Overseer& overseer)
    : kernel_(kernel),
      process_(process),
      machine_(process.machine()),
      overseer_(overseer),
      clock_(*this),
      network_(*this, network),
      disk_(*this),
      cpu_(*this),
      trace_(*this),
      root_(ready_) {
  trace_.set_enabled(kernel.tracing);
}

SimHost::~SimHost() { destroy_frames(); }

Random& SimHost::random(std::string_view stream) {
  const auto found = streams_.find(stream);
  if (found != streams_.end()) return found->second;
  return streams_.emplace(std::string(stream), new_stream(stream)).first->second;
}

Random SimHost::new_stream(std::string_view name) const {
  const uint64_t key = kernel_.draw(Purpose::kStream, process_.node(), process_.incarnation).next();
  return Random(hash_bytes(name, key));
}

void SimHost::reseed() {
  for (auto& [name, stream] : streams_) stream = new_stream(name);
}

void SimHost::spawn(Task<void> task) {
  if (!dead_) root_.spawn(std::move(task));
}

void SimHost::abort(std::string_view why) {
  if (dead_) return;
  dead_ = true;
  overseer_.process_ended(process_, why);
}

void SimHost::run() { root_.spawn(run_program(this)); }

// The program's frame is the oldest in the root scope, so it is destroyed last.
Task<void> SimHost::run_program(SimHost* host) {
  co_await host->process_.program()(*host);
  host->abort("end");
}

void SimHost::destroy_frames() {
  dead_ = true;
  disk_settled_ = true;
  network_.handler = nullptr;
  ready_.clear();
  root_.cancel();
  ready_.clear();
}

Time SimHost::SimClock::now() { return host_.machine_.monotonic(); }
Time SimHost::SimClock::wall() { return host_.machine_.wall(); }

void SimHost::SimClock::start(Timer& timer, Time at) {
  if (timer.pending()) cancel(timer);
  timer.slot = Timer::kIdle;
  if (host_.dead_ || at == kNever) return;
  timer.slot = host_.machine_.schedule_timer(at, timer);
}

// Also when dead: nothing may fire into a frame that is gone.
void SimHost::SimClock::cancel(Timer& timer) {
  if ((timer.slot & Machine::kTicketBit) != 0) {
    host_.machine_.leave_line(timer.slot);
  } else {
    host_.kernel_.queue.cancel(timer.slot);
  }
}

NodeId SimHost::HostNetwork::self() const { return host_.process_.node(); }

bool SimHost::HostNetwork::send(Frame frame) {
  if (host_.dead_) return true;
  return world_.send(host_.process_, frame);
}

void SimHost::HostNetwork::when_writable(NodeId peer, Waiter& waiter) {
  if (!host_.dead_) world_.when_writable(host_.process_, peer, waiter);
}

std::string SimHost::HostNetwork::address() const {
  return "sim:" + std::to_string(host_.process_.node());
}

void SimHost::HostDisk::start(DiskCall& call) {
  if (host_.dead_) {
    call.in_flight = false;  // never begun, so never abandoned
    return;
  }
  ++host_.kernel_.counters.disk_calls;
  host_.machine_.charge_bytes(call.data.size());
  if (!call.data.empty())
    host_.kernel_.fingerprint.add_content(hash_bytes(call.data.view(), call.offset));
  host_.machine_.disk().submit(host_.machine_.true_now(), call);
}

void SimHost::HostDisk::abandon(DiskCall& call) {
  if (!host_.disk_settled_) host_.machine_.disk().abandon(call);
}

void SimHost::HostCpu::charge(uint64_t units) {
  if (!host_.dead_) host_.machine_.charge_units(units);
}
uint64_t SimHost::HostCpu::charged() const { return host_.machine_.units(); }

void SimHost::HostTrace::probe(std::string_view name) {
  if (!host_.dead_) host_.overseer_.probe_reached(host_.process_, name);
}

void SimHost::HostTrace::event(const TraceEvent& event) {
  Observer* observer = host_.kernel_.observer;
  if (host_.dead_ || observer == nullptr) return;
  observer->on_trace(host_.machine_.true_now(), host_.process_.node(), event);
}

}  // namespace ringside::sim
