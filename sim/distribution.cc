#include "sim/distribution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "sim/math.h"

namespace ringside::sim {
namespace {

constexpr double kLongest = 1e18;

Duration to_duration(double nanoseconds) {
  if (!(nanoseconds > 0)) return 0;
  if (nanoseconds >= kLongest) return static_cast<Duration>(kLongest);
  return static_cast<Duration>(nanoseconds + 0.5);
}

bool is_time(double nanoseconds) { return nanoseconds >= 0 && nanoseconds <= kLongest; }

Error invalid(std::string message) { return Error{Code::kInvalid, std::move(message)}; }

}  // namespace

Distribution Distribution::constant(Duration value) {
  Distribution made;
  made.constant_ = std::max<Duration>(value, 0);
  return made;
}

Result<Distribution> Distribution::uniform(double low, double high) {
  if (!is_time(low) || !is_time(high) || low > high) {
    return invalid("uniform needs 0 <= low <= high, at most 31 years");
  }
  return Distribution(Kind::kUniform, low, high - low);
}

Result<Distribution> Distribution::exponential(double mean) {
  if (!is_time(mean) || mean == 0)
    return invalid("exponential needs a mean above 0, at most 31 years");
  return Distribution(Kind::kExponential, mean, 0);
}

Result<Distribution> Distribution::exponential_rate(double per_second) {
  if (!(per_second > 0) || !std::isfinite(per_second))
    return invalid("exponential needs a rate above 0");
  return exponential(static_cast<double>(kSecond) / per_second);
}

Result<Distribution> Distribution::pareto(double minimum, double alpha) {
  if (!is_time(minimum) || minimum == 0)
    return invalid("Pareto needs a minimum (xm) above 0, at most 31 years");
  if (!(alpha > 0) || !std::isfinite(alpha)) return invalid("Pareto needs an alpha above 0");
  return Distribution(Kind::kPareto, minimum, -1 / alpha);
}

Result<Distribution> Distribution::log_normal(double median, double sigma) {
  if (!is_time(median) || median == 0)
    return invalid("log-normal needs a median above 0, at most 31 years");
  if (!(sigma >= 0 && sigma <= 10)) return invalid("log-normal needs a sigma from 0 to 10");
  return Distribution(Kind::kLogNormal, median, sigma);
}

Result<Distribution> Distribution::mixture(std::vector<Part> parts) {
  if (parts.empty()) return invalid("a mixture needs at least one part");
  double sum = 0;
  for (const Part& part : parts) {
    if (!(part.weight >= 0) || !std::isfinite(part.weight))
      return invalid("a mixture's weights are 0 or more");
    sum += part.weight;
  }
  if (!(sum > 0) || !std::isfinite(sum))
    return invalid("a mixture's weights must add up to more than 0");
  double cumulative = 0;
  for (Part& part : parts) {
    cumulative += part.weight / sum;
    part.weight = cumulative;
  }
  parts.back().weight = 1;
  // Where the last parts weigh nothing, what rounding left belongs to the last that weighs
  // something.
  for (std::size_t i = parts.size(); i-- > 1 && parts[i - 1].weight == cumulative;)
    parts[i - 1].weight = 1;
  Distribution made(Kind::kMixture, 0, 0);
  made.parts_ = std::make_shared<const std::vector<Part>>(std::move(parts));
  return made;
}

Result<Distribution> Distribution::table(std::vector<Quantile> quantiles) {
  if (quantiles.size() < 2) return invalid("a table needs at least two quantiles");
  if (quantiles.front().probability != 0 || quantiles.back().probability != 1) {
    return invalid("a table's first probability is 0 and its last is 1");
  }
  for (std::size_t i = 0; i < quantiles.size(); ++i) {
    if (!is_time(quantiles[i].value))
      return invalid("a table's values are times from 0 to 31 years");
    if (i == 0) continue;
    if (!(quantiles[i].probability > quantiles[i - 1].probability)) {
      return invalid("a table's probabilities must rise");
    }
    if (quantiles[i].value < quantiles[i - 1].value)
      return invalid("a table's values must not fall");
  }
  Distribution made(Kind::kTable, 0, 0);
  made.quantiles_ = std::make_shared<const std::vector<Quantile>>(std::move(quantiles));
  return made;
}

Distribution Distribution::shifted(Duration by) const {
  Distribution later = *this;
  later.constant_ += by;
  if (kind_ == Kind::kConstant) later.constant_ = std::max<Duration>(later.constant_, 0);
  return later;
}

double Distribution::nanoseconds(Draw& draw) const {
  const double shift = static_cast<double>(constant_);
  switch (kind_) {
    case Kind::kConstant: return shift;
    case Kind::kUniform: return shift + (a_ + b_ * draw.uniform());
    case Kind::kExponential: return shift - a_ * log(draw.open_uniform());
    case Kind::kPareto: return shift + a_ * pow(draw.open_uniform(), b_);
    case Kind::kLogNormal: return shift + a_ * exp(b_ * normal_quantile(draw.open_uniform()));
    case Kind::kMixture: {
      const double chosen = draw.uniform();
      const std::vector<Part>& parts = *parts_;
      std::size_t i = 0;
      while (chosen >= parts[i].weight) ++i;  // the last weight is 1 and chosen < 1
      return shift + parts[i].distribution.nanoseconds(draw);
    }
    case Kind::kTable: {
      const double at = draw.uniform();
      const std::vector<Quantile>& points = *quantiles_;
      const auto above =
          std::upper_bound(points.begin() + 1, points.end() - 1, at,
                           [](double p, const Quantile& point) { return p < point.probability; });
      const Quantile& low = *(above - 1);
      const double part = (at - low.probability) / (above->probability - low.probability);
      return shift + (low.value + (above->value - low.value) * part);
    }
  }
  return 0;
}

Duration Distribution::sample_drawn(Draw& draw) const { return to_duration(nanoseconds(draw)); }

Duration Distribution::minimum() const {
  double least = 0;
  switch (kind_) {
    case Kind::kConstant:
    case Kind::kExponential:
    case Kind::kLogNormal: break;
    case Kind::kUniform:
    case Kind::kPareto: least = a_; break;
    case Kind::kTable: least = quantiles_->front().value; break;
    case Kind::kMixture: {
      Duration smallest = kNever;
      for (const Part& part : *parts_) smallest = std::min(smallest, part.distribution.minimum());
      return std::max<Duration>(0, smallest + constant_);
    }
  }
  return to_duration(least + static_cast<double>(constant_));
}

std::string describe_duration(double nanoseconds) {
  if (nanoseconds >= 1e9) return fmt::format("{:.5g}s", nanoseconds / 1e9);
  if (nanoseconds >= 1e6) return fmt::format("{:.5g}ms", nanoseconds / 1e6);
  if (nanoseconds >= 1e3) return fmt::format("{:.5g}us", nanoseconds / 1e3);
  return fmt::format("{:.5g}ns", nanoseconds);
}

std::string Distribution::describe() const {
  std::string text;
  switch (kind_) {
    case Kind::kConstant: return describe_duration(static_cast<double>(constant_));
    case Kind::kUniform:
      text = fmt::format("Uniform({} to {})", describe_duration(a_), describe_duration(a_ + b_));
      break;
    case Kind::kExponential:
      text = fmt::format("Exponential(mean {})", describe_duration(a_));
      break;
    case Kind::kPareto:
      text = fmt::format("Pareto(xm {}, alpha {:.5g})", describe_duration(a_), -1 / b_);
      break;
    case Kind::kLogNormal:
      text = fmt::format("LogNormal(median {}, sigma {:.5g})", describe_duration(a_), b_);
      break;
    case Kind::kTable:
      text = fmt::format("Table({} to {}, {} points)", describe_duration(quantiles_->front().value),
                         describe_duration(quantiles_->back().value), quantiles_->size());
      break;
    case Kind::kMixture: {
      double before = 0;
      for (const Part& part : *parts_) {
        if (!text.empty()) text += " + ";
        text +=
            fmt::format("{:.4g} % {}", 100 * (part.weight - before), part.distribution.describe());
        before = part.weight;
      }
      break;
    }
  }
  if (constant_ > 0) text += " + " + describe_duration(static_cast<double>(constant_));
  if (constant_ < 0) text += " - " + describe_duration(-static_cast<double>(constant_));
  return text;
}

}  // namespace ringside::sim
