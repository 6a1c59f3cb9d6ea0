#include "lab/shrink.h"

#include <algorithm>
#include <utility>

namespace ringside::lab {
namespace {

constexpr uint32_t kBatch = 24;  // of candidates that are made at once
constexpr int kRoundsMax = 8;    // of all passes
constexpr int kRepeatsMax = 12;  // of one alternative that can be taken again and again

class Shrinker {
 public:
  Shrinker(scenario::Scenario start, Trials& trials, const ShrinkOptions& options)
      : now_(std::move(start)), trials_(trials), options_(options) {}

  scenario::Scenario run() {
    for (int round = 0; round < kRoundsMax && !trials_.enough(); ++round) {
      changed_ = false;
      lists();
      lengths();
      choices();
      if (!changed_) break;
    }
    tidy();
    return std::move(now_);
  }

 private:
  using Make = Alternatives (*)(const scenario::Scenario&);
  using MakeAt = Alternatives (*)(const scenario::Scenario&, int);

  void lists() {
    take("the tail", shorter_runs);
    reduce(Part::kKeys);  // first, since it makes every run that follows cheaper
    reduce(Part::kFaults);
    reduce(Part::kOrders);
    take("the tail", shorter_runs);
    take("the workload", smaller_workloads);
    reduce(Part::kClients);
    reduce(Part::kKeys);
    reduce(Part::kSteps);
    take("the tail", shorter_runs);
    reduce(Part::kFaults);
    reduce(Part::kMachines);
  }

  void lengths() {
    take_each("shorter faults", now_.fault_size(), shorter_fault, true);
    take_each("fewer victims", now_.fault_size(), fewer_victims, true);
    take_each("simpler operations", now_.workload().script().step_size(), simpler_step, false);
  }

  void choices() {
    reduce(Part::kTunables);
    take("plainer choices", plainer_choices);
  }

  // What makes it easier to read, and then once more what may go.
  void tidy() {
    take("fewer machines", smaller_topologies);
    take("fewer processes", fewer_processes);
    take("rounder times", rounder_times);
    take_each("rounder times", now_.fault_size(), rounder_fault, false);
    take_each("rounder times", now_.workload().script().step_size(), rounder_step, false);
    take("the tail", shorter_runs);
    // At other times, among fewer machines, more may have become superfluous.
    reduce(Part::kFaults);
    reduce(Part::kOrders);
    reduce(Part::kSteps);
  }

  // Takes out ever smaller pieces of a list, from its beginning to its end.
  void reduce(Part part) {
    uint32_t size = count(now_, part);
    while (size > 0) {
      uint32_t at = 0;
      while (at < count(now_, part) && !trials_.enough()) {
        std::vector<scenario::Scenario> candidates;
        uint32_t begin = at;
        const uint32_t all = count(now_, part);
        while (begin < all && candidates.size() < kBatch) {
          candidates.push_back(without(now_, part, begin, std::min(begin + size, all)));
          begin += size;
        }
        const std::optional<std::size_t> found = trials_.first_that_fails(candidates);
        if (found) adopt(part_name(part), std::move(candidates[*found]));
        at = found ? at + static_cast<uint32_t>(*found) * size : begin;
      }
      size = size == 1 ? 0 : (std::min(size, count(now_, part)) + 1) / 2;
    }
  }

  // True when one was taken.
  bool take_one(const char* pass, Alternatives alternatives) {
    if (alternatives.empty() || trials_.enough()) return false;
    const std::optional<std::size_t> found = trials_.first_that_fails(alternatives);
    if (found) adopt(pass, std::move(alternatives[*found]));
    return found.has_value();
  }

  void take(const char* pass, Make make) {
    for (int i = 0; i < kRepeatsMax && take_one(pass, make(now_)); ++i) {
    }
  }

  void take_each(const char* pass, int entries, MakeAt make, bool again) {
    for (int i = 0; i < entries; ++i) {
      for (int n = 0; n < kRepeatsMax && take_one(pass, make(now_, i)) && again; ++n) {
      }
    }
  }

  void adopt(const char* pass, scenario::Scenario smaller) {
    now_ = std::move(smaller);
    changed_ = true;
    if (options_.on_change) options_.on_change(pass, now_);
  }

  scenario::Scenario now_;
  Trials& trials_;
  const ShrinkOptions& options_;
  bool changed_ = false;
};

}  // namespace

scenario::Scenario shrink(scenario::Scenario start, Trials& trials, const ShrinkOptions& options) {
  return Shrinker(std::move(start), trials, options).run();
}

}  // namespace ringside::lab
