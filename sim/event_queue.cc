#include "sim/event_queue.h"

#include <algorithm>
#include <bit>

namespace ringside::sim {
namespace {

constexpr uint32_t kNodesFirst = 1024;
constexpr std::size_t kBlocksASlab = 64;
constexpr uint32_t kNoNode = ~uint32_t{0};
constexpr std::size_t kAhead = 8;  // events between asking for one and its turn

// For a heap with its least element in front.
constexpr auto kLater = [](const auto& a, const auto& b) { return b < a; };

}  // namespace

EventQueue::EventQueue() {
  free_node_ = kNoNode;
  near_.reserve(256);
}

EventQueue::~EventQueue() = default;

// Node 0 and insertion number 0 are never used together, so that no handle is 0.
EventQueue::Handle EventQueue::insert(Time time, uint64_t priority, const EventPayload& payload) {
  CHECK(time >= floor_);
  if (free_node_ == kNoNode) grow_nodes();
  const uint32_t index = free_node_;
  Node& node = nodes_[index];
  free_node_ = static_cast<uint32_t>(node.handle);
  const Handle handle = ++inserted_ << kNodeBits | index;
  node.handle = handle;
  node.payload = payload;
  ++live_;
  const Entry entry{time, priority, handle};
  if (static_cast<uint64_t>(time) < near_end_) {
    insert_near(entry);
  } else {
    place(entry);
  }
  return handle;
}

bool EventQueue::cancel(Handle handle) {
  const auto index = static_cast<uint32_t>(handle & kNodeMask);
  CHECK(index < nodes_.size());
  Node& node = nodes_[index];
  if (node.handle != handle) return false;
  node.handle = free_node_;
  free_node_ = index;
  --live_;
  ++dead_;
  if (dead_ > live_ + kLateMax) rebuild();
  return true;
}

bool EventQueue::pop(Time limit, QueuedEvent& event) {
  while (true) {
    if (near_.empty() && late_.empty() && !refill(limit)) return false;
    const bool from_heap = !late_.empty() && (near_.empty() || late_.front() < near_.back());
    const Entry first = from_heap ? late_.front() : near_.back();
    const auto index = static_cast<uint32_t>(first.handle & kNodeMask);
    Node& node = nodes_[index];
    const bool live = node.handle == first.handle;
    if (live && first.time > limit) return false;
    if (from_heap) {
      std::pop_heap(late_.begin(), late_.end(), kLater);
      late_.pop_back();
    } else {
      near_.pop_back();
    }
    if (!live) {
      --dead_;
      continue;
    }
    if (near_.size() >= kAhead) fetch(near_[near_.size() - kAhead]);
    event.time = first.time;
    event.priority = first.priority;
    event.payload = node.payload;
    node.handle = free_node_;
    free_node_ = index;
    --live_;
    floor_ = first.time;
    return true;
  }
}

// Events lie far apart in memory. Their nodes were asked for when near_ was filled; this asks for
// what hangs on them.
inline void EventQueue::fetch(const Entry& entry) const {
  const EventPayload& payload = nodes_[entry.handle & kNodeMask].payload;
  if (const auto* const subject = static_cast<const char*>(payload.subject)) {
    __builtin_prefetch(subject);
    __builtin_prefetch(subject + 56);
  }
  __builtin_prefetch(payload.hint);
}

inline void EventQueue::place(const Entry& entry) {
  const auto time = static_cast<uint64_t>(entry.time);
  const int level = (63 - std::countl_zero((time ^ cursor_) | 1)) / kDigitBits;
  const auto slot = static_cast<int>(time >> (level * kDigitBits)) & (kSlots - 1);
  Bucket& bucket = buckets_[level][slot];
  if (bucket.count == 0) {
    slots_used_[level] |= uint64_t{1} << slot;
    levels_used_ |= 1u << level;
  }
  if (bucket.head == nullptr || bucket.head->count == kBlockEntries)
    bucket.head = new_block(bucket.head);
  bucket.head->entries[bucket.head->count++] = entry;
  ++bucket.count;
}

void EventQueue::insert_near(const Entry& entry) {
  const std::size_t size = near_.size();
  if (size <= kNearMax) {
    const auto at = std::lower_bound(near_.begin(), near_.end(), entry, kLater);
    near_.insert(at, entry);
    return;
  }
  std::size_t at = size;
  while (at > size - kStepsMax && near_[at - 1] < entry) --at;
  if (at > size - kStepsMax) {
    near_.insert(near_.begin() + static_cast<std::ptrdiff_t>(at), entry);
    return;
  }
  late_.push_back(entry);
  std::push_heap(late_.begin(), late_.end(), kLater);
  if (late_.size() > kLateMax && late_.size() > live_ / 4) rebuild();
}

// Makes near_ hold the first events. False when there is none up to `limit`.
bool EventQueue::refill(Time limit) {
  while (levels_used_ != 0) {
    const int level = std::countr_zero(levels_used_);
    const int slot = std::countr_zero(slots_used_[level]);
    const int shift = level * kDigitBits;
    // The digits of the cursor above this level, then `slot`, then zeros.
    const uint64_t above =
        shift + kDigitBits >= 64 ? 0 : cursor_ >> (shift + kDigitBits) << (shift + kDigitBits);
    const uint64_t start = above | static_cast<uint64_t>(slot) << shift;
    if (start > static_cast<uint64_t>(limit)) return false;
    Bucket& place = buckets_[level][slot];
    const Bucket bucket = place;
    place = Bucket{};
    slots_used_[level] &= ~(uint64_t{1} << slot);
    if (slots_used_[level] == 0) levels_used_ &= ~(1u << level);
    if (bucket.count <= kSortMax || level == 0) {
      take_bucket(bucket, level);
      if (!near_.empty()) return true;
    } else {
      cursor_ = near_end_ = start;
      split_bucket(bucket);
    }
  }
  return false;
}

void EventQueue::take_bucket(Bucket bucket, int level) {
  for (Block* block = bucket.head; block != nullptr;) {
    for (uint32_t i = 0; i < block->count; ++i)
      __builtin_prefetch(&nodes_[block->entries[i].handle & kNodeMask]);
    near_.insert(near_.end(), block->entries, block->entries + block->count);
    Block* next = block->next;
    free_block(block);
    block = next;
  }
  sort_near(level);
  cursor_ = static_cast<uint64_t>(near_.front().time);
  near_end_ = cursor_ + 1;
  const std::size_t first = near_.size() - std::min(near_.size(), kAhead);
  for (std::size_t i = near_.size(); i > first; --i) fetch(near_[i - 1]);
}

// Sorts what came from a bucket of this level: the next digit of the time puts most of it into
// place at once.
void EventQueue::sort_near(int level) {
  const std::size_t size = near_.size();
  uint32_t longest = static_cast<uint32_t>(size);
  if (size > kRunMax && level > 0) {
    const int shift = (level - 1) * kDigitBits;
    const auto digit = [shift](const Entry& entry) {
      return static_cast<uint32_t>(static_cast<uint64_t>(entry.time) >> shift) & (kSlots - 1);
    };
    std::array<uint32_t, kSlots> counts{};
    for (const Entry& entry : near_) ++counts[digit(entry)];
    longest = 0;
    uint32_t end = 0;
    for (int i = kSlots; i-- > 0;) {  // the latest first
      longest = std::max(longest, counts[i]);
      const uint32_t count = counts[i];
      counts[i] = end;
      end += count;
    }
    scratch_.resize(size);
    for (const Entry& entry : near_) scratch_[counts[digit(entry)]++] = entry;
    near_.swap(scratch_);
  }
  if (longest > kRunMax) {
    std::sort(near_.begin(), near_.end(), kLater);
    return;
  }
  for (std::size_t i = 1; i < size; ++i) {
    if (!(near_[i - 1] < near_[i])) continue;
    const Entry entry = near_[i];
    std::size_t at = i;
    for (; at > 0 && near_[at - 1] < entry; --at) near_[at] = near_[at - 1];
    near_[at] = entry;
  }
}

void EventQueue::split_bucket(Bucket bucket) {
  for (Block* block = bucket.head; block != nullptr;) {
    for (uint32_t i = 0; i < block->count; ++i) {
      if (dead_ != 0 && !alive(block->entries[i])) {
        --dead_;
      } else {
        place(block->entries[i]);
      }
    }
    Block* next = block->next;
    free_block(block);
    block = next;
  }
}

std::vector<EventQueue::Entry> EventQueue::live_entries() const {
  std::vector<Entry> entries;
  entries.reserve(live_);
  const auto keep = [&](const Entry& entry) {
    if (alive(entry)) entries.push_back(entry);
  };
  std::for_each(near_.begin(), near_.end(), keep);
  std::for_each(late_.begin(), late_.end(), keep);
  for (int level = 0; level < kLevels; ++level) {
    for (uint64_t used = slots_used_[level]; used != 0; used &= used - 1) {
      const Bucket& bucket = buckets_[level][std::countr_zero(used)];
      for (const Block* block = bucket.head; block != nullptr; block = block->next)
        std::for_each(block->entries, block->entries + block->count, keep);
    }
  }
  CHECK(entries.size() == live_);
  return entries;
}

std::vector<EventQueue::Pending> EventQueue::pending(uint32_t owner, uint32_t tag) const {
  std::vector<Entry> entries = live_entries();
  std::erase_if(entries, [&](const Entry& entry) {
    const EventPayload& payload = nodes_[entry.handle & kNodeMask].payload;
    return payload.owner != owner || payload.tag != tag;
  });
  std::sort(entries.begin(), entries.end());
  std::vector<Pending> found;
  for (const Entry& entry : entries)
    found.push_back(
        {entry.handle, {entry.time, entry.priority, nodes_[entry.handle & kNodeMask].payload}});
  return found;
}

// Puts every live event into its bucket anew, seen from the last event taken; the rest is
// forgotten.
void EventQueue::rebuild() {
  const std::vector<Entry> entries = live_entries();
  for (int level = 0; level < kLevels; ++level) {
    for (uint64_t used = slots_used_[level]; used != 0; used &= used - 1) {
      Bucket& bucket = buckets_[level][std::countr_zero(used)];
      for (Block* block = bucket.head; block != nullptr;) {
        Block* next = block->next;
        free_block(block);
        block = next;
      }
      bucket = Bucket{};
    }
    slots_used_[level] = 0;
  }
  levels_used_ = 0;
  near_.clear();
  late_.clear();
  dead_ = 0;
  cursor_ = static_cast<uint64_t>(floor_);
  near_end_ = cursor_;
  for (const Entry& entry : entries) place(entry);
}

void EventQueue::grow_nodes() {
  const std::size_t old = nodes_.size();
  const std::size_t size = old == 0 ? kNodesFirst : old * 2;
  CHECK(size <= kNodeMask + 1);
  CHECK(inserted_ < uint64_t{1} << (63 - kNodeBits));
  nodes_.resize(size);
  for (std::size_t i = size; i > old; --i) {
    nodes_[i - 1].handle = free_node_;
    free_node_ = static_cast<uint32_t>(i - 1);
  }
}

EventQueue::Block* EventQueue::new_block(Block* next) {
  if (free_blocks_ == nullptr) {
    block_slabs_.push_back(std::make_unique<Block[]>(kBlocksASlab));
    for (std::size_t i = 0; i < kBlocksASlab; ++i) free_block(&block_slabs_.back()[i]);
  }
  Block* block = free_blocks_;
  free_blocks_ = block->next;
  block->next = next;
  block->count = 0;
  return block;
}

}  // namespace ringside::sim
