// Peers that refuse, that say nothing, that are many, and addresses that are none.
#include <algorithm>
#include <map>

#include "posix/conformance_network.h"
#include "runtime/scope.h"

namespace ringside::conformance {
namespace {

class PeerConformance : public Conformance {};
RINGSIDE_CONFORMANCE(PeerConformance);

// Hosts here give up quickly, so that what they say then is heard within the test.
class SilenceConformance : public Conformance {
 protected:
  SilenceConformance() : Conformance({.greet_within = 100 * kMillisecond}) {}
};
RINGSIDE_CONFORMANCE(SilenceConformance);

Task<void> send_each_millisecond(Host* host, NodeId to, uint64_t* sent) {
  while (true) {
    if (host->network().send({.to = to, .kind = 1, .operation = *sent + 1})) ++*sent;
    co_await host->clock().sleep(kMillisecond);
  }
}

TEST_P(SilenceConformance, a_machine_that_vanished_before_it_was_reached_says_nothing) {
  Ear sender, before, after;
  uint64_t sent = 0;
  bool there = false;
  stage().start(2, [&](Host& host) {
    there = true;
    return listener(&before)(host);
  });
  ASSERT_TRUE(stage().run_until([&] { return there; }));
  stage().vanish(2);
  EXPECT_FALSE(stage().running(2));
  stage().start(1, [&](Host& host) {
    introduce(host);
    host.network().attach(&sender);
    return send_each_millisecond(&host, 2, &sent);
  });
  // Long enough for a host to give up a few times, and to try again.
  ASSERT_TRUE(stage().run_until([&] { return sent >= 600; }));
  EXPECT_TRUE(sender.losses.empty()) << code_name(sender.losses[0].second);
  EXPECT_TRUE(before.frames.empty());
  stage().start(2, listener(&after));
  ASSERT_TRUE(stage().run_until([&] { return after.frames.size() >= 5; }));
  EXPECT_FALSE(sender.lost(Code::kUnavailable)) << "silence was taken for a refusal";
}

TEST_P(SilenceConformance, a_machine_that_vanishes_behind_its_connection_says_nothing) {
  Ear sender, before, after;
  uint64_t sent = 0;
  stage().start(2, listener(&before));
  stage().start(1, [&](Host& host) {
    introduce(host);
    host.network().attach(&sender);
    return send_each_millisecond(&host, 2, &sent);
  });
  ASSERT_TRUE(stage().run_until([&] { return before.frames.size() >= 5; }));
  stage().vanish(2);
  const uint64_t then = sent;
  const size_t heard = before.frames.size();
  ASSERT_TRUE(stage().run_until([&] { return sent >= then + 400; }));
  EXPECT_TRUE(sender.losses.empty()) << code_name(sender.losses[0].second);
  EXPECT_EQ(before.frames.size(), heard);
  stage().start(2, listener(&after));
  ASSERT_TRUE(stage().run_until([&] { return after.frames.size() >= 5; }));
  EXPECT_FALSE(sender.lost(Code::kUnavailable)) << "silence was taken for a refusal";
  EXPECT_GT(after.frames.back().operation, then);
}

Task<void> send_and_say(Host* host, std::vector<Frame> frames, int* refusals, bool* ended) {
  co_await send_all(host, std::move(frames), refusals);
  *ended = true;
}

TEST_P(SilenceConformance, one_who_waits_for_room_at_a_vanished_machine_goes_on_when_it_is_back) {
  Ear sender, before, after;
  int refusals = 0;
  bool ended = false;
  std::vector<Frame> frames(600, Frame{.to = 2, .kind = 1, .bytes = pattern(64 << 10, 5)});
  stage().start(2, listener(&before));
  stage().start(1, [&](Host& host) {
    introduce(host);
    host.network().attach(&sender);
    return send_and_say(&host, std::move(frames), &refusals, &ended);
  });
  ASSERT_TRUE(stage().run_until([&] { return !before.frames.empty(); }));
  stage().vanish(2);
  stage().run_turns(200);
  EXPECT_TRUE(sender.losses.empty()) << code_name(sender.losses[0].second);
  stage().start(2, listener(&after));
  ASSERT_TRUE(stage().run_until([&] { return ended && !after.frames.empty(); }));
  EXPECT_FALSE(sender.lost(Code::kUnavailable)) << "silence was taken for a refusal";
  for (const Frame& frame : after.frames)
    EXPECT_TRUE(frame.bytes.view() == pattern(64 << 10, 5).view());
}

Task<void> send_twice(Host* host, const bool* again) {
  for (uint64_t i = 1; i <= 50; ++i)
    EXPECT_TRUE(host->network().send({.to = 2, .kind = 1, .operation = i}));
  while (!*again) co_await host->clock().sleep(kMillisecond);
  for (uint64_t i = 101;; ++i) {
    EXPECT_TRUE(host->network().send({.to = 2, .kind = 1, .operation = i}));
    co_await host->clock().sleep(kMillisecond);
  }
}

TEST_P(PeerConformance, what_was_refused_never_arrives_later) {
  Ear sender, receiver;
  bool again = false;
  stage().start(1, [&](Host& host) {
    introduce(host);
    host.network().attach(&sender);
    return send_twice(&host, &again);
  });
  ASSERT_TRUE(stage().run_until([&] { return !sender.losses.empty(); }));
  EXPECT_EQ(sender.losses[0], std::pair(NodeId{2}, Code::kUnavailable));
  stage().start(2, listener(&receiver));
  again = true;
  ASSERT_TRUE(stage().run_until([&] { return receiver.frames.size() >= 5; }));
  for (const Frame& frame : receiver.frames) EXPECT_GT(frame.operation, 100u);
}

TEST_P(PeerConformance, learning_what_is_no_address_is_invalid_and_changes_nothing) {
  Ear ear;
  int refusals = 0;
  stage().start(2, listener(&ear));
  stage().start(1, [&](Host& host) {
    introduce(host);
    for (const std::string bad : {"", "nowhere", "host:", ":7001", "host:99999", "host:-1", "a:b:1",
                                  "host:7001x", "[::1:7001", "two words"}) {
      const Result<void> learnt = host.network().learn(2, bad);
      EXPECT_EQ(learnt.ok(), stage().takes_any_address()) << bad;
      if (learnt.ok()) continue;
      EXPECT_EQ(learnt.code(), Code::kInvalid);
      EXPECT_EQ(learnt.error().message,
                "\"" + bad + "\" is not HOST:PORT, for example 127.0.0.1:7001");
    }
    return send_all(&host, {{.to = 2, .kind = 1, .bytes = Buffer::copy_of("hello")}}, &refusals);
  });
  ASSERT_TRUE(stage().run_until([&] { return !ear.frames.empty(); }));
  EXPECT_EQ(ear.frames[0].bytes.view(), "hello");
}

// A label of a name has at most 63 letters, so no server need be asked.
TEST_P(PeerConformance, a_name_that_does_not_resolve_is_a_peer_that_refuses) {
  Ear ear;
  int refusals = 0;
  stage().start(1, [&](Host& host) {
    EXPECT_TRUE(host.network().learn(3, std::string(64, 'n') + ".invalid:7001").ok());
    host.network().attach(&ear);
    return send_all(&host, {{.to = 3, .kind = 1}}, &refusals);
  });
  ASSERT_TRUE(stage().run_until([&] { return !ear.losses.empty(); }));
  EXPECT_EQ(ear.losses[0], std::pair(NodeId{3}, Code::kUnavailable));
}

Task<void> send_some(Host* host, uint64_t sender, int* refusals) {
  std::vector<Frame> frames;
  for (uint64_t i = 0; i < 40; ++i) {
    const uint64_t operation = sender << 32 | i;
    const size_t size = (operation * 2'654'435'761u >> 7) % 131'072;
    frames.push_back(
        {.to = 2, .kind = 1, .operation = operation, .bytes = pattern(size, operation)});
  }
  co_await send_all(host, std::move(frames), refusals);
}

Task<void> send_together(Host* host, int* refusals) {
  Scope scope(host->ready());
  for (uint64_t sender = 0; sender < 8; ++sender) scope.spawn(send_some(host, sender, refusals));
  co_await scope.join();
}

TEST_P(PeerConformance, of_many_who_wait_for_room_nothing_is_lost_or_taken_twice) {
  Ear ear;
  int refusals = 0;
  stage().start(2, listener(&ear));
  stage().start(1, [&](Host& host) {
    introduce(host);
    return send_together(&host, &refusals);
  });
  ASSERT_TRUE(stage().run_until([&] { return ear.frames.size() >= 8 * 40; }));
  stage().run_turns(100);
  std::map<uint64_t, int> seen;
  for (const Frame& frame : ear.frames) {
    ++seen[frame.operation];
    EXPECT_TRUE(frame.bytes.view() == pattern(frame.bytes.size(), frame.operation).view());
  }
  EXPECT_EQ(seen.size(), 8u * 40u);
  EXPECT_EQ(ear.frames.size(), 8u * 40u);
  EXPECT_GT(refusals, 0) << "20 MiB at once fit a window of 4";
}

Task<void> wait_for_room(Host* host, int* woken) {
  for (const NodeId peer : {NodeId{1}, NodeId{2}, NodeId{3}, NodeId{999}}) {
    co_await host->network().writable(peer);
    ++*woken;
  }
}

TEST_P(PeerConformance, one_who_waits_where_there_is_room_is_woken_at_once) {
  int woken = 0;
  stage().start(2, [](Host& host) { return until_killed(&host); });
  stage().start(1, [&](Host& host) {
    introduce(host);
    return wait_for_room(&host, &woken);
  });
  EXPECT_TRUE(stage().run_until([&] { return woken == 4; }));
}

Task<void> send_to_all(Host* host, int* refusals) {
  std::vector<Frame> frames;
  for (uint64_t i = 0; i < 4; ++i) {
    for (NodeId to = 1; to <= kPlaces; ++to) {
      const uint64_t operation = uint64_t{host->network().self()} << 32 | i;
      const Buffer bytes = pattern(i == 3 ? 70'000 : 1'000, operation);
      frames.push_back({.to = to, .kind = 2, .operation = operation, .bytes = bytes});
    }
  }
  co_await send_all(host, std::move(frames), refusals);
}

TEST_P(PeerConformance, many_peers_hear_each_other_whole_and_once) {
  std::vector<Ear> ears(kPlaces + 1);
  int refusals = 0;
  // Those that start first speak first; whoever is not there yet would refuse.
  bool all_there = false;
  const auto program = [](Host* host, const bool* go, int* count) -> Task<void> {
    while (!*go) co_await host->clock().sleep(kMillisecond);
    co_await send_to_all(host, count);
  };
  for (NodeId node = 1; node <= kPlaces; ++node) {
    stage().start(node, [&, node](Host& host) {
      introduce(host);
      host.network().attach(&ears[node]);
      all_there = all_there || node == kPlaces;
      return program(&host, &all_there, &refusals);
    });
  }
  ASSERT_TRUE(stage().run_until([&] {
    return std::all_of(ears.begin() + 1, ears.end(),
                       [](const Ear& ear) { return ear.frames.size() >= 4 * kPlaces; });
  }));
  stage().run_turns(100);
  for (NodeId node = 1; node <= kPlaces; ++node) {
    std::map<uint64_t, int> seen;
    for (const Frame& frame : ears[node].frames) {
      ++seen[frame.operation];
      EXPECT_EQ(frame.to, node);
      EXPECT_EQ(frame.from, frame.operation >> 32);
      EXPECT_TRUE(frame.bytes.view() == pattern(frame.bytes.size(), frame.operation).view());
    }
    EXPECT_EQ(seen.size(), 4u * kPlaces);
    EXPECT_EQ(ears[node].frames.size(), 4u * kPlaces);
    EXPECT_TRUE(ears[node].losses.empty());
  }
}

}  // namespace
}  // namespace ringside::conformance
