// A topology as a drawing: places as nested boxes, links with their median latency, faults as
// numbered badges.
#include <algorithm>
#include <cmath>

#include "cli/cells.h"
#include "cli/svg.h"
#include "cli/topology.h"
#include "lab/text.h"

namespace ringside::cli {
namespace {

using lab::concat;

constexpr double kWidthMax = 1280;  // rows of boxes are broken there
constexpr double kMargin = 24;
constexpr double kTitle = 34;               // of a box, until its content begins
constexpr double kPadding = 14;             // of a box
constexpr std::size_t kLargeTilesMax = 60;  // with more machines in all each is its number alone
constexpr std::size_t kLargeTilesInZoneMax = 24;

// ---- A zone -------------------------------------------------------------------------------------

struct Tiles {
  bool large = true;
  std::size_t columns = 1, rows = 0;
  double width = 148, height = 46;
};

Tiles tiles_of(std::size_t machines, bool large) {
  Tiles tiles;
  tiles.large = large && machines <= kLargeTilesInZoneMax;
  if (!tiles.large) tiles.width = 42, tiles.height = 28;
  const double shape = tiles.large ? 0.35 : 1.2;
  if (machines > 3) {
    tiles.columns = static_cast<std::size_t>(std::ceil(std::sqrt(shape * double(machines))));
  } else if (!tiles.large) {
    tiles.columns = std::max<std::size_t>(machines, 1);
  }
  tiles.rows = (machines + tiles.columns - 1) / tiles.columns;
  return tiles;
}

// Client processes, or all of them in one when there are many or little room.
std::vector<std::string> client_texts(const Topology::Zone& zone, bool large) {
  std::vector<std::string> texts;
  unsigned sessions = 0;
  std::vector<uint64_t> numbers;
  for (const Topology::Client& client : zone.clients) {
    texts.push_back(concat("client ", client.number, " · ", client.sessions,
                           client.sessions == 1 ? " session" : " sessions"));
    sessions += client.sessions;
    numbers.push_back(client.number);
  }
  if (!large && !texts.empty()) {
    texts = {concat(numbers.size() == 1 ? "client " : "clients ", ranges(numbers))};
  } else if (texts.size() > 2) {
    texts = {concat(numbers.size(), " clients · ", sessions, " sessions")};
  }
  return texts;
}

constexpr double kClientHeight = 26;
constexpr double kTileGap = 10;

Rect zone_size(const Topology::Zone& zone, bool large) {
  const Tiles tiles = tiles_of(zone.machines.size(), large);
  const auto columns = static_cast<double>(tiles.columns), rows = static_cast<double>(tiles.rows);
  Rect size;
  size.width = columns * (tiles.width + kTileGap) - kTileGap;
  size.height = rows * (tiles.height + kTileGap) - kTileGap;
  for (const std::string& text : client_texts(zone, large)) {
    size.width = std::max(size.width, text_width(text) + 24);
    size.height += kTileGap + kClientHeight;
  }
  const double marks = 20 * static_cast<double>(zone.faults.size());
  size.width = std::max(size.width, text_width("zone " + zone.name) + marks + 12) + 2 * kPadding;
  size.height += kTitle + kPadding;
  return size;
}

void draw_zone(const Topology::Zone& zone, bool large, const Rect& at, Svg& svg) {
  svg.rect(at, "zone", 8);
  svg.text(at.x + kPadding, at.y + 22, "zone " + zone.name, "name");
  Tiles tiles = tiles_of(zone.machines.size(), large);
  if (tiles.large) {  // they share what room there is
    const auto columns = static_cast<double>(tiles.columns);
    tiles.width = (at.width - 2 * kPadding - kTileGap * (columns - 1)) / columns;
  }
  for (std::size_t i = 0; i < zone.machines.size(); ++i) {
    const Topology::Machine& machine = zone.machines[i];
    const Rect tile = {
        at.x + kPadding + static_cast<double>(i % tiles.columns) * (tiles.width + kTileGap),
        at.y + kTitle + static_cast<double>(i / tiles.columns) * (tiles.height + kTileGap),
        tiles.width, tiles.height};
    std::string tip = concat("node ", machine.node, ", ", machine.name, ", disk ", machine.disk,
                             ", rack ", machine.rack);
    svg.rect(tile, "machine", 5, tip);
    if (tiles.large) {
      svg.text(tile.x + 10, tile.y + 19, concat("node ", machine.node), "name");
      svg.text(tile.right() - 10, tile.y + 36, machine.disk, "small muted", "end");
      svg.text(tile.x + 10, tile.y + 36, fit(machine.name, 16), "small");
    } else {
      svg.text(tile.middle(), tile.y + 18, concat(machine.node), "small", "middle");
    }
    svg.badges(tile, machine.faults);
  }
  double y = at.y + kTitle + static_cast<double>(tiles.rows) * (tiles.height + kTileGap);
  for (const std::string& text : client_texts(zone, large)) {
    svg.rect({at.x + kPadding, y, at.width - 2 * kPadding, kClientHeight}, "client",
             kClientHeight / 2);
    svg.text(at.middle(), y + 17, text, "small", "middle");
    y += kClientHeight + kTileGap;
  }
  svg.badges(at, zone.faults);
}

// ---- A region, the world, the legend ------------------------------------------------------------

std::size_t machines_of(const Topology& topology) {
  std::size_t count = 0;
  for (const Topology::Region& region : topology.regions) {
    for (const Topology::Zone& zone : region.zones) count += zone.machines.size();
  }
  return count;
}

Flow region_flow(const Topology::Region& region, bool large) {
  std::vector<Rect> sizes;
  for (const Topology::Zone& zone : region.zones) sizes.push_back(zone_size(zone, large));
  return flow(sizes, kWidthMax - 2 * kPadding);
}

Rect region_size(const Topology::Region& region, bool large) {
  const Flow zones = region_flow(region, large);
  const double title = text_width("region " + region.name) + 40;
  return {0, 0, std::max(zones.width, title) + 2 * kPadding, zones.height + kTitle + kPadding};
}

std::vector<Rect> moved(std::vector<Rect> boxes, double x, double y) {
  for (Rect& box : boxes) box.x += x, box.y += y;
  return boxes;
}

void draw_region(const Topology& topology, const Topology::Region& region, const Rect& at,
                 Svg& svg) {
  svg.rect(at, "region", 12);
  svg.text(at.x + kPadding, at.y + 22, "region " + region.name, "name");
  const bool large = machines_of(topology) <= kLargeTilesMax;
  const Flow zones = region_flow(region, large);
  const std::vector<Rect> boxes = moved(zones.boxes, at.x + kPadding, at.y + kTitle);
  draw_links(
      zones, boxes, false,
      [&](std::size_t i, std::size_t j) {
        return topology.median(region.zones[i].first, region.zones[j].first);
      },
      svg);
  for (std::size_t i = 0; i < boxes.size(); ++i) draw_zone(region.zones[i], large, boxes[i], svg);
  svg.badges(at, region.faults);
}

struct Line {
  std::string text;
  unsigned badge = 0;
  const char* kind = "";
};

std::vector<Line> legend(const Topology& topology) {
  std::vector<Line> lines = {{"Latency, one way", 0, "name"}};
  for (const Topology::Latency& latency : topology.latencies) {
    lines.push_back({concat(latency.of, ": median ", latency.median,
                            latency.law == latency.median ? "" : ", " + latency.law),
                     0, ""});
  }
  lines.push_back(
      {topology.faults.empty() && topology.swarm.empty() ? "No faults" : "Faults", 0, "name"});
  for (std::size_t i = 0; i < topology.faults.size(); ++i) {
    const Topology::Fault& fault = topology.faults[i];
    lines.push_back({concat(fault.when, ": ", fault.what, " → ", fault.touches),
                     static_cast<unsigned>(i + 1), ""});
  }
  if (!topology.swarm.empty()) lines.push_back({topology.swarm, 0, ""});
  return lines;
}

}  // namespace

std::string topology_as_svg(const Topology& topology) {
  const bool large = machines_of(topology) <= kLargeTilesMax;
  std::vector<Rect> sizes;
  for (const Topology::Region& region : topology.regions)
    sizes.push_back(region_size(region, large));
  const Flow regions = flow(sizes, kWidthMax);
  const std::vector<Line> lines = legend(topology);
  const double width = std::max({regions.width, 760.0, text_width(topology.summary)}) + 2 * kMargin;
  const auto letters = static_cast<std::size_t>((width - 2 * kMargin - 26) / kLetterWidth);

  Svg svg;
  double y = kMargin + 18;
  svg.text(kMargin, y, topology.scenario, "title");
  for (const std::string& text : {topology.about, topology.summary}) {
    if (!text.empty()) svg.text(kMargin, y += 22, fit(text, letters + 3), "muted");
  }
  y += 24;
  const std::vector<Rect> boxes = moved(regions.boxes, kMargin, y);
  draw_links(
      regions, boxes, true,
      [&](std::size_t i, std::size_t j) {
        return topology.median(topology.regions[i].zones.front().first,
                               topology.regions[j].zones.front().first);
      },
      svg);
  for (std::size_t i = 0; i < boxes.size(); ++i)
    draw_region(topology, topology.regions[i], boxes[i], svg);
  y += regions.height + 12;
  for (const Line& line : lines) {
    y += *line.kind != '\0' ? 26 : 22;
    if (line.badge > 0) svg.badge(kMargin + 9, y - 4, line.badge);
    svg.text(kMargin + (*line.kind != '\0' ? 0 : 26), y, fit(line.text, letters), line.kind);
  }
  const double height = y + kMargin;
  return svg.take(concat("Topology of ", topology.scenario), width, height);
}

}  // namespace ringside::cli
