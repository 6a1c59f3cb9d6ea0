#include "bench/storage_options.h"

#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <utility>

namespace ringside::bench {

const char* name_of(Kind kind) {
  switch (kind) {
    case Kind::kFillSequential: return "fill_sequential";
    case Kind::kFillRandom: return "fill_random";
    case Kind::kOverwrite: return "overwrite";
    case Kind::kReadHit: return "read_hit";
    case Kind::kReadMiss: return "read_miss";
    case Kind::kScan: return "scan";
    case Kind::kReadWhileWriting: return "read_while_writing";
    case Kind::kSynced: return "synced";
  }
  return "";
}

bool writes(Kind kind) {
  return kind == Kind::kFillSequential || kind == Kind::kFillRandom || kind == Kind::kOverwrite ||
         kind == Kind::kSynced;
}

uint64_t Setup::memtable_bytes() const {
  return std::clamp<uint64_t>(data_bytes() / 16, 2u << 20, 64u << 20);
}

namespace {

constexpr uint32_t kMerkleDepth = 12;

constexpr const char* kUsage =
    "usage: bench_storage [--json] [--quick] [--only TEXT] [--pinned | --free] [--dir DIRECTORY]\n"
    "         [--engine ours|RocksDB|LevelDB] [--entries N [--value-bytes N]] [--seconds S]\n"
    "         [--core N] [--seed N] [--profile FILE]\n"
    "--only: rows whose name holds TEXT; --entries: one size of data instead of three;\n"
    "--seconds: at most so long a row, fills apart; --engine: this one alone;\n"
    "--profile: perf's data of the row (with --engine, and one row)\n";

[[noreturn]] void refuse() {
  std::fputs(kUsage, stderr);
  std::exit(2);
}

uint64_t number_of(const std::string& text) {
  char* end = nullptr;
  const unsigned long long number = std::strtoull(text.c_str(), &end, 10);
  if (text.empty() || *end != '\0' || text[0] == '-') refuse();
  return number;
}

// The last core that we may run on: the first ones have the machine's interrupts.
int last_core() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  sched_getaffinity(0, sizeof cores, &cores);
  int core = 0;
  for (int i = 0; i < CPU_SETSIZE; ++i) {
    if (CPU_ISSET(i, &cores)) core = i;
  }
  return core;
}

struct Size {
  uint64_t entries, value_bytes;
};

std::vector<Size> sizes_of(const Options& options) {
  if (options.entries > 0) return {{options.entries, options.value_bytes}};
  if (options.quick) return {{100'000, 100}, {500'000, 100}, {50'000, 1'000}};
  return {{1'000'000, 100}, {20'000'000, 100}, {2'000'000, 1'000}};
}

std::string short_number(uint64_t number) {
  if (number % 1'000'000 == 0) return std::to_string(number / 1'000'000) + "M";
  if (number % 1'000 == 0) return std::to_string(number / 1'000) + "K";
  return std::to_string(number);
}

// Steps end at their count or their time; the free runs, which are only reported, get half the
// time.
struct Limits {
  double fill, write, read, synced;  // seconds
  uint64_t reads, scans, synced_puts;
};

Limits limits_of(const Options& options, bool pinned) {
  Limits limits = options.quick ? Limits{5, 3, 1, 1, 200'000, 20'000, 20'000}
                                : Limits{75, 30, 6, 6, 1'000'000, 200'000, 200'000};
  if (options.seconds > 0) limits.write = limits.read = limits.synced = options.seconds;
  if (!pinned) {
    for (double* seconds : {&limits.fill, &limits.write, &limits.read, &limits.synced})
      *seconds /= 2;
  }
  return limits;
}

// Keeps what is wanted and the writes before it.
bool keep_wanted(const Options& options, Session& session) {
  std::vector<Step> kept;
  std::size_t needed = 0;
  for (Step step : session.steps) {
    step.reported = row_name(session, step).find(options.only) != std::string::npos;
    if (!step.reported && !writes(step.kind)) continue;
    kept.push_back(step);
    if (step.reported) needed = kept.size();
  }
  kept.resize(needed);
  session.steps = std::move(kept);
  return needed > 0;
}

}  // namespace

Options parse_options(int count, char** arguments) {
  Options options;
  options.core = last_core();
  for (int i = 1; i < count; ++i) {
    const std::string name = arguments[i];
    const auto value = [&] {
      if (++i >= count) refuse();
      return std::string(arguments[i]);
    };
    if (name == "--json")
      options.json = true;
    else if (name == "--quick")
      options.quick = true;
    else if (name == "--pinned")
      options.free = false;
    else if (name == "--free")
      options.pinned = false;
    else if (name == "--only")
      options.only = value();
    else if (name == "--dir")
      options.directory = value();
    else if (name == "--profile")
      options.profile = value();
    else if (name == "--core")
      options.core = static_cast<int>(number_of(value()));
    else if (name == "--entries")
      options.entries = number_of(value());
    else if (name == "--value-bytes")
      options.value_bytes = number_of(value());
    else if (name == "--seconds")
      options.seconds = static_cast<double>(number_of(value()));
    else if (name == "--seed")
      options.seed = number_of(value());
    else if (name == "--engine")
      options.engines = {value()};
    else
      refuse();
  }
  const std::string& engine = options.engines.front();
  if (engine != kOurs && engine != kRocksDb && engine != kLevelDb) refuse();
  if (options.value_bytes < 8 || options.value_bytes > 65'536) refuse();
  return options;
}

std::string row_name(const Session& session, const Step& step) {
  std::string name = session.name + "/" + name_of(step.kind);
  if (step.kind == Kind::kSynced) name += "_" + std::to_string(step.writers);
  return name;
}

std::vector<Session> sessions_of(const Options& options) {
  std::vector<Session> sessions;
  const auto add = [&](Session session, std::vector<Step> steps) {
    session.steps = std::move(steps);
    if (keep_wanted(options, session)) sessions.push_back(std::move(session));
  };
  for (const bool pinned : {true, false}) {
    if (!(pinned ? options.pinned : options.free)) continue;
    const Limits limits = limits_of(options, pinned);
    bool first = true;
    for (const auto& [entries, value_bytes] : sizes_of(options)) {
      Session session;
      session.name = std::string(pinned ? "pinned/" : "free/") + std::to_string(value_bytes) +
                     "B_" + short_number(entries);
      session.pinned = pinned;
      session.setup = {.entries = entries,
                       .value_bytes = value_bytes,
                       .seed = options.seed,
                       .profile = options.profile};
      add(session, {{Kind::kFillSequential, entries, limits.fill}});
      // At least as many again as there are, until the time is up: sustained.
      add(session, {{Kind::kFillRandom, entries, limits.fill},
                    {Kind::kOverwrite, 3 * entries, limits.write},
                    {Kind::kReadHit, limits.reads, limits.read},
                    {Kind::kReadMiss, limits.reads, limits.read},
                    {Kind::kScan, limits.scans, limits.read},
                    {Kind::kReadWhileWriting, limits.reads, limits.read}});
      if (std::exchange(first, false)) {
        Session merkle = session;
        merkle.name += "/merkle";
        merkle.setup.merkle_depth = kMerkleDepth;
        add(std::move(merkle), {{Kind::kFillRandom, entries, limits.fill},
                                {Kind::kOverwrite, 3 * entries, limits.write}});
        std::vector<Step> steps;
        for (const uint64_t writers : {1, 16, 64})
          steps.push_back({Kind::kSynced, limits.synced_puts, limits.synced, writers});
        add(session, std::move(steps));
      }
    }
  }
  return sessions;
}

}  // namespace ringside::bench
