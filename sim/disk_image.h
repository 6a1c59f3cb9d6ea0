// DiskImage: what is on one disk, in memory. It knows two states of everything: what a process
// sees, and what surely survives a power loss; the older bytes and names are kept beneath until a
// sync drops them. Pages are trimmed of trailing zero sectors and shared by reference count, so a
// copy of an image costs O(files) and shares the bytes until one side writes. `begin_sync` …
// `end_sync` covers exactly what was written before `begin_sync`, whatever was written in between;
// a name lasts after the sync of a directory that the change touched.
//
// Power loss draws, for each version of a 4 KiB page that is not durable: kept, dropped (back to
// the version beneath), garbage (all of the page, synced bytes too) or torn (each written 512-byte
// sector kept or not); for a file's size: kept, reverted or, when it grew, somewhere between; for
// each change of names: kept or undone, as one step and never without the change of the same name
// that it built upon.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/buffer.h"
#include "runtime/disk.h"
#include "runtime/result.h"
#include "sim/cow.h"
#include "sim/draw.h"

namespace ringside::sim {

using InodeId = uint32_t;  // a file or directory; never reused within an image
inline constexpr InodeId kNoInode = 0;

// Probabilities; what is left of 1 is `dropped` (pages), `reverted` (sizes) or `undone` (names).
struct PowerLossRules {
  double page_kept = 0.40;
  double page_garbage = 0.10;
  double page_torn = 0.15;
  double size_kept = 0.50;
  double size_between = 0.20;
  double name_kept = 0.50;
};

class DiskImage {
 public:
  using Mark = uint64_t;

  DiskImage();
  ~DiskImage();
  DiskImage(const DiskImage& other);
  DiskImage(DiskImage&& other) noexcept;
  DiskImage& operator=(const DiskImage& other);
  DiskImage& operator=(DiskImage&& other) noexcept;

  // Names. Paths are relative, '/' separates, "" is the root directory, parents must exist.
  Result<InodeId> find(std::string_view path) const;
  Result<InodeId> create(std::string_view path);                    // an empty file; kExists
  Result<void> make_directory(std::string_view path);               // fine when it is there
  Result<void> rename(std::string_view from, std::string_view to);  // files; replaces a file
  Result<void> remove(std::string_view path);                       // a file
  Result<std::vector<std::string>> list(std::string_view directory) const;  // sorted
  Result<InodeId> find_directory(std::string_view path) const;

  // Bytes. `file` is a file that lives (it has a name, may get one back, or is held).
  bool lives(InodeId file) const;
  uint64_t size(InodeId file) const;
  Buffer read(InodeId file, uint64_t offset,
              uint64_t length) const;  // short at the end of the file
  void write(InodeId file, uint64_t offset, std::string_view bytes);
  void truncate(InodeId file, uint64_t size);

  // An open file lives on without a name. `drop_holds`: the process died, nothing is open any more.
  void hold(InodeId file);
  void release(InodeId file);
  void drop_holds();

  // Durability.
  Mark begin_sync(InodeId file);
  void end_sync(InodeId file, Mark mark);
  void sync(InodeId file) { end_sync(file, begin_sync(file)); }
  Mark begin_sync_directory() { return name_sequence_; }
  void end_sync_directory(InodeId directory, Mark mark);

  // The machine stops; nothing is open after. (After a mere crash of the process everything written
  // stays: drop_holds.)
  void power_loss(Draw& draw, const PowerLossRules& rules = {});

  // Looking in: for tests, oracles and the lab.
  std::vector<std::string> files() const;  // paths of all files, sorted
  Result<std::string> contents(std::string_view path) const;
  // Makes the parents too; all of it durable at once.
  void install(std::string_view path, std::string_view bytes);
  uint64_t unsynced_pages(InodeId file) const;
  uint64_t unsynced_names() const;
  bool durable() const;  // nothing at all would be drawn at a power loss
  // Bytes that the files take on the disk, in whole pages (what counts against a capacity).
  uint64_t used_bytes() const { return used_bytes_; }
  // Bytes of memory for pages, shared ones counted in full, older versions included.
  uint64_t memory_bytes() const;
  // Over every path, size and byte that a process would see.
  uint64_t content_hash() const;

 private:
  class PageRef;
  struct PageSlot;
  struct Version;
  struct SizeVersion;
  struct File;
  struct Directory;
  struct Inode;
  struct NameChange;

  Inode& inode(InodeId id);
  const Inode& inode(InodeId id) const;
  // Directory and last name of a path.
  Result<std::pair<InodeId, std::string_view>> split(std::string_view path) const;
  InodeId entry(InodeId directory, std::string_view name) const;
  void set_entry(InodeId directory, const std::string& name, InodeId value);
  InodeId add_inode(bool directory);
  void change_names(NameChange change);
  void forget(const NameChange& change);
  void refer(InodeId id);
  void unrefer(InodeId id);
  void resize(InodeId id, File& file, uint64_t size);

  std::vector<Inode> inodes_;        // by InodeId
  std::vector<NameChange> changes_;  // not durable, oldest first
  uint64_t name_sequence_ = 0;
  uint64_t used_bytes_ = 0;
};

}  // namespace ringside::sim
