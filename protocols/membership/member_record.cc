#include "protocols/membership/member_record.h"

#include "protocols/membership/encode.h"

namespace ringside {
namespace {

// Beyond these nobody goes in earnest. A record that does would win for ever.
constexpr uint64_t kCountMax = uint64_t{1} << 48;
constexpr uint32_t kCapacityMax = 100'000;
constexpr std::size_t kPlaceBytesMax = 256;
constexpr std::size_t kAddressBytesMax = 300;
constexpr uint32_t kWireMax = 1'000;

bool is_node(uint64_t id) { return id > 0 && id < kFirstClient; }

bool sane(const Seat& seat) {
  return seat.version <= kCountMax && seat.ticket < kTicketMax && seat.capacity > 0 &&
         seat.capacity <= kCapacityMax && seat.machine.size() <= kPlaceBytesMax &&
         seat.zone.size() <= kPlaceBytesMax && seat.rack.size() <= kPlaceBytesMax &&
         seat.driver < kFirstClient && seat.replaces < kFirstClient;
}

bool sane(const Life& life) {
  return life.incarnation <= kCountMax && life.version <= kCountMax && life.wire <= kWireMax &&
         life.ticket_known < kTicketMax && life.applied_ticket < kTicketMax &&
         life.whole_ticket < kTicketMax && life.address.size() <= kAddressBytesMax;
}

bool parse_life(std::string_view bytes, Life& life) {
  flat::Reader reader(bytes);
  uint64_t phase = 0, wire = 0;
  while (reader.next()) {
    switch (reader.field()) {
      case 1: life.incarnation = reader.number(); break;
      case 2: life.version = reader.number(); break;
      case 3: life.address = std::string(reader.bytes()); break;
      case 4: wire = reader.number(); break;
      case 5: life.ticket_known = reader.number(); break;
      case 6: life.applied_ticket = reader.number(); break;
      case 7: phase = reader.number(); break;
      case 8: life.whole_ticket = reader.number(); break;
      default: break;
    }
  }
  if (!reader.ok() || phase > static_cast<uint64_t>(ChangePhase::kDone) || wire > kWireMax)
    return false;
  life.applied_phase = static_cast<ChangePhase>(phase);
  life.wire = static_cast<uint32_t>(wire);
  return sane(life);
}

}  // namespace

std::string_view seat_state_name(SeatState state) {
  switch (state) {
    case SeatState::kMember: return "member";
    case SeatState::kJoining: return "joining";
    case SeatState::kLeaving: return "leaving";
    case SeatState::kGone: return "gone";
  }
  return "?";
}

std::string_view phase_name(ChangePhase phase) {
  switch (phase) {
    case ChangePhase::kProposed: return "proposed";
    case ChangePhase::kCopying: return "copying";
    case ChangePhase::kFilling: return "filling";
    case ChangePhase::kSwitched: return "switched";
    case ChangePhase::kDone: return "done";
  }
  return "?";
}

std::string encode(const Seat& seat) {
  std::string out;
  append_number(out, 1, seat.version);
  append_number(out, 2, static_cast<uint64_t>(seat.state));
  append_number(out, 3, seat.ticket);
  append_number(out, 4, seat.driver);
  append_number(out, 5, static_cast<uint64_t>(seat.phase));
  append_number(out, 6, seat.replaces);
  append_number(out, 7, seat.dead);
  append_number(out, 8, seat.cancelled);
  append_number(out, 9, seat.capacity);
  append_bytes(out, 10, seat.machine);
  append_bytes(out, 11, seat.zone);
  append_bytes(out, 12, seat.rack);
  return out;
}

std::string encode(const Life& life) {
  std::string out;
  append_number(out, 1, life.incarnation);
  append_number(out, 2, life.version);
  append_bytes(out, 3, life.address);
  append_number(out, 4, life.wire);
  append_number(out, 5, life.ticket_known);
  append_number(out, 6, life.applied_ticket);
  append_number(out, 7, static_cast<uint64_t>(life.applied_phase));
  append_number(out, 8, life.whole_ticket);
  return out;
}

std::string encode(const MemberRecord& record) {
  std::string out;
  append_number(out, 1, record.id);
  if (record.seat.version != 0) append_bytes(out, 2, encode(record.seat));
  if (record.life.said()) append_bytes(out, 3, encode(record.life));
  return out;
}

bool parse(std::string_view bytes, Seat& seat) {
  flat::Reader reader(bytes);
  uint64_t state = 0, phase = 0, driver = 0, replaces = 0, capacity = 0;
  while (reader.next()) {
    switch (reader.field()) {
      case 1: seat.version = reader.number(); break;
      case 2: state = reader.number(); break;
      case 3: seat.ticket = reader.number(); break;
      case 4: driver = reader.number(); break;
      case 5: phase = reader.number(); break;
      case 6: replaces = reader.number(); break;
      case 7: seat.dead = reader.number() != 0; break;
      case 8: seat.cancelled = reader.number() != 0; break;
      case 9: capacity = reader.number(); break;
      case 10: seat.machine = std::string(reader.bytes()); break;
      case 11: seat.zone = std::string(reader.bytes()); break;
      case 12: seat.rack = std::string(reader.bytes()); break;
      default: break;
    }
  }
  if (!reader.ok() || state > static_cast<uint64_t>(SeatState::kGone) ||
      phase > static_cast<uint64_t>(ChangePhase::kDone) || capacity > kCapacityMax ||
      driver >= kFirstClient || replaces >= kFirstClient)
    return false;
  seat.state = static_cast<SeatState>(state);
  seat.phase = static_cast<ChangePhase>(phase);
  seat.driver = static_cast<NodeId>(driver);
  seat.replaces = static_cast<NodeId>(replaces);
  seat.capacity = static_cast<uint32_t>(capacity);
  const bool moving = seat.state == SeatState::kJoining || seat.state == SeatState::kLeaving;
  return sane(seat) && seat.version > 0 && moving == (seat.phase != ChangePhase::kDone);
}

bool parse(std::string_view bytes, MemberRecord& record) {
  flat::Reader reader(bytes);
  uint64_t id = 0;
  bool good = true;
  while (reader.next()) {
    switch (reader.field()) {
      case 1: id = reader.number(); break;
      case 2: good = good && parse(reader.bytes(), record.seat); break;
      case 3: good = good && parse_life(reader.bytes(), record.life); break;
      default: break;
    }
  }
  if (!reader.ok() || !good || !is_node(id)) return false;
  record.id = static_cast<NodeId>(id);
  return true;
}

bool supersedes(const Seat& other, const Seat& seat) {
  if (other.version != seat.version) return other.version > seat.version;
  return other.version != 0 && encode(other) > encode(seat);
}

}  // namespace ringside
