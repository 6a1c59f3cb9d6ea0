// LogSegments: which segment files there are and which batches each holds. A segment moves one way:
// active (being written), needed (by recovery, because no table holds its batches yet), leaving (on
// its way to the archive, when there is one), archived; then its file is free to be written over,
// or gone. Batches are ordered by segment, so the end of one is at most the start of the next: what
// it says beyond that was superseded.
//
//   log/000001                       a segment that is written to, needed, leaving or free
//   log/archive/00000000000000000042 an archived one, named after its first LSN
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "runtime/disk.h"
#include "runtime/semaphore.h"
#include "storage/durable_mark.h"

namespace ringside {

// Where in its segment the group that starts with this batch is.
struct LogPlace {
  Lsn lsn = 0;
  uint64_t offset = 0;
};

// One segment file. `id` 0: free to be written over.
struct LogSegment {
  uint32_t slot = 0;  // names the file
  FileId file = 0;
  uint64_t id = 0;
  Lsn first = 0;  // its first batch
  Lsn end = 0;    // after its last batch
  uint64_t bytes = 0;
  std::vector<LogPlace> places;  // some of its groups, ascending: where to start reading

  // Remembers a group when the last one remembered is far enough away, or always.
  void remember(Lsn lsn, uint64_t offset, bool always = false);
};

struct ArchivedSegment {
  Lsn first = 0;
  uint64_t bytes = 0;  // of the file; 0: not measured yet
};

std::string log_file_name(const std::string& directory, uint32_t slot);
std::string archive_directory(const std::string& log_directory);
std::string archive_file_name(const std::string& log_directory, Lsn first);
// The slot or the first LSN that a name in such a directory stands for; 0: it is not ours.
uint32_t slot_of_log_file(const std::string& name);
Lsn lsn_of_archive_file(const std::string& name);

// What recovery hands to a new Log.
struct LogStart {
  std::vector<LogSegment> in_use;   // oldest first
  std::vector<LogSegment> flushed;  // whole in tables and right before those; for the archive
  std::vector<LogSegment> free;
  std::vector<ArchivedSegment> archived;  // oldest first, not measured
  // Names in log/ of files that are in the archive, too: a crash came between. To be removed.
  std::vector<uint32_t> doubled;
  uint64_t next_segment = 1;
  uint32_t next_slot = 1;
  Lsn next_lsn = 1;
};

class LogSegments {
 public:
  LogSegments(ReadyList& ready, std::string log_directory, LogStart& start);

  // The segment that holds a batch, as far as is known without reading it.
  struct Holder {
    uint64_t id = 0;      // 0: archived, not known
    Lsn first = 0;        // of the segment
    Lsn until = 0;        // the next segment's first batch; nothing beyond it counts
    FileId file = 0;      // 0: open `path`
    uint64_t bytes = 0;   // 0: ask the file
    uint64_t offset = 0;  // where to start reading
    std::string path;
  };
  // Nothing when no segment's range can hold it.
  std::optional<Holder> find(Lsn lsn) const;
  bool holds(const Holder& holder) const;  // still, after a suspension
  // The oldest batch held; `next` when there is none.
  Lsn oldest(Lsn next) const;

  std::string directory;
  std::deque<ArchivedSegment> archived;  // each oldest first
  std::deque<LogSegment> leaving;
  std::deque<LogSegment> needed;
  LogSegment active;
  std::vector<LogSegment> free;
  std::vector<LogSegment> abandoned;  // open, under a name that is not known: never written again
  uint32_t next_slot;
  // Held while an archived file is open, and while names change: one file, one handle.
  Semaphore names;

 private:
  template <class Visit>
  void visit_from(Lsn lsn, Visit visit) const;
};

}  // namespace ringside
