// EngineOptions: how one node's engine is kept. Sizes are bytes. Whatever is asked for, the parts
// are made to fit each other (a group fits a segment, the log holds a few segments, …).
#pragma once

#include <cstdint>
#include <string>

#include "runtime/time.h"
#include "storage/compression.h"

namespace ringside {

enum class EngineKind : uint8_t {
  kLsm,      // ours: what `serve` takes
  kMemory,   // a map and a log that is never written: nothing survives the process
  kLevelDb,  // Debian's LevelDB behind a file adapter; for research
};

enum class Compaction : uint8_t {
  kLeveled,  // level n + 1 holds `level_fanout` times level n, in disjoint tables: reads and space
  kSizeTiered,  // tables of like size are merged: writes
};

// A batch that the log proves to have been durable cannot be read any more.
enum class LostLog : uint8_t {
  kRefuse,  // the engine does not open
  kReport,  // it opens; every tablet is suspect (Engine::suspects), and reads of it fail
};

struct EngineOptions {
  EngineKind kind = EngineKind::kLsm;
  std::string directory = "data";
  uint64_t memtable_bytes_max = 8u << 20;  // of all tablets; then they are flushed to tables
  uint64_t log_bytes_max = 64u << 20;      // of the segments in use; flushed at three quarters
  uint64_t log_segment_bytes = 4u << 20;
  uint64_t group_bytes_max = 1u << 20;    // of one log group; a batch is at most this long
  uint64_t pending_bytes_max = 8u << 20;  // submitted and not yet durable; then kOverloaded
  bool sync = true;  // false: durable means handed to the operating system; power loss may take it
  bool fill_segments = false;  // the log's, with zeros, ahead of need: cheaper syncs on real disks
  uint64_t archive_bytes_max = 0;  // of log segments kept for the change stream; 0: none
  LostLog lost_log = LostLog::kRefuse;

  Compaction compaction = Compaction::kLeveled;
  uint64_t tables_max = 8;       // of level 0, or of one size: then they are merged
  uint64_t tables_stop = 24;     // of level 0: then kOverloaded until they are merged
  uint64_t table_bytes_max = 0;  // of a merge's output. 0: as a memtable
  uint64_t level_bytes = 0;      // of level 1. 0: `tables_max` memtables
  uint64_t level_fanout = 10;
  Compression compression = Compression::kNone;
  uint64_t block_bytes = 4096;
  uint32_t filter_bits_per_key = 10;
  uint64_t block_cache_bytes = 4u << 20;
  // Removes stay until `Engine::repaired` says that every replica has seen them.
  bool hold_removes = false;
  // A table is rewritten once an entry of it has been expired for this long.
  Duration expired_after = 3'600 * kSecond;

  std::string key;            // 32 bytes: AES-256-GCM over tables and log; empty: none
  uint32_t merkle_depth = 0;  // 2^depth leaves a tablet; 0: no Merkle trees
  bool one_tablet = true;     // a fresh engine begins with one tablet, of every key
  Duration scrub_every = 0;   // every block is read and checked this often; 0: when asked alone

  // Kept free for flush and manifest; with less, puts are rejected with kNoSpace. 0: five
  // memtables and a segment.
  uint64_t reserve_bytes = 0;
  // An idle log writes a sealing group after this long, so that rot in its last group cannot pass
  // for a torn tail.
  Duration seal_after = kSecond;
  bool abort_when_poisoned = true;
};

}  // namespace ringside
