// Faults of the disk at every part of an engine's files, for tests: one run is one fault at one
// part under one seed, from a store that was written, flushed, merged and sealed. It says what the
// engine made of it; a value that is told and is not the right one is `wrong`, and nothing excuses
// it. What was acknowledged and is not there, without a word, is `lost`: right only where one node
// cannot know.
#pragma once

#include <cstdint>
#include <string>

namespace ringside {

enum class FaultPart : uint8_t {
  kLog,      // a segment that recovery needs
  kArchive,  // an archived one
  kManifest,
  kTable,  // a table's file as a whole
  kData,   // its blocks
  kLeaf,   // the leaves of its index
  kFilter,
  kTop,        // the top of its index, and the footer
  kDirectory,  // names
};
inline constexpr int kFaultParts = 9;

enum class DiskFault : uint8_t {
  kBitFlip,         // at rest
  kReadError,       // EIO
  kWriteError,      // EIO
  kSyncError,       // EIO, and the pages are dirty still
  kSyncFailsOnce,   // EIO, and the pages count as clean: the next sync says all is well
  kSyncLies,        // all is well, and nothing has reached the medium
  kOpenError,       // EIO
  kRenameError,     // EIO
  kShortRead,       // fewer bytes than there are
  kReadElsewhere,   // misdirected: the bytes of another place
  kWriteElsewhere,  // misdirected: to another page of the file
  kTornWrite,       // some sectors of the last write, and the machine loses power
  kFull,            // no space for writes, files and syncs
  kOlder,           // at rest: the file as it was some time ago
  kNameLost,        // at rest: the file is gone
};
inline constexpr int kDiskFaults = 15;

// A part of a table's file, by its place in it.
bool is_table_part(FaultPart part);
const char* fault_part_name(FaultPart part);
const char* disk_fault_name(DiskFault fault);
// Whether the fault can meet the part at all.
bool fault_applies(FaultPart part, DiskFault fault);
// Why one node cannot know; null where it must.
const char* fault_undetectable(FaultPart part, DiskFault fault);

struct FaultRun {
  uint64_t hits = 0;         // faults that met the part
  bool refused = false;      // it did not open, or put data off
  bool failed_read = false;  // a read said kCorrupt or kIo
  bool ended = false;        // poisoned: the process would have ended
  bool reported = false;     // by a scrub or as suspect
  bool gap = false;          // the change stream says that it lacks batches
  bool lost = false;
  std::string wrong;  // empty, or what was told and is not so
  std::string step;   // where that was

  bool noticed() const { return refused || failed_read || ended || reported || gap; }
};

FaultRun run_fault(FaultPart part, DiskFault fault, uint64_t seed);

}  // namespace ringside
