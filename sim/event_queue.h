// EventQueue: what will happen, in one total order: time, then priority, then the order of
// insertion. Time never goes back: nothing may be inserted before the last event that was taken.
// Insertion and cancellation take constant time, and taking the next event a small one, for ten
// pending events or a million.
//
// How: a radix of buckets by the highest digit (six bits) in which an event's time differs from a
// cursor, so that the nearest bucket is two bit scans away. The nearest bucket is split when it is
// large; otherwise it is sorted into `near_`, from whose end events are taken. Events that are
// inserted before the end of `near_` go to their place in it, or, when it is long and the place is
// far, to a heap. A cancelled event leaves its entry behind, and its node says so.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "runtime/check.h"
#include "runtime/time.h"

namespace ringside::sim {

// What the owner of the queue wants back with the event. The queue does not look inside, but it
// asks the memory for `subject` and, of an event that has no number, for `hint`, a little before
// their time comes.
struct EventPayload {
  void* subject = nullptr;
  union {
    uint64_t number = 0;
    const void* hint;
  };
  uint32_t owner = 0;
  uint32_t tag = 0;
};

struct QueuedEvent {
  Time time = 0;
  uint64_t priority = 0;
  EventPayload payload;
};

class EventQueue {
 public:
  using Handle = uint64_t;  // never 0, never with the highest bit set, never given twice

  EventQueue();
  ~EventQueue();
  EventQueue(const EventQueue&) = delete;
  EventQueue& operator=(const EventQueue&) = delete;

  Handle insert(Time time, uint64_t priority, const EventPayload& payload);
  // False when the event was taken or cancelled before.
  bool cancel(Handle handle);
  // Takes the first event, when its time is at most `limit`.
  bool pop(Time limit, QueuedEvent& event);

  // The events of this owner and tag that are still to come, in their order. Walks the whole queue.
  struct Pending {
    Handle handle;
    QueuedEvent event;
  };
  std::vector<Pending> pending(uint32_t owner, uint32_t tag) const;

  std::size_t size() const { return live_; }
  bool empty() const { return live_ == 0; }

 private:
  static constexpr int kDigitBits = 6;
  static constexpr int kSlots = 1 << kDigitBits;
  static constexpr int kLevels = 11;  // 66 bits
  static constexpr uint64_t kNodeBits = 24;
  static constexpr uint64_t kNodeMask = (uint64_t{1} << kNodeBits) - 1;
  static constexpr uint32_t kSortMax = 256;     // a bucket of at most so many is sorted whole
  static constexpr uint32_t kRunMax = 12;       // what insertion sorts as fast as anything
  static constexpr std::size_t kNearMax = 512;  // up to here, any place in `near_` is cheap
  static constexpr std::size_t kStepsMax = 24;  // that an insertion walks in a longer one
  static constexpr std::size_t kLateMax = 512;  // in the heap before a rebuild is considered

  struct Entry {
    Time time;
    uint64_t priority;
    Handle handle;  // insertion number and node

    bool operator<(const Entry& other) const {
      if (time != other.time) return time < other.time;
      if (priority != other.priority) return priority < other.priority;
      return handle < other.handle;
    }
  };
  struct Node {
    Handle handle;  // of the event that lives here; otherwise the next free node
    EventPayload payload;
  };
  static constexpr uint32_t kBlockEntries = 20;
  struct Block {
    Block* next;
    uint32_t count;
    Entry entries[kBlockEntries];
  };
  struct Bucket {
    Block* head = nullptr;
    uint32_t count = 0;
  };

  bool alive(const Entry& entry) const {
    return nodes_[entry.handle & kNodeMask].handle == entry.handle;
  }
  void fetch(const Entry& entry) const;
  void place(const Entry& entry);
  void insert_near(const Entry& entry);
  bool refill(Time limit);
  void take_bucket(Bucket bucket, int level);
  void sort_near(int level);
  void split_bucket(Bucket bucket);
  std::vector<Entry> live_entries() const;
  void rebuild();
  void grow_nodes();
  Block* new_block(Block* next);
  void free_block(Block* block) {
    block->next = free_blocks_;
    free_blocks_ = block;
  }

  std::vector<Entry> near_;  // descending; every time is below near_end_
  std::vector<Entry> scratch_;
  std::vector<Entry> late_;  // a heap, for what did not fit into near_ cheaply
  uint64_t near_end_ = 0;
  uint64_t cursor_ = 0;  // every event in a bucket is at or after it
  Time floor_ = 0;       // the time of the last event taken

  uint32_t levels_used_ = 0;
  std::array<uint64_t, kLevels> slots_used_{};
  std::array<std::array<Bucket, kSlots>, kLevels> buckets_{};
  Block* free_blocks_ = nullptr;
  std::vector<std::unique_ptr<Block[]>> block_slabs_;

  std::vector<Node> nodes_;
  uint32_t free_node_ = 0;
  uint64_t inserted_ = 0;
  std::size_t live_ = 0;
  std::size_t dead_ = 0;  // entries whose event was cancelled
};

}  // namespace ringside::sim
