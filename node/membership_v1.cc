// How nodes of wire version 1 are spoken to, who know neither gossip nor ring changes: a node that
// starts tells everyone it can reach about itself until somebody answers, and is told of all
// others; what comes in belongs to the ring. Also the order with which a node that is no member
// asks for a seat.
#include <algorithm>

#include "node/membership.h"

namespace ringside {
namespace {

constexpr Duration kJoinTimeout = 500 * kMillisecond;
constexpr Duration kAskAgain = kSecond;
constexpr std::size_t kAskedMax = 8;

}  // namespace

std::vector<KnownMember> Membership::everyone() const {
  std::vector<KnownMember> members;
  for (const Member& member : view_.now->members()) {
    const MemberRecord* record = table_.find(member.id);
    const bool self = member.id == rpc_.self();
    members.push_back({member, self                ? host_.network().address()
                               : record == nullptr ? ""
                                                   : record->life.address});
  }
  return members;
}

void Membership::absorb(const std::vector<KnownMember>& members) {
  for (const KnownMember& known : members) {
    if (known.member.id == rpc_.self() || known.member.id >= kFirstClient) continue;
    MemberRecord record{known.member.id, {}, {}};
    const MemberRecord* had = table_.find(known.member.id);
    if (had == nullptr || had->seat.version == 0) {
      record.seat.version = 1;
      record.seat.machine = known.member.machine;
      record.seat.zone = known.member.zone;
      record.seat.rack = known.member.rack;
      record.seat.capacity = known.member.capacity;
    }
    // Whoever speaks for itself is not spoken for.
    const bool silent = had == nullptr || had->life.incarnation == 0;
    const bool news = had == nullptr || !had->life.said() ||
                      (!known.address.empty() && had->life.address != known.address);
    if (silent && news) {
      record.life.version = had == nullptr ? 1 : had->life.version + 1;
      record.life.wire = 1;
      record.life.address = known.address;
    }
    const MemberTable::Merged merged = table_.merge(record);
    if (merged.any()) {
      gossip_.news();
      changed(record.id, merged);
    }
  }
}

void Membership::take_members(const Request& request) {
  std::vector<KnownMember> members;
  if (!parse_members(request.body(), members)) {
    rpc_.reply(request, Status::kInvalid, encode_empty());
    return;
  }
  absorb(members);
  follow();  // at once, so that the reply names them; the mover hears of it when all is kept
  if (request.kind == Kind::kJoinRequest) {
    rpc_.reply(request, Status::kOk, encode_members(everyone()));
    push_to_old();
  }
}

// Those to whom nobody gossips.
void Membership::push_to_old() const {
  if (options_.speak_wire == 1) {
    for (const auto& [id, record] : table_.all()) {
      if (id != rpc_.self() && record.life.said())
        rpc_.send(id, Kind::kMembersPush, 0, encode_members(everyone()));
    }
    return;
  }
  for (const NodeId id : table_.old_speakers()) {
    if (id != rpc_.self()) rpc_.send(id, Kind::kMembersPush, 0, encode_members(everyone()));
  }
}

// A node of version 2 does it only where gossip reached nobody: its seeds may be older than itself.
Task<void> Membership::join_old() {
  // To join by this message is to be a member: a stranger does not.
  const MemberRecord* own = table_.find(rpc_.self());
  if (own == nullptr || own->seat.version == 0) co_return;
  const bool old = options_.speak_wire == 1;
  if (!old) co_await host_.clock().sleep(2 * kJoinTimeout);
  while (true) {
    if (!old && gossip_.stats().answered > 0) co_return;
    const std::vector<NodeId> peers = gossip_.first_peers(kAskedMax);
    if (peers.empty()) co_return;
    const Time deadline = host_.clock().now() + kJoinTimeout;
    KnownMember self{Member{.id = rpc_.self()}, host_.network().address()};
    for (const Member& member : options_.members) {
      if (member.id == rpc_.self()) self.member = member;
    }
    Fanout fanout(rpc_, peers);
    fanout.send(Kind::kJoinRequest, 0, deadline, encode_members({self}));
    co_await fanout.wait(static_cast<uint32_t>(peers.size()), deadline);
    bool heard = false;
    for (const Fanout::Leg& leg : fanout) {
      std::vector<KnownMember> members;
      if (leg.state != Fanout::Leg::State::kOk || !parse_members(leg.body(), members)) continue;
      heard = true;
      absorb(members);
    }
    if (heard) co_return;
    if (host_.clock().now() < deadline) co_await host_.clock().sleep_until(deadline);
  }
}

// An outsider that wants in: until a member decided so, and told.
Task<void> Membership::ask_for_seat() {
  while (true) {
    const MemberRecord* own = table_.find(rpc_.self());
    if (own != nullptr && own->seat.version != 0) co_return;
    AdminOrder order;
    order.verb = AdminOrder::Verb::kJoin;
    order.id = rpc_.self();
    order.address = host_.network().address();
    order.capacity = options_.capacity;
    const Time deadline = host_.clock().now() + kAskAgain;
    const std::vector<NodeId> peers = gossip_.first_peers(1);
    if (!peers.empty()) {
      Fanout fanout(rpc_, peers);
      fanout.send(Kind::kAdminRequest, 0, deadline, order.encode());
      co_await fanout.wait(1, deadline);
    }
    if (host_.clock().now() < deadline) co_await host_.clock().sleep_until(deadline);
  }
}

}  // namespace ringside
