#include "protocols/membership/admin_message.h"

#include <gtest/gtest.h>

#include "protocols/status.h"
#include "protocols/wire.h"
#include "protocols/wire.pb.h"

namespace ringside {
namespace {

using Verb = AdminOrder::Verb;

AdminOrder order(Verb verb, NodeId id, NodeId replaces = 0) {
  AdminOrder order;
  order.verb = verb;
  order.id = id;
  order.replaces = replaces;
  return order;
}

class Decide : public testing::Test {
 protected:
  Decide() {
    for (NodeId id = 1; id <= 5; ++id) {
      MemberRecord record{id, {}, {}};
      record.seat.version = 1;
      table.merge(record);
    }
  }
  // Decides and lets everyone know.
  AdminAnswer apply(NodeId at, const AdminOrder& what) {
    const Decision decision = decide(table, at, what, 3);
    for (const MemberRecord& seat : decision.seats) {
      MemberRecord back;
      EXPECT_TRUE(parse(encode(seat), back)) << decision.answer.text;
      EXPECT_TRUE(table.merge(seat).seat) << decision.answer.text;
    }
    return decision.answer;
  }
  void step(NodeId id, ChangePhase phase) {
    MemberRecord record = *table.find(id);
    ++record.seat.version;
    record.seat.phase = phase;
    table.merge(record);
  }
  MemberTable table;
};

TEST_F(Decide, an_order_may_be_repeated) {
  const AdminAnswer first = apply(1, order(Verb::kJoin, 9));
  ASSERT_TRUE(first.accepted) << first.text;
  EXPECT_EQ(table.find(9)->seat.driver, 9u) << "whoever joins drives it";
  const AdminAnswer again = apply(2, order(Verb::kJoin, 9));
  EXPECT_TRUE(again.accepted);
  EXPECT_EQ(again.ticket, first.ticket);
  EXPECT_TRUE(apply(1, order(Verb::kLeave, 2)).accepted);
  EXPECT_TRUE(apply(3, order(Verb::kLeave, 2)).accepted);
  EXPECT_EQ(table.unfinished().size(), 2u);
  EXPECT_TRUE(apply(3, order(Verb::kJoin, 1)).accepted) << "it is a member";
}

TEST_F(Decide, only_a_member_decides) {
  EXPECT_FALSE(apply(9, order(Verb::kJoin, 9)).accepted);
  EXPECT_FALSE(apply(9, order(Verb::kLeave, 1)).accepted);
}

TEST_F(Decide, a_ring_of_fewer_members_than_copies_is_refused) {
  EXPECT_TRUE(apply(1, order(Verb::kLeave, 5)).accepted);
  EXPECT_TRUE(apply(1, order(Verb::kRemove, 4)).accepted);
  EXPECT_FALSE(apply(1, order(Verb::kLeave, 3)).accepted);
  EXPECT_FALSE(apply(1, order(Verb::kRemove, 3)).accepted);
  EXPECT_TRUE(apply(1, order(Verb::kReplace, 9, 3)).accepted);
}

TEST_F(Decide, a_replacement_takes_the_share_and_the_place_of_the_dead) {
  MemberRecord dead = *table.find(2);
  ++dead.seat.version;
  dead.seat.capacity = 250;
  dead.seat.zone = "east-b";
  table.merge(dead);
  EXPECT_TRUE(apply(1, order(Verb::kReplace, 9, 2)).accepted);
  EXPECT_EQ(table.find(9)->seat.capacity, 250u);
  EXPECT_EQ(table.find(9)->seat.zone, "east-b");
  EXPECT_EQ(table.find(9)->seat.replaces, 2u);
  EXPECT_FALSE(apply(1, order(Verb::kReplace, 8, 2)).accepted) << "somebody does already";
  EXPECT_FALSE(apply(2, order(Verb::kReplace, 8, 2)).accepted) << "it answers";
}

TEST_F(Decide, a_cancel_goes_to_the_driver_and_comes_too_late_once_reads_moved) {
  apply(1, order(Verb::kJoin, 9));
  apply(1, order(Verb::kLeave, 2));
  EXPECT_EQ(decide(table, 1, order(Verb::kCancel, 9), 3).ask, 9u);
  EXPECT_EQ(decide(table, 1, order(Verb::kCancel, 3), 3).ask, 0u);
  step(2, ChangePhase::kFilling);
  EXPECT_TRUE(apply(2, order(Verb::kCancel, 2)).accepted);
  EXPECT_EQ(table.find(2)->seat.state, SeatState::kMember);
  EXPECT_TRUE(table.in_ring(2));
  EXPECT_TRUE(apply(2, order(Verb::kCancel, 2)).accepted) << "it is";
  EXPECT_TRUE(apply(1, order(Verb::kLeave, 2)).accepted) << "and may leave later";
  step(2, ChangePhase::kSwitched);
  EXPECT_FALSE(apply(2, order(Verb::kCancel, 2)).accepted);
}

TEST_F(Decide, removing_a_dead_node_cancels_its_join_and_takes_over_what_it_drove) {
  apply(1, order(Verb::kJoin, 9));
  step(9, ChangePhase::kFilling);
  EXPECT_TRUE(apply(1, order(Verb::kRemove, 9)).accepted);
  EXPECT_EQ(table.find(9)->seat.state, SeatState::kGone);
  EXPECT_TRUE(table.unfinished().empty());

  EXPECT_TRUE(apply(3, order(Verb::kRemove, 2)).accepted);
  EXPECT_EQ(table.find(2)->seat.driver, 3u);
  EXPECT_TRUE(apply(4, order(Verb::kReplace, 8, 3)).accepted);
  EXPECT_EQ(table.find(2)->seat.driver, 4u) << "the one who removed it died too";

  apply(1, order(Verb::kJoin, 10));
  step(10, ChangePhase::kSwitched);
  EXPECT_TRUE(apply(1, order(Verb::kRemove, 10)).accepted);
  EXPECT_EQ(table.find(10)->seat.state, SeatState::kJoining) << "too late to undo: driven on";
  EXPECT_EQ(table.find(10)->seat.driver, 1u);
  EXPECT_TRUE(table.find(10)->seat.dead);
}

TEST_F(Decide, a_member_of_wire_version_1_comes_first) {
  MemberRecord old = *table.find(4);
  old.life.version = 1;
  old.life.wire = 1;
  table.merge(old);
  const AdminAnswer answer = apply(1, order(Verb::kJoin, 9));
  EXPECT_FALSE(answer.accepted);
  EXPECT_EQ(answer.text, "node 4 speaks wire version 1 alone; upgrade it first");
}

TEST(AdminMessage, is_what_protobuf_makes_of_the_schema_both_ways) {
  AdminOrder what = order(Verb::kReplace, 9, 2);
  what.address = "host:1";
  what.capacity = 50;
  what.zone = "z";
  const Buffer encoded = what.encode();
  const std::string body(encoded.view().substr(kHeaderBytes));
  wire::AdminOrder schema;
  ASSERT_TRUE(schema.ParseFromString(body));
  EXPECT_EQ(schema.SerializeAsString(), body);
  AdminOrder back;
  ASSERT_TRUE(back.parse(body));
  const Buffer again = back.encode();
  EXPECT_EQ(again.view().substr(kHeaderBytes), body);
  EXPECT_FALSE(back.parse("")) << "no verb";
  what.replaces = 0;
  const Buffer wrong = what.encode();
  EXPECT_FALSE(back.parse(wrong.view().substr(kHeaderBytes))) << "replaces nobody";

  const Buffer answer = AdminAnswer{true, "done", 70}.encode();
  wire::AdminAnswer answered;
  const std::string answer_body(answer.view().substr(kHeaderBytes));
  ASSERT_TRUE(answered.ParseFromString(answer_body));
  EXPECT_EQ(answered.SerializeAsString(), answer_body);
}

TEST(StatusMessage, is_what_protobuf_makes_of_the_schema_both_ways) {
  StatusSection node{"node", {}}, empty{"", {}};
  node.add("id", 4);
  node.add("", "");
  const Buffer encoded = encode_status({node, empty});
  const std::string body(encoded.view().substr(kHeaderBytes));
  wire::StatusReply schema;
  ASSERT_TRUE(schema.ParseFromString(body));
  EXPECT_EQ(schema.SerializeAsString(), body);
  std::vector<StatusSection> back;
  ASSERT_TRUE(parse_status(body, back));
  ASSERT_EQ(back.size(), 2u);
  EXPECT_EQ(back[0].find("id"), "4");
  EXPECT_EQ(back[0].rows.size(), 2u);
}

}  // namespace
}  // namespace ringside
