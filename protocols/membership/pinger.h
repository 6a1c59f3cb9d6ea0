// Pinger: asks a few peers a second whether they are there. It feeds the failure detector, also
// about peers that nobody happens to need, and it knows how fast each answers: a peer that is not
// dead but ten times slower than the others (a gray failure) counts as slow.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "protocols/membership/failure_detector.h"
#include "protocols/rpc.h"
#include "runtime/task.h"

namespace ringside {

struct PingOptions {
  bool on = true;
  Duration every = kSecond;
  uint32_t peers = 4;  // at most, each time; larger clusters take turns
  Duration timeout = 500 * kMillisecond;
  uint32_t slow_factor = 10;
  Duration slow_min = kMillisecond;  // faster than that is never slow
};

class Pinger {
 public:
  // `peers` names those that matter, in an order that does not change while they do not.
  Pinger(Rpc& rpc, FailureDetector& detector, PingOptions options,
         std::function<std::vector<NodeId>()> peers);

  Task<void> run();
  // ping_request.
  void message(const Request& request) { rpc_.reply(request, Status::kOk, encode_empty()); }

  bool slow(NodeId peer) const;
  // The middle one of its last answers; 0: it has not answered yet.
  Duration latency(NodeId peer) const;

 private:
  static constexpr std::size_t kSamples = 8;
  struct Peer {
    std::array<Duration, kSamples> samples = {};
    uint32_t count = 0;
  };
  Task<void> ping(std::vector<NodeId> peers);
  static Duration middle(const Peer& peer);

  Rpc& rpc_;
  Host& host_;
  FailureDetector& detector_;
  const PingOptions options_;
  std::function<std::vector<NodeId>()> candidates_;
  std::size_t turn_ = 0;
  std::map<NodeId, Peer> peers_;
};

}  // namespace ringside
