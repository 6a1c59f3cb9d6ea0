#include "protocols/replication/dynamo/asking.h"

#include <algorithm>

namespace ringside {
namespace {

bool has_leg(const Fanout& fanout, NodeId node) {
  return std::any_of(fanout.begin(), fanout.end(),
                     [&](const Fanout::Leg& leg) { return leg.peer == node; });
}

// Whoever was asked last for the seat.
const Fanout::Leg* last_leg(const Fanout& fanout, uint32_t seat) {
  const Fanout::Leg* last = nullptr;
  for (const Fanout::Leg& leg : fanout) {
    if (leg.seat == seat) last = &leg;
  }
  return last;
}

}  // namespace

Seats seats_to_read(const RingView& view, uint64_t position, uint32_t n, uint32_t r) {
  const std::span<const NodeId> homes = view.read_homes(position, n);
  return {Homes(homes.begin(), homes.end()), r};
}

Seats seats_to_write(const RingView& view, uint64_t position, uint32_t n, uint32_t w) {
  Seats seats{view.write_homes(position, n), w};
  seats.needed += static_cast<uint32_t>(seats.homes.size() - view.read_homes(position, n).size());
  return seats;
}

void keep_random(Seats& seats, Random& random) {
  if (!seats.enough()) return;
  for (uint32_t i = 0; i < seats.needed; ++i) {
    const std::size_t other = i + random.below(seats.homes.size() - i);
    std::swap(seats.homes[i], seats.homes[other]);
  }
  seats.homes.resize(seats.needed);
}

void order_for_hedging(Seats& seats, NodeId self, const Suspects& suspects, Time now) {
  const auto rank = [&](NodeId node) {
    return node == self ? 0 : suspects.suspected(node, now) ? 2 : 1;
  };
  // Few enough for this; the order among equals stays.
  for (std::size_t i = 1; i < seats.homes.size(); ++i) {
    for (std::size_t j = i; j > 0 && rank(seats.homes[j]) < rank(seats.homes[j - 1]); --j) {
      std::swap(seats.homes[j], seats.homes[j - 1]);
    }
  }
}

SeatFill seat_fill(const Fanout& fanout, uint32_t seat, const Suspects& suspects, Time now,
                   Duration patience) {
  bool waiting = false;
  for (const Fanout::Leg& leg : fanout) {
    if (leg.seat != seat) continue;
    if (leg.state == Fanout::Leg::State::kOk) return SeatFill::kFilled;
    waiting = waiting || leg.state == Fanout::Leg::State::kWaiting;
  }
  const Fanout::Leg* last = last_leg(fanout, seat);
  if (last == nullptr || !waiting) return SeatFill::kVacant;
  if (last->state != Fanout::Leg::State::kWaiting) return SeatFill::kSilent;
  const bool silent = now - last->asked >= patience || suspects.suspected(last->peer, now);
  return silent ? SeatFill::kSilent : SeatFill::kWaiting;
}

Time next_silence(const Fanout& fanout, uint32_t seats, Duration patience, Time now) {
  Time next = kNever;
  for (uint32_t seat = 0; seat < seats; ++seat) {
    const Fanout::Leg* last = last_leg(fanout, seat);
    if (last == nullptr || last->state != Fanout::Leg::State::kWaiting || !last->counts) continue;
    if (last->asked + patience > now) next = std::min(next, last->asked + patience);
  }
  return next;
}

NodeId next_stand_in(const RingView& view, uint64_t position, const Seats& seats,
                     const Fanout& fanout, const Suspects& suspects, Time now) {
  for (const NodeId node : view.reads().preference_at(position)) {
    if (seats.has(node) || has_leg(fanout, node) || suspects.suspected(node, now)) continue;
    return node;
  }
  return kNoNode;
}

}  // namespace ringside
