// FailureDetector: who is worth asking, as this node alone sees it. Nothing is agreed with anyone:
// two nodes may suspect each other while a third hears both. It orders choices and forbids none.
//
//   kLocal  a peer that did not answer is suspected for a period, then asked again; one answer
//           clears it (the paper's, from unanswered requests).
//   kPhi    phi accrual (Hayashibara et al., 2004): how surprising the present silence is, given
//           the intervals between the times when it was heard before. Suspected from phi 8 on: one
//           false alarm in 10^8 intervals, if they are distributed as they were.
//
// Own arithmetic: mean and variance of the last intervals, one square root, a table of the normal
// tail. No libm.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "runtime/network.h"
#include "runtime/time.h"

namespace ringside {

enum class Detector : uint8_t { kLocal, kPhi };

struct DetectorOptions {
  Detector kind = Detector::kLocal;
  Duration period = 500 * kMillisecond;  // kLocal: how long silence counts
  uint32_t phi_threshold = 8;
  Duration deviation_min = 100 * kMillisecond;  // kPhi: nobody is as regular as that
};

class FailureDetector {
 public:
  static constexpr std::size_t kWindow = 32;       // intervals
  static constexpr std::size_t kIntervalsMin = 4;  // below that kPhi does as kLocal does

  explicit FailureDetector(DetectorOptions options = {}) : options_(options) {}

  bool suspected(NodeId peer, Time now) const;
  // False: nobody is suspected. Cheap.
  bool may_suspect() const {
    return silent_ > 0 || (options_.kind == Detector::kPhi && !peers_.empty());
  }
  // It did not answer what it was asked.
  void silent(NodeId peer, Time now);
  // It answered.
  void heard(NodeId peer, Time now);
  // As `heard`, and to one of the questions that are asked at regular intervals.
  void beat(NodeId peer, Time now);
  // Of its last requests, how many it answered, in percent. 100 of a peer that was never asked.
  uint32_t rate(NodeId peer) const;
  // In thousandths. 0 without a history.
  uint64_t phi(NodeId peer, Time now) const;
  void forget(NodeId peer) {
    heard(peer, 0);
    peers_.erase(peer);
  }

 private:
  struct Peer {
    Time suspected_until = 0;
    Time beat_at = 0;
    std::array<Duration, kWindow> intervals = {};
    uint32_t count = 0;      // of intervals, ever
    uint32_t answers = ~0u;  // the last 32 requests, a bit each
  };
  uint64_t phi(const Peer& peer, Time now) const;

  const DetectorOptions options_;
  std::map<NodeId, Peer> peers_;
  uint32_t silent_ = 0;  // of them, those that have not been heard since they were silent
};

}  // namespace ringside
