#include "lab/units.h"

#include <cstdlib>
#include <utility>

#include "lab/text.h"

namespace ringside::lab {
namespace {

struct Unit {
  const char* name;
  double nanoseconds;
};
constexpr Unit kUnits[] = {{"ns", 1},  {"us", 1e3},   {"ms", 1e6},
                           {"s", 1e9}, {"min", 60e9}, {"h", 3600e9}};
constexpr double kSpanMax = 9e18;  // about 285 years

const Unit* find_unit(std::string_view name) {
  for (const Unit& unit : kUnits) {
    if (name == unit.name) return &unit;
  }
  return nullptr;
}

// Splits "1.5ms" into 1.5 and "ms". False when it does not open with a plain decimal number.
bool split_number(std::string_view text, double* number, std::string_view* rest) {
  std::size_t end = 0;
  int points = 0;
  while (end < text.size() && ((text[end] >= '0' && text[end] <= '9') || text[end] == '.')) {
    if (text[end] == '.') ++points;
    ++end;
  }
  if (end == 0 || points > 1 || (points == 1 && end == 1)) return false;
  *number = std::strtod(std::string(text.substr(0, end)).c_str(), nullptr);
  while (end < text.size() && text[end] == ' ') ++end;
  *rest = text.substr(end);
  return true;
}

}  // namespace

Result<Duration> parse_span(std::string_view text) {
  if (!text.empty() && text.front() == '-') {
    return {Code::kInvalid, concat("\"", text, "\" is negative; write a span such as \"10ms\"")};
  }
  double number = 0;
  std::string_view rest;
  if (!split_number(text, &number, &rest)) {
    return {
        Code::kInvalid,
        concat("\"", text, "\" is no span of time; write a number and a unit, such as \"10ms\"")};
  }
  if (rest.empty()) {
    return {Code::kInvalid, concat("\"", text, "\" has no unit; write \"", text, "ms\" or \"", text,
                                   "s\" (units: ns, us, ms, s, min, h)")};
  }
  const Unit* unit = find_unit(rest);
  if (unit == nullptr) {
    return {
        Code::kInvalid,
        concat("\"", rest, "\" is no unit of time; use ns, us, ms, s, min or h, as in \"10ms\"")};
  }
  const double nanoseconds = number * unit->nanoseconds;
  if (!(nanoseconds < kSpanMax)) {
    return {Code::kInvalid, concat("\"", text, "\" is too long; the most is about 285 years")};
  }
  return static_cast<Duration>(nanoseconds + 0.5);
}

Result<double> parse_rate(std::string_view text) {
  const auto wrong = [&] {
    return Result<double>(
        Code::kInvalid,
        concat("\"", text, "\" is no rate; write a number per time, such as \"500/s\""));
  };
  double number = 0;
  std::string_view rest;
  if (!split_number(text, &number, &rest) || rest.empty() || rest.front() != '/') return wrong();
  const Unit* unit = find_unit(rest.substr(1));
  if (unit == nullptr || !(number > 0)) return wrong();
  return number * (1e9 / unit->nanoseconds);
}

Duration span_of(std::string_view text) {
  Result<Duration> span = parse_span(text);
  CHECK(span.ok());
  return *span;
}

double rate_of(std::string_view text) {
  Result<double> rate = parse_rate(text);
  CHECK(rate.ok());
  return *rate;
}

std::string exact_span(Duration span) {
  for (const auto& [nanoseconds, unit] :
       {std::pair{kSecond, "s"}, std::pair{kMillisecond, "ms"}, std::pair{kMicrosecond, "us"}}) {
    if (span % nanoseconds == 0) return concat(span / nanoseconds, unit);
  }
  return concat(span, "ns");
}

std::string format_span(Duration span) {
  const double value = static_cast<double>(span);
  if (span < kMicrosecond) return concat(span, " ns");
  if (span < kMillisecond) return format("%.4g us", value / 1e3);
  if (span < kSecond) return format("%.4g ms", value / 1e6);
  return format("%.6g s", value / 1e9);
}

}  // namespace ringside::lab
