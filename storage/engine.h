// Engine: one node's durable, ordered map from keys to values, over a log with group commit, a
// memtable and sorted tables. A batch is all or nothing. `submit` orders a batch and shows it to
// View::kLatest at once; View::kDurable shows it when the log holds it, which is what `durable`
// waits for. Acknowledge only what is durable. After a failed sync the engine is poisoned: every
// wait fails, nothing is written again, and the process aborts (unless told not to) and recovers.
// Nothing in it grows without bound: `submit` says kOverloaded or kNoSpace instead.
//
//   Result<Lsn> lsn = engine.submit(batch);
//   if (lsn.ok()) { Result<void> held = co_await engine.durable(*lsn); … }
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/host.h"
#include "storage/batch.h"
#include "storage/durable_mark.h"

namespace ringside {

enum class View : uint8_t {
  kDurable,  // what a reader may be told
  kLatest,   // with batches that are still on their way to the log; for read-modify-write
};

struct EngineOptions {
  std::string directory = "data";
  uint64_t memtable_bytes_max = 8u << 20;  // then it is flushed to a table
  uint64_t log_bytes_max = 64u << 20;  // of the segments in use; then the memtable is flushed, too
  uint64_t log_segment_bytes = 4u << 20;
  uint64_t group_bytes_max = 1u << 20;    // of one log group; a batch is at most this long
  uint64_t pending_bytes_max = 8u << 20;  // submitted and not yet durable; then kOverloaded
  uint64_t tables_max = 8;                // then they are merged into one
  uint64_t block_cache_bytes = 4u << 20;
  // Kept free for flush and manifest; with less, puts are rejected with kNoSpace. 0: three
  // memtables and a segment.
  uint64_t reserve_bytes = 0;
  // An idle log writes a sealing group after this long, so that rot in its last group cannot pass
  // for a torn tail.
  Duration seal_after = kSecond;
  // false: the log is written and not synced. What is durable then survives the death of the
  // process and not a power loss.
  bool sync = true;
  bool abort_when_poisoned = true;
};

struct Entry {
  std::string key;
  std::string value;
};

struct ScanLimits {
  uint64_t rows_max = 1'000;
  uint64_t bytes_max = 1u << 20;  // of keys and values; the row that reaches it is the last one
};

// What can be said of a key without waiting for the disk.
struct MemoryLookup {
  enum class State : uint8_t {
    kFound,
    kRemoved,      // surely not there: removed, or no table can hold it
    kNotInMemory,  // ask `get`
  } state = State::kNotInMemory;
  std::string_view value;  // valid until the next suspension
  Lsn lsn = 0;  // the batch that said so, for `durable`; 0 when a table says so, which is durable
};

struct EngineStats {
  uint64_t batches = 0, groups = 0, syncs = 0, log_bytes = 0, seals = 0;
  uint64_t flushes = 0, tables = 0, merges = 0, table_bytes = 0;
  uint64_t memtable_bytes = 0;
  uint64_t log_segments = 0, log_segments_recycled = 0;
  uint64_t recovered_batches = 0, torn_tails_cut = 0;
  uint64_t block_reads = 0, block_hits = 0, bloom_rejections = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;

  // Opens or creates; recovers. kCorrupt names the file and the offset.
  static Task<Result<std::unique_ptr<Engine>>> open(Host& host, EngineOptions options);

  // kOverloaded, kNoSpace, kInvalid (empty or too long) or kClosed (poisoned) when not taken.
  virtual Result<Lsn> submit(const Batch& batch) = 0;
  // Result<void> held = co_await engine.durable(lsn): returns at once when it is.
  DurableMark::Awaiter durable(Lsn lsn) { return durable_.wait(lsn); }
  virtual Lsn last_submitted() const = 0;
  Lsn last_durable() const { return durable_.lsn(); }

  virtual MemoryLookup lookup(std::string_view key, View view) = 0;
  virtual Task<Result<std::optional<std::string>>> get(std::string key, View view) = 0;
  // Keys in [begin, end) in order; an empty `end` has no bound. Fewer rows than the limits allow
  // means the end. One scan is one snapshot, as of its start.
  virtual Task<Result<std::vector<Entry>>> scan(std::string begin, std::string end,
                                                ScanLimits limits, View view) = 0;

  virtual Task<Result<void>> flush() = 0;  // what is in memory becomes tables
  virtual Task<Result<void>> close() = 0;  // flushes nothing: the log is enough
  bool poisoned() const { return durable_.poisoned(); }
  virtual const EngineStats& stats() const = 0;

 protected:
  explicit Engine(ReadyList& ready) : durable_(ready) {}

  DurableMark durable_;
};

}  // namespace ringside
