#include "protocols/membership/pinger.h"

#include <algorithm>
#include <utility>

#include "runtime/scope.h"

namespace ringside {
namespace {

constexpr uint32_t kSlowSamplesMin = 3;

// Notes when the leg it was made for is answered: a fan-out says only that it was.
Task<void> ping_one(Rpc* rpc, NodeId peer, Time deadline, Duration* took) {
  const Time asked = rpc->host().clock().now();
  Fanout fanout(*rpc, peer);
  fanout.send(Kind::kPingRequest, 0, deadline, encode_empty());
  co_await fanout.wait(1, deadline);
  const bool answered = fanout[0].answered_by != kNoNode;
  *took = answered ? rpc->host().clock().now() - asked : -1;
}

}  // namespace

Pinger::Pinger(Rpc& rpc, FailureDetector& detector, PingOptions options,
               std::function<std::vector<NodeId>()> peers)
    : rpc_(rpc),
      host_(rpc.host()),
      detector_(detector),
      options_(options),
      candidates_(std::move(peers)) {}

Task<void> Pinger::run() {
  if (!options_.on) co_return;
  Random& random = host_.random("ping");
  co_await host_.clock().sleep(
      static_cast<Duration>(random.below(static_cast<uint64_t>(options_.every))));
  while (true) {
    const std::vector<NodeId> all = candidates_();
    std::vector<NodeId> chosen;
    for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), options_.peers); ++i)
      chosen.push_back(all[turn_++ % all.size()]);
    const Time next = host_.clock().now() + options_.every;
    co_await ping(std::move(chosen));
    co_await host_.clock().sleep_until(next);
  }
}

Task<void> Pinger::ping(std::vector<NodeId> peers) {
  const Time deadline = host_.clock().now() + options_.timeout;
  std::vector<Duration> took(peers.size(), -1);
  {
    Scope scope(host_.ready());
    for (std::size_t i = 0; i < peers.size(); ++i)
      scope.spawn(ping_one(&rpc_, peers[i], deadline, &took[i]));
    co_await scope.join();
  }
  const Time now = host_.clock().now();
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (took[i] < 0) {
      detector_.silent(peers[i], now);
      continue;
    }
    detector_.beat(peers[i], now);
    Peer& peer = peers_[peers[i]];
    peer.samples[peer.count++ % kSamples] = took[i];
  }
}

Duration Pinger::middle(const Peer& peer) {
  const std::size_t count = std::min<std::size_t>(peer.count, kSamples);
  std::vector<Duration> samples(peer.samples.begin(),
                                peer.samples.begin() + static_cast<std::ptrdiff_t>(count));
  const auto half = samples.begin() + static_cast<std::ptrdiff_t>(count / 2);
  std::nth_element(samples.begin(), half, samples.end());
  return *half;
}

Duration Pinger::latency(NodeId peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? 0 : middle(found->second);
}

bool Pinger::slow(NodeId peer) const {
  const auto found = peers_.find(peer);
  if (found == peers_.end() || found->second.count < kSlowSamplesMin) return false;
  std::vector<Duration> others;
  for (const auto& [id, of] : peers_) {
    if (id != peer) others.push_back(middle(of));
  }
  if (others.empty()) return false;
  const auto half = others.begin() + static_cast<std::ptrdiff_t>(others.size() / 2);
  std::nth_element(others.begin(), half, others.end());
  const Duration own = middle(found->second);
  return own >= options_.slow_min && own >= *half * options_.slow_factor;
}

}  // namespace ringside
