// `ringside diff`: two recordings, and the first event that one of them has and the other has not.
// The checkpoints narrow it down; both are played again, and the events in between compared.
#include <algorithm>
#include <cstdio>
#include <optional>

#include "analysis/plot.h"
#include "cli/event_lines.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "lab/shrink_recording.h"
#include "lab/text.h"

namespace ringside::cli {
namespace {

using lab::append;
using lab::concat;

constexpr uint64_t kBefore = 3;  // events of context
constexpr std::size_t kAfter = 3;
constexpr char kBetweenFields = '\x1f';

// Where the first difference lies: after `agreed` events, and at the latest at `differs`.
struct Stretch {
  uint64_t agreed = 0;
  uint64_t differs = 0;
};

Stretch narrow(const lab::RunResult& a, const lab::RunResult& b) {
  Stretch stretch{0, std::min(a.events, b.events) + 1};
  for (std::size_t i = 0, j = 0; i < a.checkpoints.size() && j < b.checkpoints.size();) {
    const lab::Checkpoint& left = a.checkpoints[i];
    const lab::Checkpoint& right = b.checkpoints[j];
    if (left.events != right.events) {
      ++(left.events < right.events ? i : j);
      continue;
    }
    if (left.fingerprint != right.fingerprint) {
      stretch.differs = left.events;
      break;
    }
    stretch.agreed = left.events;
    ++i;
    ++j;
  }
  return stretch;
}

struct Played {
  std::vector<PlayedEvent> events;
  std::string error;
};

// Its events from shortly before the stretch to its end.
Played events_of(const lab::Recorded& recorded, const Stretch& stretch) {
  Played played;
  lab::WorkerOptions options;
  options.on_snapshot = [&](std::string_view bytes) {
    std::vector<std::string> parts = lab::split(bytes, kBetweenFields);
    PlayedEvent event;
    event.index = std::stoull(parts[0]);
    event.what = parts[1];
    event.lines.assign(parts.begin() + 2, parts.end());
    played.events.push_back(std::move(event));
  };
  options.on_result = [&](lab::WorkerResult run) {
    if (run.end != lab::WorkerResult::End::kFinished)
      played.error = concat(recorded.file, ": ", run.message);
    return true;
  };
  lab::run_in_workers(
      {recorded.recording.seed},
      [&](uint64_t seed, const lab::Teller& teller) {
        const uint64_t first = stretch.agreed > kBefore ? stretch.agreed - kBefore : 0;
        std::string lines;
        lab::RunOptions run_options;
        run_options.branch = recorded.recording.branch;
        run_options.until_event = stretch.differs + kAfter;
        run_options.on_log = [&](const lab::LogLine& line) {
          append(lines, kBetweenFields, log_text(line));
        };
        run_options.on_event = [&](const lab::EventLine& event) {
          if (event.index > first) {
            teller.snapshot(concat(event.index, kBetweenFields, event_text(event), lines));
          }
          lines.clear();
        };
        return lab::run_scenario(*recorded.scenario, seed, run_options);
      },
      options);
  return played;
}

void print_event(const char* mark, const PlayedEvent& event) {
  std::printf("%s %s  %s\n", mark, format_count(event.index).c_str(), event.what.c_str());
  for (const std::string& line : event.lines) std::printf("      %s\n", line.c_str());
}

void event_as_json(const char* name, const PlayedEvent* event, Json& json) {
  if (event == nullptr) return;
  json.key(name).begin_object().field("index", event->index).field("what", event->what);
  json.key("lines").begin_array();
  for (const std::string& line : event->lines) json.text(line);
  json.end_array().end_object();
}

void print_same(const DiffArguments& arguments, const lab::RunResult& run) {
  if (arguments.json) {
    Json json;
    json.begin_object().field("same", true).field("events", run.events).end_object();
    std::printf("%s\n", json.str().c_str());
    return;
  }
  std::printf("SAME      both have the same %s events, fingerprint %s\n",
              format_count(run.events).c_str(), fingerprint_text(run.fingerprint).c_str());
}

void print_difference(const DiffArguments& arguments, const Played& a, const Played& b,
                      std::size_t at) {
  const PlayedEvent* left = at < a.events.size() ? &a.events[at] : nullptr;
  const PlayedEvent* right = at < b.events.size() ? &b.events[at] : nullptr;
  const uint64_t index = left != nullptr ? left->index : right != nullptr ? right->index : 0;
  if (arguments.json) {
    Json json;
    json.begin_object().field("same", false).field("first_difference", index);
    event_as_json("a", left, json);
    event_as_json("b", right, json);
    json.end_object();
    std::printf("%s\n", json.str().c_str());
    return;
  }
  std::printf("DIFFERENT from event %s on\n", format_count(index).c_str());
  for (std::size_t i = at > kBefore ? at - kBefore : 0; i < at; ++i)
    print_event("   ", a.events[i]);
  for (const auto& [mark, played] : {std::pair{"  a", &a}, std::pair{"  b", &b}}) {
    const std::size_t end = std::min(at + kAfter, played->events.size());
    if (at >= end) std::printf("%s has ended\n", mark);
    for (std::size_t i = at; i < end; ++i) print_event(mark, played->events[i]);
  }
}

int diff_refused(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return kBadInput;
}

}  // namespace

int diff(const DiffArguments& arguments) {
  Result<lab::Recorded> a = lab::load_recorded(arguments.a, "diff");
  if (!a.ok()) return diff_refused(a.error().message);
  Result<lab::Recorded> b = lab::load_recorded(arguments.b, "diff");
  if (!b.ok()) return diff_refused(b.error().message);
  for (const lab::Recorded* one : {&*a, &*b}) {
    if (!one->recording.finished)
      return diff_refused(
          concat(one->file, ": was left by a run that crashed; it has no checkpoints"));
  }
  const lab::RunResult& left = a->recording.result;
  const lab::RunResult& right = b->recording.result;
  if (left.fingerprint == right.fingerprint && left.events == right.events) {
    print_same(arguments, left);
    return kHolds;
  }
  const Stretch stretch = narrow(left, right);
  const Played from_a = events_of(*a, stretch);
  const Played from_b = events_of(*b, stretch);
  for (const Played* one : {&from_a, &from_b})
    if (!one->error.empty()) return diff_refused(one->error);
  std::size_t at = 0;
  while (at < from_a.events.size() && at < from_b.events.size() &&
         from_a.events[at].what == from_b.events[at].what)
    ++at;
  if (at == from_a.events.size() && at == from_b.events.size()) {
    return diff_refused(
        "this build plays both alike where the recordings differ: at least one of them is of "
        "another "
        "build, see ringside replay");
  }
  print_difference(arguments, from_a, from_b, at);
  return kViolated;
}

}  // namespace ringside::cli
