// A topology in a terminal, and for programs.
#include <algorithm>

#include "cli/cells.h"
#include "cli/json.h"
#include "cli/topology.h"
#include "lab/text.h"

namespace ringside::cli {
namespace {

using lab::append;
using lab::concat;
using Lines = std::vector<std::string>;

constexpr std::size_t kMachineRowsMax = 6;  // more in a zone are drawn in runs
constexpr std::size_t kZoneBoxesMax = 24;   // more in all are a line each
constexpr std::size_t kInRegion = kTopologyColumns - 4;

// Columns side by side, each as wide as its widest cell.
Lines table(const std::vector<Lines>& rows) {
  std::vector<std::size_t> widths;
  for (const Lines& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], columns_of(row[i]));
  }
  Lines lines;
  for (const Lines& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (widths[i] == 0) continue;
      if (!line.empty()) line += "  ";
      line += pad(row[i], widths[i]);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    lines.push_back(std::move(line));
  }
  return lines;
}

Lines box(const std::string& title, const Lines& content, std::size_t columns) {
  const std::size_t inner = columns - 4;
  const std::string name = fit(title, columns - 6);
  Lines lines = {concat("┌─ ", name, " ", repeat("─", columns - 5 - columns_of(name)), "┐")};
  for (const std::string& line : content) lines.push_back(concat("│ ", pad(line, inner), " │"));
  lines.push_back(concat("└", repeat("─", columns - 2), "┘"));
  return lines;
}

std::string with_marks(const std::string& name, const Topology::Marks& marks) {
  return marks.empty() ? name : concat(name, " ", marks_text(marks));
}

// Machines from `begin` on that differ in nothing but their name.
std::size_t run_end(const std::vector<Topology::Machine>& machines, std::size_t begin) {
  std::size_t end = begin + 1;
  while (end < machines.size() && machines[end].rack == machines[begin].rack &&
         machines[end].disk == machines[begin].disk &&
         machines[end].faults == machines[begin].faults)
    ++end;
  return end;
}

Lines machine_row(const Topology::Zone& zone, std::size_t begin, std::size_t end) {
  const Topology::Machine& first = zone.machines[begin];
  const Topology::Machine& last = zone.machines[end - 1];
  const bool one = end - begin == 1;
  return {one ? concat("node ", first.node) : concat("nodes ", first.node, "–", last.node),
          one ? first.name : concat(first.name, " … ", last.name), first.disk,
          zone.racks > 1 ? first.rack : "", marks_text(first.faults)};
}

std::string clients_text(const Topology::Zone& zone) {
  if (zone.clients.empty()) return {};
  std::vector<uint64_t> numbers;
  unsigned sessions = 0;
  for (const Topology::Client& client : zone.clients) {
    numbers.push_back(client.number);
    sessions += client.sessions;
  }
  return concat(numbers.size() == 1 ? "client " : "clients ", ranges(numbers), " (", sessions,
                sessions == 1 ? " session)" : " sessions)");
}

Lines zone_content(const Topology::Zone& zone) {
  std::vector<Lines> rows;
  for (std::size_t i = 0; i < zone.machines.size();) {
    const std::size_t end =
        zone.machines.size() > kMachineRowsMax ? run_end(zone.machines, i) : i + 1;
    rows.push_back(machine_row(zone, i, end));
    i = end;
  }
  Lines lines = table(rows);
  if (const std::string clients = clients_text(zone); !clients.empty()) lines.push_back(clients);
  return lines;
}

// As many boxes side by side as fit.
Lines zone_boxes(const Topology::Region& region) {
  std::vector<Lines> contents;
  std::vector<std::size_t> widths;
  for (const Topology::Zone& zone : region.zones) {
    contents.push_back(zone_content(zone));
    std::size_t width = columns_of(with_marks("zone " + zone.name, zone.faults)) + 6;
    for (const std::string& line : contents.back()) width = std::max(width, columns_of(line) + 4);
    widths.push_back(std::min(width, kInRegion));
  }
  Lines lines;
  for (std::size_t begin = 0; begin < contents.size();) {
    std::size_t end = begin, taken = 0, height = 0;
    while (end < contents.size() && (end == begin || taken + 1 + widths[end] <= kInRegion)) {
      taken += widths[end] + (end == begin ? 0 : 1);
      height = std::max(height, contents[end].size());
      ++end;
    }
    Lines row(height + 2);
    for (std::size_t i = begin; i < end; ++i) {
      contents[i].resize(height);
      const Topology::Zone& zone = region.zones[i];
      const Lines drawn = box(with_marks("zone " + zone.name, zone.faults), contents[i], widths[i]);
      for (std::size_t line = 0; line < row.size(); ++line)
        append(row[line], i == begin ? "" : " ", drawn[line]);
    }
    lines.insert(lines.end(), row.begin(), row.end());
    begin = end;
  }
  return lines;
}

Lines zone_lines(const Topology::Region& region) {
  std::vector<Lines> rows;
  for (const Topology::Zone& zone : region.zones) {
    std::string name = with_marks(zone.name, zone.faults);
    for (std::size_t i = 0; i < zone.machines.size();) {
      const std::size_t end = run_end(zone.machines, i);
      Lines row = machine_row(zone, i, end);
      row.insert(row.begin(), name);
      row.push_back(i == 0 ? clients_text(zone) : std::string());
      rows.push_back(std::move(row));
      name.clear();
      i = end;
    }
  }
  return table(rows);
}

// At most so many columns a line; what follows the first is set in.
void add_wrapped(const std::string& text, std::size_t indent, std::string& out) {
  std::string line;
  bool first = true;
  const auto flush = [&] {
    append(out, line, "\n");
    line = std::string(indent, ' ');
    first = true;
  };
  for (const std::string& word : lab::split(text, ' ')) {
    if (!first && columns_of(line) + 1 + columns_of(word) > kTopologyColumns) flush();
    if (!first) line += ' ';
    line += word;
    first = false;
  }
  append(out, fit(line, kTopologyColumns), "\n");
}

void add_latencies(const Topology& topology, std::string& out) {
  append(out, "\nLatency, one way\n");
  std::size_t width = 0;
  for (const Topology::Latency& latency : topology.latencies) {
    if (columns_of(latency.of) <= 20) width = std::max(width, columns_of(latency.of));
  }
  for (const Topology::Latency& latency : topology.latencies) {
    const std::string law =
        concat("median ", latency.median, latency.law == latency.median ? "" : ", " + latency.law);
    if (columns_of(latency.of) <= width) {
      add_wrapped(concat("  ", pad(latency.of, width), "  ", law), width + 4, out);
    } else {
      add_wrapped("  " + latency.of, 4, out);
      add_wrapped(std::string(width + 4, ' ') + law, width + 4, out);
    }
  }
}

void add_faults(const Topology& topology, std::string& out) {
  if (topology.faults.empty() && topology.swarm.empty()) {
    append(out, "\nNo faults\n");
    return;
  }
  append(out, "\nFaults\n");
  for (std::size_t i = 0; i < topology.faults.size(); ++i) {
    const Topology::Fault& fault = topology.faults[i];
    add_wrapped(concat("  ▲", i + 1, "  ", fault.when, ": ", fault.what, " → ", fault.touches), 6,
                out);
  }
  if (!topology.swarm.empty()) add_wrapped("  ▲   " + topology.swarm, 6, out);
}

void marks_as_json(const char* name, const Topology::Marks& marks, Json& json) {
  json.key(name).begin_array();
  for (const unsigned number : marks) json.number(static_cast<uint64_t>(number));
  json.end_array();
}

void zone_as_json(const Topology::Zone& zone, Json& json) {
  json.begin_object().field("name", zone.name);
  marks_as_json("faults", zone.faults, json);
  json.key("machines").begin_array();
  for (const Topology::Machine& machine : zone.machines) {
    json.begin_object()
        .field("name", machine.name)
        .field("node", static_cast<uint64_t>(machine.node))
        .field("rack", machine.rack)
        .field("disk", machine.disk);
    marks_as_json("faults", machine.faults, json);
    json.end_object();
  }
  json.end_array().key("clients").begin_array();
  for (const Topology::Client& client : zone.clients) {
    json.begin_object()
        .field("client", static_cast<uint64_t>(client.number))
        .field("sessions", static_cast<uint64_t>(client.sessions))
        .end_object();
  }
  json.end_array().end_object();
}

}  // namespace

std::string draw_topology(const Topology& topology) {
  std::string out;
  add_wrapped(topology.scenario, 0, out);
  if (!topology.about.empty()) add_wrapped("  " + topology.about, 2, out);
  add_wrapped("  " + topology.summary, 2, out);
  if (!topology.everywhere.empty())
    add_wrapped(concat("  everywhere: ", marks_text(topology.everywhere)), 2, out);
  append(out, "\n");
  std::size_t zones = 0;
  for (const Topology::Region& region : topology.regions) zones += region.zones.size();
  for (const Topology::Region& region : topology.regions) {
    const Lines content = zones > kZoneBoxesMax ? zone_lines(region) : zone_boxes(region);
    std::size_t width = columns_of(with_marks("region " + region.name, region.faults)) + 6;
    for (const std::string& line : content) width = std::max(width, columns_of(line) + 4);
    for (const std::string& line : box(with_marks("region " + region.name, region.faults), content,
                                       std::min(width, kTopologyColumns)))
      append(out, line, "\n");
  }
  add_latencies(topology, out);
  add_faults(topology, out);
  return out;
}

std::string topology_as_json(const Topology& topology) {
  Json json;
  json.begin_object().field("scenario", topology.scenario).field("about", topology.about);
  json.key("regions").begin_array();
  for (const Topology::Region& region : topology.regions) {
    json.begin_object().field("name", region.name);
    marks_as_json("faults", region.faults, json);
    json.key("zones").begin_array();
    for (const Topology::Zone& zone : region.zones) zone_as_json(zone, json);
    json.end_array().end_object();
  }
  json.end_array().key("latencies").begin_array();
  for (const Topology::Latency& latency : topology.latencies) {
    json.begin_object()
        .field("of", latency.of)
        .field("law", latency.law)
        .field("median", latency.median)
        .end_object();
  }
  json.end_array().key("faults").begin_array();
  for (const Topology::Fault& fault : topology.faults) {
    json.begin_object()
        .field("when", fault.when)
        .field("what", fault.what)
        .field("touches", fault.touches);
    json.key("places").begin_array();
    for (const std::string& place : fault.places) json.text(place);
    json.end_array().end_object();
  }
  json.end_array();
  json.field("swarm", topology.swarm).end_object();
  return json.str() + "\n";
}

}  // namespace ringside::cli
