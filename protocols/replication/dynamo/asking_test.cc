#include "protocols/replication/dynamo/asking.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "protocols/test_host.h"

namespace ringside {
namespace {

using test::TestWorld;
using testing::ElementsAre;

std::vector<Member> members_up_to(NodeId last) {
  std::vector<Member> members;
  for (NodeId id = 1; id <= last; ++id) members.push_back({id, "", "", ""});
  return members;
}

TEST(Asking, a_put_needs_one_more_for_every_home_that_a_change_adds) {
  RingView view = stable_view(Ring(members_up_to(6), {}));
  EXPECT_EQ(seats_to_write(view, 7, 3, 2).needed, 2u);
  EXPECT_EQ(seats_to_write(view, 7, 3, 2).homes.size(), 3u);
  view.next = std::make_shared<const Ring>(Ring(members_up_to(7), {}));
  bool one_more = false;
  for (uint32_t partition = 0; partition < 64; ++partition) {
    const uint64_t position = view.now->range(partition).begin;
    for (const bool switched : {false, true}) {
      view.switched = switched;
      const Seats seats = seats_to_write(view, position, 3, 2);
      EXPECT_EQ(seats.needed, seats.homes.size() - 1) << "W = N - 1 of both";
      one_more = one_more || seats.homes.size() == 4;
      EXPECT_EQ(seats_to_read(view, position, 3, 2).needed, 2u);
    }
  }
  EXPECT_TRUE(one_more);
}

TEST(Asking, a_cluster_that_is_too_small_has_not_enough_homes) {
  const RingView view = stable_view(Ring(members_up_to(1), {}));
  EXPECT_FALSE(seats_to_write(view, 7, 3, 2).enough());
  EXPECT_TRUE(seats_to_write(view, 7, 3, 1).enough());
}

TEST(Asking, random_sets_of_homes_are_all_as_likely) {
  Random random(1);
  std::map<std::set<NodeId>, int> drawn;
  for (int i = 0; i < 30'000; ++i) {
    Seats seats{{1, 2, 3, 4}, 2};
    keep_random(seats, random);
    ASSERT_EQ(seats.homes.size(), 2u);
    ++drawn[{seats.homes.begin(), seats.homes.end()}];
  }
  EXPECT_EQ(drawn.size(), 6u);
  for (const auto& [homes, times] : drawn) EXPECT_NEAR(times, 5'000, 300);
}

TEST(Asking, asks_itself_first_and_who_is_suspected_last) {
  Suspects suspects;
  suspects.silent(2, 0);
  Seats seats{{2, 5, 4, 1}, 2};
  order_for_hedging(seats, 4, suspects, 1);
  EXPECT_THAT(seats.homes, ElementsAre(4, 5, 1, 2));
}

TEST(Asking, patience_is_a_quarter_of_the_time_and_has_a_bound) {
  DynamoOptions options;
  EXPECT_EQ(patience_of(options, 0, 80 * kMillisecond), 20 * kMillisecond);
  EXPECT_EQ(patience_of(options, 0, kSecond), 100 * kMillisecond);
  EXPECT_EQ(patience_of(options, 0, kNever), 100 * kMillisecond);
  EXPECT_EQ(patience_of(options, 5, 5), 1);
  options.sloppy_after = 7;
  EXPECT_EQ(patience_of(options, 0, kSecond), 7);
}

// A call to the nodes 1, 2 and 3, of which 2 refuses and 3 is silent.
class Seating : public testing::Test {
 protected:
  Seating() : rpc(world.host(9)), view(stable_view(Ring(members_up_to(8), {}))) {
    for (const NodeId id : {1u, 4u, 5u}) {
      peers[id] = std::make_unique<Rpc>(world.host(id));
      peers[id]->handle(Kind::kReplicaGetRequest, [peer = peers[id].get()](Request request) {
        peer->reply(request, Status::kOk, encode_empty());
      });
    }
    world.refused.insert({9, 2});
    seats.homes = {1, 2, 3};
    seats.needed = 2;
  }
  SeatFill state(const Fanout& fanout, uint32_t seat) {
    return seat_fill(fanout, seat, suspects, world.now(), 50 * kMillisecond);
  }

  TestWorld world;
  Rpc rpc;
  std::map<NodeId, std::unique_ptr<Rpc>> peers;
  RingView view;
  Suspects suspects;
  Seats seats;
};

TEST_F(Seating, a_seat_is_filled_vacant_or_silent_by_whom_it_asked_last) {
  Fanout fanout(rpc, seats.homes);
  fanout.send(Kind::kReplicaGetRequest, 1, kSecond, GetRequest{"k"}.encode());
  for (uint32_t seat = 0; seat < 3; ++seat) EXPECT_EQ(state(fanout, seat), SeatFill::kWaiting);
  EXPECT_EQ(next_silence(fanout, 3, 50 * kMillisecond, 0), 50 * kMillisecond);
  world.run_for(10 * kMillisecond);
  EXPECT_EQ(state(fanout, 0), SeatFill::kFilled);
  EXPECT_EQ(state(fanout, 1), SeatFill::kVacant);
  EXPECT_EQ(state(fanout, 2), SeatFill::kWaiting);
  world.run_for(50 * kMillisecond);
  EXPECT_EQ(state(fanout, 2), SeatFill::kSilent);
  EXPECT_EQ(next_silence(fanout, 3, 50 * kMillisecond, world.now()), kNever);
  fanout.add(4, 2, Kind::kReplicaGetRequest, 1, kSecond, GetRequest{"k", true}.encode());
  EXPECT_EQ(state(fanout, 2), SeatFill::kWaiting);
  EXPECT_EQ(fanout.gather().outstanding(), 2u);
  world.run_for(10 * kMillisecond);
  EXPECT_EQ(state(fanout, 2), SeatFill::kFilled);
  EXPECT_EQ(fanout.gather().succeeded(), 2u);
  EXPECT_EQ(fanout.gather().outstanding(), 0u) << "the home does not count any more";
}

TEST_F(Seating, a_seat_counts_once_when_the_home_and_its_stand_in_both_answer) {
  Fanout fanout(rpc, seats.homes);
  fanout.send(Kind::kReplicaGetRequest, 1, kSecond, GetRequest{"k"}.encode());
  fanout.add(5, 0, Kind::kReplicaGetRequest, 1, kSecond, GetRequest{"k", true}.encode());
  world.run_for(20 * kMillisecond);
  EXPECT_EQ(fanout.gather().succeeded(), 1u);
  EXPECT_EQ(fanout[0].state, Fanout::Leg::State::kOk);
  EXPECT_EQ(fanout[3].state, Fanout::Leg::State::kOk);
}

TEST_F(Seating, the_next_stand_in_is_healthy_no_home_and_not_asked_yet) {
  Fanout fanout(rpc, seats.homes);
  fanout.send(Kind::kReplicaGetRequest, 1, kSecond, GetRequest{"k"}.encode());
  std::vector<NodeId> others;
  for (const NodeId node : view.now->preference_at(7)) {
    if (!seats.has(node)) others.push_back(node);
  }
  ASSERT_EQ(others.size(), 5u);
  EXPECT_EQ(next_stand_in(view, 7, seats, fanout, suspects, 0), others[0]);
  suspects.silent(others[0], 0);
  EXPECT_EQ(next_stand_in(view, 7, seats, fanout, suspects, 0), others[1]);
  fanout.add(others[1], 1, Kind::kReplicaGetRequest, 1, kSecond, GetRequest{"k"}.encode());
  EXPECT_EQ(next_stand_in(view, 7, seats, fanout, suspects, 0), others[2]);
  for (std::size_t i = 2; i < others.size(); ++i) suspects.silent(others[i], 0);
  EXPECT_EQ(next_stand_in(view, 7, seats, fanout, suspects, 0), kNoNode);
}

}  // namespace
}  // namespace ringside
