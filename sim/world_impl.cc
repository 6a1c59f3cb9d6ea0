#include "sim/world_impl.h"

#include <utility>

namespace ringside::sim {

World::Impl::Impl(WorldSpec the_spec)
    : spec(std::move(the_spec)), kernel(spec.seed), network(kernel, spec.topology, spec.network) {
  CHECK(spec.machines.size() == spec.topology.machines());
  for (MachineId id = 0; id < spec.machines.size(); ++id)
    machines.push_back(std::make_unique<Machine>(kernel, id, spec.machines[id], spec.wall_epoch));
}

// Frames go first: they still know their machines, the queue and the network. What they wanted is
// forgotten.
World::Impl::~Impl() {
  kernel.observer = nullptr;
  for (const auto& process : processes) process->host.reset();
  QueuedEvent event;
  while (kernel.queue.pop(kNever, event))
    if (event.payload.tag == tag_of(EventKind::kAction))
      delete static_cast<Action*>(event.payload.subject);
}

Process& World::Impl::process(NodeId node) const {
  Process* const found = network.find(node);
  CHECK(found != nullptr);
  return *found;
}

Machine& World::Impl::machine(MachineId id) const {
  CHECK(id < machines.size());
  return *machines[id];
}

bool World::Impl::run_one(Time limit) {
  QueuedEvent event;
  while (kernel.queue.pop(limit, event)) {
    kernel.now = event.time;
    if (dispatch(event)) return true;
  }
  return false;
}

// Whether an event of the run took place: some wait for a core, some concern nobody any more.
bool World::Impl::dispatch(QueuedEvent& event) {
  const EventPayload& payload = event.payload;
  switch (payload.tag) {
    case tag_of(EventKind::kTimer):
    case tag_of(EventKind::kDisk): break;
    case tag_of(EventKind::kFrame):
      if (!network.arrives(static_cast<SimNetwork::Flight*>(payload.subject))) return false;
      break;
    case tag_of(EventKind::kStart):
      if (!processes[payload.owner]->alive() ||
          processes[payload.owner]->incarnation != payload.number)
        return false;
      break;
    case tag_of(EventKind::kPeerLost):
    case tag_of(EventKind::kWritable):
      if (!network.current(*static_cast<SimNetwork::Connection*>(payload.subject), payload.number))
        return false;
      break;
    case tag_of(EventKind::kAction): run_action(event); return true;
    case tag_of(EventKind::kWeather): {
      uint64_t content = 0;
      if (!network.weather_turns(payload, content)) return false;
      record(EventKind::kWeather, kNoNode, content, nullptr);
      return true;
    }
    default: {
      CHECK(payload.tag == kTagCoreFree);
      Machine& machine = *static_cast<Machine*>(payload.subject);
      while (machine.next_in_line(event))
        if (run(*machine.process, event)) return true;
      return false;
    }
  }
  Process& process = *processes[payload.owner];
  Machine& machine = process.machine();
  if (machine.core_free()) return run(process, event);
  const Machine::Ticket ticket = machine.wait(event);
  if (payload.tag == tag_of(EventKind::kTimer)) static_cast<Timer*>(payload.subject)->slot = ticket;
  return false;
}

// An event of a process, on a core of its machine.
bool World::Impl::run(Process& process, const QueuedEvent& event) {
  const auto kind = static_cast<EventKind>(event.payload.tag);
  void* const subject = event.payload.subject;
  Machine& machine = process.machine();
  uint64_t payload = kind == EventKind::kStart ? event.payload.number : 0;
  SimNetwork::Flight* flight = nullptr;
  kernel.active = &process;
  switch (kind) {
    case EventKind::kTimer: {
      auto& timer = *static_cast<Timer*>(subject);
      payload = event.priority;
      ++kernel.counters.timers;
      machine.begin(0);
      timer.slot = Timer::kIdle;
      timer.fire();
      break;
    }
    case EventKind::kFrame: {
      flight = static_cast<SimNetwork::Flight*>(subject);
      payload = flight->hash;
      const Frame& frame = flight->frame;
      ++kernel.counters.frames_delivered;
      if (kernel.observer != nullptr) kernel.observer->on_deliver(kernel.now, frame);
      machine.begin(frame.bytes.size());
      if (FrameHandler* const handler = process.host->handler()) handler->on_frame(frame);
      break;
    }
    case EventKind::kDisk:
      if (!run_disk(process, event, payload)) {
        kernel.active = nullptr;
        return false;
      }
      break;
    case EventKind::kStart:
      machine.begin(0);
      process.host->run();
      break;
    case EventKind::kPeerLost: {
      auto& connection = *static_cast<SimNetwork::Connection*>(subject);
      const NodeId peer = network.peer(connection);
      machine.begin(0);
      const Code why = network.lose_peer(connection);
      payload = uint64_t{peer} << 8 | static_cast<uint64_t>(why);
      if (FrameHandler* const handler = process.host->handler()) handler->on_peer_lost(peer, why);
      break;
    }
    case EventKind::kWritable:
      machine.begin(0);
      payload = network.peer(*static_cast<SimNetwork::Connection*>(subject));
      network.wake_writers(*static_cast<SimNetwork::Connection*>(subject));
      break;
    case EventKind::kAction:
    case EventKind::kWeather: CHECK(false);
  }
  process.host->drain();
  machine.end();
  kernel.active = nullptr;
  record(kind, process.node(), payload, flight == nullptr ? nullptr : &flight->frame);
  if (flight != nullptr) network.release(flight);
  if (!verdicts_.empty()) settle();
  return true;
}

bool World::Impl::run_disk(Process& process, const QueuedEvent& event, uint64_t& payload) {
  Machine& machine = process.machine();
  DiskCall* const call = machine.disk().complete(event.payload.number);
  if (call == nullptr) return false;
  payload = hash_bytes(call->bytes.view(), mix(static_cast<uint64_t>(call->kind), call->number));
  if (call->failed) payload = mix(payload, static_cast<uint64_t>(call->error.code));
  for (const std::string& name : call->names) payload = hash_bytes(name, payload);
  if (kernel.observer != nullptr) kernel.observer->on_disk(kernel.now, process.node(), *call);
  machine.begin(call->bytes.size());
  call->complete();
  return true;
}

void World::Impl::run_action(const QueuedEvent& event) {
  const std::unique_ptr<Action> action(static_cast<Action*>(event.payload.subject));
  action->run();
  record(EventKind::kAction, kNoNode, hash_bytes(action->label), nullptr);
  if (!verdicts_.empty()) settle();
}

inline void World::Impl::record(EventKind kind, NodeId node, uint64_t payload, const Frame* frame) {
  kernel.fingerprint.add(kernel.now, node, static_cast<uint32_t>(kind), payload);
  if (++kernel.counters.events >= watch_at_) tell_watchers(kind, node, payload, frame);
}

void World::Impl::tell_watchers(EventKind kind, NodeId node, uint64_t payload, const Frame* frame) {
  const uint64_t events = kernel.counters.events;
  const uint64_t hash = kernel.fingerprint.value();
  if (event_sink) event_sink({events, kernel.now, kind, node, payload, hash, frame});
  if (checkpoint_every != 0 && events % checkpoint_every == 0)
    checkpoint_sink({events, kernel.now, hash});
  watch_from_here();
}

void World::Impl::watch_from_here() {
  const uint64_t events = kernel.counters.events;
  watch_at_ = ~uint64_t{0};
  if (checkpoint_every != 0) watch_at_ = (events / checkpoint_every + 1) * checkpoint_every;
  if (event_sink) watch_at_ = events + 1;
}

void World::Impl::start(Process& process) {
  CHECK(kernel.active == nullptr && process.host == nullptr);
  process.machine().powered = true;
  ++process.incarnation;
  process.host = std::make_unique<SimHost>(kernel, process, network, *this);
  process.machine().schedule(kernel.now, EventKind::kStart, nullptr, process.incarnation);
  if (kernel.observer != nullptr)
    kernel.observer->on_start(kernel.now, process.node(), process.incarnation);
}

// The order matters: the disk settles its calls while their frames still stand; frames leave the
// machine's line; what is left in it is frames of the network.
void World::Impl::stop(Process& process, std::string_view why, bool told) {
  CHECK(kernel.active == nullptr && process.host != nullptr);
  Machine& machine = process.machine();
  process.host->set_dead();
  Draw draw = kernel.draw(Purpose::kDied, machine.id(), static_cast<uint64_t>(kernel.now));
  machine.disk().process_died(draw);
  process.host->destroy_frames();
  process.host.reset();
  network.process_stopped(process, told);
  for (const QueuedEvent& event : machine.stop())
    if (event.payload.tag == tag_of(EventKind::kFrame))
      network.drop(static_cast<SimNetwork::Flight*>(event.payload.subject), why);
  ++kernel.counters.kills;
  if (kernel.observer != nullptr) kernel.observer->on_stop(kernel.now, process.node(), why);
}

void World::Impl::fault(const std::string& what) {
  if (kernel.observer != nullptr) kernel.observer->on_fault(kernel.now, what);
}

void World::Impl::process_ended(Process& process, std::string_view why) {
  verdicts_.push_back({&process, process.incarnation, std::string(why), nullptr, false});
}

void World::Impl::probe_reached(Process& process, std::string_view name) {
  if (kernel.observer != nullptr)
    kernel.observer->on_probe(process.machine().true_now(), process.node(), name);
  for (std::size_t i = 0; i < probe_faults.size(); ++i) {
    ProbeFault& fault = probe_faults[i];
    if (fault.probe != name || (fault.node != kNoNode && fault.node != process.node())) continue;
    if (!fault.lives) process.host->set_dead();
    verdicts_.push_back(
        {&process, process.incarnation, "crash", std::move(fault.action), fault.lives});
    probe_faults.erase(probe_faults.begin() + static_cast<std::ptrdiff_t>(i));
    return;
  }
}

// Actions may cause more: a power loss ends other processes, never one whose code runs.
void World::Impl::settle() {
  for (std::size_t i = 0; i < verdicts_.size(); ++i) {
    const Verdict verdict = std::move(verdicts_[i]);
    if (verdict.action) {
      fault("probe's fault at node " + std::to_string(verdict.process->node()));
      verdict.action(verdict.process->node());
    }
    Process& process = *verdict.process;
    if (!verdict.lives && process.host != nullptr && process.incarnation == verdict.incarnation)
      stop(process, verdict.why, true);
  }
  verdicts_.clear();
}

}  // namespace ringside::sim
