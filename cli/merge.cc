// `ringside merge`: what the shards of a hunt, or of `run --seeds`, left, put together and told as
// one process would have told it.
#include "lab/merge.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "cli/hunt_report.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "lab/hunt_file.h"
#include "lab/text.h"

namespace ringside::cli {
namespace {

namespace files = std::filesystem;
using lab::concat;

int bad_input(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  return kBadInput;
}

struct Left {
  std::vector<std::pair<std::string, lab::HuntFile>> hunts;
  std::vector<std::pair<std::string, lab::RunShard>> runs;
};

Result<void> take(const std::string& path, Left& left) {
  if (files::path(path).extension() == ".runs") {
    Result<lab::RunShard> shard = lab::read_run_shard(path);
    if (!shard.ok()) return shard.error();
    left.runs.emplace_back(path, std::move(*shard));
    return {};
  }
  Result<lab::HuntFile> hunt = lab::read_hunt(path);
  if (!hunt.ok()) return hunt.error();
  left.hunts.emplace_back(path, std::move(*hunt));
  return {};
}

Result<Left> take_all(const std::vector<std::string>& places) {
  std::vector<std::string> paths;
  for (const std::string& place : places) {
    std::error_code error;
    if (!files::is_directory(place, error)) {
      paths.push_back(place);
      continue;
    }
    const std::size_t before = paths.size();
    for (files::directory_iterator at(place, error), end; at != end; at.increment(error)) {
      if (error) break;
      const std::string ending = at->path().extension().string();
      if (ending == ".runs" || ending == ".result") paths.push_back(at->path().string());
    }
    if (error) return {Code::kIo, concat(place, ": cannot be read: ", error.message())};
    if (paths.size() == before) {
      return {Code::kInvalid, concat(place,
                                     ": holds no results of a shard (.result of `hunt`, "
                                     ".runs of `run --shard`)")};
    }
  }
  std::sort(paths.begin(), paths.end());
  Left left;
  for (const std::string& path : paths) {
    if (Result<void> took = take(path, left); !took.ok()) return took.error();
  }
  if (!left.hunts.empty() && !left.runs.empty()) {
    return {Code::kInvalid, concat(left.runs[0].first, " is of a run, but ", left.hunts[0].first,
                                   " is of a hunt; merge one or the other")};
  }
  return left;
}

int tell_hunt(const lab::HuntFile& hunt, bool json) {
  if (json) {
    std::printf("%s\n", hunt_as_json(hunt, false).c_str());
  } else {
    std::fputs(describe_hunt(hunt, "").c_str(), stdout);
  }
  return hunt.totals.failing > 0 ? kViolated : kHolds;
}

int tell_runs(const lab::RunShard& merged, const std::string& where, bool json) {
  const SetVerdict verdict = judge_set(merged.runs);
  const Report report{merged.scenario, merged.about, where};
  if (json) {
    std::printf("%s\n", set_as_json(report, merged.runs, verdict, 0, false).c_str());
  } else {
    std::fputs(describe_set(report, merged.runs, verdict, merged.wall_seconds).c_str(), stdout);
  }
  if (verdict.crashed > 0) return kCrashed;
  return verdict.holds ? kHolds : kViolated;
}

}  // namespace

int merge(const MergeArguments& arguments) {
  Result<Left> left = take_all(arguments.places);
  if (!left.ok()) return bad_input(left.error().message);
  if (!left->hunts.empty()) {
    Result<lab::HuntFile> merged = lab::merge_hunts(left->hunts);
    if (!merged.ok()) return bad_input(merged.error().message);
    return tell_hunt(*merged, arguments.json);
  }
  Result<lab::RunShard> merged = lab::merge_run_shards(std::move(left->runs));
  if (!merged.ok()) return bad_input(merged.error().message);
  return tell_runs(*merged, lab::join(arguments.places, ", "), arguments.json);
}

}  // namespace ringside::cli
