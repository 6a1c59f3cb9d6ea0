#include "cli/watch_view.h"

#include <algorithm>

#include "analysis/plot.h"
#include "cli/cells.h"
#include "cli/progress.h"
#include "cli/watch_machines.h"
#include "lab/text.h"

namespace ringside::cli {
namespace {

using lab::concat;
using lab::format;
using Machine = WatchModel::Machine;
using State = MachineState;

constexpr std::size_t kLabel = 10;            // columns of what a row of operations is called
constexpr std::size_t kFaultLinesKept = 4;    // the heading too
constexpr std::size_t kMachineLinesKept = 6;  // as long as there is other room

// A heading and lines of which some may be left out.
struct Section {
  std::vector<Cells> lines;
  std::size_t least = 0;  // lines that stay however small the screen
  bool newest_last = false;
};

std::string seconds_text(Duration span) {
  return format("%.1f s", static_cast<double>(span) / 1e9);
}

Section head(const WatchModel& model, const Screen& screen) {
  Section section;
  Cells first;
  first.add(" ").add(model.scenario(), Style::kBold).add(concat(", seed ", model.seed()));
  std::string right = concat("t ", seconds_text(model.now()));
  if (screen.pace > 0) right += format("   %.3g× real time", screen.pace);
  right += "   " + minutes(screen.elapsed_seconds);
  const std::size_t taken = columns_of(right) + 3;
  first.to_column(screen.columns > taken ? screen.columns - taken : 0).add("  " + right);
  // The two blanks only part the sides when they meet.
  if (first.columns() > screen.columns) {
    first = Cells(" ").add(fit(model.scenario(), screen.columns / 3), Style::kBold);
    first.add(concat(", seed ", model.seed(), "  ", right));
  }
  const double share = model.latest().share();
  Cells second;
  second.add(" ").add(bar(share, std::min<std::size_t>(40, screen.columns * 3 / 8)), Style::kBar);
  second.add(format(" %3.0f %%  ", 100 * share)).add(model.phase(), Style::kBold);
  if (share > 0.02 && share < 1) {
    second.add(concat("  about ", minutes(screen.elapsed_seconds * (1 - share) / share), " left"),
               Style::kDim);
  }
  section.lines = {first, second};
  section.least = 2;
  return section;
}

// The height of a full block: a little above what a busy second ends, so that one burst (all that
// waited for a healing) does not flatten the others.
double usual_most(const std::vector<WatchModel::Second>& seconds) {
  std::vector<uint64_t> ended;
  for (const WatchModel::Second& second : seconds) {
    const uint64_t all = second.ok + second.failed + second.unknown;
    if (all > 0) ended.push_back(all);
  }
  if (ended.empty()) return 0;
  std::sort(ended.begin(), ended.end());
  return 1.1 * static_cast<double>(ended[(ended.size() - 1) * 9 / 10]);
}

Section machines(const WatchModel& model, const Screen& screen) {
  Section section;
  section.lines = machine_lines(model, screen.columns);
  section.least = 2;
  return section;
}

Section faults(const WatchModel& model, const Screen& screen) {
  Section section;
  section.lines.push_back(Cells(" FAULTS", Style::kDim));
  const auto add = [&](const char* mark, Style style, const std::string& text,
                       const std::string& right) {
    const std::size_t room = screen.columns - std::min(screen.columns, columns_of(right) + 6);
    section.lines.push_back(
        Cells(" ").add(mark, style).add(" ").add(pad(text, room), style).add("  " + right));
  };
  for (const WatchModel::Fault* fault : model.active())
    add("▲", Style::kBad, fault->text, concat(seconds_text(fault->until - model.now()), " left"));
  if (const WatchModel::Fault* next = model.next())
    add("▽", Style::kPlain, next->text, concat("in ", seconds_text(next->from - model.now())));
  if (section.lines.size() == 1) section.lines[0].add("  none now, none to come");
  section.least = std::min(section.lines.size(), kFaultLinesKept);
  return section;
}

Section operations(const WatchModel& model, const Screen& screen) {
  Section section;
  const std::vector<WatchModel::Second> seconds = model.seconds();
  const std::size_t room = screen.columns > kLabel + 14 ? screen.columns - kLabel - 14 : 1;
  const std::size_t shown = std::min(seconds.size(), room);
  section.lines.push_back(
      Cells(concat(" OPERATIONS a simulated second, the last ", shown), Style::kDim));
  const double most = usual_most(seconds);
  const auto row = [&](const char* name, Style style, uint64_t WatchModel::Second::* outcome) {
    std::vector<double> values;
    for (std::size_t i = seconds.size() - shown; i < seconds.size(); ++i)
      values.push_back(static_cast<double>(seconds[i].*outcome));
    Cells line;
    line.add(" ").add(pad(name, kLabel)).add(sparkline(values, most), style);
    line.add(concat("  ", format_count(model.last_second().*outcome)));
    section.lines.push_back(line);
  };
  row("ok", Style::kGood, &WatchModel::Second::ok);
  row("failed", Style::kBad, &WatchModel::Second::failed);
  row("unknown", Style::kWarn, &WatchModel::Second::unknown);
  const record::Snapshot& so_far = model.latest();
  section.lines.push_back(
      Cells(concat(" so far    ", format_count(so_far.writes_ok()), " writes acknowledged, ",
                   format_count(so_far.reads_ok()), " reads, ", format_count(so_far.failed()),
                   " failed, ", format_count(so_far.unknown()), " unknown")));
  const double lost = so_far.frames_sent() == 0 ? 0
                                                : static_cast<double>(so_far.frames_lost()) /
                                                      static_cast<double>(so_far.frames_sent());
  section.lines.push_back(
      Cells(concat(" frames    ", format_count(so_far.frames_sent()), " sent, ",
                   format_count(so_far.frames_lost()), " lost (", format_percent(lost, 2), ")")));
  section.least = section.lines.size();
  return section;
}

Section probes(const WatchModel& model, const Screen& screen) {
  Section section;
  section.lines.push_back(Cells(concat(" PROBES reached: ", model.probes().size()), Style::kDim));
  Cells line(" ");
  for (const auto& [name, times] : model.probes()) {
    const std::string text = concat(name, " ", format_count(times), "  ");
    if (line.columns() > 1 && line.columns() + columns_of(text) > screen.columns + 2) {
      section.lines.push_back(line);
      line = Cells(" ");
    }
    line.add(text);
  }
  if (line.columns() > 1) section.lines.push_back(line);
  section.least = std::min<std::size_t>(section.lines.size(), 2);
  return section;
}

Section lately(const WatchModel& model) {
  Section section;
  section.newest_last = true;
  if (model.events().empty()) return section;
  section.lines.push_back(Cells(" LATELY", Style::kDim));
  for (const WatchModel::Event& event : model.events()) {
    section.lines.push_back(
        Cells(format(" %9.3f s  %s", static_cast<double>(event.at) / 1e9, event.text.c_str())));
  }
  section.least = std::min<std::size_t>(section.lines.size(), 2);
  return section;
}

// Leaves out one line; the last one says how many there are.
void shorten(Section& section, std::size_t keep) {
  const std::size_t all = section.lines.size();
  if (section.newest_last) {
    section.lines.erase(section.lines.begin() + 1,
                        section.lines.begin() + static_cast<std::ptrdiff_t>(1 + all - keep));
    return;
  }
  section.lines.resize(keep);
  if (keep > 1) section.lines.back() = Cells(concat(" … and ", all - keep + 1, " lines more"));
}

}  // namespace

std::vector<std::string> draw_watch(const WatchModel& model, const Screen& screen) {
  std::vector<Section> sections = {head(model, screen),   machines(model, screen),
                                   faults(model, screen), operations(model, screen),
                                   probes(model, screen), lately(model)};
  const auto height = [&] {
    std::size_t lines = 0;
    for (const Section& section : sections) lines += section.lines.size();
    return lines;
  };
  const auto blanks = [&] {
    return static_cast<std::size_t>(std::count_if(
        sections.begin() + 1, sections.end(), [](const Section& s) { return !s.lines.empty(); }));
  };
  // Sections give what they can, in this order; then the blank lines go.
  constexpr std::size_t kMachines = 1, kFaults = 2, kProbes = 4, kLately = 5;
  std::vector<std::size_t> keep;
  for (const Section& section : sections) keep.push_back(section.lines.size());
  std::size_t needed = height() + blanks();
  const auto give = [&](std::size_t section, std::size_t least) {
    while (needed > screen.rows && keep[section] > least) --keep[section], --needed;
  };
  give(kLately, sections[kLately].least);
  give(kProbes, sections[kProbes].least);
  give(kMachines, kMachineLinesKept);
  give(kFaults, sections[kFaults].least);
  give(kMachines, sections[kMachines].least);
  for (std::size_t i = 0; i < sections.size(); ++i) {
    if (keep[i] < sections[i].lines.size()) shorten(sections[i], keep[i]);
  }
  const bool airy = height() + blanks() <= screen.rows;
  std::vector<std::string> lines;
  for (const Section& section : sections) {
    if (airy && !lines.empty() && !section.lines.empty()) lines.emplace_back();
    for (const Cells& line : section.lines)
      lines.push_back(line.text(screen.columns, screen.colour));
  }
  if (lines.size() > screen.rows) lines.resize(screen.rows);
  return lines;
}

std::string watch_line(const WatchModel& model) {
  const record::Snapshot& so_far = model.latest();
  const WatchModel::Second second = model.last_second();
  std::string line = format("t %.4g s  %s %.0f %%", static_cast<double>(model.now()) / 1e9,
                            model.phase(), 100 * so_far.share());
  lab::append(line, "  up ", model.count(State::kUp), "/", model.machines().size());
  for (const Machine& machine : model.machines()) {
    if (machine.state != State::kUp) lab::append(line, ", ", machine.name, " ", machine.word);
  }
  lab::append(line, "  last second ", second.ok, " ok, ", second.failed, " failed, ",
              second.unknown, " unknown  so far ", so_far.writes_ok(), " writes, ",
              so_far.reads_ok(), " reads, ", so_far.frames_sent(), " frames, ",
              so_far.frames_lost(), " lost, ", model.probes().size(), " probes");
  for (const WatchModel::Fault* fault : model.active()) {
    lab::append(line, "  fault: ", fault->text, " (", seconds_text(fault->until - model.now()),
                " left)");
  }
  return line;
}

}  // namespace ringside::cli
