// Rows: what every benchmark prints: {test, unit, ours, peer, theirs, ratio, goal}. A ratio above 1
// means that ours is better; the goal is the least ratio, or the least `ours` where there is no
// peer; null where a row is only reported.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace ringside::bench {

struct Row {
  std::string test;
  std::string unit;
  double ours = 0;
  std::optional<std::string> peer;
  std::optional<double> theirs;
  std::optional<double> ratio;
  std::optional<double> goal;

  bool misses_goal() const;
};

std::string to_json(const std::vector<Row>& rows);
std::string to_table(const std::vector<Row>& rows);

double median(std::vector<double> values);

// CPU seconds, user and system, that this process used so far.
double cpu_seconds();

// Runs `measure` in a child process, so that no measurement inherits another's heap, and hands back
// its numbers. Exits when the child fails.
std::vector<double> in_child(const std::function<std::vector<double>()>& measure);
// Kills that child. For signal handlers.
void kill_child();

}  // namespace ringside::bench
