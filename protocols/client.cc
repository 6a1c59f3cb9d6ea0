#include "protocols/client.h"

#include <algorithm>

#include "protocols/replication/dynamo/versioning.h"

namespace ringside {

// One attempt of an operation, and what came of it.
struct Client::Attempt {
  Kind kind;
  uint64_t operation;
  NodeId peer;
  Time deadline;
  Buffer message;

  bool answered = false;
  bool surely_nothing = false;
  Status status = Status::kUnknown;
  NodeId by = kNoNode;
  Buffer reply;
  std::string_view body() const { return reply.view().substr(kHeaderBytes); }
};

const char* outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::kOk: return "ok";
    case Outcome::kFailed: return "failed";
    case Outcome::kUnknown: return "unknown";
  }
  return "?";
}

Client::Client(Host& host, ClientOptions options)
    : host_(host),
      options_(std::move(options)),
      ring_(Rings::of(options_.rings, options_.members, options_.ring)),
      rpc_(host),
      random_(host.random("client")),
      poll_random_(host.random("client.poll")),
      next_poll_(host.clock().now() + options_.poll_every),
      scope_(host.ready()) {}

uint64_t Client::next_operation() { return uint64_t{rpc_.self()} << 32 | ++operations_; }

// The best node that has not been asked yet, by the routing; when all have been, they are asked
// again.
NodeId Client::choose(std::string_view key, uint32_t attempt, std::span<const NodeId> asked) {
  const std::span<const NodeId> list = ring_->preference(key);
  const std::size_t n = std::min<std::size_t>(options_.n, list.size());
  std::span<const NodeId> among = list;
  if (options_.routing == Routing::kCoordinator) among = list.first(n);
  if (options_.routing == Routing::kNonReplica && list.size() > n) among = list.subspan(n);
  // A random node to begin with; the coordinator's place in the list is its rank.
  const std::size_t start =
      options_.routing == Routing::kCoordinator ? attempt : random_.below(among.size());
  const Time now = host_.clock().now();
  const auto was_asked = [&](NodeId peer) {
    return std::find(asked.begin(), asked.end(), peer) != asked.end();
  };
  for (std::size_t i = 0; i < among.size(); ++i) {
    const NodeId peer = among[(start + i) % among.size()];
    if (!was_asked(peer) && !suspects_.suspected(peer, now)) return peer;
  }
  if (routes_by_ring()) {  // none of the first N: the next healthy ones may stand in for them
    for (const NodeId peer : list.subspan(n)) {
      if (!was_asked(peer) && !suspects_.suspected(peer, now)) return peer;
    }
  }
  for (std::size_t i = 0; i < among.size(); ++i) {
    const NodeId peer = among[(start + i) % among.size()];
    if (!was_asked(peer)) return peer;
  }
  return among[start % among.size()];
}

void Client::remember_fastest(std::string_view key, NodeId node) {
  if (!routes_by_ring() || node == 0) return;
  constexpr std::size_t kKeys = 256;
  if (fastest_.empty()) fastest_.resize(kKeys);
  const uint64_t position = Ring::position_of(key);
  fastest_[position % kKeys] = {position, node};
}

// kNoNode: it is not known, is no home any more, or did not answer lately.
NodeId Client::fastest_of(std::string_view key) const {
  if (fastest_.empty()) return kNoNode;
  const uint64_t position = Ring::position_of(key);
  const Fastest& fastest = fastest_[position % fastest_.size()];
  if (fastest.position != position || fastest.node == kNoNode) return kNoNode;
  const bool good = ring_->is_home(position, fastest.node, options_.n) &&
                    !suspects_.suspected(fastest.node, host_.clock().now());
  return good ? fastest.node : kNoNode;
}

void Client::poll_when_due() {
  if (options_.poll_every == 0 || !routes_by_ring() || polling_) return;
  constexpr uint32_t kRefusals = 2;
  if (host_.clock().now() < next_poll_ && refusals_ < kRefusals) return;
  scope_.spawn(poll());
}

Task<void> Client::poll() {
  polling_ = true;
  refusals_ = 0;
  const std::vector<Member>& members = ring_->members();
  const NodeId peer = members[poll_random_.below(members.size())].id;
  const Time deadline = host_.clock().now() + options_.attempt_timeout;
  Fanout fanout(rpc_, peer);
  fanout.send(Kind::kMembersRequest, 0, deadline, encode_empty());
  co_await fanout.wait(1, deadline);
  MembersReply reply;
  // A node that is known by a stand-in number alone answers as somebody else: then the numbers of
  // the ring are not the client's.
  const bool told = fanout[0].state == Fanout::Leg::State::kOk && fanout[0].answered_by == peer &&
                    reply.parse(fanout[0].body());
  if (told) follow(reply);
  next_poll_ = host_.clock().now() + (told ? options_.poll_every : options_.poll_every / 10);
  polling_ = false;
}

void Client::follow(const MembersReply& reply) {
  std::vector<Member> members;
  for (const KnownMember& known : reply.members) {
    members.push_back(known.member);
    if (!known.address.empty()) (void)host_.network().learn(known.member.id, known.address);
  }
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return a.id < b.id; });
  const bool same = members == ring_->members() && reply.ring == ring_->options();
  if (same && reply.n == options_.n) return;
  host_.trace().probe("client.follows_ring");
  if (!same) ring_ = Rings::of(options_.rings, std::move(members), reply.ring);
  options_.n = reply.n;
}

void Client::note_status(const Attempt& attempt) {
  refusals_ = attempt.answered && attempt.status == Status::kFailed ? refusals_ + 1 : 0;
}

Task<void> Client::run(Attempt& attempt) {
  Fanout fanout(rpc_, attempt.peer);
  fanout.send(attempt.kind, attempt.operation, attempt.deadline, std::move(attempt.message));
  co_await fanout.wait(1, attempt.deadline);
  const Fanout::Leg& leg = fanout[0];
  attempt.answered = leg.answered_by != kNoNode;
  attempt.surely_nothing = leg.state == Fanout::Leg::State::kFailed && surely_not(leg.status);
  attempt.status = leg.status;
  attempt.by = leg.answered_by;
  attempt.reply = leg.bytes;
  if (!attempt.answered) {
    suspects_.silent(attempt.peer, host_.clock().now());
  } else if (suspects_.any()) {
    suspects_.heard(attempt.peer);
  }
}

Duration Client::pause(uint32_t attempt) {
  const Duration most = options_.retry_pause * attempt;
  return most / 2 + static_cast<Duration>(random_.below(static_cast<uint64_t>(most) + 1));
}

Task<GetResult> Client::get(std::string key, uint64_t operation) {
  CHECK(operation != 0);
  GetResult result;
  poll_when_due();
  const Time deadline = host_.clock().now() + options_.timeout;
  absl::InlinedVector<NodeId, 4> asked;
  while (result.attempts < options_.get_attempts) {
    const Time now = host_.clock().now();
    if (now >= deadline) break;
    Attempt attempt{.kind = Kind::kClientGetRequest,
                    .operation = operation,
                    .peer = choose(key, result.attempts, asked),
                    .deadline = std::min(deadline, now + options_.attempt_timeout),
                    .message = GetRequest{key}.encode()};
    asked.push_back(attempt.peer);
    ++result.attempts;
    co_await run(attempt);
    note_status(attempt);
    GetReply reply;
    if (attempt.answered && attempt.status == Status::kOk && reply.parse(attempt.body())) {
      if (!take_object(reply, result)) break;
      result.outcome = Outcome::kOk;
      result.coordinator = reply.coordinator;
      remember_fastest(key, reply.fastest);
      co_return result;
    }
    if (attempt.answered && attempt.status == Status::kInvalid) {
      result.error = Error{Code::kInvalid, "the node says that the request is wrong"};
      break;
    }
    result.error = Error{attempt.answered ? Code::kUnavailable : Code::kTimeout,
                         std::string(status_name(attempt.status))};
    if (result.attempts < options_.get_attempts)
      co_await host_.clock().sleep(pause(result.attempts));
  }
  result.outcome = Outcome::kFailed;  // a get has no effect, so it surely did nothing
  co_return result;
}

Task<PutResult> Client::put(std::string key, std::string context, std::optional<std::string> value,
                            uint64_t operation, Time expires) {
  CHECK(operation != 0);
  PutResult result;
  poll_when_due();
  const NodeId fastest = fastest_of(key);
  bool surely_nothing = true;
  const Time deadline = host_.clock().now() + options_.timeout;
  absl::InlinedVector<NodeId, 4> asked;
  while (result.attempts < options_.put_attempts) {
    const Time now = host_.clock().now();
    if (now >= deadline) break;
    Attempt attempt{.kind = Kind::kClientPutRequest,
                    .operation = operation,
                    .peer = result.attempts == 0 && fastest != kNoNode
                                ? fastest
                                : choose(key, result.attempts, asked),
                    .deadline = std::min(deadline, now + options_.attempt_timeout),
                    .message = PutRequest{key, context, value ? *value : std::string_view(), !value,
                                          static_cast<uint64_t>(expires)}
                                   .encode()};
    asked.push_back(attempt.peer);
    ++result.attempts;
    co_await run(attempt);
    note_status(attempt);
    PutReply reply;
    if (attempt.answered && attempt.status == Status::kOk && reply.parse(attempt.body())) {
      result.outcome = Outcome::kOk;
      result.context = std::string(reply.context);
      result.coordinator = reply.coordinator;
      co_return result;
    }
    surely_nothing = surely_nothing && attempt.surely_nothing;
    if (attempt.answered && attempt.status == Status::kInvalid) {
      result.error = Error{Code::kInvalid, "the node says that the request is wrong"};
      break;
    }
    result.error = Error{attempt.answered ? Code::kUnavailable : Code::kTimeout,
                         std::string(status_name(attempt.status))};
    if (result.attempts < options_.put_attempts)
      co_await host_.clock().sleep(pause(result.attempts));
  }
  result.outcome = surely_nothing ? Outcome::kFailed : Outcome::kUnknown;
  co_return result;
}

// The siblings that are values. A put that two coordinators took is one value with two versions; it
// is given once.
bool Client::take_object(const GetReply& reply, GetResult& result) {
  if (!reply.found) return true;
  VersionViews siblings;
  if (!read_object(reply.object, siblings)) {
    result.error = Error{Code::kCorrupt, "the node's object does not decode"};
    return false;
  }
  result.context = std::string(context_of(reply.object));
  const Time wall = host_.clock().wall();
  for (const VersionView& version : siblings) {
    if (version.dead(wall)) continue;
    const bool known =
        std::any_of(result.siblings.begin(), result.siblings.end(),
                    [&](const Sibling& have) { return have.operation == version.operation; });
    if (!known) result.siblings.push_back({std::string(version.value), version.operation});
  }
  return true;
}

}  // namespace ringside
