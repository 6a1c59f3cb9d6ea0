#include "cli/watch_machines.h"

#include <algorithm>

#include "lab/text.h"

namespace ringside::cli {
namespace {

using lab::concat;
using Machine = WatchModel::Machine;
using State = MachineState;

constexpr std::size_t kZoneLinesMax = 8;  // more zones are drawn briefly

const char* glyph_of(State state) {
  switch (state) {
    case State::kUp: return "●";
    case State::kDown: return "○";
    case State::kRestarting: return "◔";
    case State::kStruck: return "◐";
  }
  return "?";
}

Style style_of(State state) {
  switch (state) {
    case State::kUp: return Style::kGood;
    case State::kDown: return Style::kBad;
    case State::kRestarting:
    case State::kStruck: return Style::kWarn;
  }
  return Style::kPlain;
}

std::string clients_text(const WatchModel::Zone& zone) {
  if (zone.clients == 0) return {};
  return concat("  ", zone.clients, zone.clients == 1 ? " client" : " clients");
}

bool troubled(const WatchModel& model, const WatchModel::Zone& zone) {
  return std::any_of(zone.machines.begin(), zone.machines.end(), [&](std::size_t index) {
    return model.machines()[index].state != State::kUp;
  });
}

// "east-a   ● 1  ○ 2 down   1 client"
Cells zone_line(const WatchModel& model, const WatchModel::Zone& zone, std::size_t name_columns) {
  Cells line;
  line.add(" ").add(pad(zone.name, name_columns)).add("  ");
  for (const std::size_t index : zone.machines) {
    const Machine& machine = model.machines()[index];
    const Style style = style_of(machine.state);
    line.add(glyph_of(machine.state), style).add(concat(" ", machine.node));
    if (machine.state != State::kUp) line.add(" " + machine.word, style);
    line.add("  ");
  }
  return line.add(clients_text(zone), Style::kDim);
}

// "east-a ●●○●  3 down": a glyph each, and words for those that stand out.
Cells zone_brief(const WatchModel& model, const WatchModel::Zone& zone, std::size_t name_columns) {
  Cells line;
  line.add(" ").add(pad(zone.name, name_columns)).add(" ");
  for (const std::size_t index : zone.machines) {
    const Machine& machine = model.machines()[index];
    line.add(glyph_of(machine.state), style_of(machine.state));
  }
  for (const std::size_t index : zone.machines) {
    const Machine& machine = model.machines()[index];
    if (machine.state != State::kUp)
      line.add(concat("  ", machine.node, " ", machine.word), style_of(machine.state));
  }
  return line;
}

// Many zones: side by side, those in trouble first and in a line of their own.
std::vector<Cells> zones_brief(const WatchModel& model, std::size_t name_columns,
                               std::size_t columns) {
  std::vector<Cells> lines;
  for (const WatchModel::Zone& zone : model.zones()) {
    if (troubled(model, zone)) lines.push_back(zone_brief(model, zone, name_columns));
  }
  Cells line;
  std::size_t cell = columns;  // as wide as the smallest; larger ones take several
  for (const WatchModel::Zone& zone : model.zones())
    cell = std::min(cell, zone.machines.size() + name_columns + 4);
  for (const WatchModel::Zone& zone : model.zones()) {
    if (troubled(model, zone)) continue;
    const Cells brief = zone_brief(model, zone, name_columns);
    line.to_column((line.columns() + cell - 1) / cell * cell);
    if (!line.empty() && line.columns() + brief.columns() > columns) {
      lines.push_back(line);
      line = Cells();
    }
    line.add(brief);
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

Cells title_line(const WatchModel& model) {
  Cells title;
  title.add(" MACHINES", Style::kDim).add("   ");
  title.add(concat(model.count(State::kUp), " of ", model.machines().size(), " up"));
  const auto also = [&](State state, const char* word) {
    const std::size_t count = model.count(state);
    if (count > 0) title.add(concat(", ", count, " ", word), style_of(state));
  };
  also(State::kDown, "down");
  also(State::kRestarting, "restarting");
  also(State::kStruck, "under a fault");
  return title;
}

}  // namespace

std::vector<Cells> machine_lines(const WatchModel& model, std::size_t columns) {
  std::size_t name_columns = 0;
  for (const WatchModel::Zone& zone : model.zones())
    name_columns = std::max(name_columns, columns_of(zone.name));
  name_columns = std::clamp<std::size_t>(name_columns, 6, 20);
  std::vector<Cells> lines;
  for (const WatchModel::Zone& zone : model.zones())
    lines.push_back(zone_line(model, zone, name_columns));
  const bool wide = std::any_of(lines.begin(), lines.end(),
                                [columns](const Cells& line) { return line.columns() > columns; });
  if (wide || lines.size() > kZoneLinesMax) lines = zones_brief(model, name_columns, columns);
  lines.insert(lines.begin(), title_line(model));
  return lines;
}

}  // namespace ringside::cli
