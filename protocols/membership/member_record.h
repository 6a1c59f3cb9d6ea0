// MemberRecord: what is known of one node. Two parts, with two authors:
//
//   seat  what was decided about it: that it is a member, joins, leaves, replaces another, with
//         which capacity and where. Decided by an administrator's order, or by the driver of a
//         change as it takes its steps. The higher version wins; of two with one version, decided
//         on two sides at once, the one whose bytes are greater, so that everyone agrees.
//   life  what the node says of itself: where it listens, what it speaks, how far it has followed
//         a change. Only it says so. The higher (incarnation, version) wins.
//
// Merging is commutative, associative and idempotent: records may come in any order, twice, late.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "protocols/ring.h"
#include "runtime/network.h"

namespace ringside {

enum class SeatState : uint8_t { kMember = 0, kJoining = 1, kLeaving = 2, kGone = 3 };
std::string_view seat_state_name(SeatState state);

// The steps of a change. Each is taken when all who must confirm have followed the one before.
enum class ChangePhase : uint8_t {
  kProposed = 0,  // decided; waits for its turn
  kCopying = 1,   // writes go to the homes of both rings; not everyone knows yet
  kFilling = 2,   // everyone's writes do: what was written before can be copied now
  kSwitched = 3,  // reads go by the next ring
  kDone = 4,
};
std::string_view phase_name(ChangePhase phase);

// A ticket is a Lamport number with the decider's id behind it: greater than every ticket that the
// decider knew, and nobody else's.
inline constexpr int kTicketIdBits = 24;
inline constexpr uint64_t kTicketMax = uint64_t{1} << 62;

struct Seat {
  uint64_t version = 0;  // 0: nothing was decided about this node
  SeatState state = SeatState::kMember;
  uint64_t ticket = 0;  // of the last change about it; 0: it was there from the beginning
  NodeId driver = 0;    // who takes the change's steps
  ChangePhase phase = ChangePhase::kDone;
  NodeId replaces = 0;     // joining: the node whose place it takes; 0: none
  bool dead = false;       // an administrator says that it is gone for good: nobody waits for it
  bool cancelled = false;  // the last change was
  uint32_t capacity = 100;
  std::string machine, zone, rack;

  bool unfinished() const { return version != 0 && phase != ChangePhase::kDone; }
  Member member(NodeId id) const { return {id, machine, zone, rack, capacity}; }
  bool operator==(const Seat&) const = default;
};

struct Life {
  uint64_t incarnation = 0;  // starts of the node, counted durably; 0: nothing was said yet
  uint64_t version = 0;      // of what it says, within the incarnation
  std::string address;
  uint32_t wire = 0;            // the highest wire version that it speaks
  uint64_t ticket_known = 0;    // it decides nothing with a ticket up to this any more
  uint64_t applied_ticket = 0;  // it goes by this step of this change …
  ChangePhase applied_phase = ChangePhase::kProposed;
  uint64_t whole_ticket = 0;  // … and holds whole what that change gives it

  bool newer_than(const Life& other) const {
    // Of a node of wire version 1 others speak: two may say something under one number.
    return std::tie(incarnation, version, address) >
           std::tie(other.incarnation, other.version, other.address);
  }
  bool applied(uint64_t ticket, ChangePhase phase) const {
    return applied_ticket == ticket && applied_phase >= phase;
  }
  bool said() const { return incarnation != 0 || version != 0; }
  bool operator==(const Life&) const = default;
};

struct MemberRecord {
  NodeId id = 0;
  Seat seat;
  Life life;

  bool operator==(const MemberRecord&) const = default;
};

// wire.MemberRecord. `parse` is false for what is no record: also for one that holds what no node
// would say (a phase that there is not, a capacity of nothing, a ticket beyond all tickets).
std::string encode(const Seat& seat);
std::string encode(const Life& life);
std::string encode(const MemberRecord& record);
bool parse(std::string_view bytes, Seat& seat);
bool parse(std::string_view bytes, MemberRecord& record);

// Whether `other` takes the place of `seat`.
bool supersedes(const Seat& other, const Seat& seat);

}  // namespace ringside
