#include "lab/units.h"

#include <gtest/gtest.h>

namespace ringside::lab {
namespace {

TEST(Units, spans_are_read_to_the_nanosecond) {
  EXPECT_EQ(span_of("250us"), 250'000);
  EXPECT_EQ(span_of("1.5s"), 1'500'000'000);
  EXPECT_EQ(span_of("0ms"), 0);
  EXPECT_EQ(span_of("2min"), 120 * kSecond);
  EXPECT_EQ(span_of("0.235ms"), 235'000);
}

TEST(Units, a_rate_is_a_number_per_time) {
  EXPECT_DOUBLE_EQ(rate_of("500/s"), 500);
  EXPECT_DOUBLE_EQ(rate_of("1.66/ms"), 1660);
  EXPECT_DOUBLE_EQ(rate_of("60/min"), 1);
}

TEST(Units, what_is_wrong_is_said_with_what_would_be_right) {
  for (const char* text : {"", "ms", "10", "10 parsecs", "-1s", "1.2.3s", "1e300h"}) {
    const Result<Duration> span = parse_span(text);
    ASSERT_FALSE(span.ok()) << text;
    EXPECT_GT(span.error().message.size(), 20u) << text;
  }
  EXPECT_NE(parse_span("10").error().message.find("10ms"), std::string::npos);
  for (const char* text : {"", "500", "500/", "0/s", "/s", "500/parsec", "-5/s"})
    EXPECT_FALSE(parse_rate(text).ok()) << text;
}

TEST(Units, a_span_is_shown_in_the_unit_that_suits_it) {
  EXPECT_EQ(format_span(999), "999 ns");
  EXPECT_EQ(format_span(1'500), "1.5 us");
  EXPECT_EQ(format_span(12'500'000), "12.5 ms");
  EXPECT_EQ(format_span(90 * kSecond), "90 s");
}

}  // namespace
}  // namespace ringside::lab
