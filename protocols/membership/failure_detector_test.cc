#include "protocols/membership/failure_detector.h"

#include <gtest/gtest.h>

#include <memory>

#include "protocols/membership/pinger.h"
#include "protocols/test_host.h"
#include "runtime/random.h"

namespace ringside {
namespace {

TEST(FailureDetector, local_suspects_who_was_silent_for_a_period_and_an_answer_clears_it) {
  FailureDetector detector({.kind = Detector::kLocal, .period = kSecond});
  EXPECT_FALSE(detector.suspected(1, 0));
  detector.silent(1, 10 * kSecond);
  EXPECT_TRUE(detector.suspected(1, 10 * kSecond));
  EXPECT_TRUE(detector.suspected(1, 11 * kSecond - 1));
  EXPECT_FALSE(detector.suspected(1, 11 * kSecond)) << "asked again when the period is over";
  detector.silent(1, 12 * kSecond);
  detector.heard(1, 12 * kSecond);
  EXPECT_FALSE(detector.suspected(1, 12 * kSecond));
  EXPECT_FALSE(detector.suspected(2, 12 * kSecond));
}

TEST(FailureDetector, the_rate_is_the_share_of_the_last_requests_that_were_answered) {
  FailureDetector detector;
  EXPECT_EQ(detector.rate(1), 100u);
  for (int i = 0; i < 16; ++i) {
    detector.silent(1, i);
    detector.heard(1, i);
  }
  EXPECT_EQ(detector.rate(1), 50u);
  for (int i = 0; i < 32; ++i) detector.heard(1, i);
  EXPECT_EQ(detector.rate(1), 100u);
}

TEST(FailureDetector, phi_grows_with_silence_and_reaches_8_where_the_distribution_says) {
  FailureDetector detector({.kind = Detector::kPhi, .deviation_min = 100 * kMillisecond});
  Time now = kSecond;
  for (int i = 0; i < 20; ++i, now += kSecond) detector.beat(1, now);
  const Time last = now - kSecond;
  EXPECT_EQ(detector.phi(1, last + kSecond), 0u) << "expected now";
  EXPECT_FALSE(detector.suspected(1, last + kSecond + 500 * kMillisecond)) << "5 deviations: 6.5";
  EXPECT_NEAR(static_cast<double>(detector.phi(1, last + kSecond + 500 * kMillisecond)), 6543, 10);
  EXPECT_TRUE(detector.suspected(1, last + kSecond + 600 * kMillisecond)) << "6 deviations: 9.0";
  uint64_t before = 0;
  for (Time silence = 0; silence < 3 * kSecond; silence += 10 * kMillisecond) {
    const uint64_t phi = detector.phi(1, last + silence);
    EXPECT_GE(phi, before);
    before = phi;
  }
  detector.beat(1, last + 3 * kSecond);
  EXPECT_FALSE(detector.suspected(1, last + 3 * kSecond));
}

TEST(FailureDetector, phi_is_patient_with_those_who_were_never_regular) {
  FailureDetector regular({.kind = Detector::kPhi}), erratic({.kind = Detector::kPhi});
  Random random(1);
  Time now = kSecond;
  for (int i = 0; i < 40; ++i) {
    now += kSecond;
    regular.beat(1, now);
    erratic.beat(1, now - static_cast<Duration>(random.below(800)) * kMillisecond);
  }
  EXPECT_TRUE(regular.suspected(1, now + 2 * kSecond));
  EXPECT_FALSE(erratic.suspected(1, now + 2 * kSecond));
  EXPECT_TRUE(erratic.suspected(1, now + 20 * kSecond));
}

TEST(FailureDetector, phi_without_a_history_goes_by_unanswered_requests) {
  FailureDetector detector({.kind = Detector::kPhi, .period = kSecond});
  detector.beat(1, kSecond);
  EXPECT_FALSE(detector.suspected(1, 100 * kSecond));
  detector.silent(1, 100 * kSecond);
  EXPECT_TRUE(detector.suspected(1, 100 * kSecond));
}

class PingerTest : public testing::Test {
 protected:
  PingerTest() {
    for (const NodeId id : {2u, 3u, 4u, 5u}) {
      peers.push_back(std::make_unique<Rpc>(world.host(id)));
      Rpc& rpc = *peers.back();
      rpc.handle(Kind::kPingRequest,
                 [&rpc](Request request) { rpc.reply(request, Status::kOk, encode_empty()); });
    }
    world.host(1).spawn(pinger.run());
  }
  test::TestWorld world;
  Rpc rpc{world.host(1)};
  FailureDetector detector{{.kind = Detector::kPhi}};
  Pinger pinger{rpc, detector, {}, [] { return std::vector<NodeId>{2, 3, 4, 5}; }};
  std::vector<std::unique_ptr<Rpc>> peers;
};

TEST_F(PingerTest, a_peer_that_answers_ten_times_slower_than_the_others_counts_as_slow) {
  world.run_for(20 * kSecond);
  for (const NodeId id : {2u, 3u, 4u, 5u}) EXPECT_FALSE(pinger.slow(id)) << id;
  EXPECT_EQ(pinger.latency(3), 2 * kMillisecond);
  world.delay_of = [](const Frame& frame) {
    return frame.from == 3 ? 40 * kMillisecond : kMillisecond;
  };
  world.run_for(20 * kSecond);
  EXPECT_TRUE(pinger.slow(3));
  EXPECT_FALSE(detector.suspected(3, world.now())) << "gray, and not dead";
  EXPECT_FALSE(pinger.slow(2));
  world.delay_of = [](const Frame&) { return kMillisecond; };
  world.run_for(20 * kSecond);
  EXPECT_FALSE(pinger.slow(3));
}

TEST_F(PingerTest, a_peer_that_falls_silent_is_suspected_and_one_that_is_back_is_not) {
  world.run_for(20 * kSecond);
  world.cut(1, 4);
  world.run_for(5 * kSecond);
  EXPECT_TRUE(detector.suspected(4, world.now()));
  EXPECT_FALSE(detector.suspected(2, world.now()));
  EXPECT_LT(detector.rate(4), 100u);
  world.cuts.clear();
  world.run_for(2 * kSecond);
  EXPECT_FALSE(detector.suspected(4, world.now()));
}

}  // namespace
}  // namespace ringside
