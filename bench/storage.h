// The storage benchmark's parts. A Setup says how much data there is and how every engine is
// configured; a Step is one row's work on it; a session is a list of steps on one directory, run by
// one engine in a process of its own; a Measured is what one step took. The keys, their order and
// the values come from storage_data.h and are the same for every engine, as are the clocks, the
// histogram and the counts of storage_measure.h.
//
// Ours is driven by coroutines inside its loop, whose thread is the client's; a peer (`Peer`) by
// blocking calls of a thread. What they do in a step is the same:
//
//   unsynced   one writer puts, and nothing is synced. Every kTurn puts ours lets its loop run,
//              which is when the log gets to the page cache; RocksDB, whose log can wait as well,
//              flushes it there as often; LevelDB knows no such thing and writes with every put.
//   synced     `writers` puts are in flight, each returns when the disk has it: coroutines here,
//              threads there, which is how a peer's group commit works.
//   reads      one reader. A miss asks for a key between two that are there. A scan seeks to a key
//              that is there and takes kScanRows rows.
//   read while writing   one client alternates: a read of a key that is there (that is what is
//              counted and timed), then an unsynced put of another.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ringside::bench {

inline constexpr uint64_t kTurn = 32;
inline constexpr uint64_t kScanRows = 100;
inline constexpr uint64_t kBlockBytes = 4096;
inline constexpr int kFilterBits = 10;
inline constexpr uint64_t kKeyBytes = 16;

enum class Kind : uint8_t {
  kFillSequential,
  kFillRandom,
  kOverwrite,
  kReadHit,
  kReadMiss,
  kScan,
  kReadWhileWriting,
  kSynced,
};

const char* name_of(Kind kind);
bool writes(Kind kind);

struct Step {
  Kind kind = Kind::kFillRandom;
  uint64_t operations = 0;
  double seconds = 0;     // it ends with whichever comes first
  uint64_t writers = 1;   // kSynced
  bool reported = false;  // false: it only prepares
};

struct Setup {
  uint64_t entries = 0;
  uint64_t value_bytes = 0;
  uint64_t seed = 1;
  uint32_t merkle_depth = 0;  // of ours; peers have no such trees
  std::string directory;      // is made, and removed by whoever made its parent
  std::string profile;        // not empty: perf's data of the reported steps go there

  uint64_t data_bytes() const { return entries * (kKeyBytes + value_bytes); }
  uint64_t cache_bytes() const { return data_bytes() / 10; }
  // So that a fill flushes about sixteen of them; at most what RocksDB has by default.
  uint64_t memtable_bytes() const;
};

struct Measured {
  double operations = 0, seconds = 0, cpu_seconds = 0;
  double p50 = 0, p99 = 0, p999 = 0, max = 0;  // microseconds of one operation
  double stalled = 0;                          // seconds in operations of more than kStall
  double written_bytes = 0;                    // handed to the kernel
  double put_bytes = 0;                        // keys and values
  double read_bytes = 0;                       // asked of the kernel; negative: not known
  double directory_bytes = 0, live_bytes = 0;  // when the step ended

  double rate() const { return seconds > 0 ? operations / seconds : 0; }
  static constexpr std::size_t kNumbers = 13;
  std::array<double, kNumbers> numbers() const;
  static Measured from(const double* numbers);
};

inline constexpr int64_t kStallNs = 10'000'000;

// A peer: blocking, and callable from many threads. Every call must succeed.
class Peer {
 public:
  virtual ~Peer() = default;
  virtual void put(std::string_view key, std::string_view value, bool sync) = 0;
  virtual void flush_log() = 0;  // what was put unsynced gets to the page cache
  virtual bool get(std::string_view key, std::string& value) = 0;
  // Rows from `begin` on, at most `rows_max`; answers how many there were and adds up their bytes.
  virtual uint64_t scan(std::string_view begin, uint64_t rows_max, uint64_t& bytes) = 0;
  virtual bool counts_reads() const = 0;  // its reads are system calls, and so are counted
};

std::unique_ptr<Peer> open_rocksdb(const Setup& setup);
std::unique_ptr<Peer> open_leveldb(const Setup& setup);

std::vector<Measured> run_peer(Peer& peer, const Setup& setup, const std::vector<Step>& steps);
std::vector<Measured> run_ours(const Setup& setup, const std::vector<Step>& steps);

}  // namespace ringside::bench
