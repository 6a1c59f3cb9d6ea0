#include "cli/cells.h"

#include <gtest/gtest.h>

namespace ringside::cli {
namespace {

TEST(Cells, text_is_cut_and_padded_by_columns_not_bytes) {
  EXPECT_EQ(columns_of("▲ grün"), 6u);
  EXPECT_EQ(fit("grüne Welle", 6), "grüne…");
  EXPECT_EQ(fit("grün", 4), "grün");
  EXPECT_EQ(fit("grün", 0), "");
  EXPECT_EQ(pad("ü", 3), "ü  ");
}

TEST(Cells, a_line_keeps_its_width_with_and_without_colours) {
  Cells line;
  line.add("up ", Style::kGood).add("down", Style::kBad).to_column(9).add("|");
  EXPECT_EQ(line.columns(), 10u);
  EXPECT_EQ(line.text(80, false), "up down  |");
  EXPECT_EQ(line.text(5, false), "up d…");
  EXPECT_EQ(line.text(3, false), "up…");
  EXPECT_EQ(line.text(0, false), "");
  EXPECT_EQ(line.text(5, true), "\033[32mup \033[0m\033[1;31md…\033[0m");
}

TEST(Cells, a_sparkline_shows_that_a_little_is_not_nothing) {
  EXPECT_EQ(sparkline({0, 0.1, 50, 100, 1000}, 100), " ▁▄██");
  EXPECT_EQ(sparkline({0, 0}, 0), "  ");
  EXPECT_EQ(bar(0.5, 4), "██░░");
  EXPECT_EQ(bar(7, 2), "██");
}

}  // namespace
}  // namespace ringside::cli
