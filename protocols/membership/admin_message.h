// Admin messages: an administrator's orders to the ring (admin_request, to any member) and what
// becomes of them. Membership changes are explicit: a node that is silent is not a node that left
// (SOSP 2007, section 4.8.1). An order says what is wanted, so that it may be repeated: what is so
// already, or under way, is accepted again.
//
//   join ID              the node takes its share of the ring, and drives that itself
//   leave ID             it hands over what it holds, then is gone; drives that itself
//   replace DEAD by ID   ID joins in the place of a node that will never come back
//   remove DEAD          as leave, but nobody waits for DEAD, and the asked node drives; what DEAD
//                        drove itself is driven on, or cancelled where it cannot be
//   cancel ID            the change about ID is undone, while reads do not go by the next ring yet
//
// `decide` is the whole of it, and pure: the records to keep and spread, or why not.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "protocols/membership/member_table.h"
#include "runtime/buffer.h"

namespace ringside {

struct AdminOrder {
  enum class Verb : uint8_t { kJoin = 1, kLeave = 2, kReplace = 3, kRemove = 4, kCancel = 5 };
  Verb verb = Verb::kJoin;
  NodeId id = 0;
  std::string address;    // join, replace: where the node listens, if it is not known yet
  uint32_t capacity = 0;  // join, replace: in percent; 0: 100, or as the replaced one
  std::string machine, zone, rack;
  NodeId replaces = 0;     // replace: the dead one
  bool forwarded = false;  // by a node to the one who must decide
  Buffer encode() const;
  bool parse(std::string_view body);
};

struct AdminAnswer {
  bool accepted = false;
  std::string text;     // what was decided, or why not
  uint64_t ticket = 0;  // of the change; 0: there is none
  Buffer encode() const;
  bool parse(std::string_view body);
};

struct Decision {
  AdminAnswer answer;
  std::vector<MemberRecord> seats;  // new seats, without lives
  NodeId ask = 0;                   // not 0: this node must decide
};

// `n`: the copies of a key; fewer members than that are refused.
Decision decide(const MemberTable& table, NodeId self, const AdminOrder& order, uint32_t n);

}  // namespace ringside
