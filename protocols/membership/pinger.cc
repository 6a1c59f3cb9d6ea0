#include "protocols/membership/pinger.h"

#include <algorithm>
#include <utility>

namespace ringside {
namespace {

constexpr uint32_t kSlowSamplesMin = 3;

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
  const Time asked = host_.clock().now();
  const Time deadline = asked + options_.timeout;
  std::vector<Duration> took(peers.size(), -1);
  Fanout fanout(rpc_, peers);
  fanout.send(Kind::kPingRequest, 0, deadline, encode_empty());
  const Gather& gather = fanout.gather();
  Time now = asked;
  while (gather.outstanding() > 0 && now < deadline) {
    co_await fanout.wait(gather.succeeded() + 1, deadline, gather.failed());
    now = host_.clock().now();
    for (std::size_t i = 0; i < peers.size(); ++i) {
      if (took[i] < 0 && fanout[i].answered_by != kNoNode) took[i] = now - asked;
    }
  }
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
