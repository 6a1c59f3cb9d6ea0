#include "protocols/membership/member_table.h"

#include <algorithm>
#include <utility>

#include "runtime/check.h"
#include "runtime/random.h"

namespace ringside {

uint64_t MemberTable::hash_of(const MemberRecord& record) {
  return hash_bytes(encode(record), record.id);
}

std::size_t MemberTable::bucket_of(NodeId id) { return mix(id) % kBuckets; }

const MemberRecord* MemberTable::find(NodeId id) const {
  const auto found = records_.find(id);
  return found == records_.end() ? nullptr : &found->second;
}

MemberTable::Merged MemberTable::merge(const MemberRecord& record) {
  CHECK(record.id != 0);
  const auto found = records_.find(record.id);
  const bool there = found != records_.end();
  const MemberRecord none{record.id, {}, {}};
  const MemberRecord& known = there ? found->second : none;
  const Merged merged{.seat = supersedes(record.seat, known.seat),
                      .life = record.life.newer_than(known.life)};
  if (!merged.any()) return merged;
  MemberRecord& next = there ? found->second : records_[record.id];
  next.id = record.id;
  if (merged.seat) next.seat = record.seat;
  if (merged.life) next.life = record.life;
  const std::size_t bucket = bucket_of(record.id);
  Digests& digests = digests_[bucket];
  auto digest = std::lower_bound(digests.begin(), digests.end(), std::pair(record.id, uint64_t{0}));
  if (!there) digest = digests.insert(digest, {record.id, 0});
  const uint64_t change = digest->second ^ hash_of(next);
  digest->second ^= change;
  buckets_[bucket] ^= change;
  hash_ ^= change;
  if (merged.seat) ++seats_version_;
  ticket_known_ = std::max({ticket_known_, next.seat.ticket, next.life.ticket_known});
  const auto keep = [&next](std::set<NodeId>& ids, bool in) {
    if (in) {
      ids.insert(next.id);
    } else {
      ids.erase(next.id);
    }
  };
  keep(unfinished_, next.seat.unfinished());
  keep(replacing_, next.seat.replaces != 0);
  keep(old_speakers_, next.life.wire == 1 && next.life.said());
  return merged;
}

uint64_t MemberTable::next_ticket(NodeId decider) const {
  CHECK(decider < kFirstClient);
  return ((ticket_known_ >> kTicketIdBits) + 1) << kTicketIdBits | decider;
}

std::vector<MemberTable::Change> MemberTable::unfinished() const {
  std::vector<Change> changes;
  for (const NodeId id : unfinished_) changes.push_back({id, records_.at(id).seat});
  std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    return std::pair(a.seat.ticket, a.id) < std::pair(b.seat.ticket, b.id);
  });
  return changes;
}

uint64_t MemberTable::last_done() const {
  uint64_t ticket = 0;
  for (const auto& [id, record] : records_) {
    if (!record.seat.unfinished()) ticket = std::max(ticket, record.seat.ticket);
  }
  return ticket;
}

const MemberTable::Change* MemberTable::under_way(const std::vector<Change>& changes) const {
  for (const Change& change : changes) {
    if (change.seat.phase != ChangePhase::kProposed) return &change;
  }
  return nullptr;
}

// The driver says that the replaced node is gone together with the end of the change; here it
// follows also when only the one was heard.
bool MemberTable::replaced(NodeId id) const {
  const MemberRecord* record = find(id);
  const uint64_t ticket = record == nullptr ? 0 : record->seat.ticket;
  for (const NodeId other : replacing_) {
    const Seat& by = records_.at(other).seat;
    if (by.replaces == id && by.state == SeatState::kMember && by.ticket > ticket) return true;
  }
  return false;
}

bool MemberTable::in_ring(NodeId id) const {
  const MemberRecord* record = find(id);
  if (record == nullptr || record->seat.version == 0) return false;
  const Seat& seat = record->seat;
  if (seat.state != SeatState::kMember && seat.state != SeatState::kLeaving) return false;
  return !replaced(id);
}

std::vector<Member> MemberTable::members() const {
  std::vector<Member> members;
  for (const auto& [id, record] : records_) {
    const Seat& seat = record.seat;
    if (seat.version == 0) continue;
    if (seat.state != SeatState::kMember && seat.state != SeatState::kLeaving) continue;
    if (replaced(id)) continue;
    members.push_back(seat.member(id));
  }
  return members;
}

std::vector<Member> MemberTable::members_after(const Change& change) const {
  std::vector<Member> after;
  for (Member& member : members()) {
    const bool leaves = change.seat.state == SeatState::kLeaving && member.id == change.id;
    if (!leaves && member.id != change.seat.replaces && member.id != change.id)
      after.push_back(std::move(member));
  }
  if (change.seat.state == SeatState::kJoining) after.push_back(change.seat.member(change.id));
  return after;
}

// Called dead: by its seat, or because somebody is to replace it.
bool MemberTable::called_dead(NodeId id) const {
  const MemberRecord* record = find(id);
  if (record != nullptr && record->seat.dead) return true;
  return std::any_of(replacing_.begin(), replacing_.end(), [&](NodeId other) {
    const Seat& by = records_.at(other).seat;
    return by.unfinished() && by.replaces == id;
  });
}

std::vector<NodeId> MemberTable::must_confirm(const Change& change) const {
  std::vector<NodeId> ids;
  for (const Member& member : members()) {
    if (!called_dead(member.id)) ids.push_back(member.id);
  }
  const bool joins = change.seat.state == SeatState::kJoining && !change.seat.dead;
  if (joins && std::find(ids.begin(), ids.end(), change.id) == ids.end()) ids.push_back(change.id);
  return ids;
}

RingView MemberTable::view(const RingOptions& options, const RingView& before,
                           const std::shared_ptr<Rings>& rings) const {
  const auto ring = [&](std::vector<Member> members) {
    for (const std::shared_ptr<const Ring>& had : {before.now, before.next}) {
      if (had != nullptr && had->members() == members) return had;
    }
    return Rings::of(rings, std::move(members), options);
  };
  RingView view;
  std::vector<Member> members = this->members();
  if (members.empty()) return view;
  view.now = ring(std::move(members));
  const std::vector<Change> changes = unfinished();
  const Change* change = under_way(changes);
  if (change == nullptr) return view;
  std::vector<Member> after = members_after(*change);
  if (after.empty()) return view;
  std::sort(after.begin(), after.end(),
            [](const Member& a, const Member& b) { return a.id < b.id; });
  view.next = ring(std::move(after));
  view.ticket = change->seat.ticket;
  view.switched = change->seat.phase == ChangePhase::kSwitched;
  return view;
}

}  // namespace ringside
