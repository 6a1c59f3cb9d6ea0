#include "protocols/replication/dynamo/coordinator.h"

#include <algorithm>

namespace ringside {
namespace {

bool is_forward(Kind kind) {
  return kind == Kind::kForwardGetRequest || kind == Kind::kForwardPutRequest;
}

constexpr std::string_view kDynamoFaults =
    "any loss, delay, doubling and reordering of messages, crashes and power loss of every "
    "replica; disks lost or rolled back on at most W - 1 replicas of a key until they are "
    "repaired; clocks may do what they like";

}  // namespace

bool nothing_delivered(const Fanout& fanout) {
  return std::all_of(fanout.begin(), fanout.end(), [](const Fanout::Leg& leg) {
    return leg.state == Fanout::Leg::State::kFailed && surely_not(leg.status);
  });
}

std::string counted(const Gather& gather) {
  return std::to_string(gather.succeeded()) + " of " + std::to_string(gather.legs()) +
         " said yes, " + std::to_string(gather.failed()) + " no";
}

Dynamo::Dynamo(Rpc& rpc, Engine& engine, const Partitions& partitions, const RingView& view,
               DynamoOptions options, DynamoStats& stats)
    : rpc_(rpc),
      host_(rpc.host()),
      partitions_(partitions),
      view_(&view),
      options_(options),
      stats_(stats),
      replica_(rpc, engine, options_, stats),
      hints_(rpc, engine, replica_.versions(), options_, stats),
      delivery_(rpc, hints_, replica_, suspects_, view_, options_, stats),
      draws_(host_.random("dynamo.draws")),
      scope_(host_.ready()) {
  CHECK(options_.n > 0 && options_.r > 0 && options_.w > 0);
  CHECK(options_.r <= options_.n && options_.w <= options_.n);
  if (!options_.buffered_writes) return;
  buffer_.emplace(
      rpc, engine, replica_,
      [this](std::string_view key, std::string_view object) { pass_on(key, object); }, options_,
      stats);
}

Task<Result<void>> Dynamo::load() {
  Result<void> found = co_await hints_.load();
  if (found.ok()) delivery_.start();
  co_return found;
}

StrategyClaim Dynamo::claim() const {
  if (options_.versions == Versions::kLastWriterWins) {
    return {"dynamo",
            "replicas converge to the put with the latest time; with R + W > N a get after an "
            "acknowledged put sees it or a later one",
            "as with siblings, and clocks that differ by less than any two puts are apart: where "
            "they do not, acknowledged puts are lost"};
  }
  if (options_.buffered_writes) {
    return {"dynamo",
            "replicas converge; an acknowledged put may be lost when everyone who acknowledged it "
            "loses its memory",
            kDynamoFaults};
  }
  if (sloppy()) {
    return {"dynamo",
            "every acknowledged put is present or superseded by one that saw it, in replicas that "
            "converge, when the hints that were kept for them have arrived; concurrent puts are "
            "siblings",
            kDynamoFaults};
  }
  return {"dynamo",
          "every acknowledged put is present or superseded by one that saw it, in replicas that "
          "converge; concurrent puts are siblings; with R + W > N a get after an acknowledged put "
          "sees it",
          kDynamoFaults};
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
    if (get.hints) return hints_.get(get.key, ack);
    if (!partitions_.whole(Ring::position_of(get.key))) return refuse_unheld(request);
    ++stats_.replica_gets;
    get_here(get.key, ack);
  } else if (request.kind == Kind::kReplicaPutRequest) {
    ReplicaPutRequest put;
    if (!put.parse(request.body()) || !valid_key(put.key)) return refuse(request, Status::kInvalid);
    if (!partitions_.holds(Ring::position_of(put.key))) return refuse_unheld(request);
    ++stats_.replica_puts;
    merge_here(put, ack);
  } else if (request.kind == Kind::kHintedPutRequest) {
    HintedPutRequest put;
    if (!put.parse(request.body()) || !valid_key(put.key)) return refuse(request, Status::kInvalid);
    keep_hint(put, ack);
  }
}

void Dynamo::get_here(std::string_view key, const Ack& ack) {
  if (buffer_) {
    buffer_->get(key, ack);
  } else {
    replica_.get(key, ack);
  }
}

void Dynamo::merge_here(const ReplicaPutRequest& put, const Ack& ack) {
  if (buffer_ && !put.durable && buffer_->merge(put.key, put.object, ack)) return;
  replica_.merge(put.key, put.object, ack);
}

void Dynamo::keep_hint(const HintedPutRequest& put, const Ack& ack) {
  hints_.keep(put.key, put.object, put.intended, ack);
  delivery_.start(put.intended);
}

// As a hint for one that is home now; what it merges reaches the others by repair.
void Dynamo::pass_on(std::string_view key, std::string_view object) {
  for (const NodeId home : view_->write_homes(Ring::position_of(key), options_.n)) {
    if (home == rpc_.self()) continue;
    keep_hint(HintedPutRequest{key, object, home}, Ack{});
    return;
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

// What was handed on is not handed on again: two nodes may see different members.
bool Dynamo::may_coordinate(std::string_view key, Kind kind) const {
  if (is_forward(kind)) return true;
  const bool at_home = view_->is_read_home(Ring::position_of(key), rpc_.self(), options_.n);
  if (options_.coordinate == Coordinate::kNonReplica) {
    return !at_home || view_->reads().preference(key).size() <= options_.n;
  }
  return at_home || kind == Kind::kClientGetRequest;
}

// Where a request may be handed on to, the least suspected first; with a sloppy quorum, where this
// node can coordinate itself, only those that are not suspected.
Dynamo::Peers Dynamo::candidates(std::string_view key) const {
  const std::span<const NodeId> list = view_->reads().preference(key);
  const std::size_t n = std::min<std::size_t>(options_.n, list.size());
  const auto part = options_.coordinate == Coordinate::kReplica ? list.first(n) : list.subspan(n);
  Peers peers;
  const Time now = host_.clock().now();
  for (const bool suspects : {false, true}) {
    if (suspects && sloppy() && options_.coordinate == Coordinate::kReplica) break;
    for (const NodeId peer : part) {
      if (peer != rpc_.self() && suspects_.suspected(peer, now) == suspects) peers.push_back(peer);
    }
  }
  return peers;
}

Time Dynamo::deadline_of(const Request& request) const {
  return std::min(request.deadline, host_.clock().now() + options_.request_timeout);
}

void Dynamo::note_silence(const Fanout& fanout) {
  const Time now = host_.clock().now();
  for (const Fanout::Leg& leg : fanout) {
    if (leg.answered_by == kNoNode && leg.peer != rpc_.self()) suspects_.silent(leg.peer, now);
  }
}

// Before the operation is over: who has not answered may still do so in time.
void Dynamo::note_answers(const Fanout& fanout, Duration patience) {
  const Time now = host_.clock().now();
  for (const Fanout::Leg& leg : fanout) {
    if (leg.peer == rpc_.self() || leg.state == Fanout::Leg::State::kIdle) continue;
    if (leg.answered_by != kNoNode) {
      if (suspects_.any()) suspects_.heard(leg.peer);
    } else if (leg.state == Fanout::Leg::State::kFailed || now - leg.asked >= patience) {
      suspects_.silent(leg.peer, now);
    }
  }
}

bool Dynamo::by_stand_ins(const Fanout& fanout, const Seats& seats) const {
  const auto homes = std::count_if(fanout.begin(), fanout.end(), [&](const Fanout::Leg& leg) {
    return leg.state == Fanout::Leg::State::kOk && seats.has(leg.peer);
  });
  return homes < static_cast<std::ptrdiff_t>(seats.needed);
}

// Hands a client's request to a node that may coordinate it, and the answer back. The next one is
// asked when the one before did nothing, and also when it stays silent: the operation's id makes a
// second version of the put harmless. When nobody is left, a sloppy quorum is coordinated here.
Task<void> Dynamo::forward(Request request, std::string key) {
  ++stats_.forwards;
  const bool is_get = request.kind == Kind::kClientGetRequest;
  const Kind kind = is_get ? Kind::kForwardGetRequest : Kind::kForwardPutRequest;
  const Time deadline = deadline_of(request);
  const Peers peers = candidates(key);
  const bool may_stay = sloppy() && options_.coordinate == Coordinate::kReplica;
  Status status = is_get ? Status::kFailed : Status::kUnavailable;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const Time now = host_.clock().now();
    const bool last = i + 1 == peers.size() && !may_stay;
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
  if (!may_stay || host_.clock().now() >= deadline) {
    refuse(request, status);
    co_return;
  }
  host_.trace().probe("dynamo.coordinated_by_no_home");
  request.deadline = deadline;
  if (is_get) {
    co_await coordinate_get(std::move(request));
  } else {
    co_await coordinate_put(std::move(request), status == Status::kUnknown);
  }
}

}  // namespace ringside
