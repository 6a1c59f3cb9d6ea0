// bench_snapshot [--json]: what it costs to keep a world and to branch from it (lab/held_world.h).
// A snapshot is timed as who asks for it waits: from the order to the answer of a world that holds
// 1 GiB, which stands still all the while. Futures are counted in CPU seconds of everything that
// was started for them.
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <memory>
#include <string>

#include "bench/rows.h"
#include "lab/allocator.h"
#include "lab/held_world.h"
#include "runtime/check.h"

namespace ringside::bench {
namespace {

constexpr int kRounds = 5;
constexpr double kBudgetMs = 30;
constexpr int kCopies = 20;
constexpr uint64_t kFutures = 20;

// Six nodes on disks; each put leaves its value in memory and on three of them.
constexpr const char* kLarge = R"(name: "large"
topology { region { name: "east" zones: 3 machines_per_zone: 2 disk: NVME } }
cluster { strategy { dynamo { n: 3 r: 2 w: 2 } } }
workload {
  registers { keys: 20000 writes: 1 value_bytes: 8192 } clients: 64 processes: 4 rate: "20000/s" for: "60s"
}
expect { evidence { acknowledged_writes: 1 } }
)";

constexpr const char* kBranched = R"(name: "branched"
topology { region { name: "east" zones: 3 machines_per_zone: 2 disk: NVME } }
cluster { strategy { dynamo { n: 3 r: 2 w: 2 } } }
workload { registers { keys: 100 } clients: 12 processes: 3 rate: "2000/s" for: "20s" }
expect { evidence { acknowledged_writes: 1 } }
)";

std::unique_ptr<scenario::Scenario> parsed(const char* text) {
  auto scenario = lab::parse_scenario(text, "bench");
  if (!scenario.ok()) std::fprintf(stderr, "%s\n", scenario.error().message.c_str());
  CHECK(scenario.ok());
  return std::move(*scenario);
}

double wall_ms() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) * 1e-6;
}

double resident_mib(pid_t process) {
  long pages = 0, resident = 0;
  FILE* file = std::fopen(("/proc/" + std::to_string(process) + "/statm").c_str(), "r");
  CHECK(file != nullptr && std::fscanf(file, "%ld %ld", &pages, &resident) == 2);
  std::fclose(file);
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE)) / (1 << 20);
}

// CPU seconds, user and system, of the descendants that have ended.
double cpu_seconds_of_others() {
  rusage usage = {};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::unique_ptr<lab::HeldWorld> begin(const scenario::Scenario& scenario) {
  auto held = lab::HeldWorld::begin(scenario, 1);
  CHECK(held.ok());
  return std::move(*held);
}

// Milliseconds of a copy, the median and the longest, and MiB of the world.
std::vector<double> copies_of_a_gibibyte() {
  const auto scenario = parsed(kLarge);
  const auto held = begin(*scenario);
  while (resident_mib(held->process()) < 1024) {
    held->go_on({.until_event = held->here().events() + 10'000});
    CHECK(held->wait() && !held->here().over());
  }
  std::vector<double> times;
  for (int i = 0; i < kCopies; ++i) {
    const double asked = wall_ms();
    const auto copy = held->copy();
    times.push_back(wall_ms() - asked);
    CHECK(copy.ok());
  }
  double longest = 0;
  for (const double time : times) longest = std::max(longest, time);
  return {median(times), longest, resident_mib(held->process())};
}

// CPU seconds of so many futures from nine tenths of a run on: of copies, the way there included,
// and played from the beginning.
std::vector<double> futures() {
  const auto scenario = parsed(kBranched);
  const lab::Onward moment{.until = 18 * kSecond};
  const double begun = cpu_seconds_of_others();
  {
    const auto held = begin(*scenario);
    held->go_on(moment);
    CHECK(held->wait());
    for (uint64_t seed = 1; seed <= kFutures; ++seed) {
      const auto future = held->copy();
      CHECK(future.ok());
      (*future)->go_on({.seed = seed});
      CHECK(!(*future)->wait() && (*future)->ended().end == lab::WorkerResult::End::kFinished);
    }
  }
  const double between = cpu_seconds_of_others();
  for (uint64_t seed = 1; seed <= kFutures; ++seed) {
    const auto future = begin(*scenario);
    future->go_on(moment);
    CHECK(future->wait());
    future->go_on({.seed = seed});
    CHECK(!future->wait());
  }
  return {between - begun, cpu_seconds_of_others() - between};
}

std::vector<Row> measure() {
  std::vector<double> times, longest, sizes, rates, rates_from_beginning, ratios;
  for (int round = 0; round < kRounds; ++round) {
    std::fprintf(stderr, "\rsnapshot: round %d of %d  ", round + 1, kRounds);
    const std::vector<double> copies = in_child(copies_of_a_gibibyte);
    times.push_back(copies[0]);
    longest.push_back(copies[1]);
    sizes.push_back(copies[2]);
    const std::vector<double> seconds = in_child(futures);
    rates.push_back(kFutures / seconds[0]);
    rates_from_beginning.push_back(kFutures / seconds[1]);
    ratios.push_back(seconds[1] / seconds[0]);
  }
  std::fprintf(stderr, "\n");
  const auto only = [](const char* test, const char* unit, double ours) {
    return Row{test, unit, ours, std::nullopt, std::nullopt, std::nullopt, std::nullopt};
  };
  return {
      {"snapshot_of_1_GiB", "ms", median(times), "what it may take", kBudgetMs,
       kBudgetMs / median(times), 1},
      only("snapshot_of_1_GiB/longest_of_20", "ms", median(longest)),
      only("snapshot_of_1_GiB/size", "MiB", median(sizes)),
      {"futures_from_nine_tenths", "futures per CPU second", median(rates),
       "played from the beginning", median(rates_from_beginning), median(ratios), std::nullopt}};
}

}  // namespace
}  // namespace ringside::bench

int main(int count, char** arguments) {
  using namespace ringside::bench;
  ringside::lab::use_large_pages();  // as `ringside branch` does
  const bool json = count > 1 && std::strcmp(arguments[1], "--json") == 0;
  const std::vector<Row> rows = measure();
  std::fputs((json ? to_json(rows) : to_table(rows)).c_str(), stdout);
  return 0;
}
