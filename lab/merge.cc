#include "lab/merge.h"

#include <algorithm>

#include "lab/hunt.pb.h"
#include "lab/result_message.h"
#include "lab/sealed_file.h"
#include "lab/text.h"

namespace ringside::lab {
namespace {

using End = WorkerResult::End;

constexpr Seal kRunShardSeal = {{'R', 'I', 'N', 'G', 'R', 'U', 'N', 'S'},
                                1,
                                "shard",
                                "shard of ringside (a .runs that `ringside run --shard` wrote)"};

}  // namespace

std::string run_shard_path(const std::string& directory, const RunShard& shard) {
  return concat(directory, "/", shard.scenario, "-", shard.shard.number, "-of-", shard.shard.of,
                ".runs");
}

Result<void> write_run_shard(const std::string& path, const RunShard& shard) {
  record::RunShard message;
  message.set_scenario(shard.scenario);
  message.set_about(shard.about);
  message.set_text_hash(shard.text_hash);
  message.set_build(shard.build);
  message.set_seeds(shard.seeds);
  message.set_shard(shard.shard.number);
  message.set_shards(shard.shard.of);
  message.set_wall_seconds(shard.wall_seconds);
  for (const WorkerResult& run : shard.runs) {
    auto& out = *message.add_run();
    out.set_seed(run.seed);
    out.set_crashed(run.end != End::kFinished);
    out.set_message(run.message);
    to_message(run.result, *out.mutable_result());
  }
  return write_sealed(path, kRunShardSeal, message);
}

Result<RunShard> read_run_shard(const std::string& path) {
  record::RunShard message;
  if (Result<void> read = read_sealed(path, kRunShardSeal, message); !read.ok())
    return read.error();
  RunShard shard;
  shard.scenario = message.scenario();
  shard.about = message.about();
  shard.text_hash = message.text_hash();
  shard.build = message.build();
  shard.seeds = message.seeds();
  shard.shard = {message.shard(), message.shards()};
  shard.wall_seconds = message.wall_seconds();
  for (const auto& one : message.run()) {
    WorkerResult run;
    run.seed = one.seed();
    run.end = one.crashed() ? End::kCrashed : End::kFinished;
    run.message = one.message();
    run.result = from_message(one.result());
    shard.runs.push_back(std::move(run));
  }
  return shard;
}

Result<RunShard> merge_run_shards(std::vector<std::pair<std::string, RunShard>> shards) {
  std::vector<ShardOf> parts;
  for (const auto& [path, shard] : shards) {
    const RunShard& first = shards[0].second;
    if (shard.scenario != first.scenario || shard.text_hash != first.text_hash ||
        shard.seeds != first.seeds || shard.build != first.build) {
      return {Code::kInvalid, concat(path, ": is of another run than ", shards[0].first,
                                     " (scenario, seeds or build differ)")};
    }
    parts.push_back({path, shard.shard.number, shard.shard.of});
  }
  if (Result<void> whole = check_whole(parts); !whole.ok()) return whole.error();
  RunShard merged = std::move(shards[0].second);
  merged.shard = {1, 1};
  for (std::size_t i = 1; i < shards.size(); ++i) {
    RunShard& shard = shards[i].second;
    merged.wall_seconds = std::max(merged.wall_seconds, shard.wall_seconds);
    std::move(shard.runs.begin(), shard.runs.end(), std::back_inserter(merged.runs));
  }
  std::sort(merged.runs.begin(), merged.runs.end(),
            [](const WorkerResult& a, const WorkerResult& b) { return a.seed < b.seed; });
  return merged;
}

}  // namespace ringside::lab
