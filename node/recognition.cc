#include "node/recognition.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "runtime/deadline.h"
#include "runtime/scope.h"

namespace ringside {
namespace {

constexpr std::size_t kRecognisersMax = 8;
constexpr Duration kFirstPatience =
    20 * kMillisecond;  // nodes that start together are late by less

Task<void> ask_until_answered(Host* host, Gossip* gossip, NodeId peer, const uint64_t* heard) {
  Duration patience = kFirstPatience;
  while (*heard == 0) {
    const Time until = host->clock().now() + patience;
    const bool answered = co_await gossip->round(peer, patience);
    if (answered) co_return;
    if (host->clock().now() < until) co_await host->clock().sleep_until(until);  // refused
    patience *= 2;
  }
}

Task<Result<void>> ask_all(Host* host, Gossip* gossip, std::vector<NodeId> peers,
                           const uint64_t* heard) {
  Scope scope(host->ready());
  for (const NodeId peer : peers) scope.spawn(ask_until_answered(host, gossip, peer, heard));
  co_await scope.join();
  co_return Result<void>();
}

}  // namespace

Task<void> recognise(Host& host, Gossip& gossip, Duration within, const uint64_t* heard) {
  std::vector<NodeId> peers = gossip.first_peers(kRecognisersMax);
  if (peers.empty() || within == 0) co_return;
  (void)co_await with_deadline(host.clock(), host.clock().now() + within,
                               ask_all(&host, &gossip, std::move(peers), heard));
}

}  // namespace ringside
