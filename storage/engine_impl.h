// The engine itself. Data moves one way: log and active memtable, immutable memtables (oldest
// first), tables (newest first). Flushing and merging run beside the requests in slices; the
// manifest takes one edit at a time. A table is read by whoever holds its TableSet, and its file is
// removed when nobody does.
#pragma once

#include <deque>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "runtime/event.h"
#include "runtime/semaphore.h"
#include "storage/block_cache.h"
#include "storage/engine.h"
#include "storage/log.h"
#include "storage/log_recovery.h"
#include "storage/manifest.h"
#include "storage/memtable.h"
#include "storage/table.h"
#include "storage/table_writer.h"

namespace ringside {

class EngineImpl final : public Engine, private BatchSink {
 public:
  EngineImpl(Host& host, EngineOptions options);

  Task<Result<void>> recover();

  Result<Lsn> submit(const Batch& batch) override;
  Lsn last_submitted() const override { return log_->last(); }
  MemoryLookup lookup(std::string_view key, View view) override;
  Task<Result<std::optional<std::string>>> get(std::string key, View view) override;
  Task<Result<std::vector<Entry>>> scan(std::string begin, std::string end, ScanLimits limits,
                                        View view) override;
  Task<Result<void>> flush() override;
  Task<Result<void>> close() override;
  const EngineStats& stats() const override;

 private:
  static constexpr std::size_t kImmutablesMax = 2;
  static constexpr std::size_t kRecoveredSegmentsMax = 4;
  static constexpr uint64_t kSpaceCheckBytes = 1u << 20;
  static constexpr Duration kRetryAfter = 100 * kMillisecond;

  // engine_recovery.cc
  Task<Result<void>> prepare_directories();
  Task<Result<void>> open_tables(const ManifestState& state);
  Task<Result<void>> remove_orphans();
  void replay(Lsn lsn, std::string_view batch, bool proven) override;

  // engine.cc
  Lsn visible(View view) const {
    return view == View::kDurable ? durable_.lsn() : std::numeric_limits<Lsn>::max();
  }
  bool active_full() const;
  void rotate();
  MemoryLookup look_in_tables(std::string_view key, uint64_t hash, Lsn at);
  void check_space_when_due();
  Task<void> check_space();
  void say_no_space();  // puts are turned away until there is room
  Task<void> watch_for_poison();

  // engine_scan.cc
  struct Row;
  std::vector<Row> rows_in_memory(std::string_view begin, std::string_view end, ScanLimits limits,
                                  Lsn at) const;

  // engine_flush.cc
  void start_background();
  Task<void> flush_loop();
  Task<Result<void>> flush_oldest();
  Task<void> merge_loop();
  Task<Result<void>> merge_all();
  Task<Result<void>> adopt(ManifestEdit edit, TableSet replaced);
  Task<void> sweep_retired();
  void on_background_error(const Error& error);

  Host& host_;
  EngineOptions options_;
  std::string log_directory_;
  std::string table_directory_;
  mutable EngineStats stats_;
  std::unique_ptr<Manifest> manifest_;
  BlockCache cache_;
  std::shared_ptr<Memtable> active_;
  std::deque<std::shared_ptr<Memtable>> immutables_;  // oldest first
  std::shared_ptr<const TableSet> tables_;
  TableSet retired_;                       // replaced, and perhaps still read
  std::vector<std::string> logged_again_;  // recovered batches that were not proven durable
  std::unique_ptr<Log> log_;
  uint64_t next_table_ = 1;
  uint64_t recovered_log_bytes_ = 0;  // of what is in the active memtable
  uint64_t log_bytes_at_rotation_ = 0;
  uint64_t log_bytes_at_space_check_ = 0;
  bool no_space_ = false;
  bool checking_space_ = false;
  bool flushing_ = false;
  bool merging_ = false;
  bool closed_ = false;
  Result<void> background_;  // the last attempt of a flush
  Event changed_;            // pulsed when a flush or merge ended, well or not
  Semaphore manifest_lock_;
  Scope scope_;
};

}  // namespace ringside
