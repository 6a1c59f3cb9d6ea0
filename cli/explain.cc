// `ringside explain`: which faults a failing recording needs, and what became of the write that it
// lost.
#include "lab/explain.h"

#include <algorithm>
#include <cstdio>
#include <thread>

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

void print_explanation(const lab::Anomaly& anomaly, const lab::Explanation& why, const Life& life) {
  std::printf("EXPLAINED %s\n", lab::anomaly_text(anomaly).c_str());
  if (!life.subject.says.empty()) std::printf("  %s\n", life.subject.says.c_str());
  std::printf("\nWhich faults it needs\n");
  if (why.causes.empty()) std::printf("  there are none: it fails in calm weather\n");
  for (std::size_t i = 0; i < why.causes.size(); ++i) {
    std::printf("  %2zu  %s  %s\n", i + 1, why.causes[i].necessary ? "necessary " : "not needed",
                why.causes[i].text.c_str());
  }
  for (const std::vector<uint32_t>& set : why.sufficient)
    std::printf("  enough by itself, and no part of it is: %s\n", set_text(set).c_str());
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

void print_explanation_json(const lab::Anomaly& anomaly, const lab::Explanation& why,
                            const Life& life, uint64_t runs) {
  Json json;
  json.begin_object().field("expectation", anomaly.expectation).field("kind", anomaly.kind);
  json.field("says", life.subject.says).field("runs", runs);
  json.key("causes").begin_array();
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
  json.field("key", life.subject.key).key("biography").begin_array();
  for (const lab::BiographyLine& line : life.lines) {
    json.begin_object().field("at_ms", static_cast<double>(line.at) / 1e6);
    json.field("where", place_of(line.node)).field("kind", line.kind).field("text", line.text);
    json.key("after").begin_array();
    for (const uint32_t before : line.after) json.number(uint64_t{before});
    json.end_array().end_object();
  }
  json.end_array().end_object();
  std::printf("%s\n", json.str().c_str());
}

int explain_refused(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return kBadInput;
}

}  // namespace

int explain(const ExplainArguments& arguments) {
  Result<lab::Recorded> recorded = lab::load_recorded(arguments.file, "explain");
  if (!recorded.ok()) return explain_refused(recorded.error().message);
  if (!recorded->recording.finished) {
    return explain_refused(
        concat(arguments.file,
               ": its run crashed, which judges nothing; replay it in a debugger "
               "(ringside replay --until --break)"));
  }
  const std::optional<lab::Anomaly> anomaly =
      lab::choose_anomaly(lab::anomalies_of(recorded->recording.result), arguments.expectation);
  if (!anomaly) {
    return explain_refused(concat(arguments.file, ": ",
                                  arguments.expectation.empty()
                                      ? "nothing to explain: no expectation is violated"
                                      : concat("does not violate ", arguments.expectation)));
  }
  const Result<lab::Plan> plan =
      lab::make_plan(*recorded->scenario, recorded->recording.seed, false);
  if (!plan.ok()) return explain_refused(plan.error().message);
  const Result<Duration> time = lab::parse_span(arguments.time);
  if (!time.ok()) return explain_refused(concat("--for ", time.error().message));

  lab::WorkerTrials trials(
      *anomaly, {.jobs = arguments.jobs > 0 ? arguments.jobs
                                            : std::max(1u, std::thread::hardware_concurrency()),
                 .seconds_max = static_cast<double>(*time) / 1e9,
                 .on_progress = {}});
  const scenario::Scenario whole = lab::resolved(*recorded->scenario, *plan);
  if (!trials.first_that_fails({whole})) {
    std::fprintf(stderr, "%s: does not fail again (%s); see ringside replay\n",
                 arguments.file.c_str(), lab::anomaly_text(*anomaly).c_str());
    return kNotDeterministic;
  }
  const lab::Explanation why = lab::explain_causes(whole, trials);
  const Life life = listen_to(*recorded, *anomaly);
  if (!life.error.empty()) return explain_refused(life.error);
  if (arguments.json) {
    print_explanation_json(*anomaly, why, life, trials.played());
  } else {
    print_explanation(*anomaly, why, life);
  }
  return kHolds;
}

}  // namespace ringside::cli
