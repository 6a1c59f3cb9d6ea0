// KeyIndex: finds a key's entry by hash, beside the ordered map that holds the same entries. Open
// addressing, a power of two of slots, never more than half full; nothing is ever taken out, and
// nobody walks it.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace ringside {

// `Item` has key().
template <class Item>
class KeyIndex {
 public:
  Item* find(std::string_view key, uint64_t hash) const {
    if (slots_.empty()) return nullptr;
    for (uint64_t at = hash & mask_;; at = (at + 1) & mask_) {
      const Slot& slot = slots_[at];
      if (slot.item == nullptr) return nullptr;
      if (slot.hash == hash && slot.item->key() == key) return slot.item;
    }
  }
  // The key must not be there yet.
  void insert(Item* item, uint64_t hash) {
    if (2 * (count_ + 1) > slots_.size()) grow();
    ++count_;
    place({hash, item});
  }
  uint64_t bytes() const { return slots_.size() * sizeof(Slot); }

 private:
  struct Slot {
    uint64_t hash = 0;
    Item* item = nullptr;
  };

  void place(Slot added) {
    uint64_t at = added.hash & mask_;
    while (slots_[at].item != nullptr) at = (at + 1) & mask_;
    slots_[at] = added;
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 8 : 2 * slots_.size());
    old.swap(slots_);
    mask_ = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.item != nullptr) place(slot);
    }
  }

  std::vector<Slot> slots_;
  uint64_t mask_ = 0;
  uint64_t count_ = 0;
};

}  // namespace ringside
