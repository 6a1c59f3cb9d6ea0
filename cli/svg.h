// Svg: boxes, text, links and badges, written as one SVG file that needs no other, and the laying
// out of boxes in rows. Colours follow the reader's light or dark scheme; a viewer that knows no
// schemes gets the light one on its own ground. Lengths are pixels.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ringside::cli {

struct Rect {
  double x = 0, y = 0, width = 0, height = 0;
  double middle() const { return x + width / 2; }
  double bottom() const { return y + height; }
  double right() const { return x + width; }
};

inline constexpr double kLetterWidth = 7.4;  // about that of a letter of ordinary size
double text_width(std::string_view text);

// What is drawn later lies above. `kind` names a class of the style.
class Svg {
 public:
  void rect(const Rect& at, const char* kind, double radius, const std::string& tip = {});
  void text(double x, double y, std::string_view text, const char* kind = "",
            const char* anchor = "start");
  void link(const std::string& path);
  // On a link; `outer`: on the drawing's own ground.
  void label(double x, double y, const std::string& text, bool outer);
  void badge(double x, double y, unsigned number);
  // At a box's upper right corner.
  void badges(const Rect& box, const std::vector<unsigned>& numbers);

  // The file, once.
  std::string take(const std::string& title, double width, double height);

 private:
  std::string out_;
};

// Boxes in rows from left to right, all of a row equally high, with room for links below each row.
// Few boxes are linked pair by pair, many by a bus.
struct Flow {
  std::vector<Rect> boxes;
  std::vector<std::size_t> row_of;
  std::size_t rows = 0;
  double width = 0, height = 0;

  bool pairwise() const;
};
inline constexpr double kBoxGap = 18;
Flow flow(const std::vector<Rect>& sizes, double width_max);

// `boxes`: those of the flow, where they lie in the drawing. `label(i, j)` says how far apart two
// of them are; a bus carries the nearest and the farthest of the first one's.
void draw_links(const Flow& flow, const std::vector<Rect>& boxes, bool outer,
                const std::function<std::string(std::size_t, std::size_t)>& label, Svg& svg);

}  // namespace ringside::cli
