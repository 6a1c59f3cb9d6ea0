#include "protocols/replication/dynamo/hint_delivery.h"

#include <algorithm>
#include <utility>

#include "protocols/replication/dynamo/version.h"
#include "runtime/bug.h"

namespace ringside {
namespace {

constexpr Duration kFirstPause = 100 * kMillisecond;
constexpr Duration kLongestPause = 2 * kSecond;
constexpr Duration kShortestRest = kMillisecond;
constexpr uint64_t kRoundBytesMax = 256u << 10;

}  // namespace

// How fast one owner is served.
struct HintDelivery::Pace {
  uint32_t window = 1;
  Duration fastest = 0;
  Duration pause = kFirstPause;

  // After a round that was answered; how long to leave the owner alone then. A round that takes
  // half as long again as the fastest one is slow: others queue up there too.
  Duration took(Duration time, uint32_t most) {
    // The fastest is forgotten slowly, so that a link that got longer is not slow for ever.
    fastest = fastest == 0 ? time : std::min(time, fastest + fastest / 1024 + 1);
    const bool slow = 2 * time > 3 * fastest;
    window = slow ? std::max(window / 2, 1u) : std::min(window + 1, most);
    pause = kFirstPause;
    return std::max((slow ? 4 : 2) * time, kShortestRest);
  }
  void silence() {
    window = 1;
    pause = std::min(2 * pause, kLongestPause);
  }
};

HintDelivery::HintDelivery(Rpc& rpc, HintStore& store, Replica& replica, Suspects& suspects,
                           const RingView* const& view, const DynamoOptions& options,
                           DynamoStats& stats)
    : rpc_(rpc),
      host_(rpc.host()),
      store_(store),
      replica_(replica),
      suspects_(suspects),
      view_(view),
      options_(options),
      stats_(stats),
      random_(host_.random("dynamo.hints")),
      scope_(host_.ready()) {}

void HintDelivery::start() {
  for (const auto& [owner, hints] : store_.all()) start(owner);
}

void HintDelivery::start(NodeId owner) {
  if (store_.waiting_for(owner) > 0 && running_.insert(owner).second) {
    scope_.spawn(deliver(owner));
  }
}

Homes HintDelivery::targets(NodeId owner, uint64_t position) const {
  Homes homes = view_->write_homes(position, options_.n);
  if (std::find(homes.begin(), homes.end(), owner) != homes.end()) return {owner};
  return homes;
}

Task<void> HintDelivery::deliver(NodeId owner) {
  Pace pace;
  std::string cursor;
  // What made somebody stand in is seldom over at once.
  Duration rest = pace.pause;
  while (store_.waiting_for(owner) > 0) {
    // Not all stand-ins at the same moment.
    co_await host_.clock().sleep(
        rest / 2 + static_cast<Duration>(random_.below(static_cast<uint64_t>(rest) + 1)));
    if (!view_->now || view_->now->members().empty()) continue;  // nobody is known yet
    uint64_t bytes = 0;
    Round round = take(owner, cursor, pace.window, bytes);
    if (round.empty()) continue;  // at the end: from the beginning again
    if (admit_) co_await admit_(bytes);
    const Time began = host_.clock().now();
    const Came came = co_await finish(owner, round, began + options_.request_timeout);
    if (came == Came::kAll) {
      rest = pace.took(host_.clock().now() - began, std::max(options_.hints_in_flight_max, 1u));
    } else {
      ++stats_.hint_rounds_failed;
      if (came == Came::kNothing) pace.silence();
      rest = pace.pause;
    }
  }
  running_.erase(owner);
}

HintDelivery::Round HintDelivery::take(NodeId owner, std::string& cursor, uint32_t hints_max,
                                       uint64_t& bytes) {
  Round round;
  while (round.size() < hints_max && bytes < kRoundBytesMax) {
    const auto hints = store_.all().find(owner);
    if (hints == store_.all().end()) break;
    const auto next = hints->second.upper_bound(cursor);
    if (next == hints->second.end()) {
      if (round.empty()) cursor.clear();
      break;
    }
    cursor = next->first;
    Flight flight;
    flight.place = next->first;
    flight.turn = next->second.turn;
    bytes += next->second.bytes;
    round.push_back(std::move(flight));
  }
  return round;
}

// Planted: the value alone, as if it were put now.
std::string HintDelivery::reborn(std::string_view object) {
  Object kept, anew;
  if (!kept.decode(object)) return std::string(object);
  for (Version version : kept.siblings) {
    version.dot = {rpc_.self(), ++reborn_};
    anew.put({}, version);
  }
  return anew.encoded();
}

void HintDelivery::send(NodeId owner, Flight& flight, std::string_view object, Time deadline) {
  const std::string_view key = HintStore::key_at(flight.place);
  const Homes homes = targets(owner, HintStore::position_at(flight.place));
  std::string other;
  if (RINGSIDE_BUG(hint_resurrects_delete)) object = other = reborn(object);
  flight.fanout = std::make_unique<Fanout>(rpc_, homes);
  flight.fanout->send(Kind::kReplicaPutRequest, 0, deadline,
                      ReplicaPutRequest{key, object, true}.encode());
  if (std::find(homes.begin(), homes.end(), rpc_.self()) != homes.end()) {
    replica_.merge(key, object,
                   Ack{rpc_.self(), Kind::kReplicaPutRequest, 0, flight.fanout->call()});
  }
  if (homes.size() != 1 || homes[0] != owner) host_.trace().probe("hints.owner_is_no_home");
}

// Reads, sends and waits; deletes what every target has.
Task<HintDelivery::Came> HintDelivery::finish(NodeId owner, Round& round, Time deadline) {
  for (Flight& flight : round) {
    const Result<std::optional<std::string>> object =
        co_await store_.read(owner, std::string(flight.place));
    if (!object.ok() || !*object) continue;
    send(owner, flight, **object, deadline);
    if (RINGSIDE_BUG(hint_deleted_before_delivered)) {
      store_.remove(owner, flight.place, flight.turn);
    }
  }
  uint32_t sent = 0, delivered = 0;
  for (Flight& flight : round) {
    if (!flight.fanout) continue;
    ++sent;
    Fanout& fanout = *flight.fanout;
    const auto everyone = static_cast<uint32_t>(fanout.size());
    const Gather::Outcome outcome = co_await fanout.wait(everyone, deadline);
    const Time now = host_.clock().now();
    for (const Fanout::Leg& leg : fanout) {
      if (leg.answered_by != kNoNode) {
        suspects_.heard(leg.peer);
      } else if (outcome != Gather::Outcome::kReached) {
        suspects_.silent(leg.peer, now);
      }
    }
    if (everyone == 0 || outcome != Gather::Outcome::kReached) continue;
    ++delivered;
    if (!store_.remove(owner, flight.place, flight.turn)) continue;
    ++stats_.hints_delivered;
    host_.trace().probe("hints.delivered");
  }
  if (delivered == 0) co_return Came::kNothing;
  co_return delivered == sent ? Came::kAll : Came::kSome;
}

}  // namespace ringside
