#include "sim/world.h"

#include <algorithm>
#include <utility>

#include "sim/world_impl.h"

namespace ringside::sim {

const char* event_kind_name(EventKind kind) {
  switch (kind) {
    case EventKind::kTimer: return "timer";
    case EventKind::kFrame: return "frame";
    case EventKind::kDisk: return "disk";
    case EventKind::kStart: return "start";
    case EventKind::kAction: return "action";
    case EventKind::kPeerLost: return "peer_lost";
    case EventKind::kWritable: return "writable";
    case EventKind::kWeather: return "weather";
  }
  return "unknown";
}

World::World(WorldSpec spec) : impl_(std::make_unique<Impl>(std::move(spec))) {}
World::~World() = default;

void World::place(NodeId node, MachineId machine, Program program) {
  Machine& home = impl_->machine(machine);
  CHECK(home.process == nullptr);
  const auto index = static_cast<uint32_t>(impl_->processes.size());
  impl_->processes.push_back(std::make_unique<Process>(index, node, home, std::move(program)));
  home.process = impl_->processes.back().get();
  impl_->network.add(*home.process);
}

void World::start(NodeId node) { impl_->start(impl_->process(node)); }

void World::reseed(uint64_t seed) {
  CHECK(impl_->kernel.active == nullptr);
  impl_->kernel.seed = seed;
  impl_->network.reseed();
  for (const auto& machine : impl_->machines) machine->reseed();
  for (const auto& process : impl_->processes)
    if (process->host != nullptr) process->host->reseed();
}

void World::set_observer(Observer* observer) { impl_->kernel.observer = observer; }

void World::set_tracing(bool enabled) {
  impl_->kernel.tracing = enabled;
  for (const auto& process : impl_->processes)
    if (process->host != nullptr) process->host->set_tracing(enabled);
}

Time World::now() const { return impl_->kernel.now; }
bool World::step(Time until) { return impl_->run_one(until); }

void World::run_until(Time until) {
  while (impl_->run_one(until)) {
  }
  impl_->kernel.now = std::max(impl_->kernel.now, until);
}

bool World::idle() const { return impl_->kernel.queue.empty(); }
uint64_t World::events() const { return impl_->kernel.counters.events; }
uint64_t World::fingerprint() const { return impl_->kernel.fingerprint.value(); }
const Counters& World::counters() const { return impl_->kernel.counters; }

void World::checkpoint_every(uint64_t every, std::function<void(const Checkpoint&)> sink) {
  impl_->checkpoint_every = sink ? every : 0;
  impl_->checkpoint_sink = std::move(sink);
  impl_->watch_from_here();
}

void World::set_event_sink(std::function<void(const EventRecord&)> sink) {
  impl_->event_sink = std::move(sink);
  impl_->watch_from_here();
}

void World::at(Time when, std::string label, std::function<void()> action) {
  Kernel& kernel = impl_->kernel;
  CHECK(when >= kernel.now);
  const uint64_t order =
      kernel.draw(Purpose::kOrder, hash_bytes(label), static_cast<uint64_t>(when)).next();
  auto* const what = new Impl::Action{std::move(label), std::move(action)};
  kernel.queue.insert(when, order, {what, {0}, 0, tag_of(EventKind::kAction)});
}

bool World::running(NodeId node) const { return impl_->process(node).alive(); }
bool World::powered(MachineId machine) const { return impl_->machine(machine).powered; }
uint64_t World::incarnation(NodeId node) const { return impl_->process(node).incarnation; }

void World::crash(NodeId node) {
  Process& process = impl_->process(node);
  if (process.host == nullptr) return;
  impl_->fault("crash of node " + std::to_string(node));
  impl_->stop(process, "crash", true);
}

void World::power_loss(MachineId id) {
  Machine& machine = impl_->machine(id);
  if (!machine.powered) return;
  Kernel& kernel = impl_->kernel;
  impl_->fault("power loss of " + impl_->spec.topology.machine_name(id));
  if (machine.process != nullptr && machine.process->host != nullptr)
    impl_->stop(*machine.process, "power loss", false);
  machine.move_on();
  machine.powered = false;
  Draw draw = kernel.draw(Purpose::kPowerLoss, id, static_cast<uint64_t>(kernel.now));
  machine.disk().power_loss(draw);
}

void World::restart(NodeId node) {
  Process& process = impl_->process(node);
  if (process.host != nullptr) return;
  impl_->fault("restart of node " + std::to_string(node));
  impl_->start(process);
}

void World::on_probe(std::string probe, NodeId node, std::function<void(NodeId)> action,
                     bool lives) {
  impl_->probe_faults.push_back({std::move(probe), node, std::move(action), lives});
}

World::WeatherId World::begin_weather(const LinkWeather& weather) {
  return impl_->network.begin_weather(weather);
}
bool World::end_weather(WeatherId id) { return impl_->network.end_weather(id); }
bool World::clear_weather() { return impl_->network.clear_weather(); }

DiskImage World::image(NodeId node) const { return impl_->process(node).machine().disk().image(); }

void World::set_image(NodeId node, DiskImage image) {
  Process& process = impl_->process(node);
  CHECK(process.host == nullptr);
  process.machine().disk().set_image(std::move(image));
}

const Topology& World::topology() const { return impl_->spec.topology; }
MachineId World::machine_of(NodeId node) const { return impl_->process(node).machine().id(); }
uint64_t World::image_bytes(NodeId node) const {
  return impl_->process(node).machine().disk().image().memory_bytes();
}

}  // namespace ringside::sim
