#include "lab/worker.h"

#include <poll.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "lab/worker_process.h"

namespace ringside::lab {
namespace {

using WallClock = std::chrono::steady_clock;

class Pool {
 public:
  Pool(const std::vector<uint64_t>& seeds, const Launch& launch, const WorkerOptions& options)
      : seeds_(seeds), launch_(launch), options_(options), started_(WallClock::now()) {}

  void run() {
    while (true) {
      while (going_on_ && next_ < seeds_.size() && workers_.size() < std::max(1u, options_.jobs))
        start_one();
      if (workers_.empty()) return;
      std::vector<pollfd> waits;
      for (const auto& worker : workers_) waits.push_back({worker->line(), POLLIN, 0});
      if (options_.hold && options_.hold()) {
        poll(nullptr, 0, options_.look_every_ms);
        tell();
        continue;
      }
      poll(waits.data(), waits.size(), options_.look_every_ms);
      for (std::size_t i = waits.size(); i-- > 0;) {
        if (waits[i].revents != 0 && !workers_[i]->listen()) finish(i);
      }
      tell();
    }
  }

 private:
  void start_one() {
    const uint64_t seed = seeds_[next_++];
    const Result<Started> started = launch_(seed);
    if (!started.ok()) {
      report({.seed = seed, .message = started.error().message});
      return;
    }
    workers_.push_back(std::make_unique<WorkerProcess>(seed, *started));
    workers_.back()->on_letter = [this](char letter, std::string_view body) {
      if (letter == WorkerProcess::kSnapshotLetter && options_.on_snapshot)
        options_.on_snapshot(body);
    };
  }
  void finish(std::size_t i) {
    WorkerResult result = workers_[i]->take();
    workers_.erase(workers_.begin() + static_cast<std::ptrdiff_t>(i));
    report(std::move(result));
  }
  void report(WorkerResult result) {
    ++finished_;
    if (options_.on_result && !options_.on_result(std::move(result))) going_on_ = false;
  }
  void tell() const {
    if (!options_.on_progress) return;
    Progress progress;
    progress.finished = finished_;
    progress.all = seeds_.size();
    double done = static_cast<double>(finished_);
    for (const auto& worker : workers_) done += worker->share();
    progress.share = done / static_cast<double>(seeds_.size());
    progress.elapsed_seconds = std::chrono::duration<double>(WallClock::now() - started_).count();
    options_.on_progress(progress);
  }

  const std::vector<uint64_t>& seeds_;
  const Launch& launch_;
  const WorkerOptions& options_;
  WallClock::time_point started_;
  std::vector<std::unique_ptr<WorkerProcess>> workers_;
  std::size_t next_ = 0;
  uint64_t finished_ = 0;
  bool going_on_ = true;
};

}  // namespace

void run_in_workers(const std::vector<uint64_t>& seeds, const WorkerBody& body,
                    const WorkerOptions& options) {
  run_launched(
      seeds, [&](uint64_t seed) { return start_worker(seed, body, options.trip_wire); }, options);
}

void run_launched(const std::vector<uint64_t>& seeds, const Launch& launch,
                  const WorkerOptions& options) {
  Pool(seeds, launch, options).run();
}

}  // namespace ringside::lab
