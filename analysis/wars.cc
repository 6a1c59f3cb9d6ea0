#include "analysis/wars.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "runtime/check.h"

namespace ringside {
namespace {

// A replica's part in one trial.
struct WarsReplica {
  double arrives;       // when the write request comes to it
  double acknowledged;  // … and its acknowledgement back
  double asked;         // when the read request comes to it, after the read began
  double answered;
};

class WarsTrial {
 public:
  WarsTrial(const WarsModel& model, uint64_t seed)
      : model_(model), random_(seed), replicas_(model.n), times_(model.n) {}

  void play(WarsPrediction& into) {
    const uint32_t writer = site(), reader = site();
    for (uint32_t i = 0; i < model_.n; ++i) {
      WarsReplica& replica = replicas_[i];
      replica.arrives = leg(model_.write, i != writer);
      replica.acknowledged = replica.arrives + leg(model_.ack, i != writer);
      replica.asked = leg(model_.request, i != reader);
      replica.answered = replica.asked + leg(model_.response, i != reader);
    }
    for (uint32_t i = 0; i < model_.n; ++i) times_[i] = replicas_[i].acknowledged;
    std::nth_element(times_.begin(), times_.begin() + (model_.w - 1), times_.end());
    const double commit = times_[model_.w - 1];
    std::partial_sort(
        replicas_.begin(), replicas_.begin() + model_.r, replicas_.end(),
        [](const WarsReplica& a, const WarsReplica& b) { return a.answered < b.answered; });
    double seen = replicas_[0].arrives - replicas_[0].asked;
    for (uint32_t i = 1; i < model_.r; ++i)
      seen = std::min(seen, replicas_[i].arrives - replicas_[i].asked);
    into.writes.add(std::llround(commit));
    into.reads.add(std::llround(replicas_[model_.r - 1].answered));
    into.visible.add(std::llround(std::max(0.0, std::ceil(seen - commit))));
    ++into.trials;
  }

 private:
  uint32_t site() {
    return model_.sites ? static_cast<uint32_t>(random_.below(model_.n)) : model_.n;
  }
  double leg(const WarsLeg& of, bool elsewhere) {
    return of(random_) + (model_.sites && elsewhere ? model_.between_sites : 0);
  }

  const WarsModel& model_;
  Random random_;
  std::vector<WarsReplica> replicas_;
  std::vector<double> times_;
};

double choose(uint32_t n, uint32_t k) {
  if (k > n) return 0;
  double ways = 1;
  for (uint32_t i = 0; i < k; ++i) ways = ways * (n - i) / (i + 1);
  return ways;
}

}  // namespace

WarsPrediction predict(const WarsModel& model, uint64_t trials, uint64_t seed) {
  CHECK(model.n > 0 && model.r > 0 && model.w > 0 && model.r <= model.n && model.w <= model.n);
  WarsPrediction prediction;
  WarsTrial trial(model, seed);
  for (uint64_t i = 0; i < trials; ++i) trial.play(prediction);
  return prediction;
}

double within_k_versions(uint32_t n, uint32_t r, uint32_t w, uint32_t k) {
  CHECK(n > 0 && r > 0 && w > 0 && r <= n && w <= n);
  return 1 - std::pow(choose(n - w, r) / choose(n, r), k);
}

}  // namespace ringside
