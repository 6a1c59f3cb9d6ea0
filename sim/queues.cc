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

void print_wait(const std::string& name, const QueueSpec& spec) {
  const QueueResult result = run_queue(spec, nullptr);
  const double theory = theoretical_wait(spec);
  const double used =
      static_cast<double>(result.load.busy) / (static_cast<double>(result.took) * spec.servers);
  fmt::print("{:<6} {:>5.2f} {:>11} {:>9.4f} {:>9.4f} {:>+7.2f} % {:>6.2f} % {:>7.3f} {:>8}\n",
             name, spec.load, spec.arrivals, theory, result.mean_wait,
             100 * (result.mean_wait / theory - 1), 100 * result.standard_error / theory, used,
             result.load.longest_line);
  std::fflush(stdout);
}

void print_waits() {
  fmt::print("Mean wait for a core, in services\n\n");
  fmt::print("{:<6} {:>5} {:>11} {:>9} {:>9} {:>9} {:>8} {:>7} {:>8}\n", "queue", "load",
             "arrivals", "theory", "measured", "off by", "s.e.", "busy", "longest");
  constexpr uint64_t kMillion = 1'000'000;
  const auto arrivals = [](double load) {
    return load < 0.6 ? 10 * kMillion : load < 0.85 ? 25 * kMillion : 100 * kMillion;
  };
  for (const double load : {0.5, 0.8, 0.9})
    print_wait("M/M/1", {.load = load, .arrivals = arrivals(load)});
  for (const double load : {0.5, 0.8, 0.9})
    print_wait("M/D/1", {.load = load, .constant = true, .arrivals = arrivals(load)});
  for (const uint32_t servers : {2u, 4u})
    for (const double load : {0.5, 0.8, 0.9})
      print_wait("M/M/" + std::to_string(servers),
                 {.load = load, .servers = servers, .arrivals = arrivals(load)});
}

struct Point {
  double load = 0;
  double p50 = 0;  // in services
  double p99 = 0;
};

Point latency_at(double load) {
  constexpr uint64_t kArrivals = 4'000'000;
  std::vector<Duration> latencies;
  latencies.reserve(kArrivals);
  const QueueSpec spec{.load = load, .arrivals = kArrivals};
  run_queue(spec, [&](const Served& served) {
    latencies.push_back(served.began + served.service - served.arrived);
  });
  const auto quantile = [&](uint64_t hundredths) {
    const auto at = latencies.begin() + static_cast<std::ptrdiff_t>(kArrivals * hundredths / 100);
    std::nth_element(latencies.begin(), at, latencies.end());
    return static_cast<double>(*at) / static_cast<double>(kMeanService);
  };
  const double p50 = quantile(50);
  const double p99 = quantile(99);
  return {load, p50, p99};
}

// One service is column 6; eighteen more are a factor of ten.
int column(double services) {
  return std::max(0, static_cast<int>(18 * log(services) / log(10.0) + 6));
}

// An M/M/1's latency is exponential with the mean 1 / (1 - load).
void print_knee() {
  fmt::print("\nLatency of an M/M/1, in services (5: median, 9: 99th percentile; logarithmic)\n\n");
  fmt::print("{:>5} {:>7} {:>7} {:>8} {:>7}\n", "load", "p50", "theory", "p99", "theory");
  for (const double load :
       {0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.925, 0.95, 0.975, 0.99}) {
    const Point point = latency_at(load);
    std::string line(std::max(column(point.p99), column(point.p50)) + 1, ' ');
    for (int i = column(point.p50); i < column(point.p99); ++i) line[i] = '-';
    line[column(point.p50)] = '5';
    line[column(point.p99)] = '9';
    fmt::print("{:>5.3f} {:>7.2f} {:>7.2f} {:>8.2f} {:>7.2f} |{}\n", load, point.p50,
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
