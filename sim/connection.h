// One direction between two processes, as the sender sees it: its window, its epoch (which a
// refusal or reset ends), the cuts that lie on it, and what its frames' draws are keyed by.
#pragma once

#include <utility>
#include <vector>

#include "absl/container/inlined_vector.h"
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
  Connection* back = nullptr;  // the other direction, once there is one
  const uint64_t draw_key;
  uint64_t in_flight = 0;        // bytes of this epoch
  uint32_t epoch = 1;            // never 0
  uint32_t refused_through = 0;  // frames of these epochs must not be delivered any more
  uint32_t bound = 0;            // the receiver's incarnation that this epoch reached; 0: none
  bool waking = false;           // a wake-up of the writers is due
  bool reporting = false;        // the sender will learn of this epoch's end
  uint32_t silent_cuts = 0;
  uint32_t refusing_cuts = 0;
  const double loss;
  absl::InlinedVector<std::pair<FrameKind, uint32_t>, 4>
      background;  // sent, of no operation, by kind

  List<Waiter> writers;
  uint64_t wanted = 0;  // size of the frame that the window had no room for
  uint64_t reports = 0;
  Time last_arrival = 0;  // of an ordered link
  Time pipe_free = 0;     // of a link with a bandwidth

  void end_epoch() {
    ++epoch;
    bound = 0;
    in_flight = 0;
    wanted = 0;
    waking = false;
    reporting = false;
  }
  bool cut() const { return silent_cuts + refusing_cuts > 0; }
  // A frame larger than the window passes when nothing else is in flight.
  bool has_room(uint64_t bytes, uint64_t window) const {
    return in_flight == 0 || in_flight + bytes <= window;
  }
};

struct SimNetwork::ActiveCut {
  std::vector<bool> from;  // by MachineId
  std::vector<bool> to;
  bool both_ways = true;
  bool refuse = false;

  bool covers(MachineId a, MachineId b) const {
    return (from[a] && to[b]) || (both_ways && from[b] && to[a]);
  }
};

}  // namespace ringside::sim
