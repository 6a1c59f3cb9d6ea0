// sim_queues: prints the tables of docs/queues.md: the mean waits of M/M/1, M/D/1 and M/M/c beside
// theory, and the knee: how latency rises as the load of a machine nears 1. The same numbers on
// every run and machine.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "sim/math.h"
#include "sim/queueing.h"

namespace ringside::sim {
namespace {

constexpr uint64_t kMillion = 1'000'000;

void print_wait(const std::string& name, const QueueSpec& spec) {
  const QueueResult result = run_queue(spec, nullptr);
  const double theory = theoretical_wait(spec);
  const double used =
      static_cast<double>(result.load.busy) / (static_cast<double>(result.took) * spec.servers);
  fmt::print("{:<5} {:>5.2f} {:>9} {:>8.4f} {:>9.4f} {:>+7.2f} % {:>5.2f} % {:>6.3f} {:>8}\n", name,
             spec.load, spec.arrivals, theory, result.mean_wait,
             100 * (result.mean_wait / theory - 1), 100 * result.standard_error / theory, used,
             result.load.longest_line);
  std::fflush(stdout);
}

// Each row has a seed of its own, its number, so that no two share their luck.
void print_waits() {
  fmt::print("Mean wait for a core, in services\n\n");
  fmt::print("{:<5} {:>5} {:>9} {:>8} {:>9} {:>9} {:>7} {:>6} {:>8}\n", "queue", "load", "arrivals",
             "theory", "measured", "off by", "s.e.", "busy", "longest");
  uint64_t row = 0;
  const auto print_loads = [&](const std::string& name, uint32_t servers, bool constant) {
    for (const double load : {0.5, 0.8, 0.9}) {
      const uint64_t arrivals = (load < 0.6 ? 10 : load < 0.85 ? 25 : 60) * kMillion;
      print_wait(name, {.load = load,
                        .servers = servers,
                        .constant = constant,
                        .arrivals = arrivals,
                        .seed = ++row});
    }
  };
  print_loads("M/M/1", 1, false);
  print_loads("M/D/1", 1, true);
  print_loads("M/M/2", 2, false);
  print_loads("M/M/4", 4, false);
}

struct Point {
  double p50 = 0;  // in services
  double p99 = 0;
};

// Latencies are counted in hundredths of a service.
Point latency_at(double load) {
  constexpr Duration kStep = kMeanService / 100;
  std::vector<uint64_t> counts;
  const uint64_t arrivals = (load <= 0.9 ? 5 : load <= 0.95 ? 20 : 100) * kMillion;
  run_queue({.load = load, .arrivals = arrivals}, [&](const Served& served) {
    const auto at =
        static_cast<std::size_t>((served.began + served.service - served.arrived) / kStep);
    if (at >= counts.size()) counts.resize(at + 1);
    ++counts[at];
  });
  const auto quantile = [&](uint64_t hundredths) {
    uint64_t seen = 0;
    std::size_t at = 0;
    while ((seen += counts[at]) < arrivals * hundredths / 100) ++at;
    return (static_cast<double>(at) + 0.5) / 100;
  };
  const double p50 = quantile(50);
  const double p99 = quantile(99);
  return {p50, p99};
}

// One service is column 4; sixteen more are a factor of ten.
constexpr int kOne = 4;
constexpr int kTen = 16;
int column(double services) {
  return std::max(0, static_cast<int>(kTen * log(services) / log(10.0) + kOne + 0.5));
}

// An M/M/1's latency is exponential with the mean 1 / (1 - load).
void print_knee() {
  fmt::print("\nLatency of an M/M/1, in services (5: median, 9: 99th percentile)\n\n");
  fmt::print("{:>5} {:>6} {:>6} {:>6} {:>6} {:>{}}{:>{}}{:>{}}\n", "load", "p50", "theory", "p99",
             "theory", "1", kOne + 2, "10", kTen, "100", kTen);
  for (const double load :
       {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99}) {
    const Point point = latency_at(load);
    const auto p50 = static_cast<std::size_t>(column(point.p50));
    const auto p99 = static_cast<std::size_t>(column(point.p99));
    const std::string line =
        std::string(p50, ' ') + "5" + std::string(std::max(p99, p50 + 1) - p50 - 1, '-') + "9";
    fmt::print("{:>5.3f} {:>6.2f} {:>6.2f} {:>6.1f} {:>6.1f} |{}\n", load, point.p50,
               log(2.0) / (1 - load), point.p99, log(100.0) / (1 - load), line);
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace ringside::sim

int main() {
  ringside::sim::print_waits();
  ringside::sim::print_knee();
  return 0;
}
