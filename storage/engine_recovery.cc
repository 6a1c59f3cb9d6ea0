// Opening an engine: manifest, tables, log; then what is needed to write. Nothing is changed before
// everything was read, and every change may be cut off and done again.

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "storage/engine_impl.h"
#include "storage/engine_kinds.h"

namespace ringside {

Task<Result<void>> EngineImpl::recover() {
  Result<void> done = co_await prepare_directories();
  if (!done.ok()) co_return done;
  Result<ManifestState> read = co_await Manifest::read(host_, options_.directory);
  if (!read.ok()) co_return read.error();
  ManifestState state = *std::move(read);
  if (state.sequence == 0 && options_.one_tablet) {
    state.tablets.push_back({.id = state.next_tablet++});
  }
  done = co_await open_tablets(state);
  if (!done.ok()) co_return done;
  Result<LogRecovery> recovered =
      co_await recover_log(host_, log_directory_, state.flushed, *this,
                           {.cipher = cipher_ ? &*cipher_ : nullptr, .lost = options_.lost_log});
  if (!recovered.ok()) co_return recovered.error();
  if (state.sequence == 0 && !recovered->empty) {
    co_return Error{Code::kCorrupt,
                    options_.directory + "/manifest at 0: it is gone, and the log is not"};
  }
  if (recovered->manifest_sequence > state.sequence) {
    co_return Error{Code::kCorrupt, options_.directory + "/manifest ends at record " +
                                        std::to_string(state.sequence) +
                                        ", but the log saw record " +
                                        std::to_string(recovered->manifest_sequence) + " durable"};
  }
  stats_.recovered_batches = recovered->end - state.flushed;
  stats_.torn_tails_cut = recovered->torn_tail ? 1 : 0;

  if (!recovered->lost.empty()) {
    stats_.lost_batches = 0;
    std::string why;
    for (const LostBatches& lost : recovered->lost) {
      stats_.lost_batches += lost.last - lost.first + 1;
      why = lost.file + " at " + std::to_string(lost.offset) + ": batches " +
            std::to_string(lost.first) + " to " + std::to_string(lost.last) + " are lost";
    }
    // The manifest says so from now on: the log will forget.
    for (TabletState& tablet : state.tablets) tablet.suspect = why;
    for (const std::shared_ptr<Tablet>& tablet : tablets_) tablet->suspect = why;
  }
  next_table_ = state.next_table;
  next_tablet_ = state.next_tablet;
  Result<std::unique_ptr<Manifest>> manifest =
      co_await Manifest::create(host_, options_.directory, std::move(state));
  if (!manifest.ok()) co_return manifest.error();
  manifest_ = *std::move(manifest);
  done = co_await remove_orphans();
  if (!done.ok()) co_return done;

  const std::size_t segments = recovered->start.in_use.size();
  durable_.advance(recovered->start.next_lsn - 1);
  log_ = std::make_unique<Log>(host_,
                               LogOptions{.directory = log_directory_,
                                          .segment_bytes = options_.log_segment_bytes,
                                          .group_bytes_max = options_.group_bytes_max,
                                          .seal_after = options_.seal_after,
                                          .sync = options_.sync,
                                          .fill_segments = options_.fill_segments,
                                          .archive_bytes_max = options_.archive_bytes_max,
                                          .cipher = cipher_ ? &*cipher_ : nullptr},
                               durable_, stats_, std::move(recovered->start));
  log_->set_manifest_sequence(manifest_->state().sequence);
  log_->append_again(logged_again_);
  logged_again_.clear();
  CHECK(log_->last() == recovered->end);
  done = co_await durable_.wait(recovered->end);
  if (!done.ok()) co_return done;
  scope_.spawn(watch_for_poison());
  co_await check_space();
  // Every life begins a segment; one that keeps crashing must not pile them up.
  recovered_log_bytes_ = log_->bytes_in_use();
  if ((segments > kRecoveredSegmentsMax && active_bytes_ > 0) || active_full()) freeze();
  start_background();
  if (options_.scrub_every > 0) scope_.spawn(scrub_loop());
  co_return Result<void>();
}

Task<Result<void>> EngineImpl::prepare_directories() {
  Result<void> done = co_await make_directories(host_, options_.directory);
  if (done.ok()) done = co_await host_.disk().make_directory(log_directory_);
  if (done.ok()) done = co_await host_.disk().make_directory(table_directory_);
  if (done.ok()) done = co_await host_.disk().sync_directory(options_.directory);
  // A log file that the last process created and did not live to sync the name of will be written
  // to again.
  if (done.ok()) done = co_await host_.disk().sync_directory(log_directory_);
  co_return done;
}

Task<Result<void>> EngineImpl::open_tablets(const ManifestState& state) {
  std::map<uint64_t, std::shared_ptr<Table>> tables;  // a checkpoint shares them
  for (const TabletState& at : state.tablets) {
    auto tablet = std::make_shared<Tablet>();
    tablet->id = at.id;
    tablet->range = at.range;
    tablet->created = at.created;
    tablet->suspect = at.suspect;
    Result<std::shared_ptr<const TabletVersion>> version = co_await open_version(at, tables);
    if (!version.ok()) co_return version.error();
    tablet->version = *std::move(version);
    tablet->ranges_removed = !tablet->version->range_removes.empty();
    place(std::move(tablet));
  }
  for (const CheckpointState& at : state.checkpoints) {
    Checkpoint checkpoint{.lsn = at.lsn};
    for (const TabletState& tablet : at.tablets) {
      Result<std::shared_ptr<const TabletVersion>> version = co_await open_version(tablet, tables);
      if (!version.ok()) co_return version.error();
      checkpoint.tablets.emplace_back(tablet.range, *std::move(version));
    }
    checkpoints_.emplace(at.name, std::move(checkpoint));
  }
  weigh_debt();
  co_return Result<void>();
}

// A table that cannot be read stands for itself all the same: reads of its keys fail, the rest
// serves.
Task<Result<std::shared_ptr<const TabletVersion>>> EngineImpl::open_version(
    const TabletState& state, std::map<uint64_t, std::shared_ptr<Table>>& tables) {
  std::vector<std::pair<uint64_t, std::shared_ptr<Table>>> added;
  for (const LeveledTable& at : state.tables) {
    std::shared_ptr<Table>& table = tables[at.table.id];
    if (table == nullptr) {
      Result<std::shared_ptr<Table>> opened =
          co_await Table::open(host_, table_directory_, at.table, table_options(), &cache_);
      if (!opened.ok() && opened.code() != Code::kCorrupt) co_return opened.error();
      if (opened.ok()) {
        table = *std::move(opened);
      } else {
        host_.trace().probe("engine.table_suspect");
        table = Table::unreadable(table_directory_, at.table, opened.error());
      }
    }
    added.emplace_back(at.level, table);
  }
  co_return TabletVersion().with({}, added, state.range_removes);
}

// Tables that were being written, or that a merge replaced, when the last process ended.
Task<Result<void>> EngineImpl::remove_orphans() {
  Result<std::vector<std::string>> names = co_await host_.disk().list(table_directory_);
  if (!names.ok()) co_return names.error();
  std::set<uint64_t> named;  // a node with many tablets has many
  const auto note = [&named](const std::vector<TabletState>& tablets) {
    for (const TabletState& tablet : tablets) {
      for (const LeveledTable& at : tablet.tables) named.insert(at.table.id);
    }
  };
  note(manifest_->state().tablets);
  for (const CheckpointState& checkpoint : manifest_->state().checkpoints) note(checkpoint.tablets);
  for (const std::string& name : *names) {
    const uint64_t id = std::strtoull(name.c_str(), nullptr, 10);
    if (id == 0 || table_file_name(table_directory_, id) != table_directory_ + "/" + name) continue;
    if (named.contains(id)) continue;
    host_.trace().probe("engine.orphan_removed");
    Result<void> removed = co_await host_.disk().remove(table_directory_ + "/" + name);
    if (!removed.ok()) co_return removed;
    next_table_ = std::max(next_table_, id + 1);
  }
  co_return Result<void>();
}

void EngineImpl::replay(Lsn lsn, std::string_view batch, bool proven) {
  BatchReader reader(batch);
  for (BatchOperation operation; reader.next(operation);) apply(operation, lsn, lsn);
  CHECK(reader.ok());  // the group's checksum held, so this is what a Batch wrote
  if (!proven) logged_again_.emplace_back(batch);
}

}  // namespace ringside
