// Slice: long work charges its units here and lets others run when a slice is spent. A count of
// units, never time.
//
//   slice.charge(units);
//   if (slice.spent()) co_await slice.let_others_run();
#pragma once

#include <cstdint>

#include "runtime/host.h"

namespace ringside {

class Slice {
 public:
  static constexpr uint64_t kUnits = 50'000;  // 50 µs of a reference core

  explicit Slice(Host& host) : host_(host) {}
  void charge(uint64_t units) {
    host_.cpu().charge(units);
    units_ += units;
  }
  uint64_t units() const { return units_; }
  uint64_t longest() const { return units_ > longest_ ? units_ : longest_; }
  bool spent() const { return units_ >= kUnits; }
  auto let_others_run() {
    longest_ = longest();
    units_ = 0;
    return host_.clock().sleep(0);
  }

 private:
  Host& host_;
  uint64_t units_ = 0;
  uint64_t longest_ = 0;  // stretch between two yields, in units
};

}  // namespace ringside
