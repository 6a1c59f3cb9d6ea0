// Log: the write-ahead log with group commit. Whatever is appended while a sync is in flight forms
// the next group: one write and one sync a group. A group starts on a fresh page
// (storage/log_format.h). Segments that a flush has made superfluous are written over under a new
// id, without a rename or a directory sync. A new process never appends to an old segment. An error
// of a write or a sync poisons the mark for good.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "runtime/host.h"
#include "storage/durable_mark.h"
#include "storage/engine.h"
#include "storage/log_format.h"

namespace ringside {

struct LogOptions {
  std::string directory;
  uint64_t segment_bytes = 4u << 20;
  uint64_t group_bytes_max = 1u << 20;
  Duration seal_after = kSecond;
  // false: a group counts as durable when it is written. Groups then claim nothing of those before
  // them, which a power loss may take.
  bool sync = true;
};

// One segment file. `id` 0: free to be written over.
struct LogSegment {
  uint32_t slot = 0;  // names the file
  FileId file = 0;
  uint64_t id = 0;
  Lsn end = 0;  // after its last batch
  uint64_t bytes = 0;
};

// What recovery hands to a new Log.
struct LogStart {
  std::vector<LogSegment> in_use;  // oldest first
  std::vector<LogSegment> free;
  uint64_t next_segment = 1;
  uint32_t next_slot = 1;
  Lsn next_lsn = 1;
};

std::string log_file_name(const std::string& directory, uint32_t slot);

class Log {
 public:
  Log(Host& host, LogOptions options, DurableMark& durable, EngineStats& stats, LogStart start);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  // Orders a batch and starts the flush loop when it idles. Never fails: failures reach those who
  // wait.
  Lsn append(std::string_view batch);
  // Logs recovered batches again, as one group: a crash must find all of them in it or none.
  void append_again(const std::vector<std::string>& batches);
  Lsn last() const { return next_lsn_ - 1; }
  uint64_t pending_bytes() const { return pending_bytes_; }
  // Bytes of the segments that hold what no table holds yet.
  uint64_t bytes_in_use() const { return bytes_in_use_; }

  // Every batch up to `flushed` is in a table: segments wholly below may be written over.
  void recycle(Lsn flushed);
  void set_manifest_sequence(uint64_t sequence) { manifest_sequence_ = sequence; }
  // Waits until everything is durable, then seals and closes the files. Nothing may be appended
  // after.
  Task<Result<void>> close();

 private:
  struct SealTimer : Timer {
    explicit SealTimer(Log& owner) : Timer(owner.host_.clock()), log(owner) {}
    void fire() override { log.seal_when_idle(); }
    Log& log;
  };

  void start_loop();
  Task<void> flush_loop();
  Task<Result<void>> commit(LogGroup group, LogGroupKind kind);
  Task<Result<void>> next_segment();
  void seal_when_idle();

  Host& host_;
  LogOptions options_;
  DurableMark& durable_;
  EngineStats& stats_;
  std::deque<LogGroup> pending_;
  uint64_t pending_bytes_ = 0;
  std::size_t group_bytes_hint_ = kPageBytes;
  Lsn next_lsn_;
  uint64_t life_;
  uint64_t manifest_sequence_ = 0;
  std::deque<LogSegment> in_use_;
  std::vector<LogSegment> free_;
  LogSegment active_;
  uint64_t next_segment_;
  uint32_t next_slot_;
  uint64_t bytes_in_use_ = 0;
  bool running_ = false;
  bool unsealed_ = false;
  bool seal_wanted_ = false;
  Time last_group_at_ = 0;
  SealTimer seal_timer_;
  Scope scope_;
};

}  // namespace ringside
