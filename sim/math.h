// Logarithm, exponential, power and the normal quantile from + - * / sqrt and bit operations alone.
// libm chooses code by CPU, so a decision that used it does not replay on another machine; these
// give the same bits on every compiler that follows IEEE 754 without contraction
// (-ffp-contract=off). Relative error stays below 1e-15 for log and exp, 1e-14 for normal_quantile;
// pow is exp(y log x), so its error grows with |y log x|: 1e-14 up to 40.
#pragma once

namespace ringside::sim {

double log(double x);            // x > 0 and finite; 0 gives -infinity
double exp(double x);            // overflows to infinity, underflows to 0
double pow(double x, double y);  // x > 0
// The z with P(Z <= z) = p for a standard normal Z. 0 < p < 1.
double normal_quantile(double p);

}  // namespace ringside::sim
