// RingChanges: takes the steps of those changes of the ring that this node drives: its own join or
// leave, and the removal of a dead node that it was asked for. One change at a time, in the order
// of tickets; each step when all who must confirm have said that they followed the one before:
//
//   proposed → copying    it is the first in the queue, everyone has seen the end of the one
//   before,
//                         and knows its ticket: nothing can be decided any more that would have to
//                         come before it
//   copying → filling     everyone writes to the homes of both rings, for a request's lifetime:
//                         no write is under way any more that knows the old homes alone
//   filling → switched    everyone holds whole what the change gives it
//   switched → done       everyone reads by the next ring, for a request's lifetime: no read is
//                         under way any more that asks the old homes
//
// A member that is silent holds a change up, however long: two that are under way at one time may
// differ by one step and no more. An administrator who knows that it is dead removes or replaces
// it; then nobody waits for it. Pure: time is given.
#pragma once

#include <map>
#include <vector>

#include "protocols/membership/member_table.h"
#include "runtime/time.h"

namespace ringside {

class RingChanges {
 public:
  RingChanges(const MemberTable& table, NodeId self, Duration request_timeout)
      : table_(table), self_(self), request_timeout_(request_timeout) {}

  // The seats to decide now.
  std::vector<MemberRecord> steps(Time now);
  // Who has not followed the present step of a change yet, by what it says.
  std::vector<NodeId> waiting_for(const MemberTable::Change& change) const;

 private:
  struct Waited {
    uint64_t ticket = 0;
    ChangePhase phase = ChangePhase::kProposed;
    Time since = 0;  // everyone has followed
  };
  bool ready(const MemberTable::Change& change, Time now);
  void finish(const MemberTable::Change& change, std::vector<MemberRecord>& seats) const;

  const MemberTable& table_;
  const NodeId self_;
  const Duration request_timeout_;
  std::map<NodeId, Waited> waited_;
};

}  // namespace ringside
