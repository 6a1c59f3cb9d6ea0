#include "posix/conformance_network.h"

#include <map>
#include <set>

namespace ringside::conformance {
namespace {

class NetworkConformance : public Conformance {};
RINGSIDE_CONFORMANCE(NetworkConformance);

TEST_P(NetworkConformance, frames_of_every_size_arrive_whole_from_whom_they_say) {
  Ear ear;
  int refusals = 0;
  std::vector<Frame> frames;
  std::map<uint64_t, size_t> sizes;
  for (const size_t size : {0, 1, 23, 24, 25, 100, 4095, 4096, 4097, 16'000, 32'743, 32'744, 32'745,
                            32'768, 65'536, 1 << 20, 16 << 20}) {
    const uint64_t operation = 0xabcd'0000'0000'0000 + frames.size();
    sizes[operation] = size;
    frames.push_back({.to = 2,
                      .kind = static_cast<FrameKind>(frames.size()),
                      .operation = operation,
                      .bytes = pattern(size, operation)});
  }
  stage().start(2, listener(&ear));
  stage().start(1, [&](Host& host) {
    introduce(host);
    return send_all(&host, frames, &refusals);
  });
  ASSERT_TRUE(stage().run_until([&] { return ear.frames.size() >= frames.size(); }));
  std::set<uint64_t> seen;
  for (const Frame& frame : ear.frames) {
    EXPECT_EQ(frame.from, 1u);
    EXPECT_EQ(frame.to, 2u);
    ASSERT_TRUE(sizes.contains(frame.operation));
    EXPECT_EQ(frame.kind, frame.operation & 0xffff);
    EXPECT_EQ(frame.bytes.size(), sizes[frame.operation]);
    EXPECT_TRUE(frame.bytes.view() == pattern(sizes[frame.operation], frame.operation).view());
    EXPECT_TRUE(seen.insert(frame.operation).second) << "no world asked for duplicates here";
  }
}

TEST_P(NetworkConformance, the_largest_frame_passes_though_it_exceeds_the_window) {
  Ear ear;
  int refusals = 0;
  const Buffer big = pattern(kFrameBytesMax, 1);
  stage().start(2, listener(&ear));
  stage().start(1, [&](Host& host) {
    introduce(host);
    return send_all(&host, {{.to = 2, .kind = 1, .bytes = big}, {.to = 2, .kind = 2}}, &refusals);
  });
  ASSERT_TRUE(stage().run_until([&] { return ear.frames.size() == 2; }));
  const Frame& received = ear.frames[0].kind == 1 ? ear.frames[0] : ear.frames[1];
  EXPECT_TRUE(received.bytes.view() == big.view());
}

TEST_P(NetworkConformance, one_buffer_goes_to_two_peers_and_to_its_sender) {
  Ear ears[3];
  int refusals = 0;
  const Buffer shared = pattern(5'000, 3);
  stage().start(2, listener(&ears[1]));
  stage().start(3, listener(&ears[2]));
  stage().start(1, [&](Host& host) {
    introduce(host);
    host.network().attach(&ears[0]);
    std::vector<Frame> frames;
    for (NodeId to = 1; to <= 3; ++to) frames.push_back({.to = to, .kind = 9, .bytes = shared});
    return send_all(&host, frames, &refusals);
  });
  ASSERT_TRUE(stage().run_until(
      [&] { return ears[0].frames.size() + ears[1].frames.size() + ears[2].frames.size() == 3; }));
  for (const Ear& ear : ears) {
    ASSERT_EQ(ear.frames.size(), 1u);
    EXPECT_EQ(ear.frames[0].bytes.view(), shared.view());
    EXPECT_EQ(ear.frames[0].from, 1u);
  }
}

// Sends every frame back to where it came from.
struct Echo : FrameHandler {
  explicit Echo(Host& owner) : host(owner) { host.network().attach(this); }
  void on_frame(const Frame& frame) override {
    host.network().send(
        {.to = frame.from, .kind = frame.kind, .operation = frame.operation, .bytes = frame.bytes});
  }
  void on_peer_lost(NodeId, Code) override {}
  Host& host;
};

TEST_P(NetworkConformance, a_reply_finds_its_way_to_a_peer_that_nobody_introduced) {
  Ear ear;
  int refusals = 0;
  std::unique_ptr<Echo> echo;
  stage().start(2, [&](Host& host) {
    echo = std::make_unique<Echo>(host);
    return until_killed(&host);
  });
  stage().start(1, [&](Host& host) {
    introduce(host);
    host.network().attach(&ear);
    return send_all(&host,
                    {{.to = 2, .kind = 4, .operation = 77, .bytes = Buffer::copy_of("hello")}},
                    &refusals);
  });
  ASSERT_TRUE(stage().run_until([&] { return !ear.frames.empty(); }));
  EXPECT_EQ(ear.frames[0].from, 2u);
  EXPECT_EQ(ear.frames[0].operation, 77u);
  EXPECT_EQ(ear.frames[0].bytes.view(), "hello");
}

TEST_P(NetworkConformance, a_process_that_is_not_there_refuses) {
  Ear ear;
  int refusals = 0;
  stage().start(1, [&](Host& host) {
    introduce(host);
    host.network().attach(&ear);
    return send_all(&host, {{.to = 3, .kind = 1}}, &refusals);
  });
  ASSERT_TRUE(stage().run_until([&] { return !ear.losses.empty(); }));
  EXPECT_EQ(ear.losses[0], std::pair(NodeId{3}, Code::kUnavailable));
}

Task<void> send_often(Host* host, NodeId to, uint64_t* sent) {
  while (true) {
    if (host->network().send({.to = to, .kind = 1, .operation = *sent})) ++*sent;
    co_await host->clock().sleep(kMillisecond);
  }
}

TEST_P(NetworkConformance, a_peer_that_dies_is_reported_and_is_reached_again_once_it_is_back) {
  Ear sender, before, after;
  uint64_t sent = 1;
  stage().start(2, listener(&before));
  stage().start(1, [&](Host& host) {
    introduce(host);
    host.network().attach(&sender);
    return send_often(&host, 2, &sent);
  });
  ASSERT_TRUE(stage().run_until([&] { return before.frames.size() >= 5; }));
  EXPECT_TRUE(sender.losses.empty());
  stage().kill(2);
  ASSERT_TRUE(stage().run_until([&] { return sender.lost(Code::kUnavailable); }));
  const uint64_t sent_while_down = sent;
  stage().start(2, listener(&after));
  ASSERT_TRUE(stage().run_until([&] { return after.frames.size() >= 5; }));
  EXPECT_GE(after.frames.back().operation, sent_while_down);
}

TEST_P(NetworkConformance, a_peer_that_dies_with_frames_on_their_way_resets) {
  Ear sender, receiver;
  int refusals = 0;
  stage().start(2, listener(&receiver));
  std::vector<Frame> frames(200, Frame{.to = 2, .kind = 1, .bytes = pattern(64 << 10, 5)});
  stage().start(1, [&](Host& host) {
    introduce(host);
    host.network().attach(&sender);
    return send_all(&host, frames, &refusals);
  });
  ASSERT_TRUE(stage().run_until([&] { return !receiver.frames.empty(); }));
  ASSERT_LT(receiver.frames.size(), frames.size());
  stage().kill(2);
  EXPECT_TRUE(stage().run_until([&] { return sender.lost(Code::kReset); }));
}

TEST_P(NetworkConformance, a_full_window_says_no_and_then_has_room_again) {
  Ear ear;
  int refusals = 0;
  constexpr size_t kFrames = 400;
  std::vector<Frame> frames(kFrames, Frame{.to = 2, .kind = 1, .bytes = pattern(48 << 10, 9)});
  stage().start(2, listener(&ear));
  stage().start(1, [&](Host& host) {
    introduce(host);
    return send_all(&host, frames, &refusals);
  });
  ASSERT_TRUE(stage().run_until([&] { return ear.frames.size() == kFrames; }));
  EXPECT_GT(refusals, 0) << "19 MiB at once fit a window of 4";
  EXPECT_LT(refusals, 10'000) << "woken without room";
}

TEST_P(NetworkConformance, waiting_for_room_ends_when_the_peer_is_lost) {
  Ear receiver, sender;
  int refusals = 0;
  bool ended = false;
  std::vector<Frame> frames(200, Frame{.to = 2, .kind = 1, .bytes = pattern(64 << 10, 5)});
  stage().start(2, listener(&receiver));
  auto program = [](Host* host, std::vector<Frame> all, int* count, bool* done) -> Task<void> {
    co_await send_all(host, std::move(all), count);
    *done = true;
  };
  stage().start(1, [&](Host& host) {
    introduce(host);
    host.network().attach(&sender);
    return program(&host, frames, &refusals, &ended);
  });
  ASSERT_TRUE(stage().run_until([&] { return refusals > 0; }));
  stage().kill(2);
  EXPECT_TRUE(stage().run_until([&] { return ended; }));
}

TEST_P(NetworkConformance, killing_both_ends_at_any_moment_is_clean) {
  for (int round = 0; round < 30; ++round) {
    Ear ears[2];
    int refusals = 0;
    std::vector<Frame> frames(300, Frame{.to = 2, .kind = 1, .bytes = pattern(20'000, 5)});
    stage().start(2, listener(&ears[1]));
    stage().start(1, [&](Host& host) {
      introduce(host);
      host.network().attach(&ears[0]);
      return send_all(&host, frames, &refusals);
    });
    const size_t enough = static_cast<size_t>(round) * 7;
    ASSERT_TRUE(stage().run_until([&] { return ears[1].frames.size() >= enough; }));
    stage().kill(round % 2 == 0 ? 1 : 2);
    stage().run_turns(5);
    stage().kill(round % 2 == 0 ? 2 : 1);
  }
}

}  // namespace
}  // namespace ringside::conformance
