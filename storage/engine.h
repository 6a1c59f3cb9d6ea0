// Engine: one node's durable, ordered map from keys to values, over a log with group commit, a memtable and sorted
// tables. A batch is all or nothing. `submit` orders a batch and shows it to View::kLatest at once; View::kDurable shows
// it when the log holds it, which is what `durable` waits for. Acknowledge only what is durable. After a failed sync the
// engine is poisoned: every wait fails, nothing is written again, and the process should abort and recover.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/host.h"
#include "storage/batch.h"

namespace ringside {

// Log sequence number: the place of a batch in the one order of this engine. 0 is before everything.
using Lsn = uint64_t;

enum class View : uint8_t {
  kDurable,  // what a reader may be told
  kLatest,   // with batches that are still on their way to the log; for read-modify-write
};

struct EngineOptions {
  std::string directory = "data";
  uint64_t memtable_bytes_max = 8u << 20;  // then it is flushed to a table
  uint64_t log_segment_bytes = 16u << 20;
  uint64_t group_bytes_max = 1u << 20;     // of one log group
  uint64_t tables_max = 8;                 // then they are merged into one
};

struct Entry {
  std::string key;
  std::string value;
};

struct ScanLimits {
  uint64_t rows_max = 1'000;
  uint64_t bytes_max = 1u << 20;
};

// What memory alone can say of a key.
struct MemoryLookup {
  enum class State : uint8_t { kFound, kRemoved, kNotInMemory } state = State::kNotInMemory;
  std::string_view value;  // valid until the next suspension
};

struct EngineStats {
  uint64_t batches = 0, groups = 0, syncs = 0, log_bytes = 0;
  uint64_t flushes = 0, tables = 0, merges = 0, table_bytes = 0;
  uint64_t memtable_bytes = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;

  // Opens or creates; recovers. kCorrupt names the file and the offset.
  static Task<Result<std::unique_ptr<Engine>>> open(Host& host, EngineOptions options);

  // kOverloaded, kNoSpace or kClosed (poisoned) when not taken.
  virtual Result<Lsn> submit(const Batch& batch) = 0;
  virtual Task<Result<void>> durable(Lsn lsn) = 0;
  virtual Lsn last_submitted() const = 0;
  virtual Lsn last_durable() const = 0;

  virtual MemoryLookup lookup(std::string_view key, View view) = 0;
  virtual Task<Result<std::optional<std::string>>> get(std::string key, View view) = 0;
  // Keys in [begin, end) in order; an empty `end` has no bound. Fewer rows than the limits allow means the end.
  virtual Task<Result<std::vector<Entry>>> scan(std::string begin, std::string end, ScanLimits limits, View view) = 0;

  virtual Task<Result<void>> flush() = 0;  // the memtable becomes a table
  virtual Task<Result<void>> close() = 0;  // flushes nothing: the log is enough
  virtual bool poisoned() const = 0;
  virtual const EngineStats& stats() const = 0;
};

}  // namespace ringside
