// LogReader: the log's change stream. Reads durable batches in order, from memory, from live
// segments or from the archive, and resumes at any LSN. Every group is held to its segment, its
// LSN and its checksum, so that a segment that is written over or moves while it is read is noticed
// and looked up again: what comes out is the log or an error, never something else.
#pragma once

#include <deque>
#include <limits>
#include <string>
#include <vector>

#include "runtime/host.h"
#include "storage/changes.h"
#include "storage/durable_mark.h"
#include "storage/log_scanner.h"
#include "storage/log_segments.h"

namespace ringside {

class LogReader {
 public:
  LogReader(Host& host, LogSegments& segments, const DurableMark& durable, const Cipher* cipher)
      : host_(host), segments_(segments), durable_(durable), cipher_(cipher) {}

  // Every durable batch after `after`, in order, without gaps; empty when caught up. kNotFound: it
  // is gone; the message names the oldest batch from which reading goes on. kCorrupt: damage, or a
  // range that recovery reported as lost.
  Task<Result<std::vector<LoggedBatch>>> read(Lsn after, ChangeLimits limits);

  // Whether groups are worth keeping: somebody has read.
  bool wanted() const { return wanted_; }
  // A group that is about to be written; `payload` is its plain batches from `from` on.
  void keep(Lsn first, Lsn end, Buffer bytes, std::size_t from, std::size_t payload_bytes);

 private:
  static constexpr uint64_t kWindowBytes = 256u << 10;
  static constexpr uint64_t kRecentBytesMax = 256u << 10;
  static constexpr std::size_t kStopsMax = 16;

  // What one read still lacks, and what it has.
  struct Progress {
    Lsn next;
    Lsn last;
    ChangeLimits limits;
    uint64_t bytes = 0;
    std::vector<LoggedBatch> batches = {};
    bool done() const {
      return next > last || batches.size() >= limits.batches_max || bytes >= limits.bytes_max;
    }
    // Takes what is wanted of a group below `until`; false when its batches do not add up.
    bool take(std::string_view payload, Lsn first, Lsn end, Lsn until);
  };
  struct Recent {
    Lsn first, end;
    Buffer bytes;
    std::size_t from, payload_bytes;
  };
  // Where a read stopped in a segment, so that the next one need not look for it.
  struct Stop {
    Lsn next = 0;   // the batch to read
    Lsn first = 0;  // its segment's first one
    uint64_t id = 0;
    uint64_t offset = 0;
  };

  bool read_memory(Progress& progress) const;
  Task<Result<void>> read_segment(Progress& progress);
  Task<Result<void>> read_groups(Progress& progress, LogSegments::Holder holder);
  Result<std::string_view> plain_payload(const LogScanner& scanner, const std::string& path,
                                         std::string& room) const;
  void remember(Lsn before, Stop stop);

  Host& host_;
  LogSegments& segments_;
  const DurableMark& durable_;
  const Cipher* cipher_;
  std::deque<Recent> recent_;
  uint64_t recent_bytes_ = 0;
  std::vector<Stop> stops_;
  std::size_t next_stop_ = 0;
  bool wanted_ = false;
};

}  // namespace ringside
