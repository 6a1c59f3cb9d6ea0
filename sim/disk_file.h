// DiskFile: the bytes of one file of a disk image. It keeps what a process sees and, beneath it,
// the older versions of pages and sizes that a power loss may bring back; a sync drops those that
// it covers. Pages are trimmed of trailing zero sectors and shared by reference count, so that a
// copy costs 16 bytes a page.
//
// Every write belongs to an epoch, and `begin_sync` ends one: the first write to a page in an epoch
// pushes a version that holds the page as it was before. `end_sync(mark)` drops the versions of
// epochs up to the mark. What is durable of a page is therefore what lies beneath its oldest
// version.
//
// Faults of the medium (disk_rot.cc) are laid over the pages: whole pages as they are seen, apart
// from the pristine ones, so that `mend` takes them back to the byte. What is written goes to both;
// a page that was written whole has no fault left. A fault lies as long as the write that it hides
// or hides beneath: where a power loss undoes that, it is gone too.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/buffer.h"
#include "runtime/disk.h"
#include "sim/draw.h"

namespace ringside::sim {

inline constexpr auto kPage = static_cast<uint32_t>(kPageBytes);

// Probabilities; what is left of 1 is `dropped` (pages), `reverted` (sizes) or `undone` (names).
struct PowerLossRules {
  double page_kept = 0.40;
  double page_garbage = 0.10;
  double page_torn = 0.15;
  double size_kept = 0.50;
  double size_between = 0.20;
  double name_kept = 0.50;
};

// Up to a page of bytes, a multiple of a sector; what lies beyond is zero. Null is all zero.
// Shared, never changed while shared.
class PageRef {
 public:
  PageRef() = default;
  PageRef(const PageRef& other) : block_(other.block_) {
    if (block_ != nullptr) ++block_->references;
  }
  PageRef(PageRef&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  PageRef& operator=(PageRef other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~PageRef() {
    if (block_ != nullptr && --block_->references == 0) release(block_);
  }

  static PageRef with_bytes(uint32_t bytes);  // not initialised; 0 gives null
  uint32_t bytes() const { return block_ == nullptr ? 0 : block_->bytes; }
  const char* data() const { return block_ == nullptr ? nullptr : block_->data; }
  char* mutable_data() { return block_ == nullptr ? nullptr : block_->data; }
  bool shared() const { return block_ != nullptr && block_->references > 1; }
  bool is(const PageRef& other) const { return block_ == other.block_; }
  // Copies [begin, begin + count) of the page, zeros included.
  void copy_out(uint32_t begin, uint32_t count, char* out) const;
  // This page with bytes laid over it at `begin`.
  void overwrite(uint32_t begin, std::string_view bytes);
  // Zeroes from `begin` to the end of the page.
  void cut(uint32_t begin);

 private:
  struct Block {
    uint32_t references;
    uint32_t bytes;
    char data[];
  };
  static void release(Block* block);

  Block* block_ = nullptr;
};

class DiskFile {
 public:
  using Mark = uint64_t;

  uint64_t size() const { return size_; }
  Buffer read(uint64_t offset, uint64_t length) const;  // short at the end of the file
  void write(uint64_t offset, std::string_view bytes);
  void truncate(uint64_t size);

  Mark begin_sync() { return epoch_++; }
  void end_sync(Mark mark);
  // The sync failed, and the pages and the size that it should have covered count as clean: no
  // later sync covers them, and a power loss undoes them. Not what is written again.
  void forget_sync(Mark mark);
  void power_loss(Draw& draw, const PowerLossRules& rules);

  // Faults. `flip` turns the n-th bit of the pages that are durable over, counted from the start of
  // the file; false when it is turned already. `write_astray`: `bytes` land at `place`, within the
  // file, and not at `offset`.
  uint64_t durable_bytes() const;
  bool flip(uint64_t nth_bit);
  void write_astray(uint64_t offset, uint64_t place, std::string_view bytes);
  bool mend();  // false when nothing was wrong
  uint64_t faulty_pages() const { return laid_.size(); }

  // Of pages that a sync would write out now; one that was written in two epochs counts twice.
  uint64_t dirty_bytes() const { return (versions_.size() - forgotten_) * kPageBytes; }
  bool durable() const { return versions_.empty() && sizes_.empty(); }
  uint64_t unsynced_pages() const;
  uint64_t memory_bytes() const;
  uint64_t content_hash() const;

 private:
  struct Slot {
    PageRef page;
    uint32_t newest = 0;  // 1 + index of the newest version; 0: the page is durable
  };
  // A page was written in `epoch`; before that it was `beneath`.
  struct Version {
    Mark epoch;
    PageRef beneath;
    uint32_t page;
    uint32_t older;   // 1 + index of the version before; 0: none
    uint8_t sectors;  // that were written
    bool forgotten = false;
  };
  struct SizeVersion {
    Mark epoch;
    uint64_t before;
    bool forgotten = false;
  };

  // The slot and its version of this epoch, made when it is not there.
  Version& touch(uint64_t page);
  void resize(uint64_t size);
  void end_sync_but_for_forgotten(Mark mark);
  PageRef page_after_power_loss(const Slot& slot, Draw& draw, const PowerLossRules& rules) const;

  uint64_t size_ = 0;
  Mark epoch_ = 1;
  std::vector<Slot> pages_;
  std::vector<Version> versions_;   // by epoch
  std::vector<SizeVersion> sizes_;  // by epoch
  uint64_t forgotten_ = 0;          // of versions_
  bool size_forgotten_ = false;     // any of sizes_

  // disk_rot.cc
  const PageRef& seen(uint64_t page) const {
    if (!laid_.empty()) [[unlikely]] {
      if (const auto laid = laid_.find(page); laid != laid_.end()) return laid->second;
    }
    return pages_[page].page;
  }
  void lay(uint64_t page, PageRef as_seen);
  void write_over_fault(uint64_t page, uint32_t begin, std::string_view bytes);
  void cut_faults();  // at the end of the file

  std::map<uint64_t, PageRef> laid_;  // by page, all different from the pristine one
};

}  // namespace ringside::sim
