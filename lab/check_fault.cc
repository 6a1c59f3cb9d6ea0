#include "lab/check_fault.h"

#include <algorithm>

#include "lab/text.h"
#include "lab/units.h"

namespace ringside::lab {
namespace {

// What one kind of fault needs.
struct Shape {
  const char* name;
  bool lasts = false;    // needs `for`
  bool victims = false;  // strikes places or drawn machines
  bool returns = false;  // takes restart_after
  bool on_probe = false;
};

constexpr Shape kShapes[] = {
    {.name = "partition", .lasts = true},
    {.name = "links", .lasts = true},
    {.name = "crash", .victims = true, .returns = true, .on_probe = true},
    {.name = "power_loss", .victims = true, .returns = true, .on_probe = true},
    {.name = "out_of_memory", .victims = true, .returns = true, .on_probe = true},
    {.name = "blackout", .returns = true, .on_probe = true},
    {.name = "disk_loss", .victims = true, .returns = true},
    {.name = "older_disk", .victims = true, .returns = true},
    {.name = "pause", .lasts = true, .victims = true},
    {.name = "throttle", .lasts = true, .victims = true},
    {.name = "clock", .lasts = true, .victims = true},
    {.name = "disk", .lasts = true, .victims = true},
    {.name = "rot", .victims = true},
    {.name = "restart_loop", .victims = true, .returns = true},
    {.name = "rolling_restart", .returns = true},
};

void check_sides(const Cursor& at) {
  if (at.has("isolate") && (at.has("from") || at.has("to"))) {
    at.mistake("isolate", "is one side and everyone else the other; leave out from and to");
  } else if (!at.has("isolate") && !(at.has("from") && at.has("to"))) {
    at.mistake_here("say isolate, or from and to: whose links");
  }
}

// A mean time that a draw cannot do without.
void check_above_zero(const Cursor& at, std::string_view field, const std::string& text) {
  const Result<Duration> span = parse_span(text);
  if (at.has(field) && span.ok() && *span == 0) at.mistake(field, "must be more than 0");
}

void check_links(const Cursor& at) {
  const auto& links = static_cast<const scenario::Links&>(at.message());
  check_sides(at);
  check_above_zero(at, "reset_every", links.reset_every());
  if (links.has_flap()) {
    check_above_zero(at.nested("flap"), "up", links.flap().up());
    check_above_zero(at.nested("flap"), "down", links.flap().down());
  }
  const std::vector<std::vector<std::string>> effects = {{"slower", "longer"},
                                                         {"loss", "duplication", "corruption"},
                                                         {"bytes_per_second"},
                                                         {"clog"},
                                                         {"half_open"},
                                                         {"lookup_fails"},
                                                         {"flap"},
                                                         {"reset_every"}};
  std::string first;
  for (const std::vector<std::string>& effect : effects) {
    for (const std::string& field : effect) {
      if (!at.has(field)) continue;
      if (!first.empty()) {
        at.mistake(field, concat("one fault does one thing to its links, and ", first,
                                 " is there already; write another fault"));
        return;
      }
      first = field;
      break;
    }
  }
  if (first.empty()) {
    at.mistake_here(
        "needs one of slower, longer, loss, duplication, corruption, bytes_per_second, clog, "
        "half_open, lookup_fails, flap, reset_every");
  }
}

void check_clock(const Cursor& at) { at.exactly_one({"forward", "back", "drift_ppm"}, "a clock"); }

void check_disk(const Cursor& at) {
  const auto& disk = static_cast<const scenario::Disk&>(at.message());
  if (disk.has_gray()) {
    check_above_zero(at.nested("gray"), "good", disk.gray().good());
    check_above_zero(at.nested("gray"), "bad", disk.gray().bad());
  }
  for (const char* field : {"read_error", "write_error", "sync_error", "sync_fails_once",
                            "sync_lies", "name_sync_lies", "short_read", "misdirected_read",
                            "misdirected_write", "rot_on_read", "full", "dead", "slower", "gray"}) {
    if (at.has(field)) return;
  }
  at.mistake_here("says nothing of what the disk does; for example read_error: 0.1");
}

void check_restart_loop(const Cursor& at, const scenario::Fault& fault) {
  const Result<Duration> every = parse_span(fault.restart_loop().every());
  const Result<Duration> back =
      fault.has_restart_after() ? parse_span(fault.restart_after()) : Result<Duration>(kSecond);
  if (every.ok() && back.ok() && *every <= *back) {
    at.mistake("every", concat("must be more than restart_after (",
                               fault.has_restart_after() ? fault.restart_after() : "1s",
                               "), or the machine is never up between two crashes"));
  }
}

void check_shape(const Cursor& at, const scenario::Fault& fault, const Shape& shape) {
  if (shape.lasts && !fault.has_for_())
    at.mistake(shape.name, "needs for: how long it lasts, such as for: \"15s\"");
  if (!shape.lasts && fault.has_for_()) {
    at.mistake("for", shape.returns ? concat("a ", shape.name,
                                             " does not last; a machine that went down "
                                             "comes back by restart_after")
                                    : concat("a ", shape.name, " is done in a moment"));
  }
  if (!shape.returns && fault.has_restart_after())
    at.mistake("restart_after", concat("nothing goes down in a ", shape.name, "; use for"));
  if (!shape.on_probe && fault.has_on_probe())
    at.mistake("on_probe", concat("a ", shape.name, " starts at a time; use at"));
  if (!shape.victims) return;
  const Cursor victims = at.nested(shape.name);
  if (fault.has_on_probe() && shape.on_probe) {
    if (victims.has("place"))
      victims.mistake("place", "with on_probe the node that reaches it is the victim");
  } else {
    victims.exactly_one({"place", "machines"}, shape.name);
  }
}

}  // namespace

void check_fault(const Cursor& at, const scenario::Workload& workload) {
  const auto& fault = static_cast<const scenario::Fault&>(at.message());
  at.exactly_one({"at", "on_probe"}, "a fault");
  std::vector<std::string> kinds;
  for (const Shape& shape : kShapes) kinds.emplace_back(shape.name);
  if (!at.exactly_one(kinds, "a fault")) return;
  const Result<Duration> start = parse_span(fault.at());
  const Result<Duration> end = parse_span(workload.for_());
  if (fault.has_at() && start.ok() && end.ok() && *start >= *end) {
    at.mistake("at", concat("\"", fault.at(), "\" is after the end of the workload (for: \"",
                            workload.for_(), "\"); faults belong to the safety phase"));
  }
  for (const Shape& shape : kShapes) {
    if (at.has(shape.name)) check_shape(at, fault, shape);
  }
  if (fault.has_partition()) check_sides(at.nested("partition"));
  if (fault.has_links()) check_links(at.nested("links"));
  if (fault.has_clock()) check_clock(at.nested("clock"));
  if (fault.has_disk()) check_disk(at.nested("disk"));
  if (fault.has_restart_loop()) check_restart_loop(at.nested("restart_loop"), fault);
}

}  // namespace ringside::lab
