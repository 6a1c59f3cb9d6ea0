#include "protocols/membership/gossip.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "runtime/deadline.h"
#include "runtime/scope.h"

namespace ringside {
namespace {

constexpr uint64_t kSeedEvery = 4;  // rounds
constexpr std::size_t kGreetedMax = 8;
constexpr uint32_t kRoundsBeyondLog = 2;

}  // namespace

Gossip::Gossip(Rpc& rpc, MemberTable& table, GossipOptions options, std::vector<NodeId> seeds,
               uint64_t cluster, Changed changed)
    : rpc_(rpc),
      host_(rpc.host()),
      table_(table),
      options_(options),
      seeds_(std::move(seeds)),
      cluster_(cluster),
      changed_(std::move(changed)),
      random_(host_.random("gossip")),
      news_(host_.ready()) {}

// Everyone but this node, and but those that are gone and say nothing any more.
const std::vector<NodeId>& Gossip::peers() {
  const std::pair<uint64_t, std::size_t> present(table_.seats_version(), table_.size());
  if (peers_of_ == present) return peers_;
  peers_of_ = present;
  peers_.clear();
  for (const auto& [id, record] : table_.all()) {
    const bool gone = record.seat.version != 0 && record.seat.state == SeatState::kGone;
    if (id != rpc_.self() && !(gone && record.seat.dead)) peers_.push_back(id);
  }
  return peers_;
}

NodeId Gossip::choose() {
  const uint64_t turn = turn_++;
  const std::vector<NodeId>& known = peers();
  if (!seeds_.empty() && (known.empty() || turn % kSeedEvery == kSeedEvery - 1)) {
    const NodeId seed = seeds_[random_.below(seeds_.size())];
    if (seed != rpc_.self()) return seed;
  }
  return known.empty() ? kNoNode : known[random_.below(known.size())];
}

std::vector<NodeId> Gossip::first_peers(std::size_t most) {
  std::vector<NodeId> chosen;
  for (std::vector<NodeId> from : {seeds_, peers()}) {
    while (!from.empty() && chosen.size() < most) {
      const std::size_t at = random_.below(from.size());
      if (from[at] != rpc_.self() &&
          std::find(chosen.begin(), chosen.end(), from[at]) == chosen.end())
        chosen.push_back(from[at]);
      from[at] = from.back();
      from.pop_back();
    }
  }
  return chosen;
}

Task<std::size_t> Gossip::rounds(std::vector<NodeId> peers) {
  std::size_t answered = 0;
  Scope scope(host_.ready());
  for (const NodeId peer : peers) {
    scope.spawn([](Gossip* gossip, NodeId with, std::size_t* count) -> Task<void> {
      const bool heard = co_await gossip->round(with);
      if (heard) ++*count;
    }(this, peer, &answered));
  }
  co_await scope.join();
  co_return answered;
}

void Gossip::news() {
  if (options_.news_every == 0) return;
  news_rounds_ = static_cast<uint32_t>(std::bit_width(table_.size())) + kRoundsBeyondLog;
  news_.pulse();
}

// At once, not after a period: who dies in its first second has learnt where the others are. Until
// somebody answers; whoever is alone has nobody to wait for.
Task<void> Gossip::greet() {
  Duration pause = options_.timeout / 4;
  while (true) {
    std::vector<NodeId> first = first_peers(kGreetedMax);
    if (first.empty()) co_return;
    const std::size_t answered = co_await rounds(std::move(first));
    if (answered > 0) co_return;
    co_await host_.clock().sleep(pause);
    pause = std::min(pause * 2, options_.every);
  }
}

Task<Result<void>> Gossip::wait_for_news() {
  co_await news_.wait();
  co_return Result<void>();
}

Task<void> Gossip::run() {
  if (!options_.on) co_return;
  co_await greet();
  // Nodes that start together do not talk in step.
  Time next = host_.clock().now() +
              static_cast<Duration>(random_.below(static_cast<uint64_t>(options_.every)));
  while (true) {
    const Time now = host_.clock().now();
    if (news_rounds_ > 0) next = std::min(next, now + options_.news_every);
    if (now < next) {
      const Time until = next;
      if (news_rounds_ > 0) {
        co_await host_.clock().sleep_until(until);
      } else if ((co_await with_deadline(host_.clock(), until, wait_for_news())).ok()) {
        continue;
      }
    }
    next = host_.clock().now() + options_.every;
    if (news_rounds_ > 0) --news_rounds_;
    const NodeId peer = choose();
    if (peer != kNoNode) co_await round(peer);
  }
}

Task<bool> Gossip::ask(NodeId peer, Duration timeout, GossipMessage message, GossipMessage& reply) {
  const Time deadline = host_.clock().now() + timeout;
  message.cluster = cluster_;
  message.hash = table_.hash();
  Fanout fanout(rpc_, peer);
  fanout.send(Kind::kGossipRequest, 0, deadline, message.encode());
  co_await fanout.wait(1, deadline);
  const Fanout::Leg& leg = fanout[0];
  if (leg.state != Fanout::Leg::State::kOk) co_return false;
  reply = {};
  if (reply.parse(leg.body()) && reply.cluster == cluster_) co_return true;
  ++stats_.refused;
  host_.trace().probe("gossip.refused");
  co_return false;
}

Task<bool> Gossip::round(NodeId peer, Duration timeout) {
  ++stats_.rounds;
  GossipMessage reply;
  if (!co_await ask(peer, timeout, {}, reply)) {
    ++stats_.failed;
    co_return false;
  }
  ++stats_.answered;
  if (reply.hash == table_.hash()) {
    ++stats_.equal;
    co_return true;
  }
  GossipMessage differences;
  for (std::size_t i = 0; i < reply.buckets.size(); ++i) {
    if (reply.buckets[i] != table_.bucket_hash(i)) differences.differing |= uint64_t{1} << i;
  }
  if (differences.differing == 0) co_return true;  // they became equal meanwhile
  differences.digests = digests(differences.differing);
  if (!co_await ask(peer, timeout, std::move(differences), reply)) {
    ++stats_.failed;
    co_return false;
  }
  GossipMessage push;
  push.cluster = cluster_;
  push.records = records_of(reply.wanted);
  take(reply.records);
  if (!push.records.empty()) rpc_.send(peer, Kind::kGossipPush, 0, push.encode());
  co_return true;
}

MemberTable::Digests Gossip::digests(uint64_t differing) const {
  MemberTable::Digests list;
  for (std::size_t i = 0; i < MemberTable::kBuckets; ++i) {
    if ((differing >> i & 1) == 0) continue;
    const MemberTable::Digests& bucket = table_.digests(i);
    list.insert(list.end(), bucket.begin(), bucket.end());
  }
  std::sort(list.begin(), list.end());
  return list;
}

std::vector<MemberRecord> Gossip::records_of(const std::vector<NodeId>& ids) {
  std::vector<MemberRecord> records;
  records.reserve(ids.size());
  for (const NodeId id : ids) {
    const MemberRecord* record = table_.find(id);
    if (record != nullptr) records.push_back(*record);
  }
  stats_.records_out += records.size();
  return records;
}

void Gossip::take(const std::vector<MemberRecord>& records) {
  bool any = false;
  for (const MemberRecord& record : records) {
    const MemberTable::Merged merged = table_.merge(record);
    if (!merged.any()) continue;
    any = true;
    ++stats_.records_in;
    changed_(record.id, merged);
  }
  if (any) news();
}

// Records that differ are both sent and wanted: which half of which is newer, merging finds out.
GossipMessage Gossip::answer(const GossipMessage& asked) {
  GossipMessage reply;
  reply.cluster = cluster_;
  reply.hash = table_.hash();
  if (asked.hash == reply.hash) return reply;
  if (asked.differing == 0) {
    for (std::size_t i = 0; i < MemberTable::kBuckets; ++i)
      reply.buckets.push_back(table_.bucket_hash(i));
    return reply;
  }
  MemberTable::Digests theirs = asked.digests;
  std::sort(theirs.begin(), theirs.end());
  auto their = theirs.begin();
  std::vector<NodeId> send;
  for (const auto& [id, hash] : digests(asked.differing)) {
    for (; their != theirs.end() && their->first < id; ++their)
      reply.wanted.push_back(their->first);
    const bool known = their != theirs.end() && their->first == id;
    if (!known || their->second != hash) send.push_back(id);
    if (!known) continue;
    if (their->second != hash) reply.wanted.push_back(id);
    ++their;
  }
  for (; their != theirs.end(); ++their) reply.wanted.push_back(their->first);
  reply.records = records_of(send);
  return reply;
}

void Gossip::message(const Request& request) {
  GossipMessage message;
  if (!message.parse(request.body()) || message.cluster != cluster_) {
    ++stats_.refused;
    host_.trace().probe("gossip.refused");
    rpc_.reply(request, Status::kInvalid, encode_empty());
    return;
  }
  if (request.kind == Kind::kGossipPush) {
    take(message.records);
  } else {
    rpc_.reply(request, Status::kOk, answer(message).encode());
  }
}

}  // namespace ringside
