#include "protocols/membership/failure_detector.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ringside {
namespace {

// -1000 log10 of the normal distribution's upper tail, at 0, 1/4, 2/4 … deviations above the mean.
constexpr std::array<uint32_t, 33> kTail = {
    301,  397,  511,  645,  800,   976,   1175,  1397,  1643,  1913,  2207,
    2526, 2870, 3239, 3633, 4053,  4499,  4971,  5469,  5993,  6543,  7119,
    7721, 8350, 9006, 9688, 10396, 11131, 11893, 12681, 13496, 14338, 15206};
constexpr uint64_t kPhiMax = 15'206;

// Between two places of the table, a straight line. `quarters`: deviations, in 1/4000.
uint64_t tail_at(uint64_t quarters) {
  const uint64_t place = quarters / 1000;
  if (place + 1 >= kTail.size()) return kPhiMax;
  return kTail[place] + (kTail[place + 1] - kTail[place]) * (quarters % 1000) / 1000;
}

}  // namespace

void FailureDetector::silent(NodeId peer, Time now) {
  Peer& of = peers_[peer];
  if (of.suspected_until == 0) ++silent_;
  of.suspected_until = now + options_.period;
  of.answers <<= 1;
}

void FailureDetector::heard(NodeId peer, Time) {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return;  // never silent: nothing to clear
  if (found->second.suspected_until != 0) --silent_;
  found->second.suspected_until = 0;
  found->second.answers = found->second.answers << 1 | 1;
}

void FailureDetector::beat(NodeId peer, Time now) {
  Peer& of = peers_[peer];
  if (of.beat_at != 0) of.intervals[of.count++ % kWindow] = now - of.beat_at;
  of.beat_at = now;
  heard(peer, now);
}

uint32_t FailureDetector::rate(NodeId peer) const {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return 100;
  return static_cast<uint32_t>(std::popcount(found->second.answers)) * 100 / 32;
}

uint64_t FailureDetector::phi(const Peer& peer, Time now) const {
  const std::size_t count = std::min<std::size_t>(peer.count, kWindow);
  if (count < kIntervalsMin) return 0;
  double mean = 0, square = 0;
  for (std::size_t i = 0; i < count; ++i) mean += static_cast<double>(peer.intervals[i]);
  mean /= static_cast<double>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const double away = static_cast<double>(peer.intervals[i]) - mean;
    square += away * away;
  }
  const double deviation = std::max(std::sqrt(square / static_cast<double>(count)),
                                    static_cast<double>(options_.deviation_min));
  const double away = (static_cast<double>(now - peer.beat_at) - mean) / deviation;
  if (away <= 0) return 0;
  return away >= 8 ? kPhiMax : tail_at(static_cast<uint64_t>(away * 4'000));
}

uint64_t FailureDetector::phi(NodeId peer, Time now) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? 0 : phi(found->second, now);
}

bool FailureDetector::suspected(NodeId peer, Time now) const {
  const auto found = peers_.find(peer);
  if (found == peers_.end()) return false;
  if (options_.kind == Detector::kLocal || found->second.count < kIntervalsMin)
    return found->second.suspected_until > now;
  return phi(found->second, now) >= uint64_t{options_.phi_threshold} * 1'000;
}

}  // namespace ringside
