// Distribution: a law of latencies, as a value. Samples are nanoseconds from 0 up (longer than 31
// years is cut there). Every law is drawn by inverting its cumulative distribution with our own
// functions (sim/math.h), one number of the Draw a sample and one more for each choice of a
// mixture, so that a sample is the same on every compiler and machine. Parameters are nanoseconds
// too, as doubles, because published fits do not fall on whole ones.
//
//   Distribution ssd = *Distribution::mixture({{0.9122, *Distribution::pareto(0.235 * kMillisecond,
//   10)},
//                                              {0.0878, *Distribution::exponential_rate(1.66e3)}});
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "runtime/result.h"
#include "runtime/time.h"
#include "sim/draw.h"

namespace ringside::sim {

class Distribution {
 public:
  struct Part;      // of a mixture: {weight, distribution}
  struct Quantile;  // of an empirical table: {probability, value}

  Distribution() = default;  // always 0
  // kInvalid with what would be right, in words a scenario's author understands.
  static Distribution constant(Duration value);
  static Result<Distribution> uniform(double low, double high);
  static Result<Distribution> exponential(double mean);
  static Result<Distribution> exponential_rate(double per_second);
  static Result<Distribution> pareto(double minimum, double alpha);
  static Result<Distribution> log_normal(double median, double sigma);
  // Weights are relative; they need not sum to 1.
  static Result<Distribution> mixture(std::vector<Part> parts);
  // Straight lines between the points; the first probability is 0, the last 1.
  static Result<Distribution> table(std::vector<Quantile> quantiles);

  // The same law, later by a constant.
  Distribution shifted(Duration by) const;

  Duration sample(Draw& draw) const {
    return kind_ == Kind::kConstant ? constant_ : sample_drawn(draw);
  }
  bool is_constant() const { return kind_ == Kind::kConstant; }
  // No sample is smaller.
  Duration minimum() const;
  // "91.22 % Pareto(xm 235us, alpha 10) + 8.78 % Exponential(mean 602.41us)"
  std::string describe() const;

 private:
  enum class Kind : uint8_t {
    kConstant,
    kUniform,
    kExponential,
    kPareto,
    kLogNormal,
    kMixture,
    kTable
  };

  Distribution(Kind kind, double a, double b) : kind_(kind), a_(a), b_(b) {}
  Duration sample_drawn(Draw& draw) const;
  double nanoseconds(Draw& draw) const;

  Kind kind_ = Kind::kConstant;
  Duration constant_ = 0;  // kConstant: the value; otherwise the shift
  double a_ = 0;           // low, mean, minimum or median
  double b_ = 0;           // width, -1 / alpha or sigma
  // Shared by copies, never changed. Weights are cumulative, the last is 1.
  std::shared_ptr<const std::vector<Part>> parts_;
  std::shared_ptr<const std::vector<Quantile>> quantiles_;
};

struct Distribution::Part {
  double weight = 0;
  Distribution distribution;
};

struct Distribution::Quantile {
  double probability = 0;
  double value = 0;  // nanoseconds
};

// "250us", "1.5ms", "10s": the shortest exact-looking form, for people.
std::string describe_duration(double nanoseconds);

}  // namespace ringside::sim
