#include "sim/machine_clock.h"

#include <algorithm>

#include "runtime/check.h"

namespace ringside::sim {
namespace {

constexpr int64_t kBillion = 1'000'000'000;
constexpr Time kLatest = kNever - 1;  // never is no moment

int64_t to_ppb(double ppm) {
  CHECK(ppm > -500'000 && ppm < 500'000);
  return static_cast<int64_t>(ppm * 1000);
}

Time scale(Time time, int64_t numerator, int64_t denominator) {
  const __int128 scaled = static_cast<__int128>(time) * numerator / denominator;
  return scaled > kLatest ? kLatest : static_cast<Time>(scaled);
}

Time sum(Time a, Time b) {
  Time result = 0;
  return __builtin_add_overflow(a, b, &result) ? kLatest : std::min(result, kLatest);
}

}  // namespace

MachineClock::MachineClock(double drift_ppm)
    : stretches_{{0, 0, to_ppb(drift_ppm)}}, exact_(stretches_.back().ppb == 0) {}

Time MachineClock::Stretch::shows(Time time) const {
  const Duration passed = time - from;
  return sum(sum(shown, passed), scale(passed, ppb, kBillion));
}

Time MachineClock::Stretch::when(Time local) const {
  const Time guess = sum(from, scale(local - shown, kBillion, kBillion + ppb));
  Time time = std::max(guess, from);
  while (time > from && shows(time - 1) >= local) --time;
  while (time < kLatest && shows(time) < local) ++time;
  return time;
}

Time MachineClock::drifted(Time time) const {
  std::size_t at = stretches_.size() - 1;
  while (at > 0 && stretches_[at].from > time) --at;
  return stretches_[at].shows(time);
}

Time MachineClock::when_drifted(Time local) const {
  std::size_t at = stretches_.size() - 1;
  while (at > 0 && stretches_[at].shown >= local) --at;
  return stretches_[at].when(local);
}

Time MachineClock::set_drift(Time now, Time from, double ppm) {
  CHECK(now <= from);
  const int64_t ppb = to_ppb(ppm);
  const auto over = [now](const Stretch& next) { return next.from <= now; };
  const auto next = std::find_if_not(stretches_.begin() + 1, stretches_.end(), over);
  stretches_.erase(stretches_.begin(), next - 1);
  from = std::max(from, stretches_.back().from);
  if (ppb == stretches_.back().ppb) return from;
  exact_ = false;
  const Time shown = drifted(from);
  if (stretches_.back().from == from) stretches_.pop_back();
  stretches_.push_back({from, shown, ppb});
  return from;
}

}  // namespace ringside::sim
