// Suspects: purely local failure detection. A peer that did not answer is suspected for a while,
// and asked again when the while is over; one answer clears it. It orders choices and forbids none.
// Who watches peers by other means (membership/failure_detector.h) is heeded as well.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "runtime/network.h"
#include "runtime/time.h"

namespace ringside {

class Suspects {
 public:
  explicit Suspects(Duration period = 500 * kMillisecond) : period_(period) {}

  // `says`: whether a peer is suspected; `anybody`: whether anyone may be, quickly.
  void heed(std::function<bool(NodeId, Time)> says, std::function<bool()> anybody) {
    says_ = std::move(says);
    anybody_ = std::move(anybody);
  }

  bool suspected(NodeId peer, Time now) const {
    for (const Suspect& suspect : list_) {
      if (suspect.peer == peer && suspect.until > now) return true;
    }
    return says_ && says_(peer, now);
  }
  void silent(NodeId peer, Time now) {
    for (Suspect& suspect : list_) {
      if (suspect.peer == peer) {
        suspect.until = now + period_;
        return;
      }
    }
    list_.push_back({peer, now + period_});
  }
  void heard(NodeId peer) {
    for (std::size_t i = 0; i < list_.size(); ++i) {
      if (list_[i].peer != peer) continue;
      list_[i] = list_.back();
      list_.pop_back();
      return;
    }
  }
  bool any() const { return !list_.empty() || (anybody_ && anybody_()); }

 private:
  struct Suspect {
    NodeId peer;
    Time until;
  };

  Duration period_;
  std::vector<Suspect> list_;
  std::function<bool(NodeId, Time)> says_;
  std::function<bool()> anybody_;
};

}  // namespace ringside
