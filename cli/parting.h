// Parting: two fresh processes play one recording, the second with shaken memory
// (cli/fresh_replay.h says how), and their events are held against each other as they run, to the
// first that differs. And the last moments of a run that crashes.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/event_lines.h"
#include "runtime/result.h"

namespace ringside::cli {

struct Parting {
  uint64_t agreed = 0;  // events that both played alike
  // The first that differs; nothing: its process had none left.
  std::optional<PlayedEvent> plain, shaken;
  // The last event before, where the one that differs runs.
  std::optional<PlayedEvent> last_there;
  std::string shaken_says;  // on stderr, when it crashed

  bool found() const { return plain || shaken; }
  // "when it runs", "where it runs", "what it is", "what is in it"; one of them had none.
  std::string differs_in() const;
  std::string place() const;
};
// kUnavailable: a process cannot be started.
Result<Parting> find_parting(const std::string& recording);

struct LastMoments {
  std::vector<PlayedEvent> events;     // the last that ran
  std::vector<std::string> under_way;  // the log of the one in which it ended
  std::string says;                    // the first line on stderr
};
Result<LastMoments> find_last_moments(const std::string& recording);

}  // namespace ringside::cli
