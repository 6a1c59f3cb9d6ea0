#include "cli/parting.h"

#include <cstdio>
#include <deque>
#include <map>

#include "cli/fresh_replay.h"
#include "lab/text.h"

namespace ringside::cli {
namespace {

constexpr std::size_t kLastEvents = 5;

// The next event that a process tells; nothing: it has ended.
std::optional<PlayedEvent> next_event(FreshEvents& process, EventReader& reader) {
  std::string line;
  while (process.next(line)) {
    if (std::optional<PlayedEvent> event = reader.read(line)) return event;
  }
  return std::nullopt;
}

}  // namespace

std::string Parting::differs_in() const {
  if (!plain || !shaken) return "that only one of them has it";
  const EventParts a = event_parts(*plain), b = event_parts(*shaken);
  if (a.place != b.place) return "where it runs";
  if (a.kind != b.kind) return "what it is";
  return a.time != b.time ? "when it runs" : "what is in it";
}

std::string Parting::place() const {
  // Whoever runs first does what the other process does not.
  if (!plain || !shaken) return event_parts(plain ? *plain : *shaken).place;
  const EventParts a = event_parts(*plain), b = event_parts(*shaken);
  return std::stod(b.time) < std::stod(a.time) ? b.place : a.place;
}

Result<Parting> find_parting(const std::string& recording) {
  FreshEvents plain(recording, false), shaken(recording, true);
  if (!plain.started() || !shaken.started())
    return {Code::kUnavailable, "a fresh process cannot be started"};
  EventReader from_plain, from_shaken;
  std::map<std::string, PlayedEvent> last;  // by place
  Parting parting;
  while (true) {
    parting.plain = next_event(plain, from_plain);
    parting.shaken = next_event(shaken, from_shaken);
    const bool both = parting.plain && parting.shaken;
    if (!both || parting.plain->what != parting.shaken->what) break;
    parting.agreed = parting.plain->index;
    const std::string place = event_parts(*parting.plain).place;
    last.insert_or_assign(place, std::move(*parting.plain));
  }
  if (!parting.shaken) parting.shaken_says = shaken.first_complaint();
  if (parting.found()) {
    if (const auto there = last.find(parting.place()); there != last.end())
      parting.last_there = there->second;
  }
  return parting;
}

Result<LastMoments> find_last_moments(const std::string& recording) {
  FreshEvents process(recording, false);
  if (!process.started()) return {Code::kUnavailable, "a fresh process cannot be started"};
  EventReader reader;
  std::deque<PlayedEvent> last;
  while (std::optional<PlayedEvent> event = next_event(process, reader)) {
    last.push_back(std::move(*event));
    if (last.size() > kLastEvents) last.pop_front();
  }
  return LastMoments{{last.begin(), last.end()}, reader.lines(), process.first_complaint()};
}

}  // namespace ringside::cli
