#include "protocols/membership/admin_message.h"

#include <algorithm>

#include "protocols/membership/encode.h"

namespace ringside {
namespace {

constexpr std::size_t kTextBytesMax = 300;
constexpr uint32_t kOrderCapacityMax = 100'000;

std::string node(NodeId id) { return "node " + std::to_string(id); }

// The decisions about one order, each a function of what is known.
class Deciding {
 public:
  Deciding(const MemberTable& table, NodeId self, const AdminOrder& order, uint32_t n)
      : table_(table), self_(self), order_(order), n_(n) {}

  Decision run() {
    // A node that joins is no member yet, and the one to cancel that.
    if (order_.verb == AdminOrder::Verb::kCancel) return cancel();
    if (!table_.in_ring(self_))
      return refuse(node(self_) + " is no member of the ring; ask one that is");
    for (const Member& member : table_.members()) {
      const MemberRecord& record = *table_.find(member.id);
      if (record.life.said() && record.life.wire < 2)
        return refuse(node(member.id) + " speaks wire version 1 alone; upgrade it first");
    }
    switch (order_.verb) {
      case AdminOrder::Verb::kJoin: return join();
      case AdminOrder::Verb::kLeave: return leave();
      case AdminOrder::Verb::kReplace: return replace();
      case AdminOrder::Verb::kRemove: return remove();
      case AdminOrder::Verb::kCancel: return cancel();
    }
    return refuse("no such order");
  }

 private:
  static Decision refuse(std::string why) { return {{false, std::move(why), 0}, {}, 0}; }
  static Decision agree(std::string what, uint64_t ticket, std::vector<MemberRecord> seats = {}) {
    return {{true, std::move(what), ticket}, std::move(seats), 0};
  }
  Seat seat_of(NodeId id) const {
    const MemberRecord* record = table_.find(id);
    return record == nullptr ? Seat{} : record->seat;
  }
  static MemberRecord record(NodeId id, Seat seat) { return {id, std::move(seat), {}}; }

  Seat joining(NodeId id, NodeId replaces) const {
    const Seat old = seat_of(id), dead = seat_of(replaces);
    Seat seat;
    seat.version = old.version + 1;
    seat.state = SeatState::kJoining;
    seat.phase = ChangePhase::kProposed;
    seat.ticket = table_.next_ticket(self_);
    seat.driver = id;
    seat.replaces = replaces;
    seat.capacity = order_.capacity != 0 ? order_.capacity : replaces != 0 ? dead.capacity : 100;
    seat.machine = order_.machine.empty() ? old.machine : order_.machine;
    seat.zone = order_.zone.empty() ? (replaces != 0 ? dead.zone : old.zone) : order_.zone;
    seat.rack = order_.rack.empty() ? (replaces != 0 ? dead.rack : old.rack) : order_.rack;
    return seat;
  }

  Decision join() const {
    const Seat seat = seat_of(order_.id);
    if (seat.version != 0 && seat.state == SeatState::kJoining)
      return agree(node(order_.id) + " is joining", seat.ticket);
    if (table_.in_ring(order_.id)) {
      if (seat.state == SeatState::kLeaving)
        return refuse(node(order_.id) + " is leaving; cancel that first");
      return agree(node(order_.id) + " is a member", seat.ticket);
    }
    const Seat next = joining(order_.id, 0);
    return agree(node(order_.id) + " joins", next.ticket, {record(order_.id, next)});
  }

  // A change that takes one member away.
  bool too_few(NodeId without) const {
    std::size_t left = 0;
    for (const Member& member : table_.members()) left += member.id != without;
    for (const MemberTable::Change& change : table_.unfinished()) {
      if (change.id == without) continue;
      if (change.seat.state == SeatState::kLeaving) --left;
    }
    return left < std::max<uint32_t>(n_, 1);
  }
  std::string why_too_few() const {
    return "fewer members would be left than the " + std::to_string(n_) + " copies of a key need";
  }

  Decision leave() const {
    Seat seat = seat_of(order_.id);
    if (seat.version != 0 && seat.state == SeatState::kLeaving)
      return agree(node(order_.id) + " is leaving", seat.ticket);
    if (!table_.in_ring(order_.id)) return refuse(node(order_.id) + " is no member");
    if (too_few(order_.id)) return refuse(why_too_few());
    seat = leaving(seat, order_.id);
    return agree(node(order_.id) + " leaves", seat.ticket, {record(order_.id, seat)});
  }
  Seat leaving(Seat seat, NodeId driver) const {
    ++seat.version;
    seat.state = SeatState::kLeaving;
    seat.phase = ChangePhase::kProposed;
    seat.ticket = table_.next_ticket(self_);
    seat.driver = driver;
    seat.replaces = 0;
    seat.cancelled = false;
    return seat;
  }

  Decision replace() const {
    const Seat dead = seat_of(order_.replaces), fresh = seat_of(order_.id);
    if (order_.replaces == order_.id) return refuse("a node cannot take its own place");
    if (fresh.version != 0 && fresh.state == SeatState::kJoining) {
      if (fresh.replaces == order_.replaces)
        return agree(node(order_.id) + " is taking its place", fresh.ticket);
      return refuse(node(order_.id) + " is joining already");
    }
    if (table_.in_ring(order_.id)) {
      if (fresh.replaces == order_.replaces && !table_.in_ring(order_.replaces))
        return agree(node(order_.id) + " has taken its place", fresh.ticket);
      return refuse(node(order_.id) + " is a member already");
    }
    if (!table_.in_ring(order_.replaces)) return refuse(node(order_.replaces) + " is no member");
    if (order_.replaces == self_) return refuse(node(self_) + " is alive; let it leave");
    if (dead.state != SeatState::kMember)
      return refuse(node(order_.replaces) + " is leaving; remove it instead");
    for (const MemberTable::Change& change : table_.unfinished()) {
      if (change.seat.replaces == order_.replaces)
        return refuse(node(change.id) + " is taking its place already");
    }
    const Seat next = joining(order_.id, order_.replaces);
    std::vector<MemberRecord> seats = {record(order_.id, next)};
    take_over(seats);
    return agree(node(order_.id) + " takes the place of " + node(order_.replaces), next.ticket,
                 std::move(seats));
  }

  // What a dead node drove is driven by this one. A join that nobody switched to yet is cancelled.
  void take_over(std::vector<MemberRecord>& seats) const {
    const NodeId dead = order_.verb == AdminOrder::Verb::kReplace ? order_.replaces : order_.id;
    for (MemberTable::Change change : table_.unfinished()) {
      if (change.seat.driver != dead || change.id == dead) continue;
      ++change.seat.version;
      change.seat.driver = self_;
      seats.push_back(record(change.id, change.seat));
    }
  }

  Decision remove() const {
    Seat seat = seat_of(order_.id);
    if (order_.id == self_) return refuse(node(self_) + " is alive; let it leave");
    if (seat.version == 0 || seat.state == SeatState::kGone)
      return refuse(node(order_.id) + " is no member");
    std::vector<MemberRecord> seats;
    take_over(seats);
    if (seat.unfinished()) {
      if (seat.dead && seat.driver != order_.id)
        return agree(node(order_.id) + " is being removed", seat.ticket, std::move(seats));
      if (seat.state == SeatState::kJoining && seat.phase != ChangePhase::kSwitched) {
        seat = undone(seat);
        seat.dead = true;
      } else {
        ++seat.version;
        seat.dead = true;
        seat.driver = self_;
      }
    } else {
      if (!table_.in_ring(order_.id)) return refuse(node(order_.id) + " is no member");
      if (too_few(order_.id)) return refuse(why_too_few() + "; replace it instead");
      seat = leaving(seat, self_);
      seat.dead = true;
    }
    seats.push_back(record(order_.id, seat));
    return agree(node(order_.id) + " is removed", seat.ticket, std::move(seats));
  }

  static Seat undone(Seat seat) {
    ++seat.version;
    seat.state = seat.state == SeatState::kJoining ? SeatState::kGone : SeatState::kMember;
    seat.phase = ChangePhase::kDone;
    seat.replaces = 0;
    seat.dead = false;
    seat.cancelled = true;
    return seat;
  }

  // Only the driver may: it alone knows that it does not take the next step at this moment.
  Decision cancel() const {
    const Seat seat = seat_of(order_.id);
    if (!seat.unfinished()) {
      if (seat.cancelled) return agree("the change was cancelled", seat.ticket);
      return refuse("nothing is under way about " + node(order_.id));
    }
    if (seat.driver != self_) {
      Decision decision = refuse(node(seat.driver) +
                                 " drives it and was not reached; if it is dead, "
                                 "remove it");
      decision.ask = seat.driver;
      return decision;
    }
    if (seat.phase == ChangePhase::kSwitched)
      return refuse("too late: reads go by the next ring already");
    return agree("cancelled", seat.ticket, {record(order_.id, undone(seat))});
  }

  const MemberTable& table_;
  const NodeId self_;
  const AdminOrder& order_;
  const uint32_t n_;
};

}  // namespace

Buffer AdminOrder::encode() const {
  std::string body;
  append_number(body, 1, static_cast<uint64_t>(verb));
  append_number(body, 2, id);
  append_bytes(body, 3, address);
  append_number(body, 4, capacity);
  append_bytes(body, 5, machine);
  append_bytes(body, 6, zone);
  append_bytes(body, 7, rack);
  append_number(body, 8, replaces);
  append_number(body, 9, forwarded);
  return message_of(body);
}

bool AdminOrder::parse(std::string_view body) {
  flat::Reader reader(body);
  uint64_t kind = 0, about = 0, dead = 0, share = 0;
  while (reader.next()) {
    switch (reader.field()) {
      case 1: kind = reader.number(); break;
      case 2: about = reader.number(); break;
      case 3: address = std::string(reader.bytes()); break;
      case 4: share = reader.number(); break;
      case 5: machine = std::string(reader.bytes()); break;
      case 6: zone = std::string(reader.bytes()); break;
      case 7: rack = std::string(reader.bytes()); break;
      case 8: dead = reader.number(); break;
      case 9: forwarded = reader.number() != 0; break;
      default: break;
    }
  }
  const auto is_node = [](uint64_t number) { return number > 0 && number < kFirstClient; };
  const std::size_t longest = std::max({address.size(), machine.size(), zone.size(), rack.size()});
  if (!reader.ok() || kind < 1 || kind > 5 || !is_node(about) || share > kOrderCapacityMax ||
      longest > kTextBytesMax || (kind == 3) != is_node(dead))
    return false;
  verb = static_cast<Verb>(kind);
  id = static_cast<NodeId>(about);
  replaces = static_cast<NodeId>(dead);
  capacity = static_cast<uint32_t>(share);
  return true;
}

Buffer AdminAnswer::encode() const {
  std::string body;
  append_number(body, 1, accepted);
  append_bytes(body, 2, text);
  append_number(body, 3, ticket);
  return message_of(body);
}

bool AdminAnswer::parse(std::string_view body) {
  flat::Reader reader(body);
  while (reader.next()) {
    switch (reader.field()) {
      case 1: accepted = reader.number() != 0; break;
      case 2: text = std::string(reader.bytes()); break;
      case 3: ticket = reader.number(); break;
      default: break;
    }
  }
  return reader.ok();
}

Decision decide(const MemberTable& table, NodeId self, const AdminOrder& order, uint32_t n) {
  return Deciding(table, self, order, n).run();
}

}  // namespace ringside
