// bench_storage: our engine beside RocksDB and LevelDB, on the real host and one disk.
#include "bench/storage.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "bench/rows.h"
#include "bench/storage_disk.h"
#include "bench/storage_options.h"
#include "bench/storage_rows.h"
#include "runtime/check.h"

namespace ringside::bench {
namespace {

std::string scratch;  // removed when the program ends

void make_scratch(const std::string& directory) {
  std::string name = directory + "/bench-storage.XXXXXX";
  if (mkdtemp(name.data()) == nullptr) {
    std::fprintf(stderr, "bench: cannot make a directory in %s\n", directory.c_str());
    std::exit(2);
  }
  scratch = name;
  std::atexit([] { std::filesystem::remove_all(scratch); });
  // Without its child the program ends, and cleans up.
  for (const int number : {SIGINT, SIGTERM}) signal(number, [](int) { kill_child(); });
}

// From here on, threads that are yet to come included.
void pin_to(int core) {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  CPU_SET(core, &cores);
  CHECK(sched_setaffinity(0, sizeof cores, &cores) == 0);
}

void begin_child(std::optional<int> core, const std::string& directory) {
  for (const int number : {SIGINT, SIGTERM}) signal(number, SIG_DFL);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (core) pin_to(*core);
  std::filesystem::create_directories(directory);
}

void say(const std::string& what, const std::string& engine) {
  std::fprintf(stderr, "\rstorage: %-32s %-10s", what.c_str(), engine.c_str());
}

std::vector<Measured> run_engine(const std::string& engine, const Setup& setup,
                                 const std::vector<Step>& steps) {
  if (engine == kOurs || engine == kWithoutTrees) return run_ours(setup, steps);
  const std::unique_ptr<Peer> peer = engine == kRocksDb ? open_rocksdb(setup) : open_leveldb(setup);
  return run_peer(*peer, setup, steps);
}

std::vector<Measured> in_own_process(const std::string& engine, const Setup& setup,
                                     const std::vector<Step>& steps, std::optional<int> core) {
  const std::vector<double> numbers = in_child([&] {
    begin_child(core, setup.directory);
    std::vector<double> flat;
    for (const Measured& measured : run_engine(engine, setup, steps)) {
      const auto some = measured.numbers();
      flat.insert(flat.end(), some.begin(), some.end());
    }
    return flat;
  });
  std::filesystem::remove_all(setup.directory);
  CHECK(numbers.size() == steps.size() * Measured::kNumbers);
  std::vector<Measured> measured;
  for (std::size_t i = 0; i < steps.size(); ++i)
    measured.push_back(Measured::from(&numbers[i * Measured::kNumbers]));
  return measured;
}

void run(const Session& session, const Options& options, std::vector<Row>& rows) {
  std::vector<EngineResult> results;
  const std::vector<std::string> beside = {kOurs, kWithoutTrees};
  const bool all = options.engines.size() > 1;
  if (session.merkle() && !all && options.engines.front() != kOurs) return;
  for (const std::string& engine : session.merkle() && all ? beside : options.engines) {
    say(session.name, engine);
    Setup setup = session.setup;
    setup.directory = scratch + "/" + engine;
    if (engine == kWithoutTrees) setup.merkle_depth = 0;
    const auto core = session.pinned ? std::optional(options.core) : std::nullopt;
    results.push_back({engine, in_own_process(engine, setup, session.steps, core)});
  }
  for (std::size_t step = 0; step < session.steps.size(); ++step) {
    if (session.steps[step].reported) add_rows(session, step, results, options, rows);
  }
}

void run_disk(const Options& options, std::vector<Row>& rows) {
  using Call = DiskStep::Kind;
  const double seconds = options.quick ? 0.5 : 3;
  const DiskStep steps[] = {{"read_page", Call::kRead, 1, 2'000'000, seconds},
                            {"read_page_16", Call::kRead, 16, 2'000'000, seconds},
                            {"write_page", Call::kWrite, 1, 1'000'000, seconds},
                            {"write_page_and_sync", Call::kWriteAndSync, 1, 50'000, seconds}};
  for (const bool pinned : {true, false}) {
    if (!(pinned ? options.pinned : options.free)) continue;
    for (const DiskStep& step : steps) {
      const std::string test = std::string(pinned ? "pinned" : "free") + "/disk/" + step.name;
      if (test.find(options.only) == std::string::npos) continue;
      say(test, "");
      const auto measure = [&](auto disk) {
        const std::string directory = scratch + "/disk";
        const double rate = in_child([&] {
          begin_child(pinned ? std::optional(options.core) : std::nullopt, directory);
          return std::vector{disk(directory, step)};
        })[0];
        std::filesystem::remove_all(directory);
        return rate;
      };
      const double ours = measure(our_disk), bare = measure(bare_disk);
      rows.push_back({test, "operations/s", ours, "system calls", bare, ours / bare, {}});
    }
  }
}

}  // namespace
}  // namespace ringside::bench

int main(int count, char** arguments) {
  using namespace ringside::bench;
  const Options options = parse_options(count, arguments);
  make_scratch(options.directory);
  std::vector<Row> rows;
  for (const Session& session : sessions_of(options)) run(session, options, rows);
  if (options.entries == 0 && options.engines.size() > 1) run_disk(options, rows);
  std::fprintf(stderr, "\n");
  std::fputs((options.json ? to_json(rows) : to_table(rows)).c_str(), stdout);
  return 0;
}
