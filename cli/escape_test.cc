#include "cli/escape.h"

#include <gtest/gtest.h>

#include "runtime/random.h"

namespace ringside::cli {
namespace {

using namespace std::string_literals;

TEST(Escape, any_bytes_are_one_line_and_come_back) {
  Random random(1);
  for (int round = 0; round < 5'000; ++round) {
    std::string bytes(random.below(12), '\0');
    for (char& byte : bytes) {
      const uint64_t kind = random.below(3);
      byte = kind == 0 ? "\\x0\n\xc3\xa9\x80"[random.below(7)] : static_cast<char>(random.next());
    }
    const std::string line = on_one_line(bytes);
    EXPECT_TRUE(is_utf8(line)) << to_hex(bytes);
    for (const char c : line) EXPECT_GE(static_cast<unsigned char>(c), 0x20);
    EXPECT_EQ(from_one_line(line), bytes) << line;
    EXPECT_EQ(from_hex(to_hex(bytes)), bytes);
  }
}

TEST(Escape, text_stays_readable) {
  EXPECT_EQ(on_one_line("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8e\x89"),
            "caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x8e\x89");
  EXPECT_EQ(on_one_line("two\nlines\\\x7f"), "two\\x0alines\\\\\\x7f");
  EXPECT_EQ(on_one_line("\xff\xc3"), "\\xff\\xc3");
  EXPECT_EQ(on_one_line("\xc2\x85"), "\\xc2\\x85");
  EXPECT_EQ(on_one_line("\0"s), "\\x00");
}

TEST(Escape, what_is_no_escape_is_refused) {
  for (const char* text : {"\\", "\\x", "\\x1", "\\xg1", "\\n", "a\\xf"})
    EXPECT_FALSE(from_one_line(text)) << text;
  for (const char* text : {"1", "0g", "zz"}) EXPECT_FALSE(from_hex(text)) << text;
}

TEST(Escape, utf8_is_what_rfc_3629_says) {
  for (const std::string& bytes :
       {"\xc0\x80"s, "\xe0\x80\x80"s, "\xed\xa0\x80"s, "\xf0\x80\x80\x80"s, "\xf4\x90\x80\x80"s,
        "\xf5\x80\x80\x80"s, "\x80"s, "\xe2\x82"s})
    EXPECT_FALSE(is_utf8(bytes)) << to_hex(bytes);
  EXPECT_TRUE(is_utf8("\xf4\x8f\xbf\xbf\xee\x80\x80\xed\x9f\xbf"));
}

TEST(Escape, a_json_field_is_text_or_hexadecimal) {
  Json json;
  json.begin_object();
  add_bytes(json, "key", "a\"b");
  add_bytes(json, "value", "\xff");
  EXPECT_EQ(json.end_object().str(), R"({"key":"a\"b","value_hex":"ff"})");
}

}  // namespace
}  // namespace ringside::cli
