// The weather itself: how it begins, turns and ends, what it adds up to for each connection, and
// what happens there when that changes.
#include <algorithm>
#include <string>
#include <utility>

#include "sim/connection.h"
#include "sim/machine.h"
#include "sim/process.h"
#include "sim/sim_network.h"

namespace ringside::sim {
namespace {

using Kind = LinkWeather::Kind;

uint64_t hash_machines(const std::vector<bool>& members, uint64_t seed) {
  for (std::size_t i = 0; i < members.size(); ++i)
    if (members[i]) seed = mix(seed, i);
  return mix(seed, members.size());
}

std::string called(uint64_t id) { return "weather " + std::to_string(id); }

}  // namespace

void SimNetwork::Conditions::Sum::add(const ActiveWeather& weather) {
  const LinkWeather& spec = weather.spec;
  ++weathers;
  switch (spec.kind) {
    case Kind::kCut: silence = "cut"; break;
    case Kind::kRefuse: refuses = true; break;
    case Kind::kLookupFails: lookup_fails = true; break;
    case Kind::kClog: clogged = true; break;
    case Kind::kHalfOpen: half_open = true; break;
    case Kind::kSlow:
      slower *= spec.slower;
      longer.push_back(&weather);
      break;
    case Kind::kLossy:
      loss = either(loss, spec.loss);
      duplication = either(duplication, spec.duplication);
      corruption = either(corruption, spec.corruption);
      break;
    case Kind::kNarrow: narrow = narrower(narrow, spec.bandwidth_bytes_per_second); break;
    case Kind::kFlap:
      if (weather.down && silence.empty()) silence = "flap";
      break;
    case Kind::kResetStorm: break;  // its alarms do it
  }
}

uint64_t SimNetwork::begin_weather(const LinkWeather& spec) {
  CHECK(kernel_.active == nullptr);
  CHECK(validate(spec, topology_).ok());
  const uint64_t id = ++weathers_begun_;
  const auto at = weathers_.try_emplace(weathers_.end(), id, id, topology_.machines(), spec);
  ActiveWeather& weather = at->second;
  weather.identity = mix(static_cast<uint64_t>(spec.kind) << 1 | (spec.both_ways ? 1 : 0),
                         static_cast<uint64_t>(kernel_.now));
  weather.identity = hash_machines(weather.to, hash_machines(weather.from, weather.identity));
  // Twins that begin together differ by which is the first.
  for (const auto& [other_id, other] : weathers_)
    if (other_id != id && other.identity == weather.identity)
      weather.identity = mix(weather.identity);
  tell(called(id) + " begins: " + describe(spec, topology_));
  weather_changed(&weather);
  if (spec.kind == Kind::kFlap) set(weather.alarms.emplace_back(weather, nullptr));
  if (spec.kind == Kind::kResetStorm)
    for (auto& row : connections_)
      for (std::unique_ptr<Connection>& link : row)
        if (link != nullptr && weather.covers(*link))
          set(weather.alarms.emplace_back(weather, link.get()));
  return id;
}

bool SimNetwork::end_weather(uint64_t id) {
  CHECK(kernel_.active == nullptr);
  const auto ended = weathers_.extract(id);
  if (ended.empty()) return false;
  const ActiveWeather& weather = ended.mapped();
  for (const Alarm& alarm : weather.alarms) kernel_.queue.cancel(alarm.handle);
  tell(called(id) + " ends: " + describe(weather.spec, topology_));
  weather_changed(&weather);
  return true;
}

bool SimNetwork::clear_weather() {
  CHECK(kernel_.active == nullptr);
  if (weathers_.empty()) return false;
  const Weathers ended = std::exchange(weathers_, {});
  for (const auto& [id, weather] : ended)
    for (const Alarm& alarm : weather.alarms) kernel_.queue.cancel(alarm.handle);
  tell("all weather ends");
  weather_changed(nullptr);
  return true;
}

void SimNetwork::set(Alarm& alarm) {
  const ActiveWeather& weather = alarm.weather;
  const LinkWeather& spec = weather.spec;
  const bool flap = alarm.connection == nullptr;
  Draw draw =
      flap ? kernel_.draw(Purpose::kFlap, weather.identity, alarm.rung)
           : Draw::of(alarm.connection->draw_key, Purpose::kResets, weather.identity, alarm.rung);
  ++alarm.rung;
  const Duration mean = !flap ? spec.reset_mean : weather.down ? spec.down_mean : spec.up_mean;
  const uint64_t order = draw.next();
  const Duration wait = Distribution::exponential(static_cast<double>(mean))->sample(draw);
  alarm.handle = kernel_.queue.insert(kernel_.now + std::max<Duration>(wait, 1), order,
                                      {&alarm, {weather.id}, 0, tag_of(EventKind::kWeather)});
}

bool SimNetwork::weather_turns(const EventPayload& event, uint64_t& content) {
  Alarm& alarm = *static_cast<Alarm*>(event.subject);
  ActiveWeather& weather = alarm.weather;
  if (alarm.connection == nullptr) {
    weather.down = !weather.down;
    content = mix(weather.identity, alarm.rung);
    tell(called(weather.id) + (weather.down ? " turns: down" : " turns: up"));
    weather_changed(&weather);
    set(alarm);
    return true;
  }
  Connection& link = *alarm.connection;
  if (link.bound == 0 || link.is_torn() || !link.sender.alive()) {
    link.weather->asleep.push_back(&alarm);
    return false;
  }
  set(alarm);
  content = mix(weather.identity, uint64_t{link.sender.node()} << 32 | link.receiver.node());
  tell(called(weather.id) + " resets the connection from node " +
       std::to_string(link.sender.node()) + " to node " + std::to_string(link.receiver.node()));
  tear(link);
  return true;
}

// A connection that is made while weathers are on.
void SimNetwork::meet_weather(Connection& fresh) {
  sum_up(fresh);
  for (auto& [id, weather] : weathers_)
    if (weather.spec.kind == Kind::kResetStorm && weather.covers(fresh))
      set(weather.alarms.emplace_back(weather, &fresh));
}

void SimNetwork::sum_up(Connection& link) const {
  Conditions::Sum sum;
  for (const auto& [id, weather] : weathers_)
    if (weather.covers(link)) sum.add(weather);
  if (sum.weathers == 0 && link.weather == nullptr) return;
  if (link.weather == nullptr) link.weather = std::make_unique<Conditions>();
  link.weather->sum = std::move(sum);
  std::erase_if(link.weather->asleep,
                [&](Alarm* alarm) { return !weathers_.contains(alarm->weather.id); });
}

// All sums first: what happens on one connection asks how the way back is.
void SimNetwork::weather_changed(const ActiveWeather* weather) {
  struct Change {
    Connection* link;
    bool clogged, half_open;
    uint64_t narrow;
  };
  std::vector<Change> changes;
  for (auto& row : connections_) {
    for (std::unique_ptr<Connection>& link : row) {
      if (link == nullptr || (weather != nullptr && !weather->covers(*link))) continue;
      Change change{link.get(), false, false, 0};
      if (link->weather != nullptr) {
        const Conditions::Sum& before = link->weather->sum;
        change = {link.get(), before.clogged, before.half_open, before.narrow};
      }
      sum_up(*link);
      if (link->weather != nullptr) changes.push_back(change);
    }
  }
  for (const Change& before : changes) {
    Connection& link = *before.link;
    const Conditions::Sum& sum = link.weather->sum;
    if (before.half_open && !sum.half_open) end_half_open(link);
    if (before.clogged && !sum.clogged) end_clog(link);
    if (before.clogged != sum.clogged || before.narrow != sum.narrow)
      leave_by_new_rules(link, narrower(link.link.bandwidth_bytes_per_second, before.narrow));
  }
  for (const Change& before : changes)
    if (before.link->weather->sum.weathers == 0) before.link->weather.reset();
}

void SimNetwork::tell(const std::string& what) const {
  if (kernel_.observer != nullptr) kernel_.observer->on_fault(kernel_.now, what);
}

}  // namespace ringside::sim
