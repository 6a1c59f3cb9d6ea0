#include "cli/explain_end.h"

#include <cstdio>

#include "analysis/plot.h"

namespace ringside::cli {
namespace {

void print_event(const char* who, const PlayedEvent& event) {
  std::printf("  %-7s event %s: %s\n", who, format_count(event.index).c_str(), event.what.c_str());
  for (const std::string& line : event.lines) std::printf("            %s\n", line.c_str());
}

void print_side(const char* who, const std::optional<PlayedEvent>& event, const std::string& says) {
  if (event) {
    print_event(who, *event);
  } else {
    std::printf("  %-7s has ended%s%s\n", who, says.empty() ? "" : ": ", says.c_str());
  }
}

void event_as_json(const char* name, const std::optional<PlayedEvent>& event, Json& json) {
  if (!event) return;
  const EventParts parts = event_parts(*event);
  json.key(name).begin_object().field("index", event->index).field("time", parts.time);
  json.field("place", parts.place).field("kind", parts.kind).field("content", parts.content);
  json.key("lines").begin_array();
  for (const std::string& line : event->lines) json.text(line);
  json.end_array().end_object();
}

}  // namespace

void print_parting(const Parting& parting) {
  std::printf("\nWhere two fresh processes part, one of which has its freed memory overwritten\n");
  if (!parting.found()) {
    std::printf("  this time they did not: %s events alike\n",
                format_count(parting.agreed).c_str());
    return;
  }
  std::printf("  %s events are the same; the next differs in %s, at %s\n",
              format_count(parting.agreed).c_str(), parting.differs_in().c_str(),
              parting.place().c_str());
  print_side("plain", parting.plain, "");
  print_side("shaken", parting.shaken, parting.shaken_says);
  if (parting.last_there) {
    std::printf("  what ran last there, alike in both, and may have set it going:\n");
    print_event("", *parting.last_there);
  }
}

void parting_as_json(const Parting& parting, Json& json) {
  json.key("parting").begin_object().field("found", parting.found());
  json.field("events_alike", parting.agreed);
  if (parting.found()) {
    json.field("differs_in", parting.differs_in()).field("place", parting.place());
    event_as_json("plain", parting.plain, json);
    event_as_json("shaken", parting.shaken, json);
    event_as_json("last_there", parting.last_there, json);
    if (!parting.shaken_says.empty()) json.field("shaken_says", parting.shaken_says);
  }
  json.end_object();
}

void print_last_moments(const LastMoments& moments) {
  std::printf("\nHow it ended%s%s\n", moments.says.empty() ? "" : ": ", moments.says.c_str());
  if (moments.events.empty()) std::printf("  before its first event was over\n");
  for (const PlayedEvent& event : moments.events) print_event("", event);
  if (moments.under_way.empty()) return;
  std::printf("  and under way:\n");
  for (const std::string& line : moments.under_way) std::printf("            %s\n", line.c_str());
}

void last_moments_as_json(const LastMoments& moments, Json& json) {
  json.key("last_moments").begin_object().field("says", moments.says);
  json.key("events").begin_array();
  for (const PlayedEvent& event : moments.events) {
    json.begin_object().field("index", event.index).field("what", event.what);
    json.key("lines").begin_array();
    for (const std::string& line : event.lines) json.text(line);
    json.end_array().end_object();
  }
  json.end_array().key("under_way").begin_array();
  for (const std::string& line : moments.under_way) json.text(line);
  json.end_array().end_object();
}

}  // namespace ringside::cli
