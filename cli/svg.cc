#include "cli/svg.h"

#include <algorithm>

#include "cli/cells.h"
#include "lab/text.h"

namespace ringside::cli {
namespace {

using lab::append;
using lab::concat;
using lab::format;
using Label = std::function<std::string(std::size_t, std::size_t)>;

constexpr std::size_t kPairwiseMax = 4;
constexpr double kArcStep = 26;
constexpr double kBus = 40;  // room for it
constexpr double kBadge = 20;

constexpr const char* kStyle = R"(<style>
text{font-family:system-ui,-apple-system,"Segoe UI","DejaVu Sans",sans-serif;font-size:13px;fill:#1f2328}
.title{font-size:20px;font-weight:600}.name{font-weight:600}.small{font-size:11px}.muted{fill:#59636e}
.ground{fill:#ffffff}.region{fill:#f2f5f8;stroke:#b6c0ca}.zone{fill:#ffffff;stroke:#8c959f}
.machine{fill:#ddf1ff;stroke:#4a9fe8}.client{fill:#fff4d0;stroke:#d0a52c}
.link{fill:none;stroke:#7a56c9;stroke-width:1.6}.label{fill:#6639ba;font-size:12px;font-weight:600}
.tag{fill:#f2f5f8}.tag.outer{fill:#ffffff}.badge{fill:#cf222e}.badge-text{fill:#ffffff;font-size:11px;font-weight:700}
@media (prefers-color-scheme:dark){
text{fill:#e6edf3}.muted{fill:#9aa4af}
.ground{fill:#0d1117}.region{fill:#161c25;stroke:#414a55}.zone{fill:#0d1117;stroke:#6b7580}
.machine{fill:#12304f;stroke:#388bfd}.client{fill:#3a2f0b;stroke:#a47a12}
.link{stroke:#a98bf0}.label{fill:#c4a9ff}.tag{fill:#161c25}.tag.outer{fill:#0d1117}.badge{fill:#e5484d}
}</style>
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

// Arcs below the boxes, the longer the deeper.
void draw_arcs(const std::vector<Rect>& boxes, bool outer, const Label& label, Svg& svg) {
  std::vector<std::pair<Rect, std::string>> labels;
  for (std::size_t span = 1; span < boxes.size(); ++span) {
    for (std::size_t i = 0; i + span < boxes.size(); ++i) {
      const Rect& a = boxes[i];
      const Rect& b = boxes[i + span];
      // Legs of one box stand side by side, those of the longer arcs inside, so that none cross.
      const double aside = 10 * static_cast<double>(boxes.size() - span);
      const double from = a.middle() + aside;
      const double to = b.middle() - aside;
      const double y = a.bottom();
      const double depth = y + 6 + kArcStep * static_cast<double>(span);
      svg.link(format("M%.1f %.1fV%.1fQ%.1f %.1f %.1f %.1fH%.1fQ%.1f %.1f %.1f %.1fV%.1f", from, y,
                      depth - 10, from, depth, from + 10, depth, to - 10, to, depth, to, depth - 10,
                      y));
      labels.push_back({{(from + to) / 2, depth, 0, 0}, label(i, i + span)});
    }
  }
  for (const auto& [at, text] : labels) svg.label(at.x, at.y, text, outer);
}

void draw_bus(const Flow& flow, const std::vector<Rect>& boxes, bool outer, const Label& label,
              Svg& svg) {
  double top = 0, bottom = 0;
  const double trunk = boxes.front().x - kBoxGap / 2 - 2;
  for (std::size_t row = 0; row < flow.rows; ++row) {
    double right = 0, y = 0;
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      if (flow.row_of[i] != row) continue;
      y = boxes[i].bottom() + kBus / 2;
      right = boxes[i].middle();
      svg.link(format("M%.1f %.1fV%.1f", right, boxes[i].bottom(), y));
    }
    const double left = flow.rows > 1 ? trunk : boxes.front().middle();
    svg.link(format("M%.1f %.1fH%.1f", left, y, right));
    if (row == 0) top = y;
    bottom = y;
  }
  if (flow.rows > 1) svg.link(format("M%.1f %.1fV%.1f", trunk, top, bottom));
  const double where = flow.rows > 1 ? (trunk + boxes.front().middle()) / 2
                                     : (boxes[0].middle() + boxes[1].middle()) / 2;
  const std::string nearest = label(0, 1), farthest = label(0, boxes.size() - 1);
  svg.label(where, top, nearest == farthest ? nearest : concat(nearest, " … ", farthest), outer);
}

}  // namespace

double text_width(std::string_view text) {
  return kLetterWidth * static_cast<double>(columns_of(text));
}

void Svg::rect(const Rect& at, const char* kind, double radius, const std::string& tip) {
  append(out_,
         format("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"%.1f\"", at.x,
                at.y, at.width, at.height, radius),
         " class=\"", kind, "\"");
  if (tip.empty()) {
    append(out_, "/>\n");
  } else {
    append(out_, "><title>", escaped(tip), "</title></rect>\n");
  }
}

void Svg::text(double x, double y, std::string_view text, const char* kind, const char* anchor) {
  append(out_,
         format("<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" class=\"%s\">", x, y, anchor, kind),
         escaped(text), "</text>\n");
}

void Svg::link(const std::string& path) {
  append(out_, "<path class=\"link\" d=\"", path, "\"/>\n");
}

void Svg::label(double x, double y, const std::string& text, bool outer) {
  const double width = text_width(text) + 8;
  rect({x - width / 2, y - 9, width, 18}, outer ? "tag outer" : "tag", 4);
  this->text(x, y + 4, text, "label", "middle");
}

void Svg::badge(double x, double y, unsigned number) {
  append(out_, format("<circle cx=\"%.1f\" cy=\"%.1f\" r=\"9.5\" class=\"badge\"/>\n", x, y));
  text(x, y + 4, concat(number), "badge-text", "middle");
}

void Svg::badges(const Rect& box, const std::vector<unsigned>& numbers) {
  double x = box.right() - 4 - kBadge * (static_cast<double>(numbers.size()) - 1);
  for (const unsigned number : numbers) {
    badge(x, box.y, number);
    x += kBadge;
  }
}

std::string Svg::take(const std::string& title, double width, double height) {
  return concat(
      format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" width=\"%.0f\" "
             "height=\"%.0f\" role=\"img\">\n",
             width, height, width, height),
      "<title>", escaped(title), "</title>\n", kStyle,
      "<rect class=\"ground\" width=\"100%\" height=\"100%\"/>\n", std::move(out_), "</svg>\n");
}

bool Flow::pairwise() const { return rows == 1 && boxes.size() <= kPairwiseMax; }

Flow flow(const std::vector<Rect>& sizes, double width_max) {
  Flow out;
  out.boxes = sizes;
  out.row_of.resize(sizes.size());
  std::vector<std::size_t> starts;
  double taken = 0;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    if (starts.empty() || taken + kBoxGap + sizes[i].width > width_max) {
      starts.push_back(i);
      taken = sizes[i].width;
    } else {
      taken += kBoxGap + sizes[i].width;
    }
    out.row_of[i] = starts.size() - 1;
  }
  out.rows = starts.size();
  const double trunk = out.rows > 1 ? kBoxGap : 0;
  double y = 0;
  for (std::size_t row = 0; row < out.rows; ++row) {
    const std::size_t end = row + 1 < out.rows ? starts[row + 1] : sizes.size();
    double x = trunk, height = 0;
    for (std::size_t i = starts[row]; i < end; ++i) height = std::max(height, sizes[i].height);
    for (std::size_t i = starts[row]; i < end; ++i) {
      out.boxes[i] = {x, y, sizes[i].width, height};
      x += sizes[i].width + kBoxGap;
    }
    out.width = std::max(out.width, x - kBoxGap);
    y += height;
    if (sizes.size() > 1)
      y += out.pairwise() ? 22 + kArcStep * static_cast<double>(sizes.size() - 1) : kBus;
  }
  out.height = y;
  return out;
}

void draw_links(const Flow& flow, const std::vector<Rect>& boxes, bool outer, const Label& label,
                Svg& svg) {
  if (boxes.size() < 2) return;
  if (flow.pairwise()) {
    draw_arcs(boxes, outer, label, svg);
  } else {
    draw_bus(flow, boxes, outer, label, svg);
  }
}

}  // namespace ringside::cli
