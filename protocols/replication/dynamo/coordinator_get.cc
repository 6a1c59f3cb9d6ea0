// Gets: R answers, merged; hedging, stand-ins and read repair.
#include <algorithm>

#include "protocols/replication/dynamo/coordinator.h"

namespace ringside {
namespace {

// An object as the replicas hold it, or what several of them make together. `object` views a
// reply's bytes, or `own` when no reply has it all.
struct MergedReplies {
  bool found = false;
  bool agreed = true;
  std::string_view object;
  std::string own;
};

bool parse_reply(const Fanout::Leg& leg, GetReply& reply) {
  return leg.state == Fanout::Leg::State::kOk && reply.parse(leg.body());
}

// Objects that are none count as not there.
void merge_replies(const Versioning& versions, const Fanout& fanout, MergedReplies& merged) {
  merged.found = false;
  merged.agreed = true;
  std::string both;
  for (const Fanout::Leg& leg : fanout) {
    GetReply reply;
    if (!parse_reply(leg, reply) || !reply.found) continue;
    if (!merged.found) {
      merged.found = true;
      merged.object = reply.object;
      continue;
    }
    if (merged.object == reply.object) continue;
    merged.agreed = false;
    switch (versions.merge(merged.object, reply.object, both)) {
      case Versioning::Merge::kFirst:
      case Versioning::Merge::kBadSecond: break;
      case Versioning::Merge::kSecond:
      case Versioning::Merge::kBadFirst: merged.object = reply.object; break;
      case Versioning::Merge::kBoth:
        std::swap(merged.own, both);
        merged.object = merged.own;
        break;
    }
  }
}

// The home whose answer came first; 0: none of them answered.
NodeId fastest_home(const Fanout& fanout, const Seats& seats) {
  const Fanout::Leg* first = nullptr;
  for (const Fanout::Leg& leg : fanout) {
    if (leg.state != Fanout::Leg::State::kOk || !seats.has(leg.peer)) continue;
    if (first == nullptr || leg.heard < first->heard) first = &leg;
  }
  return first == nullptr ? 0 : first->peer;
}

}  // namespace

void Dynamo::ask(Fanout& fanout, uint32_t seat, NodeId peer, bool hints, std::string_view key,
                 uint64_t operation, Time deadline) {
  fanout.add(peer, seat, Kind::kReplicaGetRequest, operation, deadline,
             GetRequest{key, hints}.encode());
  if (peer != rpc_.self()) return;
  const Ack ack{rpc_.self(), Kind::kReplicaGetRequest, operation, fanout.call()};
  if (hints) {
    hints_.get(key, ack);
  } else if (partitions_.whole(Ring::position_of(key))) {
    get_here(key, ack);
  } else {
    rpc_.settle_local(fanout.call(), Status::kFailed, encode_empty());
  }
}

// As many as are missing when those that are silent stay so: a home that answers is better than
// whoever stands in for it.
bool Dynamo::ask_stand_ins(Fanout& fanout, const Seats& seats, std::string_view key,
                           uint64_t operation, Time deadline, Duration patience) {
  const Time now = host_.clock().now();
  const uint64_t position = Ring::position_of(key);
  uint32_t hoped = 0;
  for (uint32_t seat = 0; seat < seats.homes.size(); ++seat) {
    const SeatState state = seat_state(fanout, seat, suspects_, now, patience);
    hoped += state == SeatState::kFilled || state == SeatState::kWaiting;
  }
  bool asked = false;
  for (uint32_t seat = 0; seat < seats.homes.size() && hoped < seats.needed; ++seat) {
    const SeatState state = seat_state(fanout, seat, suspects_, now, patience);
    if (state != SeatState::kSilent && state != SeatState::kVacant) continue;
    const NodeId peer = next_stand_in(*view_, position, seats, fanout, suspects_, now);
    if (peer == kNoNode) break;
    ++stats_.stand_ins_asked;
    host_.trace().probe("dynamo.stand_in_read");
    ask(fanout, seat, peer, true, key, operation, deadline);
    ++hoped;
    asked = true;
  }
  return asked;
}

Task<void> Dynamo::coordinate_get(Request request) {
  ++stats_.gets;
  GetRequest get;
  CHECK(get.parse(request.body()));
  const Time deadline = deadline_of(request);
  const uint64_t position = Ring::position_of(get.key);
  Seats seats = seats_to_read(*view_, position, options_.n, options_.r);
  if (options_.random_quorums) keep_random(seats, draws_);
  const Time began = host_.clock().now();
  auto asked = static_cast<uint32_t>(seats.homes.size());
  if (options_.hedge_after > 0 && asked > options_.r) {
    order_for_hedging(seats, rpc_.self(), suspects_, began);
    asked = options_.r;
  }
  Fanout fanout(rpc_, std::span<const NodeId>(seats.homes).first(asked));
  fanout.send(Kind::kReplicaGetRequest, request.operation, deadline, get.encode());
  const auto own = std::find(seats.homes.begin(), seats.homes.begin() + asked, rpc_.self());
  if (own != seats.homes.begin() + asked) {
    const Ack ack{rpc_.self(), Kind::kReplicaGetRequest, request.operation, fanout.call()};
    if (partitions_.whole(position)) {
      get_here(get.key, ack);
    } else {
      rpc_.settle_local(fanout.call(), Status::kFailed, encode_empty());
    }
  }
  const Duration patience = patience_of(options_, began, deadline);
  if (sloppy() && suspects_.any() && asked == seats.homes.size()) {
    ask_stand_ins(fanout, seats, get.key, request.operation, deadline, patience);
  }
  Gather::Outcome outcome = Gather::Outcome::kDeadline;
  for (;;) {
    const Time now = host_.clock().now();
    const bool holding_back = asked < seats.homes.size();
    Time until = deadline;
    if (holding_back) {
      until = std::min(until, began + options_.hedge_after);
    } else if (sloppy()) {
      until = std::min(until, next_silence(fanout, asked, patience, now));
    }
    const bool more = holding_back || sloppy();
    outcome = co_await fanout.wait(options_.r, until, more ? fanout.gather().failed() : ~0u);
    if (outcome == Gather::Outcome::kReached || !more) break;
    bool added = false;
    if (holding_back) {
      ++stats_.hedged_gets;
      host_.trace().probe("dynamo.get_hedged");
      for (; asked < seats.homes.size(); ++asked, added = true) {
        ask(fanout, asked, seats.homes[asked], false, get.key, request.operation, deadline);
      }
    } else {
      note_answers(fanout, patience);
      added = ask_stand_ins(fanout, seats, get.key, request.operation, deadline, patience);
    }
    if (!added && outcome == Gather::Outcome::kImpossible) break;
    if (host_.clock().now() >= deadline) break;
  }
  if (outcome != Gather::Outcome::kReached) {
    ++stats_.gets_failed;
    log("get.failed", get.key, request.operation, [&] { return counted(fanout.gather()); });
    note_silence(fanout);
    refuse(request, Status::kFailed);
    co_return;
  }
  if (sloppy() && suspects_.any()) note_answers(fanout, patience);
  if (by_stand_ins(fanout, seats)) ++stats_.sloppy_gets;
  MergedReplies merged;
  merge_replies(replica_.versions(), fanout, merged);
  if (!merged.agreed) ++stats_.siblings_returned;
  stats_.note_read(merged.found ? sibling_count(merged.object) : 0);
  log("get.answered", get.key, request.operation,
      [&] { return counted(fanout.gather()) + (merged.agreed ? ", alike" : ", merged"); });
  GetReply reply{merged.found, merged.object, rpc_.self()};
  if (options_.fastest_replier) reply.fastest = fastest_home(fanout, seats);
  rpc_.reply(request, Status::kOk, reply.encode());
  if (!options_.read_repair) co_return;
  const Gather& gather = fanout.gather();
  if (gather.outstanding() > 0) {
    co_await fanout.wait(gather.legs() - gather.failed(),
                         host_.clock().now() + options_.read_repair_wait);
    merge_replies(replica_.versions(), fanout, merged);
  }
  if (merged.found) repair(get.key, fanout, merged.object);
}

// Encodings are canonical, so other bytes mean another object. Who stands in keeps no object of its
// own to repair.
void Dynamo::repair(std::string_view key, const Fanout& fanout, std::string_view merged) {
  const uint64_t position = Ring::position_of(key);
  for (const Fanout::Leg& leg : fanout) {
    GetReply reply;
    if (!parse_reply(leg, reply) || (reply.found && reply.object == merged)) continue;
    if (!view_->is_read_home(position, leg.peer, options_.n)) continue;
    ++stats_.repairs;
    log("get.repairs", key, 0, [&] { return "node " + std::to_string(leg.peer); });
    host_.trace().probe("dynamo.read_repair");
    const ReplicaPutRequest put{key, merged};
    if (leg.peer == rpc_.self()) {
      merge_here(put, Ack{});
    } else {
      rpc_.send(leg.peer, Kind::kReplicaPutRequest, 0, put.encode());
    }
  }
}

}  // namespace ringside
