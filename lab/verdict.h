// Verdict: what the judges say, line by line, and whom they call as witnesses.
#pragma once

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "lab/experiment.h"

namespace ringside::lab {

inline constexpr std::size_t kWitnessesMax = 5;  // of one expectation

class Verdict {
 public:
  explicit Verdict(RunResult& result) : result_(result) {}

  void say(std::string name, bool holds, std::string detail) {
    result_.expectations.push_back({std::move(name), holds, std::move(detail)});
  }
  void witness(std::string line) { result_.witnesses.push_back(std::move(line)); }
  // The first few, each in words.
  template <class List, class Words>
  void witnesses(const List& list, const Words& words) {
    const std::size_t most = std::min<std::size_t>(kWitnessesMax, list.size());
    for (std::size_t i = 0; i < most; ++i) witness(words(list[i]));
  }

 private:
  RunResult& result_;
};

}  // namespace ringside::lab
