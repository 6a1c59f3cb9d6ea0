// Manifest: which tables there are and how far they hold the log. A logged sequence of edits in one
// file, version 1. A record starts on a fresh 4 KiB page:
//
//    0  u32 magic "RSMF"    4  u16 version, u16 kind (1 snapshot, 2 edit)
//    8  u64 checksum: XXH3-64 of bytes [16, 32 + payload length), seeded with bytes [0, 8)
//   16  u64 sequence: one more than the record before     24  u64 payload length
//   32  payload: flushed LSN varint, next table id varint, removed ids (count varint, varints),
//       added tables (count varint, storage/table_format.h)
//
// The first record is a snapshot. Opening writes a new file with one snapshot, renames it into
// place and syncs the directory; so does a file that grew long. A torn record is cut only at the
// very end; the log's groups tell how many records were durable (storage/log_recovery.h), so that
// rot there does not pass for a torn tail. Any other damage is kCorrupt, and the engine does not
// open: rebuild from peers.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/host.h"
#include "storage/table_format.h"

namespace ringside {

inline constexpr uint32_t kManifestMagic = 0x464d5352;  // "RSMF"
inline constexpr uint16_t kManifestVersion = 1;
inline constexpr std::size_t kManifestHeaderBytes = 32;

struct ManifestEdit {
  Lsn flushed = 0;          // tables hold every batch up to here
  uint64_t next_table = 1;  // no table has this id or a greater one
  std::vector<uint64_t> removed;
  std::vector<TableDescription> added;
};

struct ManifestState {
  uint64_t sequence = 0;  // of the last record; 0: there is no manifest
  Lsn flushed = 0;
  uint64_t next_table = 1;
  std::vector<TableDescription> tables;  // newest first
};

enum class ManifestRecordKind : uint16_t { kSnapshot = 1, kEdit = 2 };

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
  static constexpr uint64_t kFileBytesMax = 64 * kPageBytes;

  Manifest(Host& host, std::string directory) : host_(host), directory_(std::move(directory)) {}
  Task<Result<void>> write_snapshot(ManifestState state);

  Host& host_;
  std::string directory_;
  ManifestState state_;
  FileId file_ = 0;
  uint64_t bytes_ = 0;
};

}  // namespace ringside
