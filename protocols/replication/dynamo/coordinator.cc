#include "protocols/replication/dynamo/coordinator.h"

#include <algorithm>

namespace ringside {
namespace {

// An object as the replicas hold it, or what several of them make together. `object` views a
// reply's bytes, or `own` when no reply has it all.
struct Merged {
  bool found = false;
  bool agreed = true;
  std::string_view object;
  std::string own;
};

bool parse_reply(const Fanout::Leg& leg, GetReply& reply) {
  return leg.state == Fanout::Leg::State::kOk && reply.parse(leg.body());
}

// Objects that are none count as not there.
void merge_replies(const Versioning& versions, const Fanout& fanout, Merged& merged) {
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

// Whether it is sure that nobody has, or will have, what was sent.
bool nothing_delivered(const Fanout& fanout) {
  return std::all_of(fanout.begin(), fanout.end(), [](const Fanout::Leg& leg) {
    return leg.state == Fanout::Leg::State::kFailed && surely_not(leg.status);
  });
}

std::string counted(const Gather& gather) {
  return std::to_string(gather.succeeded()) + " of " + std::to_string(gather.legs()) +
         " said yes, " + std::to_string(gather.failed()) + " no";
}

std::string dot_text(Dot dot) {
  return "version " + std::to_string(dot.actor % 10'000) + ":" + std::to_string(dot.counter);
}

bool is_forward(Kind kind) {
  return kind == Kind::kForwardGetRequest || kind == Kind::kForwardPutRequest;
}

}  // namespace

Dynamo::Dynamo(Rpc& rpc, Engine& engine, const Partitions& partitions, const RingView& view,
               DynamoOptions options, DynamoStats& stats)
    : rpc_(rpc),
      host_(rpc.host()),
      partitions_(partitions),
      view_(&view),
      options_(options),
      replica_(rpc, engine, options_, stats),
      stats_(stats),
      scope_(host_.ready()) {
  CHECK(options_.n > 0 && options_.r > 0 && options_.w > 0);
  CHECK(options_.r <= options_.n && options_.w <= options_.n);
}

StrategyClaim Dynamo::claim() const {
  return {"dynamo",
          "every acknowledged put is present or superseded by one that saw it, in replicas that "
          "converge; concurrent puts "
          "are siblings; with R + W > N a get after an acknowledged put sees it",
          "any loss, delay, doubling and reordering of messages, crashes and power loss of every "
          "replica; disks lost or "
          "rolled back on at most W - 1 replicas of a key until they are repaired; clocks may do "
          "what they like"};
}

void Dynamo::read(Request request) {
  GetRequest get;
  if (!get.parse(request.body()) || !valid_key(get.key)) {
    refuse(request, Status::kInvalid);
  } else if (may_coordinate(get.key, request.kind)) {
    scope_.spawn(coordinate_get(std::move(request)));
  } else {
    scope_.spawn(forward(std::move(request), std::string(get.key)));
  }
}

void Dynamo::write(Request request) {
  PutRequest put;
  if (!put.parse(request.body()) || !valid_key(put.key) || put.value.size() > kValueBytesMax ||
      (put.tombstone && !put.value.empty()) || put.expires > uint64_t{kNever} ||
      request.operation == 0) {
    refuse(request, Status::kInvalid);
  } else if (may_coordinate(put.key, request.kind)) {
    scope_.spawn(coordinate_put(std::move(request)));
  } else {
    scope_.spawn(forward(std::move(request), std::string(put.key)));
  }
}

void Dynamo::message(Request request) {
  const Ack ack{request.from, request.kind, request.operation, request.call};
  if (request.kind == Kind::kReplicaGetRequest) {
    GetRequest get;
    if (!get.parse(request.body()) || !valid_key(get.key)) return refuse(request, Status::kInvalid);
    if (!partitions_.whole(Ring::position_of(get.key))) return refuse_unheld(request);
    ++stats_.replica_gets;
    replica_.get(get.key, ack);
  } else if (request.kind == Kind::kReplicaPutRequest) {
    ReplicaPutRequest put;
    if (!put.parse(request.body()) || !valid_key(put.key)) return refuse(request, Status::kInvalid);
    if (!partitions_.holds(Ring::position_of(put.key))) return refuse_unheld(request);
    ++stats_.replica_puts;
    replica_.merge(put.key, put.object, ack);
  }
}

bool Dynamo::valid_key(std::string_view key) const {
  return !key.empty() && key.size() <= kKeyBytesMax;
}

// Another view of the ring, an older or a newer one, has this node as a home of the range.
void Dynamo::refuse_unheld(const Request& request) {
  ++stats_.not_held;
  host_.trace().probe("dynamo.range_not_held");
  refuse(request, Status::kFailed);
}

std::span<const NodeId> Dynamo::home(std::string_view key) const {
  return view_->read_homes(Ring::position_of(key), options_.n);
}

// What was handed on is not handed on again: two nodes may see different members.
bool Dynamo::may_coordinate(std::string_view key, Kind kind) const {
  if (is_forward(kind)) return true;
  const bool at_home = view_->is_read_home(Ring::position_of(key), rpc_.self(), options_.n);
  if (options_.coordinate == Coordinate::kNonReplica) {
    return !at_home || view_->reads().preference(key).size() <= options_.n;
  }
  return at_home || kind == Kind::kClientGetRequest;
}

// Where a request may be handed on to, the least suspected first.
Dynamo::Peers Dynamo::candidates(std::string_view key) const {
  const std::span<const NodeId> list = view_->reads().preference(key);
  const std::size_t n = std::min<std::size_t>(options_.n, list.size());
  const auto part = options_.coordinate == Coordinate::kReplica ? list.first(n) : list.subspan(n);
  Peers peers;
  const Time now = host_.clock().now();
  for (const bool suspects : {false, true}) {
    for (const NodeId peer : part) {
      if (peer != rpc_.self() && suspects_.suspected(peer, now) == suspects) peers.push_back(peer);
    }
  }
  return peers;
}

Time Dynamo::deadline_of(const Request& request) const {
  return std::min(request.deadline, host_.clock().now() + options_.request_timeout);
}

bool Dynamo::is_leg(const Fanout& fanout) const {
  return std::any_of(fanout.begin(), fanout.end(),
                     [&](const Fanout::Leg& leg) { return leg.peer == rpc_.self(); });
}

void Dynamo::note_silence(const Fanout& fanout) {
  const Time now = host_.clock().now();
  for (const Fanout::Leg& leg : fanout) {
    if (leg.answered_by == kNoNode && leg.peer != rpc_.self()) suspects_.silent(leg.peer, now);
  }
}

// Hands a client's request to a node that may coordinate it, and the answer back. The next one is
// asked when the one before did nothing, and also when it stays silent: the operation's id makes a
// second version of the put harmless.
Task<void> Dynamo::forward(Request request, std::string key) {
  ++stats_.forwards;
  const bool is_get = request.kind == Kind::kClientGetRequest;
  const Kind kind = is_get ? Kind::kForwardGetRequest : Kind::kForwardPutRequest;
  const Time deadline = deadline_of(request);
  const Peers peers = candidates(key);
  Status status = is_get ? Status::kFailed : Status::kUnavailable;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const Time now = host_.clock().now();
    const bool last = i + 1 == peers.size();
    const Time until = last || deadline == kNever ? deadline : now + (deadline - now) / 2;
    Fanout fanout(rpc_, peers[i]);
    fanout.send(kind, request.operation, deadline, Buffer::copy_of(request.bytes.view()));
    co_await fanout.wait(1, until);
    const Fanout::Leg& leg = fanout[0];
    if (leg.answered_by != kNoNode) {
      suspects_.heard(peers[i]);
      rpc_.reply(request, leg.status, Buffer::copy_of(leg.bytes.view()));
      co_return;
    }
    note_silence(fanout);
    if (!is_get && !nothing_delivered(fanout)) status = Status::kUnknown;
  }
  refuse(request, status);
}

Task<void> Dynamo::coordinate_get(Request request) {
  ++stats_.gets;
  GetRequest get;
  CHECK(get.parse(request.body()));
  const Time deadline = deadline_of(request);
  Fanout fanout(rpc_, home(get.key));
  fanout.send(Kind::kReplicaGetRequest, request.operation, deadline, get.encode());
  if (is_leg(fanout)) {
    replica_.get(get.key,
                 Ack{rpc_.self(), Kind::kReplicaGetRequest, request.operation, fanout.call()});
  }
  const Gather::Outcome outcome = co_await fanout.wait(options_.r, deadline);
  if (outcome != Gather::Outcome::kReached) {
    ++stats_.gets_failed;
    log("get.failed", get.key, request.operation, [&] { return counted(fanout.gather()); });
    note_silence(fanout);
    refuse(request, Status::kFailed);
    co_return;
  }
  Merged merged;
  merge_replies(replica_.versions(), fanout, merged);
  if (!merged.agreed) ++stats_.siblings_returned;
  stats_.note_read(merged.found ? sibling_count(merged.object) : 0);
  log("get.answered", get.key, request.operation,
      [&] { return counted(fanout.gather()) + (merged.agreed ? ", alike" : ", merged"); });
  rpc_.reply(request, Status::kOk, GetReply{merged.found, merged.object, rpc_.self()}.encode());
  if (!options_.read_repair) co_return;
  const Gather& gather = fanout.gather();
  if (gather.outstanding() > 0) {
    co_await fanout.wait(gather.legs() - gather.failed(),
                         host_.clock().now() + options_.read_repair_wait);
    merge_replies(replica_.versions(), fanout, merged);
  }
  if (merged.found) repair(get.key, fanout, merged.object);
}

// Encodings are canonical, so other bytes mean another object.
void Dynamo::repair(std::string_view key, const Fanout& fanout, std::string_view merged) {
  for (const Fanout::Leg& leg : fanout) {
    GetReply reply;
    if (!parse_reply(leg, reply) || (reply.found && reply.object == merged)) continue;
    ++stats_.repairs;
    log("get.repairs", key, 0, [&] { return "node " + std::to_string(leg.peer); });
    host_.trace().probe("dynamo.read_repair");
    if (leg.peer == rpc_.self()) {
      replica_.merge(key, merged, Ack{});
    } else {
      rpc_.send(leg.peer, Kind::kReplicaPutRequest, 0, ReplicaPutRequest{key, merged}.encode());
    }
  }
}

Task<void> Dynamo::coordinate_put(Request request) {
  ++stats_.puts;
  PutRequest put;
  CHECK(put.parse(request.body()));
  const Time deadline = deadline_of(request);
  const LocalPut local{put.context,
                       put.value,
                       put.tombstone,
                       request.operation,
                       recent_.find(request.operation),
                       static_cast<Time>(put.expires)};
  const bool here = view_->is_read_home(Ring::position_of(put.key), rpc_.self(), options_.n);
  Applied applied;
  std::string own;
  if (home(put.key).size() < options_.w) {
    applied.status = Status::kUnavailable;
  } else if (!here) {
    applied = replica_.put_elsewhere(local, own);
  } else if (!replica_.put_now(put.key, local, applied)) {
    applied = co_await replica_.put_later(put.key, local);
  }
  if (applied.status != Status::kOk) {
    ++stats_.puts_failed;
    refuse(request, applied.status);
    co_return;
  }
  recent_.remember(request.operation, applied.made);
  log("put.versioned", put.key, request.operation, [&] { return dot_text(applied.made.dot); });

  Fanout fanout(rpc_, home(put.key));
  fanout.send(Kind::kReplicaPutRequest, request.operation, deadline,
              ReplicaPutRequest{put.key, applied.object}.encode());
  if (here) {
    replica_.acknowledge(
        applied, Ack{rpc_.self(), Kind::kReplicaPutRequest, request.operation, fanout.call()});
  }
  const Gather::Outcome outcome = co_await fanout.wait(options_.w, deadline);
  log(outcome == Gather::Outcome::kReached ? "put.acknowledged" : "put.unknown", put.key,
      request.operation, [&] { return counted(fanout.gather()); });
  if (outcome == Gather::Outcome::kReached) {
    const std::string covers = replica_.versions().context_after(put.context, applied.made);
    rpc_.reply(request, Status::kOk, PutReply{covers, rpc_.self()}.encode());
    co_return;
  }
  note_silence(fanout);
  if (!here && nothing_delivered(fanout)) {
    ++stats_.puts_failed;
    refuse(request, Status::kUnavailable);
  } else {
    ++stats_.puts_unknown;
    host_.trace().probe("dynamo.put_unknown");
    refuse(request, Status::kUnknown);
  }
}

}  // namespace ringside
