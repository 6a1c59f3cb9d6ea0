#include "node/membership.h"

#include <algorithm>

#include "protocols/keys.h"

namespace ringside {
namespace {

constexpr Duration kJoinTimeout = 500 * kMillisecond;

std::string kept_key() { return std::string(1, kOwnRow) + "members"; }

}  // namespace

Membership::Membership(Rpc& rpc, Engine& engine, const NodeOptions& options)
    : rpc_(rpc),
      host_(rpc.host()),
      engine_(engine),
      options_(options),
      view_(stable_view(Ring(options.members, options.ring))) {
  for (const Member& member : options.members) known_[member.id].member = member;
  CHECK(known_.count(rpc.self()) == 1);
}

std::vector<KnownMember> Membership::everyone() const {
  std::vector<KnownMember> members;
  for (const auto& [id, known] : known_) members.push_back(id == rpc_.self() ? self() : known);
  return members;
}

KnownMember Membership::self() const {
  return {known_.at(rpc_.self()).member, host_.network().address()};
}

// Takes in what others say, except of this node itself. True when somebody new came.
bool Membership::absorb(const std::vector<KnownMember>& members) {
  bool grown = false;
  for (const KnownMember& known : members) {
    if (known.member.id == rpc_.self()) continue;
    const auto [entry, fresh] = known_.try_emplace(known.member.id, known);
    grown = grown || fresh;
    if (known.address.empty()) continue;
    entry->second.address = known.address;
    if (!host_.network().learn(known.member.id, known.address).ok())
      host_.trace().probe("node.bad_address");
  }
  if (!grown) return false;
  std::vector<Member> ring_members;
  for (const auto& [id, known] : known_) ring_members.push_back(known.member);
  view_ = stable_view(Ring(std::move(ring_members), options_.ring));
  return true;
}

void Membership::keep() {
  Batch batch;
  batch.put(kept_key(), body_of_members(everyone()));
  // What is not kept is learned again from a seed.
  if (!engine_.submit(batch).ok()) host_.trace().probe("node.members_not_kept");
}

Task<Result<void>> Membership::load() {
  const Result<std::optional<std::string>> kept = co_await engine_.get(kept_key(), View::kDurable);
  if (!kept.ok()) co_return kept.error();
  if (!*kept) co_return Result<void>();
  std::vector<KnownMember> members;
  if (!parse_members(**kept, members))
    co_return Result<void>(Code::kCorrupt, "the kept list of members");
  absorb(members);
  co_return Result<void>();
}

Task<void> Membership::join() {
  std::vector<NodeId> peers = options_.seeds;
  for (const auto& [id, known] : known_) {
    if (id != rpc_.self() && !known.address.empty()) peers.push_back(id);
  }
  std::sort(peers.begin(), peers.end());
  peers.erase(std::unique(peers.begin(), peers.end()), peers.end());
  bool heard = peers.empty();
  while (!heard) {
    const Time deadline = host_.clock().now() + kJoinTimeout;
    Fanout fanout(rpc_, peers);
    fanout.send(Kind::kJoinRequest, 0, deadline, encode_members({self()}));
    co_await fanout.wait(static_cast<uint32_t>(peers.size()), deadline);
    for (const Fanout::Leg& leg : fanout) {
      std::vector<KnownMember> members;
      if (leg.state != Fanout::Leg::State::kOk || !parse_members(leg.body(), members)) continue;
      heard = true;
      absorb(members);
    }
    if (heard) {
      keep();
    } else if (host_.clock().now() < deadline) {
      co_await host_.clock().sleep_until(deadline);
    }
  }
}

bool Membership::message(const Request& request) {
  std::vector<KnownMember> members;
  if (!parse_members(request.body(), members)) {
    rpc_.reply(request, Status::kInvalid, encode_empty());
    return false;
  }
  const std::size_t before = known_.size();
  const bool grown = absorb(members);
  if (request.kind == Kind::kJoinRequest) {
    rpc_.reply(request, Status::kOk, encode_members(everyone()));
    for (const auto& [id, known] : known_) {
      if (id != rpc_.self() && id != request.from)
        rpc_.send(id, Kind::kMembersPush, 0, encode_members(everyone()));
    }
  }
  keep();
  CHECK(grown == (known_.size() > before));
  return grown;
}

}  // namespace ringside
