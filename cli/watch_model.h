// WatchModel: what the watcher of a run knows at a moment, put together from the plan (places,
// faults and when they strike) and the snapshots that the world's worker tells. It knows nothing of
// terminals. Times are virtual.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "lab/plan.h"
#include "lab/watch.pb.h"

namespace ringside::cli {

enum class MachineState : uint8_t { kUp, kDown, kRestarting, kStruck };

class WatchModel {
 public:
  struct Machine {
    std::string name;
    NodeId node = kNoNode;
    MachineState state = MachineState::kDown;
    std::string word;  // "up", "down", "restarting", or what an active fault does to it: "cut off"
  };
  struct Zone {
    std::string name;
    std::vector<std::size_t> machines;  // into machines()
    unsigned clients = 0;               // processes
  };
  struct Fault {
    std::string kind;
    std::string text;
    std::string probe;  // waits for it while not empty
    Time from = 0;
    Time until = 0;
    std::vector<bool> machines;  // by node's place in the plan: those that it touches
  };
  // What ended in one second, by outcome.
  struct Second {
    uint64_t ok = 0, failed = 0, unknown = 0;
  };
  struct Event {
    Time at = 0;
    std::string text;
  };

  static constexpr std::size_t kSeconds = 60;
  static constexpr std::size_t kEvents = 32;

  WatchModel(const scenario::Scenario& scenario, const lab::Plan& plan, uint64_t seed);

  void take(const record::Snapshot& snapshot);

  const std::string& scenario() const { return scenario_; }
  uint64_t seed() const { return seed_; }
  // With the totals; probes and events are collected below.
  const record::Snapshot& latest() const { return latest_; }
  Time now() const { return latest_.now(); }
  const char* phase() const;
  const std::vector<Machine>& machines() const { return machines_; }
  const std::vector<Zone>& zones() const { return zones_; }
  std::size_t count(MachineState state) const;
  std::vector<const Fault*> active() const;
  const Fault* next() const;  // of those whose time is known; null: none comes
  // The last seconds that are over, oldest first.
  std::vector<Second> seconds() const;
  Second last_second() const;
  const std::map<std::string, uint64_t>& probes() const { return probes_; }
  const std::deque<Event>& events() const { return events_; }  // newest last

 private:
  void add_faults(const scenario::Scenario& scenario, const lab::Plan& plan);
  void count_operations(const record::Snapshot& snapshot);
  void name_states();
  int64_t newest_second() const { return now() / kSecond - 1; }

  std::string scenario_;
  uint64_t seed_;
  lab::Timeline timeline_;
  record::Snapshot latest_;
  std::vector<Machine> machines_;
  std::vector<Zone> zones_;
  std::vector<Fault> faults_;
  std::map<int64_t, Second> seconds_;
  std::map<std::string, uint64_t> probes_;
  std::deque<Event> events_;
};

}  // namespace ringside::cli
