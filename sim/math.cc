#include "sim/math.h"

#include <bit>
#include <cmath>  // sqrt alone: IEEE 754 rounds it correctly
#include <cstdint>
#include <limits>

namespace ringside::sim {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
// ln 2 in two parts; the first has 32 zero bits at its end, so that k times it is exact.
constexpr double kLn2High = 0x1.62e42feep-1;
constexpr double kLn2Low = 0x1.a39ef35793c76p-33;
constexpr double kInverseLn2 = 0x1.71547652b82fep+0;

// coefficients[0] + x * (coefficients[1] + x * …), in this order of operations.
template <int kCount>
constexpr double horner(double x, const double (&coefficients)[kCount]) {
  double sum = coefficients[kCount - 1];
  for (int i = kCount - 2; i >= 0; --i) sum = sum * x + coefficients[i];
  return sum;
}

// 2^k for a normal result.
double power_of_two(int64_t k) {
  return std::bit_cast<double>(static_cast<uint64_t>(k + 1023) << 52);
}

}  // namespace

// x = 2^k m with m in [1/sqrt 2, sqrt 2); with f = m - 1 and s = f / (2 + f), log m = 2 atanh s
// = 2 (s + s^3/3 + s^5/5 + …), and s^2 < 0.0295 makes eleven terms enough. Written as f - s (f -
// …), since 2s = f - s f: f is exact and the rest is small beside it.
double log(double x) {
  if (!(x > 0)) return x == 0 ? -kInfinity : std::numeric_limits<double>::quiet_NaN();
  if (x == kInfinity) return kInfinity;
  int64_t k = 0;
  if (x < std::numeric_limits<double>::min()) {
    x *= 0x1p54;
    k = -54;
  }
  uint64_t bits = std::bit_cast<uint64_t>(x);
  k += static_cast<int64_t>(bits >> 52) - 1023;
  bits = (bits & 0x000fffffffffffffULL) | 0x3ff0000000000000ULL;
  double m = std::bit_cast<double>(bits);
  if (m >= 0x1.6a09e667f3bcdp+0) {
    m *= 0.5;
    ++k;
  }
  static constexpr double kTerms[] = {1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11, 1.0 / 13,
                                      1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23};
  const double f = m - 1;
  const double s = f / (2 + f);
  const double square = s * s;
  const double rest = 2 * square * horner(square, kTerms);
  if (k == 0) return f - s * (f - rest);
  const double shift = static_cast<double>(k);
  return shift * kLn2High - ((s * (f - rest) - shift * kLn2Low) - f);
}

// x = k ln 2 + r with |r| <= ln 2 / 2; the Taylor series of e^r to r^13, then the exponent.
double exp(double x) {
  if (x != x) return x;
  if (x > 709.782712893384) return kInfinity;
  if (x < -745.2) return 0;
  const double scaled = x * kInverseLn2;
  const int64_t k = static_cast<int64_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  const double shift = static_cast<double>(k);
  const double r = (x - shift * kLn2High) - shift * kLn2Low;
  static constexpr double kTerms[] = {
      1.0 / 2,     1.0 / 6,      1.0 / 24,      1.0 / 120,      1.0 / 720,       1.0 / 5040,
      1.0 / 40320, 1.0 / 362880, 1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800};
  const double e = 1 + (r + r * r * horner(r, kTerms));
  if (k > 1023) return e * 0x1p1023 * power_of_two(k - 1023);
  if (k < -1021) return e * power_of_two(k + 600) * 0x1p-600;
  return e * power_of_two(k);
}

double pow(double x, double y) { return exp(y * log(x)); }

// Wichura, "Algorithm AS 241: The percentage points of the normal distribution" (1988), PPND16:
// rational approximations in the middle and in two ranges of the tail.
double normal_quantile(double p) {
  static constexpr double kA[] = {3.3871328727963666080e0,  1.3314166789178437745e+2,
                                  1.9715909503065514427e+3, 1.3731693765509461125e+4,
                                  4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                  3.3430575583588128105e+4, 2.5090809287301226727e+3};
  static constexpr double kB[] = {1.0,
                                  4.2313330701600911252e+1,
                                  6.8718700749205790830e+2,
                                  5.3941960214247511077e+3,
                                  2.1213794301586595867e+4,
                                  3.9307895800092710610e+4,
                                  2.8729085735721942674e+4,
                                  5.2264952788528545610e+3};
  static constexpr double kC[] = {1.42343711074968357734e0,  4.63033784615654529590e0,
                                  5.76949722146069140550e0,  3.64784832476320460504e0,
                                  1.27045825245236838258e0,  2.41780725177450611770e-1,
                                  2.27238449892691845833e-2, 7.74545014278341407640e-4};
  static constexpr double kD[] = {1.0,
                                  2.05319162663775882187e0,
                                  1.67638483018380384940e0,
                                  6.89767334985100004550e-1,
                                  1.48103976427480074590e-1,
                                  1.51986665636164571966e-2,
                                  5.47593808499534494600e-4,
                                  1.05075007164441684324e-9};
  static constexpr double kE[] = {6.65790464350110377720e0,  5.46378491116411436990e0,
                                  1.78482653991729133580e0,  2.96560571828504891230e-1,
                                  2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                  2.71155556874348757815e-5, 2.01033439929228813265e-7};
  static constexpr double kF[] = {1.0,
                                  5.99832206555887937690e-1,
                                  1.36929880922735805310e-1,
                                  1.48753612908506148525e-2,
                                  7.86869131145613259100e-4,
                                  1.84631831751005468180e-5,
                                  1.42151175831644588870e-7,
                                  2.04426310338993978564e-15};
  const double q = p - 0.5;
  if (q >= -0.425 && q <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * horner(r, kA) / horner(r, kB);
  }
  const double tail = q < 0 ? p : 1 - p;
  double r = std::sqrt(-log(tail));
  double value;
  if (r <= 5) {
    r -= 1.6;
    value = horner(r, kC) / horner(r, kD);
  } else {
    r -= 5;
    value = horner(r, kE) / horner(r, kF);
  }
  return q < 0 ? -value : value;
}

}  // namespace ringside::sim
