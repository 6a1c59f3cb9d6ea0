// Pacer: when the next operation of a process is due. Its sessions share one and take turns; each
// waits until its turn is due, so an open loop is a queue in the order of arrival before `clients`
// servers, and lateness is the time spent in it.
#pragma once

#include <algorithm>
#include <optional>

#include "runtime/host.h"
#include "workloads/sampling.h"
#include "workloads/workload.h"

namespace ringside {

struct Turn {
  Time due = 0;
};

class Pacer {
 public:
  Pacer(Host& host, const WorkloadSpec& spec)
      : host_(host),
        arrivals_(host.random("workload.arrivals").next()),
        gap_(spec.rate > 0 ? static_cast<double>(kSecond) / spec.rate : 0),
        poisson_(spec.poisson),
        think_(spec.think),
        start_(std::max(spec.start, host.clock().now())),
        end_(spec.end),
        left_(spec.operations_max == 0 ? UINT64_MAX : spec.operations_max) {}

  // Nothing: no more turns. `first`: of its session, which then need not think.
  std::optional<Turn> next(bool first) {
    if (left_ == 0) return std::nullopt;
    Time due;
    if (gap_ > 0) {
      elapsed_ += gap_ * (poisson_ ? sample_exponential(arrivals_) : 1.0);
      due = start_ + static_cast<Duration>(elapsed_);
    } else {
      due = std::max(start_, host_.clock().now() + (first ? 0 : think_));
    }
    if (due >= end_) {
      left_ = 0;
      return std::nullopt;
    }
    --left_;
    return Turn{due};
  }

  // Nothing is due before now.
  void start_now_or_later() { start_ = std::max(start_, host_.clock().now()); }

  // How late the turn is now. Call it when the operation starts.
  Duration late(Turn turn) const { return std::max<Duration>(0, host_.clock().now() - turn.due); }
  // The time is up: the turn's operation must not start any more.
  bool over() const { return host_.clock().now() >= end_; }

 private:
  Host& host_;
  Random arrivals_;
  double gap_;  // nanoseconds; 0: closed loop
  bool poisson_;
  Duration think_;
  Time start_;
  Time end_;
  uint64_t left_;
  double elapsed_ = 0;
};

}  // namespace ringside
