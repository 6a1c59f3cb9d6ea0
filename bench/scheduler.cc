// bench_scheduler [--json] --simpy PATH: our event loop beside ns-3's and SimPy's, alternating,
// medians of five rounds.
#include "bench/scheduler.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "bench/rows.h"

namespace ringside::bench {
namespace {

constexpr int kRounds = 5;

const char* name(Pattern pattern) { return pattern == Pattern::kTimers ? "timers" : "ping_pong"; }

double simpy(const std::string& script, Pattern pattern, uint32_t pending, uint64_t events) {
  const std::string command = "/usr/bin/python3 '" + script + "' " + name(pattern) + " " +
                              std::to_string(pending) + " " + std::to_string(events);
  FILE* answer = popen(command.c_str(), "r");
  double rate = 0;
  if (answer == nullptr || std::fscanf(answer, "%lf", &rate) != 1 || pclose(answer) != 0) {
    std::fprintf(stderr, "bench: SimPy did not answer (%s)\n", command.c_str());
    std::exit(4);
  }
  return rate;
}

struct Peer {
  std::string name;
  std::vector<double> rates;
  std::vector<double> ratios;  // ours / theirs, of one round
};

Row row_of(const std::string& test, const std::vector<double>& ours, const Peer& peer,
           double goal) {
  return {test,      "events per CPU second", median(ours),
          peer.name, median(peer.rates),      median(peer.ratios),
          goal};
}

void compare(Pattern pattern, uint32_t pending, const std::string& script, std::vector<Row>& rows) {
  std::vector<double> mine;
  std::vector<Peer> queues;
  for (const std::string& queue : ns3_schedulers()) queues.push_back({queue, {}, {}});
  Peer python{"SimPy", {}, {}};
  for (int round = 0; round < kRounds; ++round) {
    std::fprintf(stderr, "\rscheduler: %s, %u pending, round %d of %d  ", name(pattern), pending,
                 round + 1, kRounds);
    const double rate = in_child([&] { return std::vector{ours(pattern, pending, 3'000'000)}; })[0];
    mine.push_back(rate);
    for (Peer& queue : queues) {
      const auto measure = [&] {
        return std::vector{ns3(queue.name, pattern, pending, 1'500'000)};
      };
      queue.rates.push_back(in_child(measure)[0]);
      queue.ratios.push_back(rate / queue.rates.back());
    }
    python.rates.push_back(simpy(script, pattern, pending, 400'000));
    python.ratios.push_back(rate / python.rates.back());
  }
  std::fprintf(stderr, "\n");
  const Peer* best = &queues[0];
  for (const Peer& queue : queues) {
    if (median(queue.rates) > median(best->rates)) best = &queue;
  }
  const std::string test = std::string(name(pattern)) + "_" + std::to_string(pending) + "_pending";
  rows.push_back(row_of(test, mine, *best, 1.5));
  rows.push_back(row_of(test, mine, python, pending <= 1'000 ? 10 : 3));
}

}  // namespace
}  // namespace ringside::bench

int main(int count, char** arguments) {
  using namespace ringside::bench;
  bool json = false;
  std::string script;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(arguments[i], "--json") == 0) json = true;
    if (std::strcmp(arguments[i], "--simpy") == 0 && i + 1 < count) script = arguments[++i];
  }
  if (script.empty()) {
    std::fprintf(stderr, "usage: bench_scheduler [--json] --simpy bench/scheduler_simpy.py\n");
    return 2;
  }
  std::vector<Row> rows;
  for (uint32_t pending : {1'000u, 100'000u}) {
    for (Pattern pattern : {Pattern::kTimers, Pattern::kPingPong})
      compare(pattern, pending, script, rows);
  }
  std::fputs((json ? to_json(rows) : to_table(rows)).c_str(), stdout);
  return 0;
}
