#include "node/ring_changes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ringside {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr Duration kTimeout = kSecond;

class RingChangesTest : public testing::Test {
 protected:
  RingChangesTest() {
    for (NodeId id = 1; id <= 3; ++id) {
      MemberRecord record{id, {}, {}};
      record.seat.version = 1;
      table.merge(record);
    }
  }
  uint64_t propose(NodeId id, SeatState state = SeatState::kJoining) {
    MemberRecord record{id, {}, {}};
    if (const MemberRecord* known = table.find(id)) record = *known;
    ++record.seat.version;
    record.seat.state = state;
    record.seat.phase = ChangePhase::kProposed;
    record.seat.ticket = table.next_ticket(id);
    record.seat.driver = id;
    table.merge(record);
    return record.seat.ticket;
  }
  void say(NodeId id, uint64_t known, uint64_t applied = 0,
           ChangePhase phase = ChangePhase::kProposed, uint64_t whole = 0) {
    MemberRecord record{id, {}, {}};
    record.life = {1, ++version, "", 2, known, applied, phase, whole};
    table.merge(record);
  }
  // Takes the steps that `id` would, and says how many there were.
  std::size_t step(RingChanges& changes, Time now) {
    const std::vector<MemberRecord> seats = changes.steps(now);
    for (const MemberRecord& seat : seats) EXPECT_TRUE(table.merge(seat).seat);
    return seats.size();
  }
  ChangePhase phase(NodeId id) const { return table.find(id)->seat.phase; }

  MemberTable table;
  uint64_t version = 0;
};

TEST_F(RingChangesTest, a_join_takes_each_step_when_all_have_followed_the_one_before) {
  RingChanges changes(table, 4, kTimeout), other(table, 1, kTimeout);
  const uint64_t ticket = propose(4);
  for (NodeId id = 1; id <= 3; ++id) say(id, ticket);
  EXPECT_EQ(step(changes, 0), 0u) << "its own word counts too";
  say(4, ticket);
  EXPECT_EQ(step(other, 0), 0u) << "only the driver drives";
  EXPECT_EQ(step(changes, 0), 1u);
  EXPECT_EQ(phase(4), ChangePhase::kCopying);

  for (NodeId id = 1; id <= 3; ++id) say(id, ticket, ticket, ChangePhase::kCopying);
  EXPECT_THAT(changes.waiting_for(table.unfinished()[0]), ElementsAre(4));
  say(4, ticket, ticket, ChangePhase::kCopying);
  EXPECT_EQ(step(changes, 5 * kSecond), 0u) << "requests from before may be under way";
  EXPECT_EQ(step(changes, 6 * kSecond - 1), 0u);
  EXPECT_EQ(step(changes, 6 * kSecond), 1u);
  EXPECT_EQ(phase(4), ChangePhase::kFilling);

  for (NodeId id = 1; id <= 3; ++id) say(id, ticket, ticket, ChangePhase::kFilling, ticket);
  say(4, ticket, ticket, ChangePhase::kFilling);
  EXPECT_EQ(step(changes, 60 * kSecond), 0u) << "it is not whole";
  say(4, ticket, ticket, ChangePhase::kFilling, ticket);
  EXPECT_EQ(step(changes, 60 * kSecond), 1u);
  EXPECT_EQ(phase(4), ChangePhase::kSwitched);

  for (NodeId id = 1; id <= 4; ++id) say(id, ticket, ticket, ChangePhase::kSwitched, ticket);
  EXPECT_EQ(step(changes, 70 * kSecond), 0u);
  EXPECT_EQ(step(changes, 71 * kSecond), 1u);
  EXPECT_EQ(table.find(4)->seat.state, SeatState::kMember);
  EXPECT_THAT(table.unfinished(), IsEmpty());
}

TEST_F(RingChangesTest, the_second_join_waits_for_the_first) {
  RingChanges five(table, 5, kTimeout), four(table, 4, kTimeout);
  const uint64_t first = propose(5), second = propose(4);
  for (NodeId id = 1; id <= 5; ++id) say(id, second);
  EXPECT_EQ(step(four, 0), 0u);
  EXPECT_EQ(step(five, 0), 1u);
  EXPECT_EQ(step(four, 0), 0u);
  for (const ChangePhase at :
       {ChangePhase::kCopying, ChangePhase::kFilling, ChangePhase::kSwitched}) {
    for (NodeId id = 1; id <= 5; ++id) say(id, second, first, at, first);
    step(five, 0);
    EXPECT_EQ(step(four, 0), 0u);
    step(five, 10 * kSecond);
  }
  EXPECT_TRUE(table.in_ring(5));
  EXPECT_EQ(step(four, 20 * kSecond), 0u) << "some may still go by the last step of the first";
  for (NodeId id = 1; id <= 5; ++id) say(id, second, first, ChangePhase::kDone, first);
  EXPECT_EQ(step(four, 20 * kSecond), 1u);
}

TEST_F(RingChangesTest, a_silent_member_holds_a_change_up_until_it_is_called_dead) {
  RingChanges changes(table, 4, kTimeout);
  const uint64_t ticket = propose(4);
  for (const NodeId id : {1u, 3u, 4u}) say(id, ticket);
  EXPECT_EQ(step(changes, 1'000 * kSecond), 0u);
  EXPECT_THAT(changes.waiting_for(table.unfinished()[0]), ElementsAre(2));
  MemberRecord dead = *table.find(2);
  ++dead.seat.version;
  dead.seat.state = SeatState::kLeaving;
  dead.seat.phase = ChangePhase::kProposed;
  dead.seat.ticket = table.next_ticket(1);
  dead.seat.driver = 1;
  dead.seat.dead = true;
  table.merge(dead);
  EXPECT_EQ(step(changes, 1'000 * kSecond), 1u);
}

TEST_F(RingChangesTest, a_replacement_ends_with_the_dead_one_gone) {
  RingChanges changes(table, 9, kTimeout);
  const uint64_t ticket = propose(9);
  MemberRecord join = *table.find(9);
  ++join.seat.version;
  join.seat.replaces = 2;
  join.seat.phase = ChangePhase::kSwitched;
  table.merge(join);
  for (const NodeId id : {1u, 3u, 9u}) say(id, ticket, ticket, ChangePhase::kSwitched, ticket);
  step(changes, 0);
  EXPECT_EQ(step(changes, kTimeout), 2u);
  EXPECT_EQ(table.find(2)->seat.state, SeatState::kGone);
  EXPECT_TRUE(table.in_ring(9));
  EXPECT_FALSE(table.in_ring(2));
}

TEST_F(RingChangesTest, who_dies_when_its_join_cannot_be_undone_becomes_a_member_and_is_removed) {
  RingChanges changes(table, 1, kTimeout);
  const uint64_t ticket = propose(4);
  MemberRecord join = *table.find(4);
  ++join.seat.version;
  join.seat.phase = ChangePhase::kSwitched;
  join.seat.dead = true;
  join.seat.driver = 1;
  table.merge(join);
  for (NodeId id = 1; id <= 3; ++id) say(id, ticket, ticket, ChangePhase::kSwitched, ticket);
  step(changes, 0);
  EXPECT_EQ(step(changes, kTimeout), 1u);
  EXPECT_TRUE(table.in_ring(4));
  EXPECT_EQ(table.find(4)->seat.state, SeatState::kLeaving);
  EXPECT_GT(table.find(4)->seat.ticket, ticket);
  EXPECT_THAT(table.must_confirm(table.unfinished()[0]), ElementsAre(1, 2, 3));
}

}  // namespace
}  // namespace ringside
