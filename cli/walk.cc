#include "cli/walk.h"

#include <stdio.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <string>

#include "cli/moment.h"
#include "cli/report.h"
#include "lab/allocator.h"
#include "lab/text.h"

namespace ringside::cli {
namespace {

using lab::concat;

constexpr uint64_t kEventsShown = 4;
constexpr const char* kHelp =
    "to WHEN      to an event's number (120000) or a time of the log (900ms), before or behind\n"
    "next [N]     N events on (1)\n"
    "back [N]     N events back (1)\n"
    "end          to the end of the run\n"
    "state        who runs, what clients and frames have come to\n"
    "help, quit\n";

int worse(int a, const Result<void>& result) {
  if (result.ok()) return a;
  std::fprintf(stderr, "%s\n", result.error().message.c_str());
  if (result.error().code == Code::kCorrupt) return kNotDeterministic;
  return std::max(a, result.error().code == Code::kReset ? kCrashed : kBadInput);
}

// What was typed, a line at a time.
class Commands {
 public:
  explicit Commands(lab::Walk& walk) : walk_(walk) {}

  // False to quit.
  bool obey(const std::string& line) {
    std::vector<std::string> words;
    for (const std::string& word : lab::split(line, ' '))
      if (!word.empty()) words.push_back(word);
    if (words.empty()) return true;
    const std::string& verb = words[0];
    const std::string argument = words.size() == 2 ? words[1] : "";
    if (verb == "quit" && words.size() == 1) return false;
    if (verb == "help" && words.size() == 1) {
      std::fputs(kHelp, stdout);
    } else if (verb == "state" && words.size() == 1) {
      std::fputs((standing_line(walk_.here()) + state_text(walk_.here())).c_str(), stdout);
    } else if (verb == "end" && words.size() == 1) {
      arrive(walk_.to_time(kNever - 1));
    } else if (verb == "to" && words.size() == 2) {
      const Result<Moment> moment = parse_moment(argument);
      arrive(moment.ok() ? go_to(walk_, *moment) : Result<void>(moment.error()));
    } else if ((verb == "next" || verb == "back") && words.size() <= 2) {
      step(verb == "next", argument);
    } else {
      arrive({Code::kInvalid, concat("\"", line, "\" is no command; `help` says what there is")});
    }
    return true;
  }

  int code() const { return code_; }

 private:
  void step(bool onwards, const std::string& argument) {
    const Result<Moment> count = parse_moment(argument.empty() ? "1" : argument);
    if (!count.ok() || !count->event) {
      arrive({Code::kInvalid, concat("\"", argument, "\" is no number of events")});
      return;
    }
    const uint64_t here = walk_.here().events();
    const uint64_t by = *count->event;
    arrive(walk_.to_event(onwards ? here + by : here - std::min(here, by)), onwards ? by : 1);
  }

  void arrive(const Result<void>& result, uint64_t events_shown = kEventsShown) {
    code_ = worse(code_, result);
    if (result.ok() || result.error().code == Code::kReset)
      std::fputs((standing_line(walk_.here()) + events_text(walk_.here(), events_shown)).c_str(),
                 stdout);
  }

  lab::Walk& walk_;
  int code_ = kHolds;
};

int obey_stdin(lab::Walk& walk) {
  const bool prompt = isatty(STDIN_FILENO) != 0;
  Commands commands(walk);
  if (prompt) std::fputs("`help` says what there is\n", stdout);
  std::fputs(standing_line(walk.here()).c_str(), stdout);
  std::string line;
  do {
    if (prompt) std::fputs("> ", stdout);
    std::fflush(stdout);
  } while (std::getline(std::cin, line) && commands.obey(line));
  return commands.code();
}

int seek(lab::Walk& walk, const lab::Recorded& recorded, const ReplayArguments& arguments) {
  Json json;
  json.begin_object().field("scenario", recorded.recording.result.scenario);
  json.field("seed", recorded.recording.seed).key("standings").begin_array();
  for (const std::string& text : arguments.seek) {
    const Result<Moment> moment = parse_moment(text);
    const Result<void> there = moment.ok() ? go_to(walk, *moment) : Result<void>(moment.error());
    if (!there.ok()) return worse(kHolds, there);
    if (arguments.json) {
      json.begin_object().field("asked", text);
      standing_as_json(walk.here(), json);
      json.end_object();
    } else {
      std::printf("%s%s%s", standing_line(walk.here()).c_str(), state_text(walk.here()).c_str(),
                  events_text(walk.here(), kEventsShown).c_str());
    }
  }
  json.end_array().field("events_played", walk.played()).end_object();
  if (arguments.json) std::printf("%s\n", json.str().c_str());
  return kHolds;
}

}  // namespace

int walk(const ReplayArguments& arguments) {
  lab::use_large_pages();
  const Result<lab::Recorded> recorded = lab::load_recorded(arguments.file, "replay");
  if (!recorded.ok()) {
    std::fprintf(stderr, "%s\n", recorded.error().message.c_str());
    return kBadInput;
  }
  for (const std::string& text : arguments.seek)
    if (const Result<Moment> moment = parse_moment(text); !moment.ok())
      return worse(kHolds, {Code::kInvalid, concat("--seek ", moment.error().message)});
  const Result<std::unique_ptr<lab::Walk>> walk =
      lab::Walk::begin(*recorded, {.keep_events = kEventsShown});
  if (!walk.ok()) return worse(kHolds, walk.error());
  return arguments.walk ? obey_stdin(**walk) : seek(**walk, *recorded, arguments);
}

}  // namespace ringside::cli
