#include "protocols/membership/member_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "protocols/members.h"
#include "protocols/wire.h"
#include "protocols/wire.pb.h"
#include "runtime/random.h"

namespace ringside {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

MemberRecord seated(NodeId id, SeatState state = SeatState::kMember, uint64_t version = 1,
                    uint64_t ticket = 0, ChangePhase phase = ChangePhase::kDone) {
  MemberRecord record{id, {}, {}};
  record.seat.version = version;
  record.seat.state = state;
  record.seat.ticket = ticket;
  record.seat.phase = phase;
  return record;
}

MemberTable founded(NodeId count) {
  MemberTable table;
  for (NodeId id = 1; id <= count; ++id) table.merge(seated(id));
  return table;
}

std::vector<NodeId> ids(const std::vector<Member>& members) {
  std::vector<NodeId> list;
  for (const Member& member : members) list.push_back(member.id);
  return list;
}

MemberRecord random_record(Random& random, NodeId ids) {
  const auto phases = static_cast<uint64_t>(ChangePhase::kDone);
  MemberRecord record{static_cast<NodeId>(1 + random.below(ids)), {}, {}};
  if (random.chance(0.7)) {
    Seat& seat = record.seat;
    seat.version = 1 + random.below(4);
    const bool moving = random.chance(0.4);
    seat.state = static_cast<SeatState>((moving ? 1 : 0) + random.below(2) * (moving ? 1 : 3));
    if (moving) seat.phase = static_cast<ChangePhase>(random.below(phases));
    seat.ticket = random.next() >> random.below(63) >> 2;
    seat.driver = static_cast<NodeId>(random.below(9));
    seat.replaces = random.chance(0.2) ? static_cast<NodeId>(random.below(ids)) : 0;
    seat.dead = random.chance(0.1);
    seat.capacity = static_cast<uint32_t>(1 + random.below(300));
    seat.zone = random.chance(0.5) ? "zone" : "";
  }
  if (random.chance(0.7)) {
    Life& life = record.life;
    life.incarnation = random.below(4);
    life.version = random.below(4);
    life.address = random.chance(0.5) ? "127.0.0.1:" + std::to_string(random.below(9)) : "";
    life.wire = 2;
    life.applied_phase = static_cast<ChangePhase>(random.below(phases + 1));
    life.ticket_known = random.below(100);
    // What one node says of itself under one number is one thing.
    if (life.said()) {
      Random own(mix(record.id, life.incarnation * 10 + life.version));
      life.address = std::to_string(own.below(1'000));
      life.ticket_known = own.below(1'000);
      life.applied_phase = ChangePhase::kProposed;
    }
  }
  return record;
}

TEST(MemberRecord, is_what_protobuf_makes_of_the_schema_both_ways) {
  Random random(1);
  for (int i = 0; i < 1'000; ++i) {
    const MemberRecord record = random_record(random, 1'000);
    wire::MemberRecord message;
    message.set_id(record.id);
    if (record.seat.version != 0) {
      wire::Seat& seat = *message.mutable_seat();
      seat.set_version(record.seat.version);
      seat.set_state(static_cast<uint32_t>(record.seat.state));
      seat.set_ticket(record.seat.ticket);
      seat.set_driver(record.seat.driver);
      seat.set_phase(static_cast<uint32_t>(record.seat.phase));
      seat.set_replaces(record.seat.replaces);
      seat.set_dead(record.seat.dead);
      seat.set_capacity(record.seat.capacity);
      seat.set_zone(record.seat.zone);
    }
    if (record.life.said()) {
      wire::Life& life = *message.mutable_life();
      life.set_incarnation(record.life.incarnation);
      life.set_version(record.life.version);
      life.set_address(record.life.address);
      life.set_wire(record.life.wire);
      life.set_ticket_known(record.life.ticket_known);
      life.set_applied_phase(static_cast<uint32_t>(record.life.applied_phase));
    }
    const std::string bytes = encode(record);
    ASSERT_EQ(bytes, message.SerializeAsString());
    MemberRecord back;
    ASSERT_TRUE(parse(bytes, back));
    ASSERT_EQ(encode(back), bytes);
  }
}

TEST(MemberRecord, that_no_node_would_say_is_refused) {
  const auto accepted = [](const MemberRecord& record) {
    MemberRecord back;
    return parse(encode(record), back);
  };
  EXPECT_TRUE(accepted(seated(1)));
  EXPECT_FALSE(accepted(seated(0))) << "nobody";
  EXPECT_FALSE(accepted(seated(kFirstClient))) << "a client";
  EXPECT_FALSE(accepted(seated(1, SeatState::kJoining))) << "joining, and done with it";
  EXPECT_FALSE(accepted(seated(1, SeatState::kMember, 1, 0, ChangePhase::kCopying)));
  EXPECT_FALSE(accepted(seated(1, SeatState::kGone, uint64_t{1} << 50)));
  EXPECT_FALSE(accepted(seated(1, SeatState::kGone, 1, kTicketMax)));
  MemberRecord record = seated(1);
  record.seat.capacity = 0;
  EXPECT_FALSE(accepted(record));
  record = seated(1);
  record.life.incarnation = uint64_t{1} << 60;
  EXPECT_FALSE(accepted(record));
  record = seated(1);
  record.life.incarnation = 1;
  record.life.address = std::string(1'000, 'a');
  EXPECT_FALSE(accepted(record));
  MemberRecord back;
  EXPECT_FALSE(parse(std::string_view("\x08\x01\x12\x02\x10\x09", 6), back)) << "a ninth state";
}

TEST(MemberTable, holds_the_same_in_whatever_order_records_come) {
  Random random(2);
  for (int round = 0; round < 100; ++round) {
    std::vector<MemberRecord> records;
    for (int i = 0; i < 40; ++i) records.push_back(random_record(random, 6));
    MemberTable first, second;
    for (const MemberRecord& record : records) first.merge(record);
    for (std::size_t i = records.size() - 1; i > 0; --i)
      std::swap(records[i], records[random.below(i + 1)]);
    for (const MemberRecord& record : records) second.merge(record);
    for (const MemberRecord& record : records) EXPECT_FALSE(second.merge(record).any());
    ASSERT_EQ(first.all(), second.all());
    EXPECT_EQ(first.hash(), second.hash());
    uint64_t whole = 0;
    for (std::size_t bucket = 0; bucket < MemberTable::kBuckets; ++bucket) {
      EXPECT_EQ(first.bucket_hash(bucket), second.bucket_hash(bucket));
      uint64_t anew = 0;
      for (const auto& [id, record] : first.all()) {
        if (MemberTable::bucket_of(id) == bucket) anew ^= MemberTable::hash_of(record);
      }
      EXPECT_EQ(first.bucket_hash(bucket), anew);
      whole ^= anew;
    }
    EXPECT_EQ(first.hash(), whole);
  }
}

TEST(MemberTable, of_two_seats_of_one_version_everyone_takes_the_same) {
  MemberRecord join = seated(4, SeatState::kJoining, 1, 70, ChangePhase::kProposed);
  MemberRecord other = join;
  other.seat.driver = 2;
  MemberTable here = founded(3), there = founded(3);
  here.merge(join);
  here.merge(other);
  there.merge(other);
  there.merge(join);
  EXPECT_EQ(here.hash(), there.hash());
  EXPECT_EQ(here.find(4)->seat, there.find(4)->seat);
}

TEST(MemberTable, tickets_are_greater_than_all_known_and_nobody_elses) {
  MemberTable table = founded(3);
  const uint64_t first = table.next_ticket(2);
  EXPECT_GT(first, table.ticket_known());
  EXPECT_NE(first, table.next_ticket(3));
  table.merge(seated(4, SeatState::kJoining, 1, first, ChangePhase::kProposed));
  EXPECT_EQ(table.ticket_known(), first);
  EXPECT_GT(table.next_ticket(1), first) << "the lesser id comes later";
  MemberRecord heard = seated(1);
  heard.life.incarnation = 1;
  heard.life.ticket_known = first * 8;
  table.merge(heard);
  EXPECT_GT(table.next_ticket(1), first * 8) << "who knows it need not have told of the change";
}

TEST(MemberTable, the_view_follows_a_join_step_by_step) {
  MemberTable table = founded(3);
  const RingOptions options;
  const uint64_t ticket = table.next_ticket(4);
  uint64_t version = 0;
  const auto step = [&](ChangePhase phase) {
    const bool done = phase == ChangePhase::kDone;
    table.merge(
        seated(4, done ? SeatState::kMember : SeatState::kJoining, ++version, ticket, phase));
    return table.view(options);
  };
  RingView view = step(ChangePhase::kProposed);
  EXPECT_FALSE(view.changing());
  EXPECT_THAT(ids(view.now->members()), ElementsAre(1, 2, 3));
  view = step(ChangePhase::kCopying);
  EXPECT_TRUE(view.changing());
  EXPECT_FALSE(view.switched);
  EXPECT_EQ(view.ticket, ticket);
  EXPECT_THAT(ids(view.now->members()), ElementsAre(1, 2, 3));
  EXPECT_THAT(ids(view.next->members()), ElementsAre(1, 2, 3, 4));
  EXPECT_FALSE(step(ChangePhase::kFilling).switched);
  view = step(ChangePhase::kSwitched);
  EXPECT_TRUE(view.switched);
  EXPECT_FALSE(table.in_ring(4));
  const RingView before = view;
  table.merge(seated(4, SeatState::kMember, ++version, ticket));
  view = table.view(options, before);
  EXPECT_FALSE(view.changing());
  EXPECT_EQ(view.now, before.next) << "what was next is taken over as it is";
  EXPECT_TRUE(table.in_ring(4));
  EXPECT_THAT(table.unfinished(), IsEmpty());
}

TEST(MemberTable, two_joins_queue_in_the_order_of_their_tickets) {
  MemberTable table = founded(3);
  const uint64_t first = table.next_ticket(5);
  table.merge(seated(5, SeatState::kJoining, 1, first, ChangePhase::kProposed));
  const uint64_t second = table.next_ticket(4);
  table.merge(seated(4, SeatState::kJoining, 1, second, ChangePhase::kProposed));
  auto changes = table.unfinished();
  ASSERT_EQ(changes.size(), 2u);
  EXPECT_EQ(changes[0].id, 5u);
  EXPECT_EQ(table.under_way(changes), nullptr);
  table.merge(seated(5, SeatState::kJoining, 2, first, ChangePhase::kCopying));
  const RingView view = table.view({});
  EXPECT_THAT(ids(view.next->members()), ElementsAre(1, 2, 3, 5));
}

TEST(MemberTable, a_leaving_node_confirms_and_a_dead_one_does_not) {
  MemberTable table = founded(4);
  table.merge(seated(4, SeatState::kLeaving, 2, table.next_ticket(4), ChangePhase::kCopying));
  auto changes = table.unfinished();
  EXPECT_THAT(table.must_confirm(changes[0]), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(ids(table.members_after(changes[0])), ElementsAre(1, 2, 3));
  MemberRecord dead = *table.find(4);
  ++dead.seat.version;
  dead.seat.dead = true;
  table.merge(dead);
  changes = table.unfinished();
  EXPECT_THAT(table.must_confirm(changes[0]), ElementsAre(1, 2, 3));
}

TEST(MemberTable, who_was_replaced_is_out_of_the_ring_also_before_its_own_seat_says_so) {
  MemberTable table = founded(3);
  MemberRecord join =
      seated(7, SeatState::kJoining, 1, table.next_ticket(7), ChangePhase::kCopying);
  join.seat.replaces = 2;
  table.merge(join);
  EXPECT_THAT(ids(table.members()), ElementsAre(1, 2, 3));
  const auto changes = table.unfinished();
  EXPECT_THAT(table.must_confirm(changes[0]), ElementsAre(1, 3, 7));
  EXPECT_THAT(ids(table.members_after(changes[0])), ElementsAre(1, 3, 7));
  join.seat.state = SeatState::kMember;
  join.seat.phase = ChangePhase::kDone;
  ++join.seat.version;
  table.merge(join);
  EXPECT_THAT(ids(table.members()), ElementsAre(1, 3, 7));
  EXPECT_FALSE(table.in_ring(2));
  // A later join of its own brings it back.
  table.merge(seated(2, SeatState::kMember, 9, table.next_ticket(2)));
  EXPECT_THAT(ids(table.members()), ElementsAre(1, 2, 3, 7));
}

TEST(MembersReply, comes_back_as_it_was_and_is_a_list_of_members_too) {
  MembersReply reply;
  reply.members = {{{3, "m", "z", "r", 250}, "host:1"}, {{9, "", "", "", 100}, ""}};
  reply.ring = {Partitioning::kTokens, 32, 7};
  reply.n = 5;
  reply.ticket = 77;
  const Buffer message = reply.encode();
  const std::string_view body = message.view().substr(kHeaderBytes);
  MembersReply back;
  ASSERT_TRUE(back.parse(body));
  ASSERT_EQ(back.members.size(), 2u);
  EXPECT_EQ(back.members[0].member, reply.members[0].member);
  EXPECT_EQ(back.members[1].member, reply.members[1].member);
  EXPECT_EQ(back.ring.strategy, Partitioning::kTokens);
  EXPECT_EQ(back.ring.q, 32u);
  EXPECT_EQ(back.ring.tokens, 7u);
  EXPECT_EQ(back.n, 5u);
  EXPECT_EQ(back.ticket, 77u);
  std::vector<KnownMember> members;
  ASSERT_TRUE(parse_members(body, members));
  EXPECT_EQ(members[0].address, "host:1");
  reply.ring.q = 0;
  EXPECT_FALSE(back.parse(reply.encode().view().substr(kHeaderBytes)));
  wire::MembersReply message_of_schema;
  ASSERT_TRUE(message_of_schema.ParseFromArray(body.data(), static_cast<int>(body.size())));
  EXPECT_EQ(message_of_schema.SerializeAsString(), body);
}

}  // namespace
}  // namespace ringside
