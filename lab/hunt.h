// Hunt: a search for seeds that fail, over one scenario or many. It is made of numbered attempts;
// attempt k belongs to lane k mod `lanes`, and each lane is guided by what it saw itself
// (lab/hunt_guide.h) and decides in rounds, by hashes of the hunt's seed. So what is played depends
// on (scenarios, seed, lanes, bound) alone: not on the number of workers, nor on who ends first,
// nor on how the lanes are dealt to shards. Shard i of n has the lanes l with l mod n = i - 1; the
// totals of all shards, added, are those of one process.
//
// This file decides and counts. Playing is for whoever calls it (cli/hunt.cc).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "lab/experiment.h"
#include "lab/signature.h"
#include "lab/worker.h"

namespace ringside::lab {

inline constexpr uint32_t kHuntLanes = 8;        // unless asked otherwise
inline constexpr uint32_t kHuntLanesMax = 4096;  // a lane sees too little to be guided by
// Attempts of a lane between two decisions.
inline constexpr uint64_t kHuntBlock = 8;
// Attempts of a signature that are told one by one, the first ones; all are counted.
inline constexpr std::size_t kHuntFoundMax = 20;

struct HuntScenario {
  std::string file;
  std::string name;
  std::string text;
  uint64_t text_hash = 0;
  std::shared_ptr<const scenario::Scenario> scenario;
};
// With a message for people when it is no scenario, or none for this build.
Result<HuntScenario> load_hunt_scenario(const std::string& file);

struct HuntConfig {
  std::string title;
  std::vector<HuntScenario> scenarios;
  uint64_t seed = 1;
  uint32_t lanes = kHuntLanes;
  uint32_t shard = 1, shards = 1;
  uint64_t bound = 0;  // attempts of all shards together; 0: no bound
  bool guided = true;  // false: seed after seed, scenario after scenario
  uint64_t build = 0;
};

// What is played next, and under which seed. Every attempt has a seed of its own.
struct HuntAttempt {
  uint64_t number = 0;
  uint32_t scenario = 0;  // of the config's
  uint64_t seed = 0;
  // A variation meets, under its own seed, the storm that the swarm drew for another, or some of
  // it. Its scenario's `reached` are not asked, since they were written for the whole swarm.
  bool variation = false;
  uint64_t parent = 0;  // … whose storm it is
  std::string storm;    // `fault { … }` a line

  // "swarm_dynamo-seed-17", "swarm_dynamo-seed-40-storm-17"
  std::string name(const HuntConfig& config) const;
};
// The scenario as the attempt plays it; for one that is no variation, the file's own text.
Result<std::string> text_of(const HuntAttempt& attempt, const HuntConfig& config);

struct HuntOutcome {
  WorkerResult run;
  Again again = Again::kNotAsked;

  bool fails() const;
  Signature signature(const std::string& scenario) const;
};

struct HuntFound {
  uint64_t number = 0, seed = 0, parent = 0;
  bool variation = false;
  std::string name;    // of its bundle too
  std::string detail;  // the violated line's
};

struct HuntGroup {
  uint64_t seeds = 0;
  std::vector<HuntFound> first;  // by number, at most kHuntFoundMax
};

struct HuntTotals {
  struct PerScenario {
    uint64_t played = 0, failing = 0, variations = 0, events = 0;
  };
  struct Probe {
    uint64_t seeds = 0, times = 0;
  };

  uint64_t played = 0, holding = 0, failing = 0, variations = 0;
  uint64_t replayed = 0;  // attempts that a fresh process played again
  uint64_t events = 0, operations = 0;
  int64_t simulated_ns = 0;
  // A sum of hashes of (number, scenario, seed, storm, fingerprint): equal for equal hunts.
  uint64_t decisions = 0;
  std::vector<PerScenario> scenarios;
  std::map<std::string, Probe> probes;
  std::map<Signature, HuntGroup> groups;

  void count(const HuntAttempt& attempt, const HuntOutcome& outcome, const HuntConfig& config);
  void add(const HuntTotals& other);
};

// Whether the attempt is one of those that are played again whatever came out: one in sixteen.
bool played_again(const HuntAttempt& attempt, const HuntConfig& config);

// The violated line of an outcome that fails, in its own words.
std::string detail_of(const HuntOutcome& outcome);

}  // namespace ringside::lab
