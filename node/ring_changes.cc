#include "node/ring_changes.h"

namespace ringside {

std::vector<NodeId> RingChanges::waiting_for(const MemberTable::Change& change) const {
  const uint64_t ticket = change.seat.ticket, done = table_.last_done();
  std::vector<NodeId> late;
  for (const NodeId id : table_.must_confirm(change)) {
    const MemberRecord* record = table_.find(id);
    const Life life = record == nullptr ? Life{} : record->life;
    bool followed = false;
    switch (change.seat.phase) {
      case ChangePhase::kProposed:
        followed = life.ticket_known >= ticket &&
                   (done == 0 ||
                    (life.applied_phase == ChangePhase::kDone && life.applied_ticket >= done));
        break;
      case ChangePhase::kFilling:
        followed = life.applied(ticket, ChangePhase::kFilling) && life.whole_ticket >= ticket;
        break;
      default: followed = life.applied(ticket, change.seat.phase); break;
    }
    if (!followed) late.push_back(id);
  }
  return late;
}

bool RingChanges::ready(const MemberTable::Change& change, Time now) {
  Waited& waited = waited_[change.id];
  const Seat& seat = change.seat;
  if (!waiting_for(change).empty()) {
    waited = {};
    return false;
  }
  if (waited.ticket != seat.ticket || waited.phase != seat.phase)
    waited = {seat.ticket, seat.phase, now};
  const bool outlasts = seat.phase == ChangePhase::kCopying || seat.phase == ChangePhase::kSwitched;
  return !outlasts || now >= waited.since + request_timeout_;
}

std::vector<MemberRecord> RingChanges::steps(Time now) {
  std::vector<MemberRecord> seats;
  const std::vector<MemberTable::Change> changes = table_.unfinished();
  const MemberTable::Change* under_way = table_.under_way(changes);
  for (const MemberTable::Change& change : changes) {
    if (change.seat.driver != self_) continue;
    const bool turn =
        under_way == nullptr ? &change == &changes.front() : under_way->id == change.id;
    if (!turn || !ready(change, now)) continue;
    MemberRecord next{change.id, change.seat, {}};
    ++next.seat.version;
    switch (change.seat.phase) {
      case ChangePhase::kProposed: next.seat.phase = ChangePhase::kCopying; break;
      case ChangePhase::kCopying: next.seat.phase = ChangePhase::kFilling; break;
      case ChangePhase::kFilling: next.seat.phase = ChangePhase::kSwitched; break;
      default: finish(change, seats); continue;
    }
    seats.push_back(std::move(next));
  }
  return seats;
}

void RingChanges::finish(const MemberTable::Change& change,
                         std::vector<MemberRecord>& seats) const {
  MemberRecord done{change.id, change.seat, {}};
  ++done.seat.version;
  done.seat.phase = ChangePhase::kDone;
  const bool joins = change.seat.state == SeatState::kJoining;
  done.seat.state = joins ? SeatState::kMember : SeatState::kGone;
  const MemberRecord* replaced = table_.find(change.seat.replaces);
  if (joins && replaced != nullptr && replaced->seat.state != SeatState::kGone) {
    MemberRecord gone{replaced->id, replaced->seat, {}};
    ++gone.seat.version;
    gone.seat.state = SeatState::kGone;
    gone.seat.phase = ChangePhase::kDone;
    gone.seat.ticket = change.seat.ticket;
    gone.seat.dead = true;
    seats.push_back(std::move(gone));
  }
  if (joins && change.seat.dead) {
    // It died when its join could not be undone any more. Now it is a member, and is removed.
    done.seat.state = SeatState::kLeaving;
    done.seat.phase = ChangePhase::kProposed;
    done.seat.ticket = table_.next_ticket(self_);
    done.seat.driver = self_;
    done.seat.replaces = 0;
  }
  seats.push_back(std::move(done));
}

}  // namespace ringside
