// Inspect: what lies in an engine's directory, file by file, and what is wrong with it. For tools
// and tests, over a Host whose disk may be written to: give it a copy, or a disk that keeps writes
// to itself, for an engine that opens repairs what a crash left. Errors and problems are texts that
// name the file and the offset.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "runtime/host.h"
#include "storage/engine.h"
#include "storage/manifest.h"

namespace ringside {

// An engine that is opened like this does nothing by itself: it does not merge, seal, scrub, or
// give up what it may keep. `key`: as in EngineOptions.
EngineOptions options_to_read(std::string directory, std::string key);

struct TableOnDisk {
  TableDescription description;
  uint64_t tablet = 0;
  uint64_t level = 0;
  std::string checkpoint;  // not empty: no tablet has it any more, and this checkpoint does
  std::string error;       // not empty: why it cannot be opened
};

// A run of pages between good groups of one segment at which none starts, though what follows
// proves that something durable was there.
struct LogGap {
  uint64_t offset = 0;
  Lsn first = 0, end = 0;  // the batches that are missing: [first, end)
};

struct LogFileOnDisk {
  std::string path;
  bool archived = false;
  uint64_t file_bytes = 0;
  uint64_t segment = 0;    // id of the newest segment in it; 0: none
  uint64_t groups = 0;     // of that segment
  uint64_t bytes = 0;      // up to the end of its last good group
  Lsn first = 0, end = 0;  // its batches: [first, end)
  bool sealed = false;     // its last group is a seal
  std::vector<LogGap> gaps;
};

struct DirectoryContents {
  std::optional<ManifestState> manifest;  // nothing: `manifest_error` says why
  std::string manifest_error;
  std::vector<TableOnDisk> tables;
  std::vector<LogFileOnDisk> log;    // in the order of their segments
  std::vector<std::string> unnamed;  // table files that the manifest does not name
};

// Closes what it opens. Fails when the disk does; kInvalid: it is sealed with another key.
Task<Result<DirectoryContents>> read_contents(Host& host, EngineOptions options);

struct DirectoryVerdict {
  std::vector<std::string> problems;  // one a place
  uint64_t tables = 0, entries = 0, table_bytes = 0;
  uint64_t log_files = 0, log_groups = 0;
  uint64_t batches_replayed = 0;
  uint64_t keys = 0;       // live
  bool torn_tail = false;  // of the log: what a crash leaves, and no problem
  bool scrubbed =
      false;  // false: the engine has no scrubber; tables were read through all the same
};

// Reads everything: every table by itself, the log's groups, then an engine's recovery, its
// scrubber, and a scan of all keys, held to their order and to single reads.
Task<Result<DirectoryVerdict>> verify_directory(Host& host, EngineOptions options);

}  // namespace ringside
