// Faults of the medium: rot, and writes that landed elsewhere. They are laid over the pages of a
// file and taken off again.
#include <algorithm>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "runtime/check.h"
#include "sim/disk_image.h"

namespace ringside::sim {
namespace {

// A bit that is flipped already is drawn again, so often.
constexpr int kTries = 1000;

bool same(const PageRef& a, const PageRef& b) {
  char left[kPage];
  char right[kPage];
  a.copy_out(0, kPage, left);
  b.copy_out(0, kPage, right);
  return std::memcmp(left, right, kPage) == 0;
}

}  // namespace

uint64_t DiskFile::durable_bytes() const {
  uint64_t total = 0;
  for (uint64_t page = 0; page < pages_.size() && page * kPageBytes < size_; ++page) {
    if (pages_[page].newest == 0) total += std::min(kPageBytes, size_ - page * kPageBytes);
  }
  return total;
}

bool DiskFile::flip(uint64_t nth_bit) {
  uint64_t page = 0;
  for (;; ++page) {
    CHECK(page < pages_.size());
    if (pages_[page].newest != 0) continue;
    const uint64_t bits = std::min(kPageBytes, size_ - page * kPageBytes) * 8;
    if (nth_bit < bits) break;
    nth_bit -= bits;
  }
  const auto at = static_cast<uint32_t>(nth_bit / 8);
  char pristine = 0;
  char byte = 0;
  pages_[page].page.copy_out(at, 1, &pristine);
  seen(page).copy_out(at, 1, &byte);
  const auto bit = static_cast<char>(1 << nth_bit % 8);
  if (((pristine ^ byte) & bit) != 0) return false;
  byte = static_cast<char>(byte ^ bit);
  PageRef as_seen = seen(page);
  as_seen.overwrite(at, {&byte, 1});
  lay(page, std::move(as_seen));
  return true;
}

void DiskFile::lay(uint64_t page, PageRef as_seen) {
  if ((page + 1) * kPageBytes > size_) as_seen.cut(static_cast<uint32_t>(size_ % kPageBytes));
  if (same(as_seen, pages_[page].page)) {
    laid_.erase(page);
  } else {
    laid_.insert_or_assign(page, std::move(as_seen));
  }
}

void DiskFile::write_over_fault(uint64_t page, uint32_t begin, std::string_view bytes) {
  const auto laid = laid_.find(page);
  if (laid == laid_.end()) return;
  PageRef as_seen = laid->second;
  as_seen.overwrite(begin, bytes);
  lay(page, std::move(as_seen));
}

void DiskFile::cut_faults() {
  laid_.erase(laid_.lower_bound((size_ + kPageBytes - 1) / kPageBytes), laid_.end());
  const auto last = laid_.find(size_ / kPageBytes);
  if (last == laid_.end()) return;
  PageRef as_seen = last->second;
  lay(size_ / kPageBytes, std::move(as_seen));
}

void DiskFile::write_astray(uint64_t offset, uint64_t place, std::string_view bytes) {
  CHECK(!bytes.empty() && place % kPageBytes == offset % kPageBytes && place != offset);
  CHECK(place + bytes.size() <= size_);
  const uint64_t first = offset / kPageBytes;
  const uint64_t last = (offset + bytes.size() - 1) / kPageBytes;
  std::vector<PageRef> before;
  for (uint64_t page = first; page <= last; ++page)
    before.push_back(page < pages_.size() ? seen(page) : PageRef());
  write(offset, bytes);
  for (uint64_t page = first; page <= last; ++page) lay(page, std::move(before[page - first]));
  while (!bytes.empty()) {
    const auto begin = static_cast<uint32_t>(place % kPageBytes);
    const std::string_view part = bytes.substr(0, kPage - begin);
    PageRef as_seen = seen(place / kPageBytes);
    as_seen.overwrite(begin, part);
    lay(place / kPageBytes, std::move(as_seen));
    bytes.remove_prefix(part.size());
    place += part.size();
  }
}

bool DiskFile::mend() {
  const bool some = !laid_.empty();
  laid_.clear();
  return some;
}

void DiskImage::write_astray(InodeId file, uint64_t offset, uint64_t place,
                             std::string_view bytes) {
  DiskFile& data = change(file);
  used_bytes_ -= page_bytes_of(data.size());
  data.write_astray(offset, place, bytes);
  used_bytes_ += page_bytes_of(data.size());
}

uint64_t DiskImage::rot(Draw& draw, std::string_view files, uint64_t flips) {
  struct Part {
    InodeId file;
    uint64_t end;  // of its bits among those of all
  };
  std::vector<Part> parts;
  uint64_t bits = 0;
  for (const std::string& path : this->files()) {
    if (path.find(files) == std::string::npos) continue;
    const InodeId file = *find(path);
    bits += at(file).durable_bytes() * 8;
    parts.push_back({file, bits});
  }
  if (bits == 0) return 0;
  uint64_t flipped = 0;
  for (uint64_t n = 0; n < flips; ++n) {
    for (int left = kTries; left > 0; --left) {
      const uint64_t bit = draw.below(bits);
      const auto part =
          std::upper_bound(parts.begin(), parts.end(), bit,
                           [](uint64_t value, const Part& other) { return value < other.end; });
      const uint64_t begin = part == parts.begin() ? 0 : std::prev(part)->end;
      if (!change(part->file).flip(bit - begin)) continue;
      ++flipped;
      break;
    }
  }
  return flipped;
}

bool DiskImage::mend() {
  bool some = false;
  for (Inode& inode : inodes_) {
    if (!inode.file || inode.file->faulty_pages() == 0) continue;
    some = inode.file.own().mend();
  }
  return some;
}

uint64_t DiskImage::faulty_pages() const {
  uint64_t total = 0;
  for (const Inode& inode : inodes_)
    if (inode.file) total += inode.file->faulty_pages();
  return total;
}

}  // namespace ringside::sim
