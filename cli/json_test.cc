#include "cli/json.h"

#include <gtest/gtest.h>

#include <limits>

#include "cli/seeds.h"

namespace ringside::cli {
namespace {

TEST(Json, commas_stand_between_values_and_nowhere_else) {
  Json json;
  json.begin_object()
      .field("a", uint64_t{1})
      .key("b")
      .begin_array()
      .text("x")
      .boolean(true)
      .begin_object()
      .end_object();
  json.end_array().field("c", 1.5).end_object();
  EXPECT_EQ(json.str(), R"({"a":1,"b":["x",true,{}],"c":1.5})");
}

TEST(Json, text_is_escaped_and_what_is_no_number_is_null) {
  Json json;
  json.begin_array()
      .text("a\"b\\c\nd\x01")
      .number(std::numeric_limits<double>::quiet_NaN())
      .end_array();
  EXPECT_EQ(json.str(), "[\"a\\\"b\\\\c\\u000ad\\u0001\",null]");
}

TEST(Seeds, a_number_counts_from_one_and_a_range_is_closed) {
  EXPECT_EQ(*parse_seeds("3"), (std::vector<uint64_t>{1, 2, 3}));
  EXPECT_EQ(*parse_seeds("5..7"), (std::vector<uint64_t>{5, 6, 7}));
  EXPECT_EQ(*parse_seeds("18446744073709551615..18446744073709551615"),
            (std::vector<uint64_t>{~uint64_t{0}}));
}

TEST(Seeds, what_is_no_range_is_refused_with_what_would_be_right) {
  for (const char* text : {"", "0", "x", "3..1", "1..", "..3", "-1", "1..99999999999", "1,2"}) {
    const auto seeds = parse_seeds(text);
    ASSERT_FALSE(seeds.ok()) << text;
    EXPECT_NE(seeds.error().message.find("5..9"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace ringside::cli
