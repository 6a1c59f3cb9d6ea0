// What guides a hunt. Each lane remembers the features that its runs showed: probes reached, how
// often by powers of two, and shapes of the run (siblings, restarts, unknown puts, lost frames, one
// by one and together). A run with features that its lane had not seen makes its scenario more
// interesting, so that it is played more often, measured by events rather than by seeds, since a
// scenario that is dear has to earn it; and where a swarm drew its storm, the storm is kept, to be
// met again, whole or in part, under other seeds. Integers and keyed hashes only: the same on every
// machine.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "lab/hunt.h"
#include "runtime/random.h"

namespace ringside::lab {

// "probe wal.torn_tail_cut", "probe wal.torn_tail_cut 2^3", "siblings_max 2^1", …
std::vector<std::string> features_of(const RunResult& result);

class HuntLane {
 public:
  struct PerScenario {
    uint64_t played = 0;
    uint64_t events = 0;
    uint64_t interest = 0;  // news of late, in units of 1/kInterestUnit
  };
  // A run whose storm is worth meeting again.
  struct Parent {
    uint32_t scenario = 0;
    uint64_t seed = 0;
    std::string storm;
    uint64_t news = 0;   // features that it was the first to show
    uint64_t tries = 0;  // variations of it
  };
  struct Memory {
    std::set<uint64_t> features;
    std::vector<PerScenario> scenarios;
    std::vector<Parent> parents;
  };

  HuntLane(const HuntConfig& config, uint32_t lane);

  // The attempts of the lane's round `round`, from 0.
  std::vector<HuntAttempt> plan(uint64_t round);
  // Learns from a run that was played to its end.
  void learn(const HuntAttempt& attempt, const RunResult& result);

  const Memory& memory() const { return memory_; }
  void remember(Memory memory) { memory_ = std::move(memory); }

 private:
  HuntAttempt decide(uint64_t number);
  uint32_t choose_scenario(Random& random) const;
  void choose_storm(Random& random, HuntAttempt& attempt);
  void keep_storm(const HuntAttempt& attempt, const RunResult& result, uint64_t news);

  const HuntConfig& config_;
  uint32_t lane_;
  Memory memory_;
};

// The lanes of a shard, a round at a time.
class HuntGuide {
 public:
  explicit HuntGuide(const HuntConfig& config);

  // The next round of this shard, by number, cut at the config's bound. Empty: all are played.
  std::vector<HuntAttempt> plan();
  // A whole round, as it was planned, was played.
  void learn(const std::vector<HuntAttempt>& attempts, const std::vector<HuntOutcome>& outcomes);

  uint64_t rounds() const { return rounds_; }
  std::vector<HuntLane>& lanes() { return lanes_; }
  const std::vector<HuntLane>& lanes() const { return lanes_; }
  void go_on_after(uint64_t rounds) { rounds_ = rounds; }

 private:
  HuntLane& lane_of(const HuntAttempt& attempt);

  const HuntConfig& config_;
  std::vector<HuntLane> lanes_;
  uint64_t rounds_ = 0;
};

}  // namespace ringside::lab
