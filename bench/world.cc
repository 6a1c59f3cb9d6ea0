// bench_world [--json]: the whole simulator at work, in client operations per CPU second; medians
// of five processes.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "bench/cluster.h"
#include "bench/rows.h"
#include "protocols/wire.h"
#include "runtime/check.h"

namespace ringside::bench {
namespace {

constexpr int kRounds = 5;
constexpr uint64_t kWarmUp = 40'000;
constexpr uint64_t kMeasured = 200'000;

double resident_mib() {
  long pages = 0;
  long resident = 0;
  FILE* file = std::fopen("/proc/self/statm", "r");
  CHECK(file != nullptr && std::fscanf(file, "%ld %ld", &pages, &resident) == 2);
  std::fclose(file);
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

double wall_seconds() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

// Operations a CPU second, events an operation, and MiB a node: of memory in all, and of its disk
// image.
std::vector<double> throughput(const Cluster::Options& options) {
  const double before = resident_mib();
  Cluster cluster(1, options);
  cluster.run(kWarmUp);
  const uint64_t first_event = cluster.world().events();
  const uint64_t first = cluster.operations();
  const double started = cpu_seconds();
  cluster.run(kMeasured);
  const double seconds = cpu_seconds() - started;
  const auto operations = static_cast<double>(cluster.operations() - first);
  double image = 0;
  for (NodeId node = 1; node <= kNodes; ++node)
    image += static_cast<double>(cluster.world().image_bytes(node));
  return {operations / seconds,
          static_cast<double>(cluster.world().events() - first_event) / operations,
          (resident_mib() - before) / kNodes, image / kNodes / (1 << 20)};
}

// Milliseconds that fork() takes in a process which holds a world that has served so many
// operations, and its MiB.
std::vector<double> fork_of_a_world() {
  Cluster cluster(1, {});
  cluster.run(kWarmUp);
  std::vector<double> times;
  for (int i = 0; i < 50; ++i) {
    const double started = wall_seconds();
    const pid_t child = fork();
    if (child == 0) _exit(0);
    times.push_back((wall_seconds() - started) * 1e3);
    CHECK(child > 0 && waitpid(child, nullptr, 0) == child);
  }
  return {median(times), resident_mib()};
}

// Simulated seconds a CPU second of a hundred nodes that nobody asks anything. `watching`: they
// gossip, ping each other and compare their copies all the same.
double idle(bool watching, int64_t span) {
  const auto world = idle_cluster(100, watching);
  world->run_until(10 * kSecond);
  const double started = cpu_seconds();
  world->run_until((10 + span) * kSecond);
  return static_cast<double>(span) / (cpu_seconds() - started);
}

// What an event was, told from outside: a frame of a kind, else a timer, else the disk.
class Watcher : public sim::Observer {
 public:
  explicit Watcher(sim::Observer& next) : next_(next) {}
  void on_send(Time at, const Frame& frame) override { next_.on_send(at, frame); }
  void on_deliver(Time at, const Frame& frame) override {
    delivered_ = frame.kind;
    next_.on_deliver(at, frame);
  }
  void on_probe(Time at, NodeId node, std::string_view name) override {
    next_.on_probe(at, node, name);
  }
  FrameKind take() { return std::exchange(delivered_, FrameKind{0}); }

 private:
  sim::Observer& next_;
  FrameKind delivered_ = 0;
};

struct Spent {
  std::string what;
  double events = 0;
  double microseconds = 0;
};

// Events and microseconds an operation, by kind, most costly first. Reading the clock around each
// event costs some tens of nanoseconds, so the sum is a little more than an operation's time.
std::vector<Spent> breakdown() {
  Cluster cluster(1, {});
  cluster.run(kWarmUp);
  Watcher watcher(cluster.observer());
  cluster.world().set_observer(&watcher);
  std::map<std::string, Spent> by_kind;
  const uint64_t first = cluster.operations();
  while (cluster.operations() < first + kMeasured / 4) {
    const uint64_t timers = cluster.world().counters().timers;
    const double started = wall_seconds();
    CHECK(cluster.world().step());
    const double took = wall_seconds() - started;
    const FrameKind frame = watcher.take();
    const bool timer = cluster.world().counters().timers != timers;
    Spent& spent = by_kind[frame != 0 ? std::string(kind_name(frame)) : timer ? "timer" : "disk"];
    spent.events += 1;
    spent.microseconds += took * 1e6;
  }
  const auto operations = static_cast<double>(cluster.operations() - first);
  std::vector<Spent> all;
  for (const auto& [what, spent] : by_kind) {
    all.push_back({what, spent.events / operations, spent.microseconds / operations});
  }
  std::sort(all.begin(), all.end(),
            [](const Spent& a, const Spent& b) { return a.microseconds > b.microseconds; });
  return all;
}

Row only(std::string test, std::string unit, double ours,
         std::optional<double> goal = std::nullopt) {
  return {std::move(test), std::move(unit), ours, std::nullopt, std::nullopt, std::nullopt, goal};
}

Row against(std::string test, double ours, std::string peer, double theirs, double ratio,
            double goal) {
  return {
      std::move(test), "client operations per CPU s", ours, std::move(peer), theirs, ratio, goal};
}

std::vector<Row> measure() {
  std::vector<std::vector<double>> plain;
  std::vector<double> listening;
  std::vector<double> unrecorded;
  std::vector<double> weather;
  std::vector<double> idling, watching;
  std::vector<std::vector<double>> forks;
  for (int round = 0; round < kRounds; ++round) {
    std::fprintf(stderr, "\rworld: round %d of %d  ", round + 1, kRounds);
    plain.push_back(in_child([] { return throughput({}); }));
    listening.push_back(in_child([] { return throughput({.listen = true}); })[0]);
    unrecorded.push_back(in_child([] { return throughput({.record = false}); })[0]);
    weather.push_back(in_child([] { return throughput({.weather = true}); })[0]);
    idling.push_back(in_child([] { return std::vector{idle(false, 4'000)}; })[0]);
    watching.push_back(in_child([] { return std::vector{idle(true, 400)}; })[0]);
    forks.push_back(in_child(fork_of_a_world));
  }
  std::fprintf(stderr, "\n");
  const auto middle = [](const std::vector<std::vector<double>>& rounds, std::size_t column) {
    std::vector<double> values;
    for (const std::vector<double>& round : rounds) values.push_back(round[column]);
    return median(std::move(values));
  };
  std::vector<Row> rows;
  rows.push_back(only("operations", "client operations per CPU s", middle(plain, 0), 80'000));
  rows.push_back(
      only("operations_with_replica_oracle", "client operations per CPU s", median(listening)));
  // Ratios within a round, since rounds meet different neighbours.
  std::vector<double> recording_costs, weather_costs;
  for (std::size_t round = 0; round < plain.size(); ++round) {
    recording_costs.push_back(plain[round][0] / unrecorded[round]);
    weather_costs.push_back(weather[round] / plain[round][0]);
  }
  rows.push_back(against("operations_recorded", middle(plain, 0), "without recording",
                         median(unrecorded), median(recording_costs), 1 / 1.10));
  rows.push_back(against("operations_in_all_weather", median(weather), "without faults",
                         middle(plain, 0), median(weather_costs), 1 / 1.25));
  rows.push_back(only("events_per_operation", "events", middle(plain, 1)));
  rows.push_back(only("memory_per_node", "MiB, disk image included", middle(plain, 2)));
  rows.push_back(only("disk_image_per_node", "MiB", middle(plain, 3)));
  rows.push_back(only("fork_of_the_world", "ms", middle(forks, 0)));
  rows.push_back(only("size_of_the_forked_world", "MiB", middle(forks, 1)));
  rows.push_back(only("idle_100_nodes", "simulated s per CPU s", median(idling), 2'000));
  rows.push_back(only("watching_100_nodes", "simulated s per CPU s", median(watching)));
  return rows;
}

}  // namespace
}  // namespace ringside::bench

int main(int count, char** arguments) {
  using namespace ringside::bench;
  const bool json = count > 1 && std::strcmp(arguments[1], "--json") == 0;
  std::vector<Row> rows = measure();
  for (const Spent& spent : breakdown()) {
    rows.push_back(only("time_in_" + spent.what, "us per operation", spent.microseconds));
    rows.push_back(only("events_of_" + spent.what, "events per operation", spent.events));
  }
  std::fputs((json ? to_json(rows) : to_table(rows)).c_str(), stdout);
  return 0;
}
