// What weather does to frames: when they are sent, while they wait to leave, and when they come to
// their end. A share that weather adds to is one draw against both, so that frames which are lost
// in fair weather are lost in foul.
#include <algorithm>
#include <array>
#include <utility>

#include "sim/connection.h"
#include "sim/machine.h"
#include "sim/process.h"
#include "sim/sim_network.h"

namespace ringside::sim {
namespace {

constexpr Duration kLongestLatency = 1'000'000'000'000'000'000;  // as Distribution's
constexpr uint64_t kFlipsMax = 8;

// A copy, because the bytes are shared with whoever else sends them, with one to eight bits turned,
// each at most once (Floyd's sampling). At least one byte.
Buffer damaged(const Buffer& bytes, Draw draw) {
  Buffer copy = Buffer::copy_of(bytes.view());
  const uint64_t bits = uint64_t{bytes.size()} * 8;
  const uint64_t flips = 1 + draw.below(std::min(kFlipsMax, bits));
  std::array<uint64_t, kFlipsMax> chosen;
  for (uint64_t i = 0; i < flips; ++i) {
    const uint64_t last = bits - flips + i;
    const uint64_t drawn = draw.below(last + 1);
    const auto end = chosen.begin() + i;
    chosen[i] = std::find(chosen.begin(), end, drawn) == end ? drawn : last;
    copy.mutable_data()[chosen[i] / 8] ^= static_cast<char>(1 << chosen[i] % 8);
  }
  return copy;
}

}  // namespace

void SimNetwork::send_in_weather(Connection& link, Frame&& frame, uint64_t key) {
  const Conditions::Sum& sum = link.weather->sum;
  const Time now = link.sender.machine().true_now();
  if (!sum.silence.empty()) return lost(frame, sum.silence);
  if (sum.half_open) {
    const uint64_t hash = hash_of(frame);
    link.weather->swallowed.push_back(board(link, std::move(frame), hash));
    return;
  }
  if (sum.refuses) {
    lost(frame, "cut");
    return report(link, now, true);
  }
  if (sum.lookup_fails && !link.stands() && link.in_flight == 0) {
    lost(frame, "lookup");
    return report_lookup(link, now);
  }
  const double loss = either(link.loss, sum.loss);
  if (loss > 0 && Draw::of(key, Purpose::kLoss).chance(loss)) return lost(frame, "loss");
  const double duplication = either(model_.duplication, sum.duplication);
  if (duplication > 0 && Draw::of(key, Purpose::kDuplicate).chance(duplication)) {
    ++kernel_.counters.frames_duplicated;
    dispatch_in_weather(link, Frame(frame), mix(key, static_cast<uint64_t>(Purpose::kTwin)));
  }
  dispatch_in_weather(link, std::move(frame), key);
}

void SimNetwork::dispatch_in_weather(Connection& link, Frame&& frame, uint64_t key) {
  const Conditions::Sum& sum = link.weather->sum;
  Draw corrupt = Draw::of(key, Purpose::kCorrupt);
  if (sum.corruption > 0 && corrupt.chance(sum.corruption) && !frame.bytes.empty()) {
    ++kernel_.counters.frames_corrupted;
    frame.bytes = damaged(frame.bytes, corrupt);
  }
  const uint64_t hash = hash_of(frame);
  const uint64_t bytes = size_of(frame);
  const Time now = link.sender.machine().true_now();
  Flight* const flight = board(link, std::move(frame), hash);
  if (sum.clogged || sum.narrow != 0) return join_line(link, flight, key, now);
  const uint64_t rate = link.link.bandwidth_bytes_per_second;
  depart(link, flight, key, rate == 0 ? now : link.pipe.take(now, bytes, rate));
}

// As dispatch does it: the same draws in the same order.
EventQueue::Handle SimNetwork::depart(Connection& link, Flight* flight, uint64_t key,
                                      Time departure) {
  Draw draw(key);
  const uint64_t order = draw.next();
  const Duration usual = latency(link, flight->frame.kind).sample(draw);
  Time arrival = departure + in_weather(link, usual, key);
  if (model_.ordered) {
    arrival = std::max(arrival, link.last_arrival + 1);
    link.last_arrival = arrival;
  }
  return schedule(arrival, order, flight);
}

Duration SimNetwork::in_weather(const Connection& link, Duration usual, uint64_t key) const {
  if (link.weather == nullptr) return usual;
  const Conditions::Sum& sum = link.weather->sum;
  if (sum.slower != 1) {
    const double slow = static_cast<double>(usual) * sum.slower + 0.5;
    usual =
        slow < static_cast<double>(kLongestLatency) ? static_cast<Duration>(slow) : kLongestLatency;
  }
  for (const ActiveWeather* weather : sum.longer) {
    Draw draw = Draw::of(key, Purpose::kSlow, weather->identity);
    usual = std::min(kLongestLatency, usual + weather->spec.extra.sample(draw));
  }
  return usual;
}

void SimNetwork::join_line(Connection& link, Flight* flight, uint64_t key, Time ready) {
  std::deque<Leaving>& line = link.weather->line;
  while (!line.empty() && line.front().departure <= kernel_.now) line.pop_front();
  line.push_back({flight, key, ready, size_of(flight->frame), kNever, 0, {}, 0});
  find_place(link, line.back());
}

void SimNetwork::find_place(Connection& link, Leaving& leaving) {
  const Conditions::Sum& sum = link.weather->sum;
  leaving.pipe = link.pipe;
  leaving.last_arrival = link.last_arrival;
  leaving.departure = kNever;
  if (sum.clogged) return;
  const uint64_t rate = narrower(link.link.bandwidth_bytes_per_second, sum.narrow);
  const Time ready = std::max(leaving.ready, kernel_.now);
  leaving.departure = rate == 0 ? ready : link.pipe.take(ready, leaving.bytes, rate);
  leaving.arrival = depart(link, leaving.flight, leaving.key, leaving.departure);
}

// Whoever has not left gets a new place, in the old order; the first may be half out.
void SimNetwork::leave_by_new_rules(Connection& link, uint64_t rate_before) {
  Conditions& weather = *link.weather;
  std::deque<Leaving>& line = weather.line;
  while (!line.empty() && line.front().departure <= kernel_.now) line.pop_front();
  if (line.empty()) return;
  link.pipe = line.front().pipe;
  link.last_arrival = line.front().last_arrival;
  for (Leaving& leaving : line) {
    if (leaving.departure == kNever) continue;
    CHECK(kernel_.queue.cancel(leaving.arrival));
    if (rate_before != 0)
      leaving.bytes =
          std::min(leaving.bytes, Pipe::left(leaving.departure, kernel_.now, rate_before));
  }
  for (Leaving& leaving : line) find_place(link, leaving);
  if (!weather.sum.clogged && weather.sum.narrow == 0) line.clear();  // all have left
}

bool SimNetwork::passes_weather(Flight* flight) {
  Conditions& weather = *flight->connection->weather;
  if (!weather.sum.silence.empty()) {
    drop(flight, weather.sum.silence);
    return false;
  }
  if (weather.sum.half_open) {
    weather.swallowed.push_back(flight);
    return false;
  }
  if (weather.sum.clogged) {
    weather.caught.push_back(flight);
    return false;
  }
  for (Alarm* const alarm : std::exchange(weather.asleep, {})) set(*alarm);
  return true;
}

// They have come all the way and arrive now, before whatever else is due now.
void SimNetwork::end_clog(Connection& link) {
  uint64_t order = 0;
  for (Flight* const flight : link.weather->caught) schedule(kernel_.now, order++, flight);
  link.weather->caught.clear();
}

// The window stays as full as it is until the sender is told; when nobody will tell it, it opens.
void SimNetwork::end_half_open(Connection& link) {
  std::vector<Flight*>& swallowed = link.weather->swallowed;
  const bool of_this_epoch = std::any_of(swallowed.begin(), swallowed.end(), [&](Flight* flight) {
    return flight->epoch == link.epoch;
  });
  if (of_this_epoch) tear(link);
  for (Flight* const flight : swallowed) {
    lost(flight->frame, "half-open");
    if (!link.reporting) free_window(link, *flight);
    recycle(flight);
  }
  swallowed.clear();
}

void SimNetwork::tear(Connection& link) {
  link.refused_through = link.torn = link.epoch;
  report(link, kernel_.now, false);
}

// The answer comes from next door, as often as it is asked for.
void SimNetwork::report_lookup(Connection& link, Time since) {
  if (link.reporting) return;
  const Distribution& near = topology_.class_model(LinkClass::kSameRack).latency;
  Draw draw = Draw::of(link.draw_key, Purpose::kLookup, link.epoch);
  const Duration there = near.sample(draw);
  const Duration back = near.sample(draw);
  link.reporting = true;
  link.sender.machine().schedule(since + there + back, EventKind::kPeerLost, &link, link.epoch);
}

}  // namespace ringside::sim
