// DiskImage: what is on one disk, in memory. It knows two states of everything: what a process
// sees, and what surely survives a power loss; the older bytes and names are kept beneath until a
// sync drops them. Files share their pages by reference count, so a copy of an image costs O(files)
// and shares the bytes until one side writes. `begin_sync` … `end_sync` covers exactly what was
// written before `begin_sync`, whatever was written in between; a change of names lasts after the
// sync of a directory that it touched.
//
// Power loss draws, for each version of a 4 KiB page that is not durable: kept, dropped (back to
// the version beneath), garbage (all of the page, synced bytes too) or torn (each written 512-byte
// sector kept or not); for a file's size: kept, reverted or, when it grew, somewhere between; for
// each change of names: kept or undone, as one step and never without the change of the same name
// that it built upon.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/buffer.h"
#include "runtime/result.h"
#include "sim/cow.h"
#include "sim/disk_file.h"
#include "sim/draw.h"

namespace ringside::sim {

using InodeId = uint32_t;  // a file or directory; never reused within an image
inline constexpr InodeId kNoInode = 0;

// What a file of that size takes on the disk: whole pages.
constexpr uint64_t page_bytes_of(uint64_t size) {
  return (size + kPageBytes - 1) / kPageBytes * kPageBytes;
}

class DiskImage {
 public:
  using Mark = uint64_t;

  DiskImage();

  // Names. Paths are relative, '/' separates, "" is the root directory, parents must exist.
  Result<InodeId> find(std::string_view path) const;  // a file
  Result<InodeId> find_directory(std::string_view path) const;
  Result<InodeId> create(std::string_view path);                    // an empty file; kExists
  Result<void> make_directory(std::string_view path);               // fine when it is there
  Result<void> rename(std::string_view from, std::string_view to);  // files; replaces a file
  Result<void> remove(std::string_view path);                       // a file
  Result<std::vector<std::string>> list(std::string_view directory) const;  // sorted

  // Bytes. `file` is a file that lives (it has a name, may get one back, or is held).
  bool lives(InodeId file) const { return file < inodes_.size() && inodes_[file].file; }
  uint64_t size(InodeId file) const { return at(file).size(); }
  Buffer read(InodeId file, uint64_t offset, uint64_t length) const {
    return at(file).read(offset, length);
  }
  void write(InodeId file, uint64_t offset, std::string_view bytes);
  void truncate(InodeId file, uint64_t size);

  // An open file lives on without a name. `drop_holds`: the process died, nothing is open any more.
  void hold(InodeId file);
  void release(InodeId file);
  void drop_holds();

  // Durability.
  Mark begin_sync(InodeId file) { return change(file).begin_sync(); }
  void end_sync(InodeId file, Mark mark) { change(file).end_sync(mark); }
  void forget_sync(InodeId file, Mark mark) { change(file).forget_sync(mark); }  // it failed
  void sync(InodeId file) { end_sync(file, begin_sync(file)); }
  Mark begin_sync_directory() const { return name_sequence_; }
  void end_sync_directory(InodeId directory, Mark mark);

  // The machine stops; nothing is open after. (After a mere crash of the process everything written
  // stays: drop_holds.)
  void power_loss(Draw& draw, const PowerLossRules& rules = {});

  // Faults of the medium, laid over the pristine bytes until they are written over or mended; a
  // copy of the image has them too. `rot` flips bits of durable bytes, drawn uniformly over the
  // files whose path contains `files` (empty: all); returns how many, fewer than `flips` only when
  // hardly any bit is left to flip. `write_astray`: see DiskFile.
  uint64_t rot(Draw& draw, std::string_view files, uint64_t flips);
  void write_astray(InodeId file, uint64_t offset, uint64_t place, std::string_view bytes);
  bool mend();  // every byte as it should be; false when it was
  uint64_t faulty_pages() const;

  // Looking in: for tests, oracles and the lab.
  std::vector<std::string> files() const;  // paths of all files, sorted
  Result<std::string> contents(std::string_view path) const;
  // Makes the parents too and replaces what is there; durable at once.
  Result<void> install(std::string_view path, std::string_view bytes);
  uint64_t dirty_bytes(InodeId file) const { return at(file).dirty_bytes(); }
  uint64_t unsynced_pages(InodeId file) const { return at(file).unsynced_pages(); }
  uint64_t unsynced_names() const { return changes_.size(); }
  bool durable() const;  // nothing at all would be drawn at a power loss
  // Bytes that the files take on the disk, in whole pages (what counts against a capacity).
  uint64_t used_bytes() const { return used_bytes_; }
  // Bytes of memory, shared ones counted in full, older versions included.
  uint64_t memory_bytes() const;
  // Over every path, size and byte that a process would see.
  uint64_t content_hash() const;

 private:
  using Directory = std::map<std::string, InodeId, std::less<>>;
  struct Inode {
    uint32_t references = 0;  // names, and changes of names that may be undone
    uint32_t holds = 0;
    Cow<DiskFile> file;  // one of the two, or none when the inode is dead
    Cow<Directory> directory;
  };
  struct NamePart {
    InodeId directory = kNoInode;
    std::string name;
    InodeId before = kNoInode;
    InodeId after = kNoInode;
  };
  struct NameChange {
    Mark sequence = 0;
    std::vector<NamePart> parts;
  };

  const DiskFile& at(InodeId file) const;
  DiskFile& change(InodeId file);
  InodeId add_inode(Inode inode);
  Result<std::pair<InodeId, std::string_view>> split(std::string_view path) const;
  InodeId entry(InodeId directory, std::string_view name) const;
  void set_entry(InodeId directory, const std::string& name, InodeId value);
  void change_names(std::vector<NamePart> parts);
  void forget(const NameChange& change);
  void refer(InodeId id);
  void unrefer(InodeId id);
  void free_if_unused(InodeId id);
  void list_files(InodeId directory, const std::string& prefix,
                  std::vector<std::string>& paths) const;

  std::vector<Inode> inodes_;        // by InodeId
  std::vector<NameChange> changes_;  // not durable, oldest first
  Mark name_sequence_ = 0;
  uint64_t used_bytes_ = 0;
};

}  // namespace ringside::sim
