// `ringside explain`: which faults a failing recording needs, and what became of the write that it
// lost; where a run differs from itself, at which event; of a crash, the last moments.
#include "lab/explain.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <thread>

#include "cli/explain_end.h"
#include "cli/fresh_replay.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "lab/biography.h"
#include "lab/overrides.h"
#include "lab/plan.h"
#include "lab/shrink_recording.h"
#include "lab/text.h"
#include "lab/units.h"
#include "workloads/history.h"

namespace ringside::cli {
namespace {

using lab::append;
using lab::concat;

constexpr std::size_t kBiographyLinesMax = 160;
constexpr char kBetween = '\x1f';

struct Life {
  lab::Subject subject;
  std::vector<lab::BiographyLine> lines;
  std::string error;  // it could not be played again
};

// What is told besides the faults; one of these.
struct Story {
  std::optional<Life> life;
  std::optional<Parting> parting;
  std::optional<LastMoments> moments;
};

std::string encode_line(const lab::BiographyLine& line) {
  std::string bytes =
      concat(line.at, kBetween, line.node, kBetween, line.kind, kBetween, line.text);
  for (const uint32_t after : line.after) append(bytes, kBetween, after);
  return bytes;
}

lab::BiographyLine decode_line(std::string_view bytes) {
  const std::vector<std::string> parts = lab::split(bytes, kBetween);
  lab::BiographyLine line;
  line.at = std::stoll(parts[0]);
  line.node = static_cast<NodeId>(std::stoul(parts[1]));
  line.kind = parts[2];
  line.text = parts[3];
  for (std::size_t i = 4; i < parts.size(); ++i)
    line.after.push_back(static_cast<uint32_t>(std::stoul(parts[i])));
  return line;
}

// The run once more, listened to.
Life listen_to(const lab::Recorded& recorded, const lab::Anomaly& anomaly) {
  Life life;
  life.subject = lab::subject_of(recorded.recording.result, anomaly.expectation);
  if (life.subject.key.empty()) return life;
  lab::WorkerOptions options;
  options.on_snapshot = [&](std::string_view bytes) { life.lines.push_back(decode_line(bytes)); };
  options.on_result = [&](lab::WorkerResult run) {
    life.error = run.message;
    return true;
  };
  lab::run_in_workers(
      {recorded.recording.seed},
      [&](uint64_t seed, const lab::Teller& teller) {
        lab::Biographer biographer(life.subject);
        lab::RunOptions run_options;
        run_options.on_log = [&](const lab::LogLine& line) { biographer.see(line); };
        Result<lab::RunResult> result = lab::run_scenario(*recorded.scenario, seed, run_options);
        if (!result.ok()) return result;
        const Result<History> history = decode_history(result->history);
        CHECK(history.ok());
        for (const lab::BiographyLine& line : biographer.tell(*history))
          teller.snapshot(encode_line(line));
        return result;
      },
      options);
  return life;
}

std::string place_of(NodeId node) {
  if (node == kNoNode) return "world";
  return node >= kFirstClient ? concat("client ", node - kFirstClient + 1) : concat("node ", node);
}

std::string set_text(const std::vector<uint32_t>& set) {
  std::vector<std::string> numbers;
  for (const uint32_t cause : set) numbers.push_back(concat(cause + 1));
  return numbers.empty() ? "none: it fails without any"
                         : concat("{", lab::join(numbers, ", "), "}");
}

void print_life(const Life& life) {
  if (life.lines.empty()) {
    std::printf("\nThe verdict names no write whose life could be told.\n");
    return;
  }
  std::printf("\nWhat became of it (\"%s\"): each line, and the lines that it came after\n",
              life.subject.key.c_str());
  const std::size_t shown = std::min(life.lines.size(), kBiographyLinesMax);
  for (std::size_t i = 0; i < shown; ++i) {
    const lab::BiographyLine& line = life.lines[i];
    std::string after;
    for (const uint32_t before : line.after) append(after, after.empty() ? "" : ",", before + 1);
    std::printf("%4zu %-8s %14.6f ms  %-9s %s\n", i + 1,
                after.empty() ? "" : concat("<- ", after).c_str(),
                static_cast<double>(line.at) / 1e6, place_of(line.node).c_str(), line.text.c_str());
  }
  if (shown < life.lines.size())
    std::printf("  … and %zu more (--json has all)\n", life.lines.size() - shown);
}

void print_explanation(const lab::Anomaly& anomaly, const lab::Explanation& why,
                       const Story& story) {
  std::printf("EXPLAINED %s\n", lab::anomaly_text(anomaly).c_str());
  if (story.life && !story.life->subject.says.empty())
    std::printf("  %s\n", story.life->subject.says.c_str());
  std::printf("\nWhich faults it needs\n");
  if (why.causes.empty()) std::printf("  there are none: it fails in calm weather\n");
  for (std::size_t i = 0; i < why.causes.size(); ++i) {
    std::printf("  %2zu  %s  %s\n", i + 1, why.causes[i].necessary ? "necessary " : "not needed",
                why.causes[i].text.c_str());
  }
  for (const std::vector<uint32_t>& set : why.sufficient)
    std::printf("  enough by itself, and no part of it is: %s\n", set_text(set).c_str());
  if (story.parting) print_parting(*story.parting);
  if (story.moments) print_last_moments(*story.moments);
  if (story.life) print_life(*story.life);
}

void life_as_json(const Life& life, Json& json) {
  json.field("says", life.subject.says);
  json.field("key", life.subject.key).key("biography").begin_array();
  for (const lab::BiographyLine& line : life.lines) {
    json.begin_object().field("at_ms", static_cast<double>(line.at) / 1e6);
    json.field("where", place_of(line.node)).field("kind", line.kind).field("text", line.text);
    json.key("after").begin_array();
    for (const uint32_t before : line.after) json.number(uint64_t{before});
    json.end_array().end_object();
  }
  json.end_array();
}

void print_explanation_json(const lab::Anomaly& anomaly, const lab::Explanation& why,
                            const Story& story, uint64_t runs) {
  Json json;
  json.begin_object().field("expectation", anomaly.expectation).field("kind", anomaly.kind);
  json.field("runs", runs).key("causes").begin_array();
  for (const lab::Cause& cause : why.causes)
    json.begin_object().field("text", cause.text).field("necessary", cause.necessary).end_object();
  json.end_array();
  json.field("subsets_played", why.subsets).key("sufficient").begin_array();
  for (const std::vector<uint32_t>& set : why.sufficient) {
    json.begin_array();
    for (const uint32_t cause : set) json.number(uint64_t{cause});
    json.end_array();
  }
  json.end_array();
  if (story.parting) parting_as_json(*story.parting, json);
  if (story.moments) last_moments_as_json(*story.moments, json);
  if (story.life) life_as_json(*story.life, json);
  json.end_object();
  std::printf("%s\n", json.str().c_str());
}

int explain_refused(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return kBadInput;
}

// How the world of a recording that was not finished ends; nothing: it does not crash any more.
std::optional<lab::Anomaly> crash_of(const lab::Recorded& recorded) {
  std::optional<lab::Anomaly> crash;
  lab::WorkerOptions options;
  options.on_result = [&](const lab::WorkerResult& run) {
    crash = lab::choose_anomaly(lab::anomalies_of(run), lab::kCrashAnomaly);
    return true;
  };
  lab::run_in_workers(
      {recorded.recording.seed},
      [&](uint64_t seed, const lab::Teller&) -> Result<lab::RunResult> {
        if (std::freopen("/dev/null", "w", stderr) == nullptr) return {Code::kIo, "no /dev/null"};
        return lab::run_scenario(*recorded.scenario, seed);
      },
      options);
  return crash;
}

// What is to be explained, as far as it shows in the recording; a run that seems fine may still be
// another one when memory is shaken.
std::optional<lab::Anomaly> anomaly_of(const lab::Recorded& recorded, const std::string& asked) {
  if (!recorded.recording.finished) return crash_of(recorded);
  const std::vector<lab::Anomaly> there = lab::anomalies_of(recorded.recording.result);
  const std::optional<lab::Anomaly> anomaly = lab::choose_anomaly(there, asked);
  if (!anomaly && (asked == lab::kReplayAnomaly || (asked.empty() && there.empty())))
    return lab::replay_anomaly();
  return anomaly;
}

Result<Story> story_of(const lab::Recorded& recorded, const lab::Anomaly& anomaly) {
  Story story;
  if (anomaly == lab::replay_anomaly()) {
    Result<Parting> parting = find_parting(recorded.file);
    if (!parting.ok()) return parting.error();
    story.parting = std::move(*parting);
  } else if (anomaly.expectation == lab::kCrashAnomaly) {
    Result<LastMoments> moments = find_last_moments(recorded.file);
    if (!moments.ok()) return moments.error();
    story.moments = std::move(*moments);
  } else {
    story.life = listen_to(recorded, anomaly);
    if (!story.life->error.empty()) return Error{Code::kInvalid, story.life->error};
  }
  return story;
}

}  // namespace

int explain(const ExplainArguments& arguments) {
  Result<lab::Recorded> recorded = lab::load_recorded(arguments.file, "explain");
  if (!recorded.ok()) return explain_refused(recorded.error().message);
  const Result<Duration> time = lab::parse_span(arguments.time);
  if (!time.ok()) return explain_refused(concat("--for ", time.error().message));
  const std::optional<lab::Anomaly> anomaly = anomaly_of(*recorded, arguments.expectation);
  if (!anomaly && !recorded->recording.finished) {
    std::fprintf(stderr, "%s: its run crashed, and does not any more\n", arguments.file.c_str());
    return kNotDeterministic;
  }
  if (!anomaly)
    return explain_refused(concat(arguments.file, ": does not violate ", arguments.expectation));
  const Result<lab::Plan> plan =
      lab::make_plan(*recorded->scenario, recorded->recording.seed, false);
  if (!plan.ok()) return explain_refused(plan.error().message);

  lab::WorkerTrials trials(
      *anomaly, {.jobs = arguments.jobs > 0 ? arguments.jobs
                                            : std::max(1u, std::thread::hardware_concurrency()),
                 .seconds_max = static_cast<double>(*time) / 1e9,
                 .on_progress = {},
                 .play_again = play_again,
                 .tested = false});
  const scenario::Scenario whole = lab::resolved(*recorded->scenario, *plan);
  if (!trials.first_that_fails({whole})) {
    if (*anomaly == lab::replay_anomaly())
      return explain_refused(
          concat(arguments.file, ": nothing to explain: no expectation is violated"));
    std::fprintf(stderr, "%s: does not fail again (%s); see ringside replay\n",
                 arguments.file.c_str(), lab::anomaly_text(*anomaly).c_str());
    return kNotDeterministic;
  }
  const lab::Explanation why = lab::explain_causes(whole, trials);
  const Result<Story> story = story_of(*recorded, *anomaly);
  if (!story.ok()) return explain_refused(story.error().message);
  if (arguments.json) {
    print_explanation_json(*anomaly, why, *story, trials.played());
  } else {
    print_explanation(*anomaly, why, *story);
  }
  return kHolds;
}

}  // namespace ringside::cli
