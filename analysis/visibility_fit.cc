#include "analysis/visibility_fit.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "analysis/statistics.h"

namespace ringside {
namespace {

constexpr uint64_t kStaleMin = 10;
constexpr int kNewtonSteps = 50;

struct FitRung {
  double x = 0;  // ln(t / near)
  double reads = 0, stale = 0;
};

// ln p = a + b x, and the information matrix there.
struct PowerLaw {
  double a = 0, b = 0;
  double i00 = 0, i01 = 0, i11 = 0;

  double stale_share(double x) const { return std::exp(a + b * x); }
  double where(double share) const { return (std::log(1 - share) - a) / b; }
};

double rung_place(Duration t, Duration near) {
  return std::log(static_cast<double>(t) / static_cast<double>(near));
}

bool in_window(Duration t, Duration near) {
  const double reach = std::log(kVisibilityWindow) + 1e-9;
  return t > 0 && std::fabs(rung_place(t, near)) <= reach;
}

std::vector<FitRung> rungs_of(std::span<const VisibilityPoint> points, Duration near) {
  std::vector<FitRung> rungs;
  for (const VisibilityPoint& point : points) {
    if (point.reads == 0 || !in_window(point.t, near)) continue;
    rungs.push_back({rung_place(point.t, near), static_cast<double>(point.reads),
                     static_cast<double>(point.reads - point.consistent)});
  }
  return rungs;
}

std::optional<PowerLaw> fit_power_law(std::span<const FitRung> rungs) {
  double reads = 0, stale = 0;
  for (const FitRung& rung : rungs) {
    reads += rung.reads;
    stale += rung.stale;
  }
  if (rungs.size() < 2 || stale < static_cast<double>(kStaleMin)) return std::nullopt;
  PowerLaw law;
  law.a = std::log(stale / reads);
  for (int step = 0; step < kNewtonSteps; ++step) {
    double u0 = 0, u1 = 0;
    law.i00 = law.i01 = law.i11 = 0;
    for (const FitRung& rung : rungs) {
      const double expected = rung.reads * law.stale_share(rung.x);
      u0 += rung.stale - expected;
      u1 += (rung.stale - expected) * rung.x;
      law.i00 += expected;
      law.i01 += expected * rung.x;
      law.i11 += expected * rung.x * rung.x;
    }
    const double determinant = law.i00 * law.i11 - law.i01 * law.i01;
    if (!(determinant > 0)) return std::nullopt;
    const double da = (law.i11 * u0 - law.i01 * u1) / determinant;
    const double db = (law.i00 * u1 - law.i01 * u0) / determinant;
    law.a += da;
    law.b += db;
    if (std::fabs(da) + std::fabs(db) < 1e-12) break;
  }
  if (!(law.b < 0) || !std::isfinite(law.a)) return std::nullopt;
  return law;
}

}  // namespace

std::optional<double> fit_visibility(std::span<const VisibilityPoint> points, Duration near,
                                     double share) {
  const std::optional<PowerLaw> law = fit_power_law(rungs_of(points, near));
  if (!law) return std::nullopt;
  return static_cast<double>(near) * std::exp(law->where(share));
}

std::optional<VisibilityQuantile> fit_visibility(const History& history,
                                                 std::span<const Duration> ladder, Duration near,
                                                 double share, double confidence) {
  const std::optional<PowerLaw> law =
      fit_power_law(rungs_of(measure_visibility(history, ladder), near));
  if (!law) return std::nullopt;

  VisibilityQuantile quantile;
  struct Score {
    double a = 0, b = 0;
  };
  std::vector<Score> scores(history.keys.size());
  for_each_visibility_read(history, [&](const Operation& read, Duration t, bool consistent) {
    const Duration rung = nearest_rung(ladder, t);
    if (!in_window(rung, near)) return;
    ++quantile.reads;
    quantile.stale += consistent ? 0 : 1;
    const double x = rung_place(rung, near);
    const double surprise = (consistent ? 0 : 1) - law->stale_share(x);
    scores[read.key].a += surprise;
    scores[read.key].b += surprise * x;
  });
  double m00 = 0, m01 = 0, m11 = 0;
  for (const Score& score : scores) {
    m00 += score.a * score.a;
    m01 += score.a * score.b;
    m11 += score.b * score.b;
  }
  // The delta method: where = (ln(1 - share) - a) / b, through the inverse of the information.
  const double where = law->where(share);
  const double ga = -1 / law->b, gb = -where / law->b;
  const double determinant = law->i00 * law->i11 - law->i01 * law->i01;
  const double ha = (law->i11 * ga - law->i01 * gb) / determinant;
  const double hb = (law->i00 * gb - law->i01 * ga) / determinant;
  const double deviation = std::sqrt(ha * ha * m00 + 2 * ha * hb * m01 + hb * hb * m11);
  const double half = normal_z(confidence) * deviation;
  quantile.t = static_cast<double>(near) * std::exp(where);
  quantile.low = static_cast<double>(near) * std::exp(where - half);
  quantile.high = static_cast<double>(near) * std::exp(where + half);
  return quantile;
}

}  // namespace ringside
