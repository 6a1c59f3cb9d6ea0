#include "protocols/rpc.h"

#include <gtest/gtest.h>

#include "protocols/test_host.h"

namespace ringside {
namespace {

using test::TestHost;
using test::TestWorld;

struct Answer {
  Gather::Outcome outcome = Gather::Outcome::kDeadline;
  std::vector<Fanout::Leg::State> states;
  std::vector<Status> statuses;
  std::vector<std::string> keys;
  Time at = -1;
};

// Asks `peers` with a GetRequest and notes what had come when it was done.
Task<void> ask(Rpc& rpc, std::vector<NodeId> peers, uint32_t need, Duration patience,
               Answer& answer) {
  Clock& clock = rpc.host().clock();
  const Time deadline = clock.now() + patience;
  Fanout fanout(rpc, peers);
  fanout.send(Kind::kReplicaGetRequest, 7, deadline, GetRequest{"k"}.encode());
  answer.outcome = co_await fanout.wait(need, deadline);
  answer.at = clock.now();
  for (const Fanout::Leg& leg : fanout) {
    answer.states.push_back(leg.state);
    answer.statuses.push_back(leg.status);
    GetReply reply;
    if (leg.state == Fanout::Leg::State::kOk && reply.parse(leg.body()))
      answer.keys.emplace_back(reply.object);
  }
}

class RpcTest : public testing::Test {
 protected:
  RpcTest() {
    for (NodeId id : {2u, 3u, 4u}) {
      servers.push_back(std::make_unique<Rpc>(world.host(id)));
      Rpc& rpc = *servers.back();
      rpc.handle(Kind::kReplicaGetRequest, [this, &rpc, id](Request request) {
        ++handled;
        budgets.push_back(request.deadline - world.now());
        const std::string object = "from " + std::to_string(id);
        rpc.reply(request, Status::kOk, GetReply{true, object}.encode());
      });
    }
  }
  void start(std::vector<NodeId> peers, uint32_t need, Duration patience) {
    world.host(1).spawn(ask(client, std::move(peers), need, patience, answer));
  }

  using State = Fanout::Leg::State;
  TestWorld world;
  Rpc client{world.host(1)};
  std::vector<std::unique_ptr<Rpc>> servers;
  int handled = 0;
  std::vector<Duration> budgets;
  Answer answer;
};

TEST_F(RpcTest, a_fan_out_returns_with_the_needed_answers_and_does_not_wait_for_the_rest) {
  world.delay_of = [](const Frame& frame) {
    return Duration{frame.to == 1 ? frame.from : frame.to} * kMillisecond;
  };
  start({2, 3, 4}, 2, kSecond);
  world.run_for(kSecond);
  EXPECT_EQ(answer.outcome, Gather::Outcome::kReached);
  EXPECT_EQ(answer.keys, (std::vector<std::string>{"from 2", "from 3"}));
  EXPECT_EQ(answer.at, 6 * kMillisecond);
  EXPECT_EQ(client.stats().late, 1u) << "the third found the call gone";
}

TEST_F(RpcTest, the_budget_travels_as_time_that_is_left) {
  start({2}, 1, 250 * kMillisecond);
  world.run_for(kSecond);
  EXPECT_EQ(budgets, std::vector<Duration>{250 * kMillisecond});
}

TEST_F(RpcTest, silence_ends_at_the_deadline_and_says_unknown) {
  world.cut(1, 2);
  start({2}, 1, 50 * kMillisecond);
  world.run_for(kSecond);
  EXPECT_EQ(answer.outcome, Gather::Outcome::kDeadline);
  EXPECT_EQ(answer.at, 50 * kMillisecond);
  EXPECT_EQ(answer.states[0], State::kWaiting);
  EXPECT_FALSE(surely_not(answer.statuses[0]));
}

TEST_F(RpcTest, a_refused_peer_is_surely_not_reached_at_once) {
  world.refused.insert({1, 2});
  start({2}, 1, kSecond);
  world.run_for(kSecond);
  EXPECT_EQ(answer.outcome, Gather::Outcome::kImpossible);
  EXPECT_EQ(answer.at, 0);
  EXPECT_TRUE(surely_not(answer.statuses[0]));
}

TEST_F(RpcTest, a_reset_connection_leaves_the_outcome_unknown) {
  world.cut(2, 1);
  start({2}, 1, kSecond);
  world.after(5 * kMillisecond, [this] { world.lose_peer(1, 2, Code::kReset); });
  world.run_for(kSecond);
  EXPECT_EQ(answer.outcome, Gather::Outcome::kImpossible);
  EXPECT_FALSE(surely_not(answer.statuses[0]));
}

TEST_F(RpcTest, a_refusal_says_nothing_of_what_was_sent_before_the_peer_was_last_heard) {
  bool first = true;
  world.meddle = [&](Frame& frame) {
    if (frame.to != 1 || !first) return 1;
    first = false;
    return 0;  // the answer to the first question is lost
  };
  start({2}, 1, kSecond);
  Answer second;
  world.after(5 * kMillisecond, [&] { world.host(1).spawn(ask(client, {2}, 1, kSecond, second)); });
  world.after(10 * kMillisecond, [this] { world.lose_peer(1, 2, Code::kUnavailable); });
  world.run_for(2 * kSecond);
  EXPECT_EQ(second.outcome, Gather::Outcome::kReached);
  EXPECT_EQ(answer.outcome, Gather::Outcome::kImpossible);
  EXPECT_FALSE(surely_not(answer.statuses[0])) << "it had been delivered";
}

TEST_F(RpcTest, a_full_window_is_surely_not_sent_and_a_reply_waits_for_room) {
  world.host(1).window_full = true;
  start({2}, 1, kSecond);
  world.run_for(kMillisecond);
  EXPECT_EQ(answer.outcome, Gather::Outcome::kImpossible);
  EXPECT_EQ(answer.statuses[0], Status::kOverloaded);
  world.host(1).window_full = false;
  answer = {};
  world.host(2).window_full = true;
  world.host(2).room_at = world.now() + 20 * kMillisecond;
  start({2}, 1, kSecond);
  world.run_for(kSecond);
  EXPECT_EQ(answer.outcome, Gather::Outcome::kReached);
  EXPECT_EQ(world.host(2).probes["rpc.reply_waits_for_window"], 1);
}

TEST_F(RpcTest, doubled_and_damaged_frames_change_nothing) {
  world.meddle = [&](Frame& frame) {
    if (frame.to == 3) {
      Buffer damaged = Buffer::copy_of(frame.bytes.view());
      damaged.mutable_data()[damaged.size() - 1] ^= 1;
      frame.bytes = damaged;
    }
    return 2;
  };
  start({2, 3}, 2, 100 * kMillisecond);
  world.run_for(kSecond);
  EXPECT_EQ(answer.outcome, Gather::Outcome::kDeadline);
  EXPECT_EQ(answer.states, (std::vector<State>{State::kOk, State::kWaiting}));
  EXPECT_EQ(world.host(3).probes["rpc.bad_checksum"], 2);
}

TEST_F(RpcTest, a_reply_to_an_earlier_call_in_the_same_slot_is_late) {
  world.delay_of = [&](const Frame&) {
    return world.now() == 0 ? 80 * kMillisecond : kMillisecond;
  };
  start({2}, 1, 10 * kMillisecond);  // gives up before its answer comes
  world.run_for(81 * kMillisecond - 500 * kMicrosecond);
  answer = {};
  world.delay_of = [](const Frame& frame) { return frame.to == 1 ? kMillisecond : kSecond / 2; };
  start({2}, 1, kSecond);  // takes the slot again
  world.run_for(2 * kSecond);
  EXPECT_EQ(answer.outcome, Gather::Outcome::kReached);
  EXPECT_GT(answer.at, 500 * kMillisecond) << "the old answer was not taken for the new one";
  EXPECT_EQ(client.stats().late, 1u);
}

TEST_F(RpcTest, a_process_that_dies_in_the_middle_of_calls_leaves_nothing_behind) {
  start({2, 3, 4}, 3, kSecond);
  world.run_for(1'500 * kMicrosecond);
  world.host(1).die();
  world.run_for(kSecond);
  EXPECT_EQ(handled, 3);
  EXPECT_EQ(answer.at, -1);
}

TEST_F(RpcTest, a_peer_is_spoken_to_in_the_version_that_it_speaks) {
  world.record = true;
  const auto versions = [this] {
    std::vector<uint16_t> list;
    for (const Frame& frame : world.sent) list.push_back(unseal(frame)->version);
    world.sent.clear();
    return list;
  };
  start({2}, 1, kSecond);
  world.run_for(10 * kMillisecond);
  EXPECT_EQ(versions(), (std::vector<uint16_t>{1, 1})) << "nothing is known of it";
  client.peer_speaks(2, 2);
  client.peer_speaks(3, 1);
  start({2}, 1, kSecond);
  world.run_for(10 * kMillisecond);
  EXPECT_EQ(versions(), (std::vector<uint16_t>{2, 1}));
  start({2, 3}, 2, kSecond);
  world.run_for(10 * kMillisecond);
  EXPECT_EQ(versions(), (std::vector<uint16_t>{1, 1, 1, 1})) << "one message for both";
}

TEST_F(RpcTest, who_speaks_version_1_alone_takes_no_frame_of_version_2) {
  client.peer_speaks(2, 2);
  servers[0]->speak(1);
  start({2}, 1, 50 * kMillisecond);
  world.run_for(kSecond);
  EXPECT_EQ(answer.outcome, Gather::Outcome::kDeadline);
  EXPECT_EQ(world.host(2).probes["rpc.bad_checksum"], 1);
  servers[0]->speak(kWireVersion);
  start({2}, 1, 50 * kMillisecond);
  world.run_for(kSecond);
  EXPECT_EQ(answer.outcome, Gather::Outcome::kReached);
}

}  // namespace
}  // namespace ringside
