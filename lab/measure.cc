#include "lab/measure.h"

#include <cmath>

#include "analysis/plot.h"
#include "analysis/staleness.h"
#include "analysis/version_counts.h"
#include "analysis/visibility_fit.h"
#include "lab/text.h"
#include "lab/units.h"

namespace ringside::lab {
namespace {

constexpr double kConfidence = 0.999;

std::string quantile_name(double quantile) { return format("p%g", quantile * 100); }

std::vector<Duration> ladder_of(const scenario::Pbs& pbs) {
  std::vector<Duration> ladder;
  for (const std::string& t : pbs.t()) ladder.push_back(span_of(t));
  return ladder;
}

std::vector<VisibilityPoint> to_visibility(const std::vector<TVisibility>& points) {
  std::vector<VisibilityPoint> curve;
  for (const TVisibility& point : points)
    curve.push_back({std::llround(point.t_ms * 1e6), point.reads, point.consistent});
  return curve;
}

}  // namespace

Expectation judge_share(const scenario::Consistent& asked, const TVisibility& point) {
  Expectation line;
  line.name = concat("consistent at ", asked.t());
  if (point.reads == 0) {
    line.detail = "nothing was tested: no reads at this time";
    return line;
  }
  const double percent =
      100.0 * static_cast<double>(point.consistent) / static_cast<double>(point.reads);
  line.holds = std::fabs(percent - asked.percent()) <= asked.points();
  line.detail = format("%.2f %% of %s reads (published %g ± %g points)", percent,
                       format_count(point.reads).c_str(), asked.percent(), asked.points());
  return line;
}

Expectation judge_quantile(const scenario::Latency& asked, const Histogram& histogram) {
  Expectation line;
  const bool read = asked.operation() == scenario::Latency::READ;
  line.name = concat(read ? "read " : "write ", quantile_name(asked.quantile()));
  if (histogram.count() == 0) {
    line.detail = "nothing was tested: no operation was answered";
    return line;
  }
  const double published = static_cast<double>(span_of(asked.published()));
  const QuantileInterval interval = histogram.interval(asked.quantile(), kConfidence);
  if (interval.open_low || interval.open_high) {
    line.detail = format("nothing was tested: %s samples are too few to bound this quantile",
                         format_count(histogram.count()).c_str());
    return line;
  }
  const double low = published * (1 - asked.percent() / 100);
  const double high = published * (1 + asked.percent() / 100);
  line.holds = interval.low <= high && interval.high >= low;
  line.detail = format(
      "%s, 99.9 %% interval %s to %s (published %s ± %g %%)",
      format_duration(interval.estimate).c_str(), format_duration(interval.low).c_str(),
      format_duration(interval.high).c_str(), format_duration(published).c_str(), asked.percent());
  return line;
}

Expectation judge_t_visibility(const scenario::TVisibility& asked, const scenario::Pbs& pbs,
                               const History& history, Pooled& sum) {
  const std::vector<Duration> ladder = ladder_of(pbs);
  const Duration near = span_of(asked.published());
  const double published = static_cast<double>(near);
  Expectation line;
  line.name = format("t_visibility of %g %%", asked.percent());
  sum.name = line.name;
  sum.kind = "t_visibility";
  sum.published = published;
  sum.tolerance = asked.percent_tolerance();
  sum.quantile = asked.percent() / 100;
  for (const VisibilityPoint& point : measure_visibility(history, ladder))
    sum.points.push_back({static_cast<double>(point.t) / 1e6, point.reads, point.consistent});
  const std::optional<VisibilityQuantile> fit =
      fit_visibility(history, ladder, near, sum.quantile, kConfidence);
  if (!fit) {
    line.detail = "nothing was tested: too few stale reads near the published time";
    return line;
  }
  const double reach = published * sum.tolerance / 100;
  line.holds = fit->low <= published + reach && fit->high >= published - reach;
  line.detail = format(
      "%s, 99.9 %% interval %s to %s, by %s of %s reads that were stale (published %s ± %g %%)",
      format_duration(fit->t).c_str(), format_duration(fit->low).c_str(),
      format_duration(fit->high).c_str(), format_count(fit->stale).c_str(),
      format_count(fit->reads).c_str(), format_duration(published).c_str(), sum.tolerance);
  return line;
}

Expectation judge_within_versions(const scenario::WithinVersions& asked,
                                  const StalenessReport& staleness) {
  Expectation line;
  line.name = concat("within_versions ", asked.k());
  if (staleness.reads == 0) {
    line.detail = "nothing was tested: no reads";
    return line;
  }
  const double percent = 100 * staleness.within(asked.k());
  line.holds = std::fabs(percent - asked.percent()) <= asked.points();
  line.detail = format("%.2f %% of %s reads (exactly %g ± %g points)", percent,
                       format_count(staleness.reads).c_str(), asked.percent(), asked.points());
  return line;
}

void add_pooled(Pooled& sum, const Pooled& part) {
  CHECK(sum.name == part.name && sum.kind == part.kind);
  sum.successes += part.successes;
  sum.trials += part.trials;
  CHECK(sum.points.size() == part.points.size());
  for (std::size_t i = 0; i < sum.points.size(); ++i) {
    sum.points[i].reads += part.points[i].reads;
    sum.points[i].consistent += part.points[i].consistent;
  }
  if (part.kind != "quantile") return;
  Result<Histogram> total = Histogram::parse(sum.histogram);
  Result<Histogram> more = Histogram::parse(part.histogram);
  CHECK(total.ok() && more.ok());
  total->merge(*more);
  sum.histogram = total->serialize();
}

Expectation judge_pooled(const Pooled& sum, uint64_t seeds) {
  Expectation line;
  line.name = concat(sum.name, ", ", seeds, " seeds together");
  if (sum.kind == "share") {
    const double percent = sum.trials == 0 ? 0
                                           : 100.0 * static_cast<double>(sum.successes) /
                                                 static_cast<double>(sum.trials);
    line.holds = sum.trials > 0 && std::fabs(percent - sum.published) <= sum.tolerance;
    line.detail = format("%.3f %% of %s reads (published %g ± %g points)", percent,
                         format_count(sum.trials).c_str(), sum.published, sum.tolerance);
    return line;
  }
  if (sum.kind == "t_visibility") {
    const std::optional<double> t = fit_visibility(
        to_visibility(sum.points), static_cast<Duration>(sum.published), sum.quantile);
    line.holds = t && std::fabs(*t - sum.published) <= sum.published * sum.tolerance / 100;
    line.detail = !t ? "nothing was tested: too few stale reads near the published time"
                     : format("%s (published %s ± %g %%)", format_duration(*t).c_str(),
                              format_duration(sum.published).c_str(), sum.tolerance);
    return line;
  }
  Result<Histogram> histogram = Histogram::parse(sum.histogram);
  CHECK(histogram.ok());
  const double estimate = histogram->quantile(sum.quantile);
  line.holds = histogram->count() > 0 &&
               std::fabs(estimate - sum.published) <= sum.published * sum.tolerance / 100;
  line.detail = format("%s from %s samples (published %s ± %g %%)",
                       format_duration(estimate).c_str(), format_count(histogram->count()).c_str(),
                       format_duration(sum.published).c_str(), sum.tolerance);
  return line;
}

void measure(const History& history, std::vector<Metric>& metrics) {
  uint64_t counts[2][3] = {};
  for (const Operation& operation : history.operations) {
    if (operation.phase == Phase::kMain) {
      ++counts[operation.is_put() ? 1 : 0][static_cast<std::size_t>(operation.outcome)];
    }
  }
  const auto add = [&](std::string name, double value) {
    metrics.push_back({std::move(name), value});
  };
  for (int put = 0; put < 2; ++put) {
    const std::string kind = put ? "puts" : "gets";
    add(kind + "_ok", static_cast<double>(counts[put][0]));
    add(kind + "_failed", static_cast<double>(counts[put][1]));
    add(kind + "_unknown", static_cast<double>(counts[put][2]));
  }
  for (int put = 0; put < 2; ++put) {
    const Histogram histogram = latencies(history, put ? OperationKind::kPut : OperationKind::kGet);
    if (histogram.count() == 0) continue;
    const std::string kind = put ? "put_" : "get_";
    add(kind + "mean_ms", histogram.mean() / 1e6);
    add(kind + "p50_ms", histogram.quantile(0.5) / 1e6);
    add(kind + "p99_ms", histogram.quantile(0.99) / 1e6);
    add(kind + "p999_ms", histogram.quantile(0.999) / 1e6);
  }
  const VersionCounts versions = count_versions(history);
  if (versions.reads == 0) return;
  add("siblings_per_read", versions.mean());
  add("siblings_max", versions.max);
  for (uint32_t count = 1; count <= VersionCounts::kMost; ++count) {
    if (versions.with(count) > 0)
      add(concat("reads_with_", count, "_versions"), static_cast<double>(versions.with(count)));
  }
}

void measure_t_visibility(const scenario::Scenario& scenario, const History& history,
                          std::vector<TVisibility>& curve) {
  const scenario::Pbs& pbs = scenario.workload().pbs();
  if (!scenario.workload().has_pbs() || pbs.writes_per_key() != 1) return;
  for (const VisibilityPoint& point : measure_visibility(history, ladder_of(pbs))) {
    curve.push_back({static_cast<double>(point.t) / 1e6, point.reads, point.consistent});
  }
}

}  // namespace ringside::lab
