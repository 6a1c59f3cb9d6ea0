#include "sim/sim_network.h"

#include <algorithm>
#include <utility>

#include "sim/connection.h"
#include "sim/machine.h"
#include "sim/process.h"

namespace ringside::sim {
SimNetwork::SimNetwork(Kernel& kernel, const Topology& topology, const NetworkModel& model)
    : kernel_(kernel), topology_(topology), model_(model) {
  for (const NetworkModel::KindLatency& entry : model_.by_kind) {
    if (entry.kind >= latency_by_kind_.size()) {
      latency_by_kind_.resize(entry.kind + 1u);
      latency_between_regions_.resize(entry.kind + 1u);
    }
    latency_by_kind_[entry.kind] = latency_between_regions_[entry.kind] = &entry.latency;
    if (entry.between_regions == 0) continue;
    shifted_.push_back(
        std::make_unique<const Distribution>(entry.latency.shifted(entry.between_regions)));
    latency_between_regions_[entry.kind] = shifted_.back().get();
  }
}

SimNetwork::~SimNetwork() = default;

void SimNetwork::add(Process& process) {
  const NodeId node = process.node();
  auto& place = node >= kFirstClient ? clients_ : nodes_;
  const std::size_t at = node >= kFirstClient ? node - kFirstClient : node;
  CHECK(at < kFirstClient);
  if (at >= place.size()) place.resize(at + 1);
  CHECK(place[at] == nullptr);
  CHECK(process.index() == processes_.size());
  place[at] = &process;
  processes_.push_back(&process);
  connections_.emplace_back();
}

Process* SimNetwork::find(NodeId node) const {
  const auto& place = node >= kFirstClient ? clients_ : nodes_;
  const std::size_t at = node >= kFirstClient ? node - kFirstClient : node;
  return at < place.size() ? place[at] : nullptr;
}

inline SimNetwork::Connection& SimNetwork::connection(Process& from, Process& to) {
  if (reply_ != nullptr && &reply_->sender == &from && &reply_->receiver == &to) return *reply_;
  return connection_of(from, to);
}

SimNetwork::Connection& SimNetwork::connection_of(Process& from, Process& to) {
  auto& row = connections_[from.index()];
  if (row.size() <= to.index()) row.resize(processes_.size());
  std::unique_ptr<Connection>& place = row[to.index()];
  if (place != nullptr) return *place;
  const MachineId a = from.machine().id();
  const MachineId b = to.machine().id();
  place =
      std::make_unique<Connection>(from, to, topology_.link(a, b), model_.loss, draw_key(from, to));
  place->between_regions = topology_.link_class(a, b) == LinkClass::kCrossRegion;
  const auto& other = connections_[to.index()];
  if (from.index() < other.size() && other[from.index()] != nullptr) {
    place->back = other[from.index()].get();
    place->back->back = place.get();
  }
  if (!weathers_.empty()) meet_weather(*place);
  return *place;
}

uint64_t SimNetwork::draw_key(Process& from, Process& to) const {
  return kernel_.draw(Purpose::kLink, from.machine().id(), to.machine().id()).next();
}

void SimNetwork::reseed() {
  for (const auto& row : connections_) {
    for (const auto& link : row)
      if (link != nullptr) link->draw_key = draw_key(link->sender, link->receiver);
  }
}

// Background frames are counted for good; those of operations as long as Repeats remembers.
inline uint32_t SimNetwork::nth(Connection& link, const Frame& frame) {
  if (frame.operation != 0)
    return repeats_.count(frame.operation, mix(mix(link.draw_key, frame.operation), frame.kind));
  for (auto& [kind, count] : link.background)
    if (kind == frame.kind) return count++;
  link.background.emplace_back(frame.kind, 1);
  return 0;
}

bool SimNetwork::send(Process& from, Frame& frame) {
  frame.from = from.node();
  CHECK(frame.bytes.size() <= kFrameBytesMax);
  Process* const to = find(frame.to);
  if (to == nullptr) {
    lost(frame, "nobody");
    return true;
  }
  Connection& link = connection(from, *to);
  const uint64_t bytes = size_of(frame);
  if (!link.has_room(bytes, model_.window_bytes)) {
    link.wanted = bytes;
    return false;
  }
  Machine& machine = from.machine();
  machine.charge_bytes(frame.bytes.size());
  ++kernel_.counters.frames_sent;
  kernel_.counters.frame_bytes += frame.bytes.size();
  if (kernel_.observer != nullptr) kernel_.observer->on_send(machine.true_now(), frame);

  // Counted also when it is lost, so that a cut moves no later frame.
  const uint64_t like_it = uint64_t{frame.kind} << 32 | nth(link, frame);
  const uint64_t key = mix(link.draw_key + frame.operation * 0xd6e8feb86659fd93ULL, like_it);
  if (link.weather != nullptr) [[unlikely]] {
    send_in_weather(link, std::move(frame), key);
    return true;
  }
  if (link.loss > 0 && Draw::of(key, Purpose::kLoss).chance(link.loss)) {
    lost(frame, "loss");
    return true;
  }
  const uint64_t hash = hash_of(frame);
  if (model_.duplication > 0 && Draw::of(key, Purpose::kDuplicate).chance(model_.duplication)) {
    ++kernel_.counters.frames_duplicated;
    dispatch(link, Frame(frame), hash, mix(key, static_cast<uint64_t>(Purpose::kTwin)));
  }
  dispatch(link, std::move(frame), hash, key);
  return true;
}

inline void SimNetwork::dispatch(Connection& link, Frame&& frame, uint64_t hash, uint64_t key) {
  Draw draw(key);
  const uint64_t order = draw.next();
  Time departure = link.sender.machine().true_now();
  if (const uint64_t bandwidth = link.link.bandwidth_bytes_per_second; bandwidth != 0)
    departure = link.pipe.take(departure, size_of(frame), bandwidth);
  Time arrival = departure + latency(link, frame.kind).sample(draw);
  if (model_.ordered) {
    arrival = std::max(arrival, link.last_arrival + 1);
    link.last_arrival = arrival;
  }
  schedule(arrival, order, board(link, std::move(frame), hash));
}

bool SimNetwork::arrives(Flight* flight) {
  Connection& link = *flight->connection;
  Process& to = link.receiver;
  if (link.weather != nullptr && !passes_weather(flight)) [[unlikely]]
    return false;
  const bool current_epoch = flight->epoch == link.epoch;
  if (flight->epoch <= link.refused_through) {
    if (current_epoch) report(link, kernel_.now, false);  // torn, and the sender may not know
    return drop(flight, flight->epoch == link.torn ? "reset" : "refused"), false;
  }
  if (!to.machine().powered) return drop(flight, "no power"), false;
  const uint32_t bound =
      flight->expected != 0 ? flight->expected : (current_epoch ? link.bound : 0);
  const bool stranger = bound != 0 && bound != to.incarnation;
  const bool refuses = link.weather != nullptr && link.weather->sum.refuses;
  if (!to.alive() || stranger || refuses) {
    if (current_epoch) report(link, kernel_.now, false);
    const bool refused = bound == 0;
    return drop(flight, refused ? "refused" : "reset"), false;
  }
  if (current_epoch) link.bound = static_cast<uint32_t>(to.incarnation);
  reply_ = link.back;
  if (reply_ != nullptr) __builtin_prefetch(&reply_->background);
  if (flight->frame.operation != 0) repeats_.prefetch(flight->frame.operation);
  return true;
}

void SimNetwork::release(Flight* flight) {
  free_window(*flight->connection, *flight);
  recycle(flight);
}

void SimNetwork::recycle(Flight* flight) {
  flight->frame.bytes = Buffer();
  free_flights_.push_back(flight);
}

void SimNetwork::drop(Flight* flight, std::string_view why) {
  lost(flight->frame, why);
  release(flight);
}

void SimNetwork::lost(const Frame& frame, std::string_view why) {
  ++kernel_.counters.frames_lost;
  if (kernel_.observer != nullptr) kernel_.observer->on_lost(kernel_.now, frame, why);
}

void SimNetwork::free_window(Connection& link, const Flight& flight) {
  if (flight.epoch != link.epoch) return;
  link.in_flight -= size_of(flight.frame);
  if (link.writers.empty() || link.waking || !link.has_room(link.wanted, model_.window_bytes))
    return;
  link.waking = true;
  link.sender.machine().schedule(kernel_.now, EventKind::kWritable, &link, link.epoch);
}

void SimNetwork::when_writable(Process& from, NodeId peer, Waiter& waiter) {
  Process* const to = find(peer);
  Connection* link = to == nullptr ? nullptr : &connection(from, *to);
  if (link == nullptr || link->has_room(link->wanted, model_.window_bytes)) {
    from.host->ready().push(waiter);
  } else {
    link->writers.push_back(waiter);
  }
}

void SimNetwork::wake_writers(Connection& link) {
  link.waking = false;
  while (Waiter* waiter = link.writers.pop_front()) link.sender.host->ready().push(*waiter);
}

bool SimNetwork::current(const Connection& link, uint64_t epoch) const {
  return link.epoch == epoch && link.sender.alive();
}

NodeId SimNetwork::peer(const Connection& link) const { return link.receiver.node(); }

void SimNetwork::report(Connection& link, Time since, bool both_ways) {
  if (link.reporting || !link.sender.alive()) return;
  Connection& back = connection(link.receiver, link.sender);
  if (back.silent()) return;
  const uint64_t key =
      mix(mix(link.draw_key, static_cast<uint64_t>(Purpose::kReport)), link.reports++);
  Draw draw(key);
  Duration way = in_weather(back, back.link.latency.sample(draw), key);
  if (both_ways) way += in_weather(link, link.link.latency.sample(draw), key);
  link.reporting = true;
  link.sender.machine().schedule(since + way, EventKind::kPeerLost, &link, link.epoch);
}

Code SimNetwork::lose_peer(Connection& link) {
  const Code why = link.bound != 0 || link.is_torn() ? Code::kReset : Code::kUnavailable;
  if (why == Code::kUnavailable) link.refused_through = link.epoch;
  if (why == Code::kReset) ++kernel_.counters.resets;
  link.end_epoch();
  wake_writers(link);
  return why;
}

void SimNetwork::process_stopped(Process& process, bool told) {
  for (std::unique_ptr<Connection>& link : connections_[process.index()])
    if (link != nullptr) link->end_epoch();
  if (!told) return;
  const uint32_t index = process.index();
  for (auto& row : connections_) {
    if (index >= row.size() || row[index] == nullptr) continue;
    Connection& link = *row[index];
    if (link.bound != 0 && link.bound == process.incarnation) report(link, kernel_.now, false);
  }
}

}  // namespace ringside::sim
