#include "storage/block_cache.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace ringside {
namespace {

constexpr uint64_t kUsualBlockBytes = 4096;
constexpr uint64_t kGhostsMin = 64;

uint32_t fingerprint_of(uint64_t hash) { return static_cast<uint32_t>(hash >> 32) | 1; }

}  // namespace

// As many ghosts as blocks fit, in twice as many slots.
BlockCache::BlockCache(uint64_t bytes_max)
    : bytes_max_(bytes_max),
      ghosts_(2 * std::bit_ceil(std::max(bytes_max / kUsualBlockBytes, kGhostsMin))) {}

void BlockCache::insert(uint64_t table, uint64_t offset, Buffer bytes) {
  const Name name{table, offset};
  if (bytes.size() > bytes_max_ || by_name_.contains(name)) return;
  std::unique_ptr<Cached>& slot = by_name_[name];
  slot = std::make_unique<Cached>();
  slot->name = name;
  slot->bytes = std::move(bytes);
  if (was_here(name)) {
    to_main(*slot);
  } else {
    small_bytes_ += slot->bytes.size();
    small_.push_back(*slot);
  }
  make_room();
}

void BlockCache::make_room() {
  while (bytes() > bytes_max_) {
    if (small_bytes_ > bytes_max_ / 10 || main_.empty()) {
      shrink_small();
    } else {
      shrink_main();
    }
  }
}

void BlockCache::shrink_small() {
  Cached& oldest = *small_.pop_front();
  small_bytes_ -= oldest.bytes.size();
  if (oldest.uses >= kUsesToStay) {
    oldest.uses = 0;
    to_main(oldest);
    return;
  }
  ++stats_.rejections;
  const uint64_t hash = HashName()(oldest.name);
  ghosts_[hash % ghosts_.size()] = {fingerprint_of(hash), left_++};
  by_name_.erase(oldest.name);
}

void BlockCache::shrink_main() {
  for (;;) {
    Cached& next = *main_.pop_front();
    if (next.uses == 0) {
      main_bytes_ -= next.bytes.size();
      by_name_.erase(next.name);
      return;
    }
    --next.uses;
    main_.push_back(next);
  }
}

void BlockCache::to_main(Cached& cached) {
  ++stats_.admissions;
  main_bytes_ += cached.bytes.size();
  main_.push_back(cached);
}

bool BlockCache::was_here(const Name& name) const {
  const uint64_t hash = HashName()(name);
  const Ghost& ghost = ghosts_[hash % ghosts_.size()];
  return ghost.fingerprint == fingerprint_of(hash) && left_ - ghost.left <= ghosts_.size() / 2;
}

}  // namespace ringside
