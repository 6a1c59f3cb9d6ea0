#include "analysis/edn.h"

#include <gtest/gtest.h>

namespace ringside {
namespace {

// All values, each as it would be written, or what is wrong.
std::string all_of(std::string_view text) {
  std::string out;
  for (EdnReader reader(text); !reader.at_end();) {
    const Result<Edn> edn = reader.next();
    if (!edn.ok()) return edn.error().message;
    out += (out.empty() ? "" : " ") + edn_text(*edn);
  }
  return out;
}

TEST(Edn, reads_what_histories_are_written_in) {
  EXPECT_EQ(all_of("nil true -7 +7 7N :a/b c \\d 1.5"), "nil true -7 7 7 :a/b c \\d 1.5");
  EXPECT_EQ(all_of("[1, (2 3)] #{4} {:k \"a \\\"b\\\" \\n\"}"), "[1 [2 3]] #{4} {:k a \"b\" \n}");
  EXPECT_EQ(all_of("; said before\n#_ left #_[out] 1 #inst \"2020\" [#_ 2 3] ; and after\n#_4 "),
            "1 2020 [3]");
  EXPECT_EQ(all_of(""), "");
}

TEST(Edn, a_value_knows_its_line_and_a_map_its_keys) {
  const std::string text = "\n{:a 1\n :b [2 \"x\ny\"]}\n3";
  EdnReader reader(text, 10);
  const Result<Edn> map = reader.next();
  ASSERT_TRUE(map.ok());
  EXPECT_EQ(map->line, 11u);
  EXPECT_EQ(map->find(":b")->line, 12u);
  EXPECT_EQ(map->find(":a")->number(), 1);
  EXPECT_EQ(map->find(":c"), nullptr);
  EXPECT_EQ(map->find(":b")->find(":a"), nullptr);
  EXPECT_EQ(reader.next()->line, 14u);
  EXPECT_TRUE(reader.at_end());
}

TEST(Edn, a_mistake_is_named_with_its_line) {
  EXPECT_EQ(all_of("1\n]"), "line 2: a value is missing before ']'");
  EXPECT_EQ(all_of("\n[1\n2"), "line 2: ']' is missing");
  EXPECT_EQ(all_of("{:a}"), "line 1: a map has a key without a value");
  EXPECT_EQ(all_of("\n\"a\nb"), "line 2: a text has no end");
  EXPECT_EQ(all_of("#tag"), "line 1: the text ends in the middle of a value");
  EXPECT_EQ(all_of("1 #_ ]"), "line 1: a value is missing before ']'");
  EXPECT_EQ(all_of(std::string(500, '[')), "line 1: values are nested too deeply");
  EXPECT_EQ(all_of(std::string(500, '#')), "line 1: the text ends in the middle of a value");
}

}  // namespace
}  // namespace ringside
