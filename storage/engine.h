// Engine: one node's durable, ordered map from keys to values, over a log with group commit, a
// memtable and sorted tables. A batch is all or nothing. `submit` orders a batch and shows it to
// View::kLatest at once; View::kDurable shows it when the log holds it, which is what `durable`
// waits for. Acknowledge only what is durable. After a failed sync the engine is poisoned: every
// wait fails, nothing is written again, and the process aborts (unless told not to) and recovers.
// Nothing in it grows without bound: `submit` says kOverloaded or kNoSpace instead.
//
//   Result<Lsn> lsn = engine.submit(batch);
//   if (lsn.ok()) { Result<void> held = co_await engine.durable(*lsn); … }
//
// The second half (tablets, checkpoints, changes, …) is what the engine of this room adds; other
// engines behind this interface refuse it with kInvalid.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/host.h"
#include "storage/batch.h"
#include "storage/changes.h"
#include "storage/durable_mark.h"
#include "storage/engine_options.h"
#include "storage/key_range.h"
#include "storage/rows.h"
#include "storage/view.h"

namespace ringside {

struct ScanLimits {
  uint64_t rows_max = 1'000;
  uint64_t bytes_max = 1u << 20;  // of keys and values; the row that reaches it is the last one
  bool fill_cache = true;         // false for what reads everything once
};

// What can be said of a key without waiting for the disk.
struct MemoryLookup {
  enum class State : uint8_t {
    kFound,
    kRemoved,      // surely not there: removed, expired, or no table can hold it
    kNotInMemory,  // ask `get`
  } state = State::kNotInMemory;
  std::string_view value;  // valid until the next suspension
  Lsn lsn = 0;  // the batch that said so, for `durable`; 0 when a table says so, which is durable
};

struct TabletInfo {
  uint64_t id = 0;
  KeyRange range;
  uint64_t memory_bytes = 0;
  uint64_t table_bytes = 0;  // of files
  uint64_t tables = 0;
  uint64_t keys = 0;  // an estimate: a key counts once for every place that holds it
};

// Keys about which this engine can no longer say the truth: reads of them fail with kCorrupt. Does
// not count towards R; repair it from peers (drop the tablet and import it, or write the keys anew
// where a whole value is written).
struct Suspect {
  KeyRange range;
  std::string why;  // names the file and the offset
};

struct MerkleHash {
  uint64_t high = 0, low = 0;
  friend bool operator==(const MerkleHash&, const MerkleHash&) = default;
};

// A tablet's tree, root first: node i has the children 2 i + 1 and 2 i + 2. Two engines that hold
// the same live keys and values in a range have the same hashes (storage/merkle.h).
struct MerkleHashes {
  KeyRange range;
  std::vector<MerkleHash> nodes;
};

struct ScrubReport {
  uint64_t tables = 0;
  uint64_t bytes = 0;
  std::vector<Suspect> bad;
};

struct EngineStats {
  uint64_t batches = 0, groups = 0, syncs = 0, log_bytes = 0, seals = 0, batch_bytes = 0;
  uint64_t flushes = 0, tables = 0, merges = 0, moves = 0, table_bytes = 0;
  uint64_t flushed_bytes = 0, merged_bytes = 0, merge_read_bytes = 0;  // of table files
  uint64_t memtable_bytes = 0;
  uint64_t log_segments = 0, log_segments_recycled = 0;
  uint64_t recovered_batches = 0, torn_tails_cut = 0, lost_batches = 0;
  uint64_t block_reads = 0, block_hits = 0, bloom_rejections = 0, bloom_false_positives = 0;
  uint64_t overloaded = 0;
  uint64_t slice_units_max = 0;  // the longest stretch of background work between two yields
  // What merges and flushes left out: entries in = entries out + these.
  uint64_t dropped_superseded = 0, dropped_removes = 0, dropped_in_range = 0, dropped_expired = 0;
  // How often each invariant that the engine asserts was exercised (storage/README.md).
  uint64_t checked_i4 = 0, checked_i5 = 0, checked_i7 = 0, checked_i8 = 0;
};

// A range on its way to another engine, chunk by chunk (storage/range_stream.h).
class RangeExport {
 public:
  virtual ~RangeExport() = default;
  // The next chunk; nothing after the last one.
  virtual Task<Result<std::optional<std::string>>> next() = 0;
};
class RangeImport {
 public:
  virtual ~RangeImport() = default;
  // Chunks in order. kCorrupt: not what was exported.
  virtual Task<Result<void>> add(std::string chunk) = 0;
  // The range is a tablet of this engine when it returns, whole; before that, nothing of it is.
  virtual Task<Result<void>> finish() = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;

  // Opens or creates the engine of options.kind; recovers. kCorrupt names the file and the offset.
  static Task<Result<std::unique_ptr<Engine>>> open(Host& host, EngineOptions options);

  // kOverloaded, kNoSpace, kInvalid (empty, too long, or a key of no tablet) or kClosed (poisoned)
  // when not taken.
  virtual Result<Lsn> submit(const Batch& batch) = 0;
  // Result<void> held = co_await engine.durable(lsn): returns at once when it is.
  DurableMark::Awaiter durable(Lsn lsn) { return durable_.wait(lsn); }
  virtual Lsn last_submitted() const = 0;
  Lsn last_durable() const { return durable_.lsn(); }
  // Returns when it is worth to submit again after kOverloaded.
  virtual Task<void> room() = 0;

  virtual MemoryLookup lookup(std::string_view key, View view) = 0;
  virtual Task<Result<std::optional<std::string>>> get(std::string key, View view) = 0;
  // Keys in [begin, end) in order; an empty `end` has no bound. Fewer rows than the limits allow
  // means the end. One scan is one snapshot, as of its start. Keys of no tablet are not there.
  virtual Task<Result<Rows>> scan(std::string begin, std::string end, ScanLimits limits,
                                  View view) = 0;
  // What is durable now, or with kLatest what was submitted. Ends before the engine does.
  Snapshot snapshot(View view = View::kDurable) {
    return {snapshots_, view == View::kLatest ? last_submitted() : view.at(last_durable())};
  }

  virtual Task<Result<void>> flush() = 0;  // what is in memory becomes tables
  virtual Task<Result<void>> close() = 0;  // flushes nothing: the log is enough
  bool poisoned() const { return durable_.poisoned(); }
  virtual const EngineStats& stats() const = 0;

  // Tablets, in the order of their ranges, which are disjoint.
  virtual std::vector<TabletInfo> tablets() const { return {}; }
  // All or none. kExists when one overlaps a tablet, or another one.
  virtual Task<Result<void>> create_tablets(std::vector<KeyRange> ranges);
  Task<Result<void>> create_tablet(KeyRange range) { return create_tablets({std::move(range)}); }
  // The tablet of exactly this range. kNotFound.
  virtual Task<Result<void>> drop_tablet(KeyRange range);
  // The live keys of a range (within tablets) as of now, or as of a checkpoint.
  virtual Task<Result<std::unique_ptr<RangeExport>>> export_range(KeyRange range,
                                                                  std::string checkpoint = "");
  // Makes a tablet of what was exported. kExists when the range overlaps a tablet.
  virtual Task<Result<std::unique_ptr<RangeImport>>> import_range(KeyRange range);

  // A checkpoint pins the tables of this moment, after a flush, under a name. It survives restarts.
  virtual Task<Result<Lsn>> create_checkpoint(std::string name);
  virtual Task<Result<void>> drop_checkpoint(std::string name);
  virtual std::vector<std::string> checkpoints() const { return {}; }
  virtual Task<Result<Rows>> scan_checkpoint(std::string name, std::string begin, std::string end,
                                             ScanLimits limits);

  // The batches after `after`, in order, without a gap, durable ones alone; empty when there is
  // none yet. kNotFound when the archive no longer holds them.
  virtual Task<Result<std::vector<LoggedBatch>>> changes(Lsn after, ChangeLimits limits);

  // Brings the hashes of a tablet up to date (of every durable batch) and returns them.
  virtual Task<Result<MerkleHashes>> merkle(KeyRange tablet);

  // With hold_removes: removes up to this LSN have reached every replica of the tablet.
  virtual void repaired(const KeyRange& tablet, Lsn up_to);

  virtual std::vector<Suspect> suspects() const { return {}; }
  // Reads every block of every table once, past the cache, yielding; what is bad is suspect.
  virtual Task<Result<ScrubReport>> scrub();

 protected:
  explicit Engine(ReadyList& ready) : durable_(ready) {}

  DurableMark durable_;
  SnapshotList snapshots_;
};

}  // namespace ringside
