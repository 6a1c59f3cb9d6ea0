// Opening an engine: manifest, tables, log; then what is needed to write. Nothing is changed before
// everything was read, and every change may be cut off and done again.

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "storage/engine_impl.h"

namespace ringside {

Task<Result<void>> EngineImpl::recover() {
  Result<void> done = co_await prepare_directories();
  if (!done.ok()) co_return done;
  Result<ManifestState> read = co_await Manifest::read(host_, options_.directory);
  if (!read.ok()) co_return read.error();
  ManifestState state = *std::move(read);
  done = co_await open_tables(state);
  if (!done.ok()) co_return done;
  Result<LogRecovery> recovered = co_await recover_log(host_, log_directory_, state.flushed, *this);
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

  next_table_ = state.next_table;
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
                                          .sync = options_.sync},
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
  if (segments > kRecoveredSegmentsMax || active_full()) rotate();
  co_return Result<void>();
}

// Each name lasts before anything beneath it counts.
Task<Result<void>> EngineImpl::prepare_directories() {
  std::string parent;
  for (std::size_t at = 0; at <= options_.directory.size(); ++at) {
    if (at < options_.directory.size() && options_.directory[at] != '/') continue;
    const std::string directory = options_.directory.substr(0, at);
    Result<void> done = co_await host_.disk().make_directory(directory);
    if (done.ok()) done = co_await host_.disk().sync_directory(parent);
    if (!done.ok()) co_return done;
    parent = directory;
  }
  Result<void> done = co_await host_.disk().make_directory(log_directory_);
  if (done.ok()) done = co_await host_.disk().make_directory(table_directory_);
  if (done.ok()) done = co_await host_.disk().sync_directory(options_.directory);
  // A log file that the last process created and did not live to sync the name of will be written
  // to again.
  if (done.ok()) done = co_await host_.disk().sync_directory(log_directory_);
  co_return done;
}

Task<Result<void>> EngineImpl::open_tables(const ManifestState& state) {
  auto tables = std::make_shared<TableSet>();
  for (const TableDescription& description : state.tables) {
    Result<std::shared_ptr<Table>> table =
        co_await Table::open(host_, table_directory_, description);
    if (!table.ok()) co_return table.error();
    tables->push_back(*std::move(table));
  }
  tables_ = std::move(tables);
  co_return Result<void>();
}

// Tables that were being written, or that a merge replaced, when the last process ended.
Task<Result<void>> EngineImpl::remove_orphans() {
  Result<std::vector<std::string>> names = co_await host_.disk().list(table_directory_);
  if (!names.ok()) co_return names.error();
  for (const std::string& name : *names) {
    const uint64_t id = std::strtoull(name.c_str(), nullptr, 10);
    if (id == 0 || table_file_name(table_directory_, id) != table_directory_ + "/" + name) continue;
    const std::vector<TableDescription>& tables = manifest_->state().tables;
    if (std::any_of(tables.begin(), tables.end(),
                    [id](const auto& table) { return table.id == id; }))
      continue;
    host_.trace().probe("engine.orphan_removed");
    Result<void> removed = co_await host_.disk().remove(table_directory_ + "/" + name);
    if (!removed.ok()) co_return removed;
    next_table_ = std::max(next_table_, id + 1);
  }
  co_return Result<void>();
}

void EngineImpl::replay(Lsn lsn, std::string_view batch, bool proven) {
  BatchReader reader(batch);
  for (BatchOperation operation; reader.next(operation);) active_->apply(operation, lsn, lsn);
  CHECK(reader.ok());  // the group's checksum held, so this is what a Batch wrote
  if (!proven) logged_again_.emplace_back(batch);
}

}  // namespace ringside
