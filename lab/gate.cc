// gate [--no-frame-pool] [--reverse] [--trip-wire] --seeds A,B,… SCENARIO…: the headless program of
// the determinism gate. Plays each scenario, cut to its gate_for, under each seed, all in this one
// process, and prints a line for each:
//
//   SCENARIO SEED FINGERPRINT EVENTS HISTORY        (numbers in hexadecimal; HISTORY is a hash of
//   what the clients saw)
//
// script/gate builds it in many ways and compares the lines. It knows no peer of the build it is
// in: no sockets, no command-line library, nothing that the node does not need. --reverse plays the
// list backwards and prints it forwards, so that whatever one run leaves behind for the next shows
// itself.
#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "lab/experiment.h"
#include "runtime/frame_pool.h"
#include "runtime/random.h"
#include "scenarios/scenario.pb.h"
#include "sim/trip_wire.h"

namespace {

struct Job {
  std::string name;
  uint64_t seed = 0;
  const ringside::scenario::Scenario* scenario = nullptr;
  std::string line;
};

int usage() {
  std::fputs(
      "usage: gate [--no-frame-pool] [--reverse] [--trip-wire] --seeds A,B,... SCENARIO...\n",
      stderr);
  return 2;
}

std::vector<uint64_t> parse_seeds(const char* text) {
  std::vector<uint64_t> seeds;
  while (*text != '\0') {
    char* end = nullptr;
    seeds.push_back(std::strtoull(text, &end, 10));
    if (end == text) return {};
    text = *end == ',' ? end + 1 : end;
  }
  return seeds;
}

bool play(Job& job) {
  ringside::lab::RunOptions options;
  options.gate = true;
  const auto result = ringside::lab::run_scenario(*job.scenario, job.seed, options);
  if (!result.ok()) {
    std::fprintf(stderr, "gate: %s, seed %" PRIu64 ": %s\n", job.name.c_str(), job.seed,
                 result.error().text().c_str());
    return false;
  }
  char numbers[128];
  std::snprintf(numbers, sizeof numbers, " %" PRIu64 " %016" PRIx64 " %" PRIx64 " %016" PRIx64,
                job.seed, result->fingerprint, result->events,
                ringside::hash_bytes(result->history));
  job.line = job.name + numbers;
  return true;
}

}  // namespace

int main(int count, char** arguments) {
  bool reverse = false;
  bool trip_wire = false;
  std::vector<uint64_t> seeds;
  std::vector<std::string> paths;
  for (int i = 1; i < count; ++i) {
    const std::string_view argument = arguments[i];
    if (argument == "--no-frame-pool") {
      ringside::FramePool::set_enabled(false);
    } else if (argument == "--reverse") {
      reverse = true;
    } else if (argument == "--trip-wire") {
      trip_wire = true;
    } else if (argument == "--seeds" && i + 1 < count) {
      seeds = parse_seeds(arguments[++i]);
    } else if (argument.starts_with("-")) {
      return usage();
    } else {
      paths.emplace_back(argument);
    }
  }
  if (seeds.empty() || paths.empty()) return usage();

  std::vector<std::unique_ptr<ringside::scenario::Scenario>> scenarios;
  std::vector<Job> jobs;
  for (const std::string& path : paths) {
    auto loaded = ringside::lab::load_scenario(path);
    if (!loaded.ok()) {
      std::fprintf(stderr, "%s\n", loaded.error().message.c_str());
      return 2;
    }
    scenarios.push_back(std::move(*loaded));
    for (uint64_t seed : seeds) jobs.push_back({path, seed, scenarios.back().get(), {}});
  }
  if (trip_wire) {
    const auto armed = ringside::sim::arm_trip_wire();
    if (!armed.ok())
      std::fprintf(stderr, "gate: no trip-wire here: %s\n", armed.error().text().c_str());
  }

  if (reverse) std::reverse(jobs.begin(), jobs.end());
  for (Job& job : jobs) {
    if (!play(job)) return 4;
  }
  if (reverse) std::reverse(jobs.begin(), jobs.end());
  for (const Job& job : jobs) std::printf("%s\n", job.line.c_str());
  return 0;
}
