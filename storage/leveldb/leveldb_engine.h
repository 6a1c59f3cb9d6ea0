// LevelDB as an engine, for research: how a store that blocks on its files behaves in the same
// world. One coroutine makes groups: whatever was submitted becomes one WriteBatch, LevelDB writes
// it to the image of its files and does its background work there (leveldb/file_image.h); then the
// same coroutine makes every change of the files on the Disk, in order, and only then the group is
// durable. All files are in memory as well, so reads take no disk time. A failed disk call poisons.
//
// In LevelDB: "\0lsn" → u64, the last batch of the last group; "\1" + key → expires varint (0:
// never), value.
//
// What LevelDB itself cannot keep under the Disk's model is in storage/README.md.
#pragma once

#include <leveldb/cache.h>
#include <leveldb/db.h>
#include <leveldb/filter_policy.h>
#include <leveldb/write_batch.h>

#include <deque>
#include <map>
#include <memory>
#include <string>

#include "runtime/event.h"
#include "runtime/scope.h"
#include "storage/engine.h"
#include "storage/leveldb/file_image.h"
#include "storage/version_map.h"

namespace ringside {

struct LevelDbRules {
  NameSyncs name_syncs = NameSyncs::kAsJournal;
  // A record of the log that does not check out, a torn tail too, is kCorrupt when LevelDB opens.
  // Without, LevelDB leaves out the rest of its 32 KiB block and goes on, which is its own default.
  bool paranoid = true;
};

class LevelDbEngine final : public Engine {
 public:
  LevelDbEngine(Host& host, EngineOptions options, LevelDbRules rules);
  ~LevelDbEngine() override;

  Task<Result<void>> recover();

  Result<Lsn> submit(const Batch& batch) override;
  Lsn last_submitted() const override { return last_; }
  MemoryLookup lookup(std::string_view key, View view) override;  // never kNotInMemory
  Task<Result<std::optional<std::string>>> get(std::string key, View view) override;
  Task<Result<Rows>> scan(std::string begin, std::string end, ScanLimits limits,
                          View view) override;
  Task<void> room() override;
  Task<Result<void>> flush() override;
  Task<Result<void>> close() override;
  const EngineStats& stats() const override;

 private:
  struct Submitted {
    Lsn lsn;
    std::string batch;
  };
  struct Found {
    bool live = false;
    Lsn lsn = 0;  // what to wait for before it may be told; 0: it is durable
    std::string value;
  };

  // leveldb_engine.cc
  Task<Result<void>> load_files();
  leveldb::Status open_db();
  // Calls LevelDB and does the background work that it asked for, so that none is waiting when it
  // is called the next time: a write that finds a memtable on its way, or too many tables in level
  // 0, would wait for a thread that there is not.
  template <class Call>
  auto in_leveldb(Call call) {
    files_.set_now(host_.clock().now());
    auto result = call();
    files_.run_background();
    return result;
  }
  void start_loop();
  Task<void> commit_loop();
  leveldb::Status write_group();
  leveldb::Status add_to_group(leveldb::WriteBatch& group, std::string_view batch);
  void make_durable();
  void release_snapshots();
  Result<void> result_of(const leveldb::Status& status) const;
  Task<Result<void>> drain();
  Task<Result<void>> perform(FileOperation operation);
  Task<void> watch_for_poison();

  // leveldb_read.cc
  Lsn visible(View view) const { return view.at(durable_.lsn()); }
  leveldb::ReadOptions reading(Lsn at) const;
  Result<Found> find(std::string_view key, Lsn at);

  Host& host_;
  EngineOptions options_;
  LevelDbRules rules_;
  mutable EngineStats stats_;
  FileImage files_;
  NullLogger logger_;
  std::unique_ptr<const leveldb::FilterPolicy> filter_;
  std::unique_ptr<leveldb::Cache> cache_;
  std::unique_ptr<leveldb::DB> db_;
  std::map<std::string, FileId> handles_;  // of files that LevelDB writes
  std::deque<Submitted> pending_;          // oldest first; not in LevelDB yet
  VersionMap overlay_;                     // what is in `pending_`
  uint64_t pending_bytes_ = 0;             // submitted and not durable
  Lsn last_ = 0;                           // submitted
  Lsn written_ = 0;                        // in LevelDB's memory, durable or not
  // While a group is on its way: the state before it, which is what is durable.
  const leveldb::Snapshot* at_durable_ = nullptr;
  std::map<Lsn, const leveldb::Snapshot*> kept_;  // older states that a Snapshot holds
  uint64_t group_bytes_ = 0;                      // of the group on its way
  uint64_t flushes_asked_ = 0, flushes_done_ = 0;
  bool committing_ = false;
  bool closed_ = false;
  std::string found_;  // what the last `lookup` points to
  Event changed_;      // pulsed whenever the loop went round
  Scope scope_;
};

// Where keys are in LevelDB.
inline constexpr char kUserPrefix = '\1';

Task<Result<std::unique_ptr<Engine>>> open_leveldb(Host& host, EngineOptions options,
                                                   LevelDbRules rules);

}  // namespace ringside
