// Event lines: every event of a run as a line of text, the lines of the log that belong to it
// before it, indented:
//   "      node 2  probe hints.kept"
//   "1234  310.000007 ms  node 2  timer  content 00c0ffee00c0ffee"
// `ringside replay --events` prints them as they run, so that they are there however the run ends.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "lab/experiment.h"

namespace ringside::cli {

struct PlayedEvent {
  uint64_t index = 0;
  std::string what;  // time, place, kind and what was hashed of it: what the fingerprint sees
  std::vector<std::string> lines;
};

// "the world", "node 2", "client 1".
std::string event_place(uint32_t node);
// "310.000007 ms  node 2  timer  content …"; its parts.
std::string event_text(const lab::EventLine& event);
struct EventParts {
  std::string time, place, kind, content;
};
EventParts event_parts(const PlayedEvent& event);
std::string log_text(const lab::LogLine& line);

// Prints whatever runs to stdout, line by line.
void print_events(lab::RunOptions& options);

// Reads such lines. What is no part of it (the verdict of a replay) is left alone.
class EventReader {
 public:
  // An event, when the line was that of one.
  std::optional<PlayedEvent> read(const std::string& line);
  // Of the event that is under way.
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
};

}  // namespace ringside::cli
