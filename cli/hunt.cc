// `ringside hunt`: round after round, each played in workers, until the bound in seeds or in time.
// After every whole round what was decided and found is on disk, so that whatever ends the hunt
// loses at most the round under way.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <optional>
#include <set>
#include <thread>

#include "cli/hunt_report.h"
#include "cli/hunt_round.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "lab/bundle.h"
#include "lab/hunt_file.h"
#include "lab/recording.h"
#include "lab/shard.h"
#include "lab/text.h"
#include "lab/units.h"

namespace ringside::cli {
namespace {

namespace files = std::filesystem;
using lab::concat;

constexpr uint64_t kSeedsIfNotAsked = 1000;

int bad_input(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return kBadInput;
}

double cpu_of_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Every scenario of a directory and those beneath, by path; or the one file.
Result<std::vector<std::string>> scenario_files(const std::string& path) {
  std::error_code error;
  if (!files::is_directory(path, error)) return std::vector<std::string>{path};
  std::vector<std::string> found;
  for (files::recursive_directory_iterator at(path, error), end; at != end; at.increment(error)) {
    if (error) break;
    if (at->path().extension() == ".textproto") found.push_back(at->path().string());
  }
  if (error) return {Code::kIo, concat(path, ": cannot be read: ", error.message())};
  if (found.empty()) return {Code::kInvalid, concat(path, ": holds no scenario (*.textproto)")};
  std::sort(found.begin(), found.end());
  return found;
}

Result<void> load_scenarios(lab::HuntConfig& config, const std::vector<std::string>& paths) {
  std::set<std::string> names;
  for (const std::string& path : paths) {
    Result<lab::HuntScenario> scenario = lab::load_hunt_scenario(path);
    if (!scenario.ok()) return scenario.error();
    if (!names.insert(scenario->name).second) {
      return {Code::kInvalid, concat(path, ": is called \"", scenario->name,
                                     "\", as another scenario of this hunt is")};
    }
    config.scenarios.push_back(std::move(*scenario));
  }
  return {};
}

std::string title_of(const std::string& path) {
  files::path name = files::absolute(path).lexically_normal();
  if (!name.has_filename()) name = name.parent_path();
  return name.stem().string().empty() ? "hunt" : name.stem().string();
}

Result<lab::HuntConfig> new_hunt(const HuntArguments& arguments) {
  lab::HuntConfig config;
  Result<std::vector<std::string>> paths = scenario_files(arguments.target);
  if (!paths.ok()) return paths.error();
  if (Result<void> loaded = load_scenarios(config, *paths); !loaded.ok()) return loaded.error();
  config.title =
      config.scenarios.size() == 1 ? config.scenarios[0].name : title_of(arguments.target);
  config.seed = arguments.seed;
  config.lanes = arguments.lanes > 0 ? arguments.lanes : lab::kHuntLanes;
  config.guided = !arguments.unguided;
  config.build = lab::build_id();
  config.bound = arguments.seeds;
  if (config.bound == 0 && arguments.time.empty()) config.bound = kSeedsIfNotAsked;
  if (!arguments.shard.empty()) {
    Result<lab::Shard> shard = lab::parse_shard(arguments.shard);
    if (!shard.ok()) return shard.error();
    config.shard = shard->number;
    config.shards = shard->of;
  }
  if (config.lanes > lab::kHuntLanesMax) {
    return {Code::kInvalid,
            concat("--lanes ", config.lanes, ": there are at most ", lab::kHuntLanesMax)};
  }
  if (config.shards > config.lanes) {
    return {Code::kInvalid,
            concat("--shard ", arguments.shard, ": ", config.lanes, " lanes are too few for ",
                   config.shards, " shards; add --lanes ", config.shards, " to all of them")};
  }
  return config;
}

// What was asked of the hunt before, with its scenarios as they are still there.
Result<lab::HuntFile> resumed_hunt(const HuntArguments& arguments) {
  std::vector<std::string> states;
  std::error_code error;
  for (files::directory_iterator at(arguments.resume, error), end; at != end; at.increment(error)) {
    if (error) break;
    if (at->path().extension() == ".state") states.push_back(at->path().string());
  }
  if (error) return {Code::kIo, concat(arguments.resume, ": cannot be read: ", error.message())};
  std::sort(states.begin(), states.end());
  if (!arguments.shard.empty()) {
    Result<lab::Shard> shard = lab::parse_shard(arguments.shard);
    if (!shard.ok()) return shard.error();
    lab::HuntConfig which;
    which.shard = shard->number;
    which.shards = shard->of;
    states = {lab::hunt_path(arguments.resume, which, ".state")};
  }
  if (states.empty())
    return {Code::kInvalid, concat(arguments.resume, ": holds no hunt to go on with")};
  if (states.size() > 1) {
    return {Code::kInvalid, concat(arguments.resume, ": holds ", states.size(),
                                   " shards of a hunt; add --shard to say which")};
  }
  Result<lab::HuntFile> hunt = lab::read_hunt(states[0]);
  if (!hunt.ok()) return hunt.error();
  const std::vector<lab::HuntScenario> before = std::move(hunt->config.scenarios);
  hunt->config.scenarios.clear();
  std::vector<std::string> paths;
  for (const lab::HuntScenario& scenario : before) paths.push_back(scenario.file);
  if (Result<void> loaded = load_scenarios(hunt->config, paths); !loaded.ok())
    return loaded.error();
  for (std::size_t i = 0; i < before.size(); ++i) {
    if (hunt->config.scenarios[i].text_hash != before[i].text_hash) {
      return {Code::kInvalid, concat(before[i].file,
                                     ": has changed since this hunt began; begin a "
                                     "new one")};
    }
  }
  if (hunt->config.build != lab::build_id()) {
    return {Code::kInvalid, concat(states[0],
                                   ": was left by another build of ringside, whose runs "
                                   "need not be those of this one; begin a new hunt")};
  }
  if (arguments.seeds > 0) hunt->config.bound = arguments.seeds;
  if (arguments.seeds == 0 && !arguments.time.empty()) hunt->config.bound = 0;
  return hunt;
}

class HuntDrive {
 public:
  HuntDrive(const HuntArguments& arguments, lab::HuntFile hunt, std::string directory)
      : hunt_(std::move(hunt)),
        directory_(std::move(directory)),
        jobs_(arguments.jobs > 0 ? arguments.jobs
                                 : std::max(1u, std::thread::hardware_concurrency())),
        guide_(hunt_.config),
        line_(hunt_.config.title) {
    if (!arguments.time.empty())
      seconds_max_ = static_cast<double>(lab::span_of(arguments.time)) / 1e9;
    guide_.go_on_after(hunt_.rounds);
    for (std::size_t i = 0; i < hunt_.lanes.size(); ++i)
      guide_.lanes()[i].remember(std::move(hunt_.lanes[i]));
    hunt_.lanes.clear();  // the guide's from now on
    wall_before_ = hunt_.wall_seconds;
    cpu_before_ = hunt_.cpu_seconds;
  }

  Result<void> run() {
    Result<void> done = make_place();
    if (done.ok() && hunt_.rounds == 0) done = save();
    while (done.ok() && !enough()) {
      const std::vector<lab::HuntAttempt> attempts = guide_.plan();
      if (attempts.empty()) break;
      done = play(attempts);
    }
    line_.clear();
    std::error_code error;
    files::remove_all(work(), error);
    if (!done.ok()) return done;
    stop_clocks();
    if (partial_) hunt_.totals = *partial_;
    return lab::write_hunt(lab::hunt_path(directory_, hunt_.config, ".result"), hunt_);
  }

  const lab::HuntFile& hunt() const { return hunt_; }

 private:
  std::string work() const {
    return concat(directory_, "/work-", hunt_.config.shard, "-of-", hunt_.config.shards);
  }
  Result<void> make_place() {
    std::error_code error;
    files::remove_all(work(), error);
    files::create_directories(work(), error);
    if (error) return {Code::kIo, concat(work(), ": cannot be made: ", error.message())};
    return {};
  }

  double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
  }
  bool enough() const { return partial_.has_value() || seconds() >= seconds_max_; }

  Result<void> play(const std::vector<lab::HuntAttempt>& attempts) {
    HuntRoundOptions options;
    options.jobs = jobs_;
    options.work = work();
    options.enough = [this] { return seconds() >= seconds_max_; };
    options.on_progress = [this](uint64_t finished) {
      const double rate = static_cast<double>(played_ + finished) / std::max(0.001, seconds());
      line_.show(seconds(),
                 describe_hunting(hunt_.config, hunt_.totals, finished, seconds(), rate));
    };
    PlayedRound round = play_round(hunt_.config, attempts, options);
    if (!round.refused.empty()) return {Code::kInvalid, round.refused};
    lab::HuntTotals totals = hunt_.totals;
    for (std::size_t i = 0; i < round.outcomes.size(); ++i)
      totals.count(attempts[i], round.outcomes[i], hunt_.config);
    for (std::size_t i = 0; i < round.outcomes.size(); ++i) {
      if (Result<void> put = put_away(attempts[i], round.outcomes[i], totals, options); !put.ok())
        return put;
    }
    played_ += round.outcomes.size();
    const bool whole = round.outcomes.size() == guide_.lanes().size() * lab::kHuntBlock;
    if (!whole) {  // cut by a bound: not what the next decisions may rest on
      partial_ = std::move(totals);
      return {};
    }
    hunt_.totals = std::move(totals);
    guide_.learn(attempts, round.outcomes);
    return save();
  }

  // A bundle for the first failures of their kind; else the recording goes.
  Result<void> put_away(const lab::HuntAttempt& attempt, const lab::HuntOutcome& outcome,
                        const lab::HuntTotals& totals, const HuntRoundOptions& options) {
    const std::string recording = work_path(options, attempt);
    if (outcome.fails()) {
      const lab::Signature signature =
          outcome.signature(hunt_.config.scenarios[attempt.scenario].name);
      for (const lab::HuntFound& found : totals.groups.at(signature).first) {
        if (found.number != attempt.number) continue;
        const Result<std::string> put = lab::write_bundle(
            directory_ + "/bundles",
            {attempt.name(hunt_.config), recording, bundle_texts(hunt_.config, attempt, outcome)});
        if (!put.ok()) return put.error();
        return {};
      }
    }
    std::error_code error;
    files::remove(recording, error);
    return {};
  }

  Result<void> save() {
    stop_clocks();
    hunt_.rounds = guide_.rounds();
    lab::HuntFile state = hunt_;
    for (const lab::HuntLane& lane : guide_.lanes()) state.lanes.push_back(lane.memory());
    return lab::write_hunt(lab::hunt_path(directory_, hunt_.config, ".state"), state);
  }

  void stop_clocks() {
    hunt_.wall_seconds = wall_before_ + seconds();
    hunt_.cpu_seconds = cpu_before_ + cpu_of_children();
  }

  lab::HuntFile hunt_;
  std::string directory_;
  unsigned jobs_;
  lab::HuntGuide guide_;
  ProgressLine line_;
  double seconds_max_ = 1e18;
  double wall_before_ = 0, cpu_before_ = 0;
  uint64_t played_ = 0;  // in this sitting
  // The totals with a round that a bound cut.
  std::optional<lab::HuntTotals> partial_;
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

// The directory, and that no other hunt's state is written over.
Result<std::string> place_of(const HuntArguments& arguments, const lab::HuntConfig& config) {
  const std::string directory =
      arguments.out.empty() ? concat("hunts/", config.title, "-seed-", config.seed) : arguments.out;
  const std::string state = lab::hunt_path(directory, config, ".state");
  if (files::exists(state)) {
    return {Code::kInvalid, concat(state, ": is there already; go on with it by --resume ",
                                   directory, ", or name another directory by --out")};
  }
  return directory;
}

}  // namespace

int hunt(const HuntArguments& arguments) {
  if (!arguments.time.empty()) {
    if (const Result<Duration> time = lab::parse_span(arguments.time); !time.ok())
      return bad_input(concat("--for ", time.error().message));
  }
  if (arguments.target.empty() == arguments.resume.empty())
    return bad_input("name a scenario or a directory of them, or a hunt to --resume");
  lab::HuntFile hunt;
  std::string directory = arguments.resume;
  if (arguments.resume.empty()) {
    Result<lab::HuntConfig> config = new_hunt(arguments);
    if (!config.ok()) return bad_input(config.error().message);
    Result<std::string> place = place_of(arguments, *config);
    if (!place.ok()) return bad_input(place.error().message);
    hunt.config = std::move(*config);
    directory = std::move(*place);
  } else {
    Result<lab::HuntFile> before = resumed_hunt(arguments);
    if (!before.ok()) return bad_input(before.error().message);
    hunt = std::move(*before);
  }
  HuntDrive drive(arguments, std::move(hunt), directory);
  if (const Result<void> done = drive.run(); !done.ok()) return bad_input(done.error().message);
  if (arguments.json) {
    std::printf("%s\n", hunt_as_json(drive.hunt(), !arguments.no_times).c_str());
  } else {
    std::fputs(describe_hunt(drive.hunt(), directory).c_str(), stdout);
  }
  return drive.hunt().totals.failing > 0 ? kViolated : kHolds;
}

}  // namespace ringside::cli
