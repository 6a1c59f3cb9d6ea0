// Manifest: which tablets there are, which tables each holds at which level, and how far the tables
// hold the log. A logged sequence of edits in one file, version 2. A record starts on a fresh 4 KiB
// page:
//
//    0  u32 magic "RSMF"    4  u16 version, u16 kind (1 snapshot, 2 edit)
//    8  u64 checksum: XXH3-64 of bytes [16, 32 + payload length), seeded with bytes [0, 8)
//   16  u64 sequence: one more than the record before     24  u64 payload length
//   32  payload:
//         flushed LSN varint, next table id varint, next tablet id varint,
//         tablets created, ids of tablets dropped, changes of tablets,
//         checkpoints created, names of checkpoints dropped
//
// Each list is a count (varint) and its elements; strings are a length (varint) and bytes.
//   tablet      id varint, begin, end, created LSN varint, suspect string, range removes, tables
//   table       level varint, description (storage/table_format.h)
//   range remove begin, end, LSN varint
//   change      tablet id varint, flags u8 (1: range removes follow, 2: suspect follows), ids of
//               tables removed, tables added, [range removes], [suspect string]
//   checkpoint  name, LSN varint, tablets
//
// The first record is a snapshot: it creates everything. Opening writes a new file with one
// snapshot, renames it into place and syncs the directory; so does a file that grew long. A torn
// record is cut only at the very end; the log's groups tell how many records were durable
// (storage/log_recovery.h), so that rot there does not pass for a torn tail. Any other damage is
// kCorrupt, and the engine does not open: rebuild from peers.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/host.h"
#include "storage/range_remove.h"
#include "storage/table_format.h"

namespace ringside {

inline constexpr uint32_t kManifestMagic = 0x464d5352;  // "RSMF"
inline constexpr uint16_t kManifestVersion = 2;
inline constexpr std::size_t kManifestHeaderBytes = 32;
inline constexpr uint64_t kLevelsMax = 7;  // 0 … 6

struct LeveledTable {
  uint64_t level = 0;
  TableDescription table;
};

struct TabletState {
  uint64_t id = 0;
  KeyRange range;
  Lsn created = 0;                         // of batches up to here it takes nothing
  std::string suspect;                     // not empty: part of its log is lost; says which
  std::vector<RangeRemove> range_removes;  // by LSN
  std::vector<LeveledTable> tables;        // by level; level 0 newest first, the others by key
};

struct TabletEdit {
  uint64_t id = 0;
  std::vector<uint64_t> removed;  // tables
  std::vector<LeveledTable> added;
  std::optional<std::vector<RangeRemove>> range_removes;  // all of them from now on
  std::optional<std::string> suspect;
};

struct CheckpointState {
  std::string name;
  Lsn lsn = 0;
  std::vector<TabletState> tablets;
};

struct ManifestEdit {
  Lsn flushed = 0;           // tables hold every batch up to here
  uint64_t next_table = 1;   // no table has this id or a greater one
  uint64_t next_tablet = 1;  // nor any tablet
  std::vector<TabletState> created;
  std::vector<uint64_t> dropped;
  std::vector<TabletEdit> changed;
  std::vector<CheckpointState> checkpoints;
  std::vector<std::string> checkpoints_dropped;
};

struct ManifestState {
  uint64_t sequence = 0;  // of the last record; 0: there is no manifest
  Lsn flushed = 0;
  uint64_t next_table = 1;
  uint64_t next_tablet = 1;
  std::vector<TabletState> tablets;          // by range
  std::vector<CheckpointState> checkpoints;  // by name

  bool names_table(uint64_t id) const;  // in a tablet or a checkpoint
};

enum class ManifestRecordKind : uint16_t { kSnapshot = 1, kEdit = 2 };

// False, with the state in between, when the edit does not fit.
bool apply_manifest_edit(ManifestState& state, const ManifestEdit& edit);
// One record, padded to whole pages.
std::string encode_manifest_record(ManifestRecordKind kind, uint64_t sequence,
                                   const ManifestEdit& edit);
// kCorrupt names `path`, the offset and what is wrong.
Result<ManifestState> parse_manifest(std::string_view bytes, std::string_view path);

class Manifest {
 public:
  // Reads DIRECTORY/manifest; sequence 0 when there is none. Changes nothing.
  static Task<Result<ManifestState>> read(Host& host, std::string directory);
  // Writes a snapshot of `state` as the new manifest and opens it for edits.
  static Task<Result<std::unique_ptr<Manifest>>> create(Host& host, std::string directory,
                                                        ManifestState state);

  const ManifestState& state() const { return state_; }
  // Durable when it returns. One at a time. After kNoSpace it may be tried again.
  Task<Result<void>> apply(ManifestEdit edit);
  Task<Result<void>> close();

 private:
  static constexpr uint64_t kFileBytesMin = 64 * kPageBytes;

  Manifest(Host& host, std::string directory) : host_(host), directory_(std::move(directory)) {}
  Task<Result<void>> write_snapshot(ManifestState state);

  Host& host_;
  std::string directory_;
  ManifestState state_;
  FileId file_ = 0;
  uint64_t bytes_ = 0;
  uint64_t bytes_max_ = kFileBytesMin;  // then it is written anew
};

}  // namespace ringside
