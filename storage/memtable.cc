#include "storage/memtable.h"

#include <algorithm>
#include <cstring>

#include "runtime/check.h"
#include "runtime/random.h"

namespace ringside {

Memtable::Prefix::Prefix(std::string_view key) {
  uint64_t words[2] = {};
  if (!key.empty()) std::memcpy(words, key.data(), std::min(key.size(), sizeof words));
  high = __builtin_bswap64(words[0]);
  low = __builtin_bswap64(words[1]);
}

Memtable::Item* Memtable::make_item(std::string_view key, uint64_t hash) {
  Item* item = new (arena_.allocate(sizeof(Item) + key.size())) Item{};
  item->key_size = static_cast<uint32_t>(key.size());
  if (!key.empty()) std::memcpy(item->key_bytes(), key.data(), key.size());
  index_.insert(item, hash);
  order_.insert(Key{Prefix(key), item});
  return item;
}

void Memtable::apply(const BatchOperation& operation, Lsn lsn, Lsn oldest) {
  CHECK(lsn >= last_);
  last_ = lsn;
  if (operation.range) {
    ranges_.push_back({{std::string(operation.key), std::string(operation.value)}, lsn});
    range_bytes_ += sizeof(RangeRemove) + operation.key.size() + operation.value.size();
    return;
  }
  const uint64_t hashed = hash_bytes(operation.key);
  Item* item = index_.find(operation.key, hashed);
  if (item == nullptr) item = make_item(operation.key, hashed);
  Version* head = item->newest;
  Version* reusable = nullptr;
  if (head != nullptr &&
      head->lsn == lsn) {  // the same batch names the key twice: the later one stands
    reusable = head;
    head = head->older;
    reusable->older = nullptr;
  } else {
    Version* kept = head;  // the newest version at or below `oldest`: nothing older is wanted
    while (kept != nullptr && kept->lsn > oldest) kept = kept->older;
    if (kept != nullptr) {
      reusable = kept->older;
      kept->older = nullptr;
    }
  }
  Version* version = make_version(reusable, operation.value);
  version->older = head;
  version->lsn = lsn;
  version->expires = operation.expires;
  version->removed = operation.removed ? 1 : 0;
  item->newest = version;
}

Memtable::Version* Memtable::make_version(Version* reusable, std::string_view value) {
  while (reusable != nullptr && reusable->capacity < value.size()) {
    Version* next = reusable->older;
    keep_spare(reusable);
    reusable = next;
  }
  if (reusable != nullptr) {
    while (Version* rest = reusable->older) {
      reusable->older = rest->older;
      keep_spare(rest);
    }
  } else if (spare_ != nullptr && spare_->capacity >= value.size()) {
    reusable = spare_;
    spare_ = spare_->older;
  } else {
    const std::size_t capacity = (value.size() + 7) & ~std::size_t{7};
    reusable = new (arena_.allocate(sizeof(Version) + capacity)) Version{};
    reusable->capacity = static_cast<uint32_t>(capacity) & 0x7fff'ffff;
  }
  reusable->size = static_cast<uint32_t>(value.size());
  if (!value.empty()) std::memcpy(reusable->bytes(), value.data(), value.size());
  return reusable;
}

void Memtable::keep_spare(Version* version) {
  version->older = spare_;
  spare_ = version;
}

}  // namespace ringside
