#include "sim/disk_file.h"

#include <algorithm>
#include <cstring>
#include <new>

#include "runtime/check.h"
#include "runtime/random.h"

namespace ringside::sim {
namespace {

constexpr auto kSector = static_cast<uint32_t>(kSectorBytes);

uint32_t round_up_to_sector(uint32_t bytes) { return (bytes + kSector - 1) / kSector * kSector; }
uint64_t pages_of(uint64_t bytes) { return (bytes + kPageBytes - 1) / kPageBytes; }

// Length without trailing zeros. Logs pad their groups to whole pages; the padding is not worth
// memory.
uint32_t trimmed(std::string_view bytes) {
  std::size_t length = bytes.size();
  while (length >= 64) {
    uint64_t words[8];
    std::memcpy(words, bytes.data() + length - 64, 64);
    if ((words[0] | words[1] | words[2] | words[3] | words[4] | words[5] | words[6] | words[7]) !=
        0)
      break;
    length -= 64;
  }
  while (length > 0 && bytes[length - 1] == 0) --length;
  return static_cast<uint32_t>(length);
}

uint8_t sectors_touched(uint32_t begin, uint32_t count) {
  uint32_t mask = 0;
  for (uint32_t sector = begin / kSector; sector * kSector < begin + count; ++sector)
    mask |= 1u << sector;
  return static_cast<uint8_t>(mask);
}

}  // namespace

PageRef PageRef::with_bytes(uint32_t bytes) {
  CHECK(bytes <= kPage && bytes % kSector == 0);
  PageRef made;
  if (bytes == 0) return made;
  made.block_ = static_cast<Block*>(::operator new(sizeof(Block) + bytes));
  made.block_->references = 1;
  made.block_->bytes = bytes;
  return made;
}

void PageRef::release(Block* block) { ::operator delete(block); }

void PageRef::copy_out(uint32_t begin, uint32_t count, char* out) const {
  const uint32_t held = begin < bytes() ? std::min(count, bytes() - begin) : 0;
  if (held > 0) std::memcpy(out, data() + begin, held);
  if (count > held) std::memset(out + held, 0, count - held);
}

void PageRef::overwrite(uint32_t begin, std::string_view bytes) {
  const auto count = static_cast<uint32_t>(bytes.size());
  CHECK(begin + count <= kPage);
  const uint32_t filled = trimmed(bytes);
  const bool covers_all = begin == 0 && count >= this->bytes();
  const uint32_t needed = filled == 0 ? 0 : round_up_to_sector(begin + filled);
  const uint32_t wanted = covers_all ? needed : std::max(this->bytes(), needed);
  if (shared() || this->bytes() != wanted) {
    PageRef fresh = with_bytes(wanted);
    if (wanted > 0) {
      // What the new bytes do not reach: the old ones before and behind, and zeros.
      const uint32_t before = std::min(begin, wanted);
      if (before > 0) copy_out(0, before, fresh.mutable_data());
      const uint32_t behind = begin + filled;
      if (behind < wanted) copy_out(behind, wanted - behind, fresh.mutable_data() + behind);
    }
    *this = std::move(fresh);
  }
  if (wanted == 0) return;
  if (filled > 0) std::memcpy(mutable_data() + begin, bytes.data(), filled);
  const uint32_t zeros_end = std::min(begin + count, wanted);
  if (zeros_end > begin + filled)
    std::memset(mutable_data() + begin + filled, 0, zeros_end - begin - filled);
}

void PageRef::cut(uint32_t begin) {
  if (begin >= bytes()) return;
  PageRef fresh = with_bytes(round_up_to_sector(begin));
  if (fresh.bytes() > 0) {
    copy_out(0, begin, fresh.mutable_data());
    std::memset(fresh.mutable_data() + begin, 0, fresh.bytes() - begin);
  }
  *this = std::move(fresh);
}

Buffer DiskFile::read(uint64_t offset, uint64_t length) const {
  if (offset >= size_) return {};
  length = std::min(length, size_ - offset);
  Buffer buffer = Buffer::with_size(length);
  char* out = buffer.mutable_data();
  while (length > 0) {
    const auto begin = static_cast<uint32_t>(offset % kPageBytes);
    const auto count = static_cast<uint32_t>(std::min<uint64_t>(length, kPage - begin));
    seen(offset / kPageBytes).copy_out(begin, count, out);
    out += count;
    offset += count;
    length -= count;
  }
  return buffer;
}

DiskFile::Version& DiskFile::touch(uint64_t page) {
  Slot& slot = pages_[page];
  if (slot.newest == 0 || versions_[slot.newest - 1].epoch != epoch_) {
    versions_.push_back({.epoch = epoch_,
                         .beneath = slot.page,
                         .page = static_cast<uint32_t>(page),
                         .older = slot.newest,
                         .sectors = 0});
    slot.newest = static_cast<uint32_t>(versions_.size());
  }
  return versions_[slot.newest - 1];
}

void DiskFile::resize(uint64_t size) {
  if (size == size_) return;
  if (sizes_.empty() || sizes_.back().epoch != epoch_)
    sizes_.push_back({.epoch = epoch_, .before = size_});
  size_ = size;
  if (pages_.size() < pages_of(size)) pages_.resize(pages_of(size));
}

void DiskFile::write(uint64_t offset, std::string_view bytes) {
  if (bytes.empty()) return;
  CHECK(offset + bytes.size() >= offset && pages_of(offset + bytes.size()) < UINT32_MAX);
  const uint64_t end = offset + bytes.size();
  if (end > size_) resize(end);
  // Beyond a size that was forgotten: the next sync makes it durable with the page.
  if (size_forgotten_ && end > sizes_.front().before && sizes_.back().epoch != epoch_) [[unlikely]]
    sizes_.push_back({.epoch = epoch_, .before = size_});
  while (!bytes.empty()) {
    const auto begin = static_cast<uint32_t>(offset % kPageBytes);
    const auto count = static_cast<uint32_t>(std::min<uint64_t>(bytes.size(), kPage - begin));
    touch(offset / kPageBytes).sectors |= sectors_touched(begin, count);
    pages_[offset / kPageBytes].page.overwrite(begin, bytes.substr(0, count));
    if (!laid_.empty()) [[unlikely]] {
      write_over_fault(offset / kPageBytes, begin, bytes.substr(0, count));
    }
    bytes.remove_prefix(count);
    offset += count;
  }
}

void DiskFile::truncate(uint64_t size) {
  CHECK(pages_of(size) < UINT32_MAX);
  if (size < size_) {
    const uint64_t end = pages_of(size_);
    uint64_t page = size / kPageBytes;
    const auto kept = static_cast<uint32_t>(size % kPageBytes);
    if (kept > 0) {
      touch(page).sectors |= sectors_touched(kept, kPage - kept);
      pages_[page].page.cut(kept);
      ++page;
    }
    for (; page < end; ++page) {
      if (pages_[page].page.bytes() == 0 && pages_[page].newest == 0) continue;  // a hole stays one
      touch(page);
      pages_[page].page = {};
    }
  }
  resize(size);
  if (!laid_.empty()) cut_faults();
}

void DiskFile::end_sync(Mark mark) {
  if (forgotten_ > 0 || size_forgotten_) [[unlikely]] {
    end_sync_but_for_forgotten(mark);
    return;
  }
  const auto covered =
      std::find_if(versions_.begin(), versions_.end(),
                   [mark](const Version& version) { return version.epoch > mark; });
  const auto count = static_cast<uint32_t>(covered - versions_.begin());
  if (count == versions_.size()) {
    for (const Version& version : versions_) pages_[version.page].newest = 0;
    versions_.clear();
  } else if (count > 0) {
    for (auto version = versions_.begin(); version != covered; ++version) {
      Slot& slot = pages_[version->page];
      if (slot.newest <= count) slot.newest = 0;
    }
    versions_.erase(versions_.begin(), covered);
    for (uint32_t i = 0; i < versions_.size(); ++i) {
      Version& version = versions_[i];
      version.older = version.older <= count ? 0 : version.older - count;
      pages_[version.page].newest = i + 1;  // the last one of a page wins
    }
  }
  sizes_.erase(sizes_.begin(),
               std::find_if(sizes_.begin(), sizes_.end(),
                            [mark](const SizeVersion& version) { return version.epoch > mark; }));
  if (durable() && pages_.size() > pages_of(size_)) {
    pages_.resize(pages_of(size_));
    pages_.shrink_to_fit();
  }
}

void DiskFile::forget_sync(Mark mark) {
  for (Version& version : versions_) {
    if (version.epoch > mark || version.forgotten) continue;
    version.forgotten = true;
    ++forgotten_;
  }
  for (SizeVersion& size : sizes_) {
    if (size.epoch > mark) continue;
    size.forgotten = true;
    size_forgotten_ = true;
  }
}

// What of a page was written last before the mark decides: written out, it takes the older ones
// along, since a page goes out whole; forgotten, the page stays as far from durable as it was.
void DiskFile::end_sync_but_for_forgotten(Mark mark) {
  std::map<uint32_t, bool> stays;  // by page
  std::vector<bool> kept(versions_.size());
  for (std::size_t i = versions_.size(); i-- > 0;) {
    const Version& version = versions_[i];
    kept[i] = version.epoch > mark || stays.emplace(version.page, version.forgotten).first->second;
  }
  for (const Version& version : versions_) pages_[version.page].newest = 0;
  std::vector<Version> left;
  forgotten_ = 0;
  for (std::size_t i = 0; i < versions_.size(); ++i) {
    if (!kept[i]) continue;
    Version& version = versions_[i];
    uint32_t& newest = pages_[version.page].newest;
    version.older = newest;
    forgotten_ += version.forgotten ? 1 : 0;
    left.push_back(std::move(version));
    newest = static_cast<uint32_t>(left.size());
  }
  versions_ = std::move(left);
  const auto covered =
      std::find_if(sizes_.begin(), sizes_.end(),
                   [mark](const SizeVersion& version) { return version.epoch > mark; });
  if (covered != sizes_.begin() && !std::prev(covered)->forgotten)
    sizes_.erase(sizes_.begin(), covered);
  size_forgotten_ = std::any_of(sizes_.begin(), sizes_.end(),
                                [](const SizeVersion& version) { return version.forgotten; });
}

// From the oldest version to the newest: does what was written reach the platter, and in what
// shape?
PageRef DiskFile::page_after_power_loss(const Slot& slot, Draw& draw,
                                        const PowerLossRules& rules) const {
  std::vector<uint32_t> chain;  // newest first
  for (uint32_t at = slot.newest; at != 0; at = versions_[at - 1].older) chain.push_back(at - 1);
  PageRef result = versions_[chain.back()].beneath;
  for (std::size_t i = chain.size(); i-- > 0;) {
    const Version& version = versions_[chain[i]];
    const PageRef& written = i == 0 ? slot.page : versions_[chain[i - 1]].beneath;
    double roll = draw.uniform();
    if (version.forgotten) {
      continue;  // it never left for the platter
    } else if ((roll -= rules.page_kept) < 0) {
      result = written;
    } else if (version.sectors == 0) {
      continue;  // cut off by a truncation: there is nothing that could be damaged on its way
    } else if ((roll -= rules.page_garbage) < 0) {
      result = PageRef::with_bytes(kPage);
      for (uint32_t at = 0; at < kPage; at += 8) {
        const uint64_t word = draw.next();
        std::memcpy(result.mutable_data() + at, &word, 8);
      }
    } else if ((roll -= rules.page_torn) < 0) {
      const uint64_t kept = draw.next();
      for (uint32_t sector = 0; sector < kPage / kSector; ++sector) {
        if ((version.sectors >> sector & 1) == 0 || (kept >> sector & 1) == 0) continue;
        char bytes[kSector];
        written.copy_out(sector * kSector, kSector, bytes);
        result.overwrite(sector * kSector, {bytes, kSector});
      }
    }
  }
  return result;
}

void DiskFile::power_loss(Draw& draw, const PowerLossRules& rules) {
  for (Slot& slot : pages_) {
    if (slot.newest == 0) continue;
    PageRef left = page_after_power_loss(slot, draw, rules);
    if (!laid_.empty() && !left.is(slot.page))
      laid_.erase(static_cast<uint64_t>(&slot - pages_.data()));
    slot.page = std::move(left);
    slot.newest = 0;
  }
  if (!sizes_.empty()) {
    const uint64_t durable_size = sizes_.front().before;
    double roll = draw.uniform();
    if (sizes_.back().forgotten) {
      size_ = durable_size;
    } else if ((roll -= rules.size_kept) >= 0) {
      const bool between = (roll - rules.size_between) < 0 && durable_size < size_;
      size_ = durable_size + (between ? draw.below(size_ - durable_size + 1) : 0);
    }
  }
  versions_.clear();
  sizes_.clear();
  forgotten_ = 0;
  size_forgotten_ = false;
  pages_.resize(pages_of(size_));
  // Bytes beyond the end would come back when the file grows.
  if (size_ % kPageBytes != 0) pages_.back().page.cut(static_cast<uint32_t>(size_ % kPageBytes));
  if (!laid_.empty()) cut_faults();
}

uint64_t DiskFile::unsynced_pages() const {
  return static_cast<uint64_t>(std::count_if(pages_.begin(), pages_.end(),
                                             [](const Slot& slot) { return slot.newest != 0; }));
}

uint64_t DiskFile::memory_bytes() const {
  uint64_t total = pages_.capacity() * sizeof(Slot) + versions_.capacity() * sizeof(Version);
  for (const Slot& slot : pages_) total += slot.page.bytes();
  for (const Version& version : versions_) total += version.beneath.bytes();
  for (const auto& [page, as_seen] : laid_) total += as_seen.bytes();
  return total;
}

uint64_t DiskFile::content_hash() const {
  uint64_t hash = mix(size_);
  for (std::size_t i = 0; i < pages_.size(); ++i) {
    const PageRef& page = seen(i);
    const uint32_t length = trimmed({page.data(), page.bytes()});
    if (length > 0) hash = mix(hash, hash_bytes({page.data(), length}, i));
  }
  return hash;
}

}  // namespace ringside::sim
