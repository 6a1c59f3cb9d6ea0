// Log: the write-ahead log with group commit. Whatever is appended while a sync is in flight forms
// the next group: one write and one sync a group. A group starts on a fresh page
// (storage/log_format.h). Segments that a flush has made superfluous go to the archive or are
// written over under a new id, without a rename or a directory sync. A new process never appends to
// an old segment. An error of a write or a sync poisons the mark for good: nothing is written or
// synced again.
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "runtime/host.h"
#include "storage/durable_mark.h"
#include "storage/engine.h"
#include "storage/log_archive.h"
#include "storage/log_format.h"
#include "storage/log_reader.h"
#include "storage/log_segments.h"

namespace ringside {

struct LogOptions {
  std::string directory;
  uint64_t segment_bytes = 4u << 20;
  uint64_t group_bytes_max = 1u << 20;
  Duration seal_after = kSecond;
  // False: groups are written and not synced. "Durable" then means handed to the operating system:
  // a killed process loses nothing, a power loss whatever was not flushed to tables.
  bool sync = true;
  // Whether the next segment file is filled with zeros before it is needed: a sync of what is
  // written over costs a file system less than one of what grows.
  bool fill_segments = false;
  uint64_t archive_bytes_max = 0;  // of segment files kept for `read`; 0: no archive
  const Cipher* cipher = nullptr;  // seals every group; outlives the log
};

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

  // Bytes of the archived segment files.
  uint64_t archived_bytes() const { return archive_.bytes(); }

  // The change stream: every durable batch after `after`, as far as the limits go, in order and
  // without gaps; empty when caught up. kNotFound names the oldest batch still held. May be called
  // at any time and by many; resumes at any LSN, in this life or a later one.
  Task<Result<std::vector<LoggedBatch>>> read(Lsn after, ChangeLimits limits = {}) {
    return reader_.read(after, limits);
  }
  Lsn oldest() const { return segments_.oldest(next_lsn_); }

  // Every batch up to `flushed` is in a table: segments wholly below go to the archive or may be
  // written over.
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
  Task<Result<LogSegment>> new_segment();
  void make_spare_ahead();
  Task<void> make_spare();
  Task<Result<void>> cut_leftovers();
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
  Lsn synced_;  // every batch up to here survives a power loss, in the log or in tables
  uint64_t manifest_sequence_ = 0;
  uint64_t next_segment_;
  std::vector<LogCut> cut_;
  LogSegments segments_;
  LogArchive archive_;
  LogReader reader_;
  uint64_t bytes_in_use_ = 0;
  bool running_ = false;
  bool making_spare_ = false;
  bool unsealed_ = false;
  bool seal_wanted_ = false;
  Time last_group_at_ = 0;
  SealTimer seal_timer_;
  Scope scope_;
};

}  // namespace ringside
