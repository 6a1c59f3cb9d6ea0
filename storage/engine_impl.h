// The engine itself. Data moves one way: log and active memtables, frozen memtables (a generation
// of all tablets at a time, oldest first), level 0, deeper levels. Flushing and merging run beside
// the requests in slices; the manifest takes one edit at a time. A table is read by whoever holds
// its TabletVersion, and its file is removed when nobody does.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/event.h"
#include "runtime/semaphore.h"
#include "storage/admission.h"
#include "storage/block_cache.h"
#include "storage/cipher.h"
#include "storage/drop_rules.h"
#include "storage/engine.h"
#include "storage/log.h"
#include "storage/log_recovery.h"
#include "storage/manifest.h"
#include "storage/slice.h"
#include "storage/table.h"
#include "storage/table_writer.h"
#include "storage/tablet.h"

namespace ringside {

class EngineImpl final : public Engine, private BatchSink {
 public:
  EngineImpl(Host& host, EngineOptions options);

  Task<Result<void>> recover();

  Result<Lsn> submit(const Batch& batch) override;
  Lsn last_submitted() const override { return log_->last(); }
  Task<void> room() override;
  MemoryLookup lookup(std::string_view key, View view) override;
  Task<Result<std::optional<std::string>>> get(std::string key, View view) override;
  Task<Result<Rows>> scan(std::string begin, std::string end, ScanLimits limits,
                          View view) override;
  Task<Result<void>> flush() override;
  Task<Result<void>> close() override;
  const EngineStats& stats() const override;

  std::vector<TabletInfo> tablets() const override;
  Task<Result<void>> create_tablets(std::vector<KeyRange> ranges) override;
  Task<Result<void>> drop_tablet(KeyRange range) override;
  Task<Result<std::unique_ptr<RangeExport>>> export_range(KeyRange range,
                                                          std::string checkpoint) override;
  Task<Result<std::unique_ptr<RangeImport>>> import_range(KeyRange range) override;
  Task<Result<Lsn>> create_checkpoint(std::string name) override;
  Task<Result<void>> drop_checkpoint(std::string name) override;
  std::vector<std::string> checkpoints() const override;
  Task<Result<Rows>> scan_checkpoint(std::string name, std::string begin, std::string end,
                                     ScanLimits limits) override;
  Task<Result<std::vector<LoggedBatch>>> changes(Lsn after, ChangeLimits limits) override;
  Task<Result<MerkleHashes>> merkle(KeyRange tablet) override;
  void repaired(const KeyRange& tablet, Lsn up_to) override;
  std::vector<Suspect> suspects() const override;
  Task<Result<ScrubReport>> scrub() override;

 private:
  friend class EngineExport;
  friend class EngineImport;

  using Tablets = std::vector<std::shared_ptr<Tablet>>;  // by range
  struct Generation {
    uint64_t number = 0;
    Lsn last = 0;
    uint64_t bytes = 0;
  };
  // What a flush or merge does to a tablet.
  struct Change {
    std::shared_ptr<Tablet> tablet;
    TableSet removed;
    std::vector<std::pair<uint64_t, std::shared_ptr<Table>>> added;  // with their levels
    std::vector<RangeRemove> range_removes;                          // added
  };
  struct Checkpoint {
    Lsn lsn = 0;
    std::vector<std::pair<KeyRange, std::shared_ptr<const TabletVersion>>> tablets;
  };
  struct Budget;
  // Where a scan reads: a tablet as of now, or one of a checkpoint, without memtables.
  struct Source {
    KeyRange range;
    std::shared_ptr<const TabletVersion> version;
    Tablet* tablet = nullptr;  // null: of a checkpoint
  };

  static constexpr std::size_t kGenerationsMax = 3;
  static constexpr std::size_t kRecoveredSegmentsMax = 4;
  // Of log, or a quarter of a smaller reserve.
  static constexpr uint64_t kSpaceCheckBytes = 1u << 20;
  static constexpr Duration kWaitMin = 20 * kMicrosecond;
  static constexpr Duration kRetryAfter = 100 * kMillisecond;

  // engine_recovery.cc
  Task<Result<void>> prepare_directories();
  Task<Result<void>> open_tablets(const ManifestState& state);
  Task<Result<std::shared_ptr<const TabletVersion>>> open_version(
      const TabletState& state, std::map<uint64_t, std::shared_ptr<Table>>& tables);
  Task<Result<void>> remove_orphans();
  void replay(Lsn lsn, std::string_view batch, bool proven) override;

  // engine.cc
  Tablet* tablet_of(std::string_view key) const;
  void add_tablet(std::shared_ptr<Tablet> tablet);
  void remove_tablet(const std::shared_ptr<Tablet>& tablet);
  bool all_in_tablets(std::string_view batch) const;
  void apply(const BatchOperation& operation, Lsn lsn, Lsn oldest);
  Tablets tablets_and_coming() const;
  bool active_full() const;
  bool must_wait() const;
  uint64_t memory_fill() const;
  Duration admission_wait() const;
  void freeze();
  int64_t wall() const;
  bool hidden(const Tablet& tablet, const StoredEntry& entry, Lsn at);
  // kNotInMemory: they know nothing of the key.
  MemoryLookup look_in_memtables(const Tablet& tablet, std::string_view key, uint64_t hash, Lsn at);
  MemoryLookup look_in_tables(const Tablet& tablet, std::string_view key, uint64_t hash, Lsn at);
  void check_space_when_due();
  Task<void> check_space();
  void say_no_space();  // puts are turned away until there is room
  Task<void> watch_for_poison();

  // engine_scan.cc
  Task<Result<void>> scan_source(Source source, KeyRange range, Lsn at, ScanLimits limits,
                                 Budget& budget, Rows& found);
  Task<Result<Rows>> scan_rows(KeyRange range, ScanLimits limits, Lsn at);
  Task<Result<Rows>> scan_checkpoint_rows(std::string name, KeyRange range, ScanLimits limits);

  // engine_flush.cc
  void start_background();
  Task<void> flush_loop();
  Task<Result<void>> flush_frozen();
  Task<Result<void>> write_memtables(std::shared_ptr<Tablet> tablet,
                                     std::vector<std::shared_ptr<Memtable>> memtables,
                                     Change& change);
  Task<Result<void>> adopt(std::vector<Change> changes, Lsn flushed);
  Task<Result<std::shared_ptr<Table>>> finish_table(TableWriter& writer, Lsn ranges_applied);
  TableOptions table_options() const;
  Lsn ranges_applied(const std::vector<RangeRemove>& removes, Lsn first_lsn) const;
  Task<void> sweep_retired();
  void on_background_error(const Error& error);
  void weigh_debt();

  // engine_merge.cc
  Task<void> merge_loop(bool level0);
  std::shared_ptr<Tablet> pick(bool level0, MergePlan& plan);
  Task<Result<void>> merge(std::shared_ptr<Tablet> tablet, MergePlan plan, bool level0);
  Task<Result<void>> rewrite(std::shared_ptr<Tablet> tablet, const MergePlan& plan, bool level0,
                             Change& change);
  Task<Result<void>> adopt_passed(std::shared_ptr<Tablet> tablet, const MergePlan& plan,
                                  std::size_t passed, Change& change);
  bool count_fate(Fate fate);
  Task<void> pace(Slice& slice, bool level0);

  // engine_tablets.cc
  std::shared_ptr<Tablet> find_tablet(const KeyRange& range) const;
  bool overlaps_tablet(const KeyRange& range) const;
  void place(std::shared_ptr<Tablet> tablet);
  struct NewTablet {
    KeyRange range;
    std::vector<std::shared_ptr<Table>> tables;
  };
  Task<Result<void>> add_tablets(std::vector<NewTablet> asked);
  void retire(const TabletVersion& version);
  Task<void> scrub_loop();

  // engine_merkle.cc
  Task<Result<void>> hash_leaves(std::shared_ptr<Tablet> tablet, uint32_t first, uint32_t last);
  Task<Result<uint64_t>> scrub_table(std::shared_ptr<Table> table);
  Task<Result<void>> scrub_version(std::shared_ptr<const TabletVersion> version,
                                   std::set<uint64_t>& seen, ScrubReport& report);

  Host& host_;
  EngineOptions options_;
  std::string log_directory_;
  std::string table_directory_;
  mutable EngineStats stats_;
  std::optional<Cipher> cipher_;
  std::unique_ptr<Manifest> manifest_;
  mutable BlockCache cache_;
  Tablets tablets_;                                        // by range
  std::vector<uint64_t> tablet_words_, tablet_end_words_;  // of each, the first of its bounds
  Tablets coming_;                                         // the manifest is about to name them
  std::deque<Generation> generations_;                     // frozen, oldest first
  uint64_t next_generation_ = 1;
  uint64_t active_bytes_ = 0;  // of all active memtables
  uint64_t frozen_bytes_ = 0;  // of all frozen ones
  Admission flush_admission_;
  Admission merge_admission_;
  std::map<std::string, Checkpoint> checkpoints_;
  std::map<uint64_t, Suspect> bad_tables_;  // by table; found by reads of a scrub or merge
  TableSet retired_;                        // replaced, and perhaps still read
  std::vector<std::string> logged_again_;   // recovered batches that were not proven durable
  std::unique_ptr<Log> log_;
  uint64_t next_table_ = 1;
  uint64_t next_tablet_ = 1;
  uint64_t recovered_log_bytes_ = 0;  // of what is in the active memtables
  uint64_t log_bytes_at_freeze_ = 0;
  uint64_t log_bytes_at_space_check_ = 0;
  uint64_t table_pressure_ = 0;   // 0 … kPressureMax: tables of level 0
  uint64_t pressure_ = 0;         // 0 … kPressureMax: how far merges are behind
  bool too_many_tables_ = false;  // in level 0 of some tablet, less what is merged
  int64_t merge_credit_ = 0;      // bytes that merges may read before they wait for more ingest
  uint64_t ingest_at_pace_ = 0;
  uint64_t tablet_turn_ = 0;
  bool no_space_ = false;
  bool checking_space_ = false;
  bool deeper_urgent_ = false;  // some deeper level is far above its size
  bool flushing_ = false;
  bool merging_level0_ = false;
  bool merging_deeper_ = false;
  bool working_level0_ = false;  // a merge of level 0 is at work: deeper ones wait
  bool closed_ = false;
  Result<void> background_;  // the last attempt of a flush
  Event changed_;            // pulsed when a flush or merge ended, well or not
  Semaphore manifest_lock_;
  Scope scope_;
};

inline constexpr uint64_t kPressureMax = 1024;

}  // namespace ringside
