// Units: spans of time and rates as people write them ("250us", "1.5s", "500/s"), read and written.
// A span that is no whole number of nanoseconds is rounded to the nearest.
#pragma once

#include <string>
#include <string_view>

#include "runtime/result.h"
#include "runtime/time.h"

namespace ringside::lab {

// "10ms" → 10,000,000. Units: ns, us, ms, s, min, h. The error's message says what would be right.
Result<Duration> parse_span(std::string_view text);
// "500/s" → 500.0 a second. Per ns, us, ms, s, min or h.
Result<double> parse_rate(std::string_view text);

// For values that the parser accepted before.
Duration span_of(std::string_view text);
double rate_of(std::string_view text);

// Exactly, by the largest unit that it is a whole number of, as a scenario writes it: "1500ms".
std::string exact_span(Duration span);

// "12.5 ms", "1.2 s": the largest unit that keeps it readable.
std::string format_span(Duration span);

}  // namespace ringside::lab
