// One direction between two processes, as the sender sees it: its window, its epoch (which a
// refusal or reset ends), the weather that lies on it, and what its frames' draws are keyed by.
// Below it the few small things that frames need with weather and without.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "sim/conditions.h"
#include "sim/pipe.h"
#include "sim/process.h"
#include "sim/sim_network.h"

namespace ringside::sim {

struct alignas(64) SimNetwork::Connection {
  Connection(Process& the_sender, Process& the_receiver, const LinkModel& the_link,
             double loss_of_network, uint64_t key)
      : sender(the_sender),
        receiver(the_receiver),
        link(the_link),
        draw_key(key),
        loss(1 - (1 - loss_of_network) * (1 - the_link.loss)) {}

  // What every frame touches comes first, two cache lines.
  Process& sender;
  Process& receiver;
  const LinkModel& link;
  Connection* back = nullptr;    // the other direction, once there is one
  uint64_t draw_key;             // of the world's seed and the link
  uint64_t in_flight = 0;        // bytes of this epoch
  uint32_t epoch = 1;            // never 0
  uint32_t refused_through = 0;  // frames of these epochs must not be delivered any more
  uint32_t bound = 0;            // the receiver's incarnation that this epoch reached; 0: none
  bool waking = false;           // a wake-up of the writers is due
  bool between_regions = false;
  bool reporting = false;               // the sender will learn of this epoch's end
  std::unique_ptr<Conditions> weather;  // null: none
  const double loss;
  absl::InlinedVector<std::pair<FrameKind, uint32_t>, 4>
      background;  // sent, of no operation, by kind

  List<Waiter> writers;
  uint64_t wanted = 0;  // size of the frame that the window had no room for
  uint64_t reports = 0;
  Time last_arrival = 0;  // of an ordered link
  Pipe pipe;              // of a link with a bandwidth
  uint32_t torn = 0;      // the epoch that something on the way reset; 0: none

  void end_epoch() {
    ++epoch;
    bound = 0;
    in_flight = 0;
    wanted = 0;
    waking = false;
    reporting = false;
  }
  bool is_torn() const { return torn == epoch; }
  // A frame reached the peer, or one of the peer's reached this incarnation of the sender.
  bool stands() const {
    return bound != 0 || (back != nullptr && back->bound == sender.incarnation);
  }
  bool silent() const { return weather != nullptr && !weather->sum.silence.empty(); }
  // A frame larger than the window passes when nothing else is in flight.
  bool has_room(uint64_t bytes, uint64_t window) const {
    return in_flight == 0 || in_flight + bytes <= window;
  }
};

inline bool SimNetwork::ActiveWeather::covers(const Connection& link) const {
  const MachineId a = link.sender.machine().id();
  const MachineId b = link.receiver.machine().id();
  return (from[a] && to[b]) || (spec.both_ways && from[b] && to[a]);
}

inline constexpr uint64_t kFrameOverhead = 32;  // what an empty frame takes of the window

inline uint64_t size_of(const Frame& frame) { return frame.bytes.size() + kFrameOverhead; }

inline const Distribution& SimNetwork::latency(const Connection& link, FrameKind kind) const {
  const auto& by_kind = link.between_regions ? latency_between_regions_ : latency_by_kind_;
  if (kind < by_kind.size() && by_kind[kind] != nullptr) return *by_kind[kind];
  return link.link.latency;
}

inline uint64_t SimNetwork::hash_of(const Frame& frame) {
  const Buffer& bytes = frame.bytes;
  if (!bytes.empty() && (bytes.data() != hashed_.data() || bytes.size() != hashed_.size())) {
    hashed_value_ = hash_bytes(bytes.view());
    hashed_ = bytes;
  }
  return mix((bytes.empty() ? 0 : hashed_value_) ^ frame.operation,
             uint64_t{frame.from} << 16 | frame.kind);
}

// The frame as one that is on its way, in the window and in memory.
inline SimNetwork::Flight* SimNetwork::board(Connection& link, Frame&& frame, uint64_t hash) {
  Flight* flight;
  if (free_flights_.empty()) {
    flight = &flights_.emplace_back();
  } else {
    flight = free_flights_.back();
    free_flights_.pop_back();
  }
  link.in_flight += size_of(frame);
  flight->frame = std::move(frame);
  flight->connection = &link;
  flight->hash = hash;
  flight->epoch = link.epoch;
  flight->expected = link.bound;
  return flight;
}

inline EventQueue::Handle SimNetwork::schedule(Time arrival, uint64_t order, Flight* flight) {
  EventPayload payload{
      flight, {0}, flight->connection->receiver.index(), tag_of(EventKind::kFrame)};
  payload.hint = flight->frame.bytes.data();
  return kernel_.queue.insert(arrival, order, payload);
}

}  // namespace ringside::sim
