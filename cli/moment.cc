#include "cli/moment.h"

#include <algorithm>

#include "cli/event_lines.h"
#include "cli/report.h"
#include "lab/text.h"
#include "lab/units.h"
#include "workloads/history.h"

namespace ringside::cli {
namespace {

using lab::append;
using lab::concat;

std::string milliseconds(Time at) { return lab::format("%.6f ms", static_cast<double>(at) / 1e6); }

std::string_view phase(const record::Standing& here) {
  if (here.over()) return "the run is over";
  if (here.at() < here.workload_start()) return "before the workload";
  return here.at() < here.workload_end() ? "the workload" : "healed, coming to rest";
}

}  // namespace

Result<Moment> parse_moment(std::string_view text) {
  std::string digits(text);
  std::erase(digits, ',');
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (!digits.empty() && digits.size() <= 18 && std::all_of(digits.begin(), digits.end(), digit))
    return Moment{.event = std::stoull(digits)};
  const Result<Duration> at = lab::parse_span(text);
  if (at.ok()) return Moment{.at = *at};
  return {Code::kInvalid,
          concat("\"", text, "\" is neither an event's number such as 120000 nor a time such as ",
                 "900ms")};
}

Result<void> go_to(lab::Walk& walk, const Moment& moment) {
  return moment.event ? walk.to_event(*moment.event) : walk.to_time(moment.at);
}

std::string standing_line(const record::Standing& here) {
  return concat("event ", here.events(), "  ", milliseconds(here.at()), "  fingerprint ",
                fingerprint_text(here.fingerprint()), here.over() ? "  the run is over" : "", "\n");
}

std::string events_text(const record::Standing& here, uint64_t most) {
  std::string text;
  for (const record::Standing::Event& event : here.event()) {
    if (event.index() + most <= here.events()) continue;
    append(text, lab::format("%12llu  ", static_cast<unsigned long long>(event.index())),
           milliseconds(event.at()), "  ", event_place(event.node()), "  ", event.kind(), "\n");
    for (const record::Standing::Line& line : event.line())
      append(text, "                ", event_place(line.node()), "  ", line.text(), "\n");
  }
  return text;
}

std::string state_text(const record::Standing& here) {
  std::string text = concat("  phase    ", phase(here), "\n  nodes    ");
  int down = 0;
  for (const record::Standing::Process& node : here.node()) {
    if (node.running()) continue;
    append(text, down++ > 0 ? ", " : "", event_place(node.id()),
           node.starts() == 0 ? " is off" : " is down");
  }
  if (down == 0) append(text, "all ", here.node_size(), " run");
  for (const record::Standing::Process& node : here.node())
    if (node.starts() > 1)
      append(text, ", ", event_place(node.id()), " started ", node.starts(), " times");
  append(text, "\n  clients  ", here.clients_at_work(), " of ", here.clients(), " at work, ",
         here.operations(), " operations, ", here.unanswered(), " unanswered\n  frames   ",
         here.frames_sent(), " sent, ", here.frames_lost(), " lost\n");
  return text;
}

void standing_as_json(const record::Standing& here, Json& json) {
  json.field("event", uint64_t{here.events()}).field("time_ns", static_cast<uint64_t>(here.at()));
  json.field("fingerprint", fingerprint_text(here.fingerprint())).field("over", here.over());
  json.field("phase", phase(here)).key("nodes").begin_array();
  for (const record::Standing::Process& node : here.node()) {
    json.begin_object().field("node", uint64_t{node.id()}).field("running", node.running());
    json.field("starts", uint64_t{node.starts()}).end_object();
  }
  json.end_array().field("clients_at_work", uint64_t{here.clients_at_work()});
  json.field("operations", uint64_t{here.operations()});
  json.field("unanswered", uint64_t{here.unanswered()});
  json.field("frames_sent", uint64_t{here.frames_sent()});
  json.field("frames_lost", uint64_t{here.frames_lost()}).key("last_events").begin_array();
  for (const record::Standing::Event& event : here.event()) {
    json.begin_object().field("event", uint64_t{event.index()});
    json.field("time_ns", static_cast<uint64_t>(event.at()))
        .field("where", event_place(event.node()));
    json.field("kind", event.kind()).key("lines").begin_array();
    for (const record::Standing::Line& line : event.line())
      json.text(concat(event_place(line.node()), "  ", line.text()));
    json.end_array().end_object();
  }
  json.end_array();
}

}  // namespace ringside::cli
