// `ringside shrink`: a failing recording to the smallest scenario that fails alike, by itself.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include "cli/fresh_replay.h"
#include "cli/play_once.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "lab/overrides.h"
#include "lab/shrink_recording.h"
#include "lab/text.h"
#include "lab/units.h"

namespace ringside::cli {
namespace {

using lab::concat;

constexpr const char* kRegressions = "scenarios/regressions";
// Whatever is there under a file's own name is whole, however this ends.
constexpr const char* kPart = ".part";

// What is done, on a terminal in one line that is drawn over, elsewhere a line a kind of work.
class ShrinkProgress {
 public:
  ShrinkProgress() : terminal_(isatty(STDERR_FILENO) != 0) {}
  ~ShrinkProgress() { clear(); }

  void show(const std::string& pass, const lab::ScenarioSize& size, uint64_t played,
            double seconds) {
    if (!terminal_ && pass == told_) return;
    told_ = pass;
    std::fprintf(stderr, "%s%s: %s; %llu runs, %s%s", terminal_ ? "\r\033[K" : "", pass.c_str(),
                 lab::size_text(size).c_str(), static_cast<unsigned long long>(played),
                 minutes(seconds).c_str(), terminal_ ? "" : "\n");
    drawn_ = true;
  }
  void clear() {
    if (terminal_ && drawn_) std::fputs("\r\033[K", stderr);
    drawn_ = false;
  }

 private:
  bool terminal_;
  bool drawn_ = false;
  std::string told_;
};

int shrink_refused(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return kBadInput;
}

// X.run and X.textproto.
struct ShrunkFiles {
  std::string run;
  std::string scenario;
};

Result<ShrunkFiles> files_of(const ShrinkArguments& arguments) {
  namespace fs = std::filesystem;
  ShrunkFiles files;
  if (!arguments.regression.empty()) {
    const std::string& name = arguments.regression;
    const bool plain = std::all_of(name.begin(), name.end(), [](unsigned char c) {
      return std::islower(c) || std::isdigit(c) || c == '_';
    });
    if (!plain)
      return {Code::kInvalid,
              concat("--regression \"", name, "\": a name is of small letters, digits and _")};
    if (!fs::is_directory("scenarios")) {
      return {Code::kInvalid,
              "--regression: there is no scenarios/ here; call it at the root of the project"};
    }
    files.scenario = concat(kRegressions, "/", name, ".textproto");
    if (fs::exists(files.scenario))
      return {Code::kInvalid, concat(files.scenario, ": is there already; choose another name")};
  }
  files.run = arguments.out;
  if (files.run.empty()) {
    fs::path path(arguments.file);
    files.run = path.replace_extension().string() + "-shrunk.run";
  }
  if (!files.run.ends_with(".run"))
    return {Code::kInvalid, concat("--out ", files.run, ": a recording's name ends in .run")};
  if (files.scenario.empty())
    files.scenario = files.run.substr(0, files.run.size() - 4) + ".textproto";
  return files;
}

Result<void> write_scenario(const std::string& path, const std::string& text) {
  std::error_code error;
  const std::filesystem::path directory = std::filesystem::path(path).parent_path();
  if (!directory.empty()) std::filesystem::create_directories(directory, error);
  const std::string part = path + kPart;
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (out) std::filesystem::rename(part, path, error);
  if (!out || error) return {Code::kIo, concat(path, ": cannot be written")};
  return {};
}

// "name" of a scenario from that of its file.
std::string shrunk_name(const std::string& file) {
  std::string name = std::filesystem::path(file).stem().string();
  for (char& c : name) {
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  }
  return name;
}

void size_as_json(const char* name, const lab::ScenarioSize& size, Json& json) {
  json.key(name).begin_object();
  json.field("faults", uint64_t{size.faults}).field("orders", uint64_t{size.orders});
  json.field("clients", uint64_t{size.clients}).field("operations", uint64_t{size.operations});
  json.field("keys", uint64_t{size.keys}).field("machines", uint64_t{size.machines});
  json.field("settings", uint64_t{size.tunables}).field("seconds", size.seconds).end_object();
}

void print_shrunk(const ShrinkArguments& arguments, const lab::Shrunk& shrunk,
                  const ShrunkFiles& files, bool fails_again) {
  if (arguments.json) {
    Json json;
    json.begin_object().field("expectation", shrunk.anomaly.expectation);
    json.field("kind", shrunk.anomaly.kind).field("fails_again", fails_again);
    size_as_json("before", shrunk.before, json);
    size_as_json("after", shrunk.after, json);
    json.field("runs", shrunk.played).field("seconds", shrunk.seconds);
    json.field("cut_short", shrunk.cut_short);
    json.field("recording", files.run).field("scenario", files.scenario).end_object();
    std::printf("%s\n", json.str().c_str());
    return;
  }
  std::printf("SHRUNK    %s\n  before: %s\n  after:  %s\n  %llu runs, %s%s\n",
              lab::anomaly_text(shrunk.anomaly).c_str(), lab::size_text(shrunk.before).c_str(),
              lab::size_text(shrunk.after).c_str(), static_cast<unsigned long long>(shrunk.played),
              minutes(shrunk.seconds).c_str(),
              shrunk.cut_short ? "; its time was up, more may be possible (--for)" : "");
  std::printf("  %s: %s\n  recording: %s\n",
              fails_again ? "fails again by itself" : "DOES NOT FAIL AGAIN by itself",
              files.scenario.c_str(), files.run.c_str());
}

}  // namespace

int shrink(const ShrinkArguments& arguments) {
  Result<lab::Recorded> recorded = lab::load_recorded(arguments.file, "shrink");
  if (!recorded.ok()) return shrink_refused(recorded.error().message);
  const Result<ShrunkFiles> files = files_of(arguments);
  if (!files.ok()) return shrink_refused(files.error().message);
  const Result<Duration> time = lab::parse_span(arguments.time);
  if (!time.ok()) return shrink_refused(concat("--for ", time.error().message));

  ShrinkProgress progress;
  lab::ShrinkRequest request;
  request.jobs =
      arguments.jobs > 0 ? arguments.jobs : std::max(1u, std::thread::hardware_concurrency());
  request.seconds_max = static_cast<double>(*time) / 1e9;
  request.expectation = arguments.expectation;
  request.play_again = play_again;
  request.on_progress = [&](const std::string& pass, const lab::ScenarioSize& size, uint64_t played,
                            double seconds) { progress.show(pass, size, played, seconds); };
  Result<lab::Shrunk> shrunk = lab::shrink_recording(*recorded, request);
  progress.clear();
  if (!shrunk.ok()) {
    std::fprintf(stderr, "%s\n", shrunk.error().message.c_str());
    return shrunk.error().code == Code::kCorrupt ? kNotDeterministic : kBadInput;
  }
  shrunk->scenario.set_name(shrunk_name(files->scenario));
  shrunk->scenario.set_about(concat("Shrunk: ", lab::anomaly_text(shrunk->anomaly), ", from ",
                                    recorded->scenario->name(), ", seed ",
                                    recorded->recording.seed));
  const std::string text = concat(lab::shrunk_comment(*recorded, *shrunk, files->scenario),
                                  lab::readable_text(shrunk->scenario));
  if (Result<void> written = write_scenario(files->scenario, text); !written.ok())
    return shrink_refused(written.error().message);
  // From the file alone, as whoever gets it will.
  const lab::WorkerResult again = play_once(files->scenario, files->run + kPart);
  std::error_code error;
  std::filesystem::rename(files->run + kPart, files->run, error);
  if (error) return shrink_refused(concat(files->run, ": cannot be written"));
  const bool fails_again = shrunk->anomaly == lab::replay_anomaly()
                               ? play_again({files->run}, 1).front() != lab::Again::kSame
                               : lab::shows(again, shrunk->anomaly);
  print_shrunk(arguments, *shrunk, *files, fails_again);
  return fails_again ? kHolds : kNotDeterministic;
}

}  // namespace ringside::cli
