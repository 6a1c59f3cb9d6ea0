#include "storage/block_cache.h"

#include <utility>

namespace ringside {

const Buffer* BlockCache::find(uint64_t table, uint64_t block) {
  const auto found = by_name_.find(name_of(table, block));
  if (found == by_name_.end()) return nullptr;
  recent_.splice(recent_.begin(), recent_, found->second);
  return &recent_.front().bytes;
}

void BlockCache::insert(uint64_t table, uint64_t block, Buffer bytes) {
  const uint64_t name = name_of(table, block);
  if (bytes.size() > bytes_max_ || by_name_.contains(name)) return;
  bytes_ += bytes.size();
  recent_.push_front({name, std::move(bytes)});
  by_name_.emplace(name, recent_.begin());
  while (bytes_ > bytes_max_) {
    bytes_ -= recent_.back().bytes.size();
    by_name_.erase(recent_.back().name);
    recent_.pop_back();
  }
}

}  // namespace ringside
