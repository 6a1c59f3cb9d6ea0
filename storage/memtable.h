// Memtable: the newest state of the keys, in order, in memory. A B-tree keeps the order, for scans
// and flushes; a hash index beside it finds one key. A key holds a chain of versions, newest first,
// and keeps those that a reader may still want: the ones not yet durable, the newest durable one,
// and what is in between for snapshots. A version that nobody can want any more is written over in
// place, so that a table of hot keys does not grow. Look-ups allocate nothing. Removes of ranges
// lie beside the keys: whoever reads asks `cover`, too.
#pragma once

#include <absl/container/btree_set.h>
#include <absl/types/compare.h>

#include <cstdint>
#include <string_view>

#include "storage/arena.h"
#include "storage/batch.h"
#include "storage/entry.h"
#include "storage/key_index.h"
#include "storage/range_remove.h"

namespace ringside {

class Memtable {
 public:
  struct Version {
    Version* older;
    Lsn lsn;
    int64_t expires;  // 0: never
    uint32_t size;
    uint32_t capacity : 31;
    uint32_t removed : 1;

    char* bytes() { return reinterpret_cast<char*>(this + 1); }
    std::string_view value() const { return {reinterpret_cast<const char*>(this + 1), size}; }
  };

  Memtable() = default;
  Memtable(const Memtable&) = delete;
  Memtable& operator=(const Memtable&) = delete;

  // LSNs never go back. `oldest`: nobody reads below this LSN any more.
  void apply(const BatchOperation& operation, Lsn lsn, Lsn oldest);
  // The newest version at or below `at`, or null. `hash` is hash_bytes(key), which the tables'
  // filters want, too.
  const Version* find(std::string_view key, uint64_t hash, Lsn at) const {
    const Item* item = index_.find(key, hash);
    return item == nullptr ? nullptr : visible(item->newest, at);
  }

  // Removes of ranges, by ascending LSN.
  const std::vector<RangeRemove>& ranges() const { return ranges_; }

  bool empty() const { return order_.empty() && ranges_.empty(); }
  uint64_t keys() const { return order_.size(); }
  uint64_t bytes() const {
    return arena_.used() + order_.size() * sizeof(Key) + index_.bytes() + range_bytes_;
  }
  Lsn last() const { return last_; }

 private:
  struct Item {
    Version* newest;
    uint32_t key_size;

    char* key_bytes() { return reinterpret_cast<char*>(this + 1); }
    std::string_view key() const { return {reinterpret_cast<const char*>(this + 1), key_size}; }
  };

  // The first sixteen bytes, big-endian, decide most comparisons without touching the key itself:
  // keys often begin alike ("user0000…").
  struct Prefix {
    explicit Prefix(std::string_view key);
    bool operator==(const Prefix& other) const = default;
    bool operator<(const Prefix& other) const {
      return high != other.high ? high < other.high : low < other.low;
    }
    uint64_t high = 0;
    uint64_t low = 0;
  };
  struct Key {
    Prefix prefix;
    const Item* item;
  };
  struct Sought {
    explicit Sought(std::string_view sought) : prefix(sought), key(sought) {}
    Prefix prefix;
    std::string_view key;
  };
  struct KeyOrder {
    using is_transparent = void;

    static std::string_view view(const Key& key) { return key.item->key(); }
    static std::string_view view(const Sought& key) { return key.key; }
    template <class A, class B>
    absl::weak_ordering operator()(const A& a, const B& b) const {
      if (a.prefix != b.prefix) {
        return a.prefix < b.prefix ? absl::weak_ordering::less : absl::weak_ordering::greater;
      }
      const int order = view(a).compare(view(b));
      return order < 0   ? absl::weak_ordering::less
             : order > 0 ? absl::weak_ordering::greater
                         : absl::weak_ordering::equivalent;
    }
  };
  using Order = absl::btree_set<Key, KeyOrder>;

 public:
  // In key order. Valid until the next `apply`.
  class Cursor {
   public:
    bool valid() const { return at_ != end_; }
    std::string_view key() const { return at_->item->key(); }
    const Version& newest() const { return *at_->item->newest; }
    StoredEntry entry(const Version& version) const {
      return {key(), version.value(), version.lsn, version.removed != 0, version.expires};
    }
    // The newest version at or below `at`, or null.
    const Version* version(Lsn at) const { return visible(at_->item->newest, at); }
    void next() { ++at_; }

   private:
    friend class Memtable;
    Cursor(Order::const_iterator at, Order::const_iterator end) : at_(at), end_(end) {}
    Order::const_iterator at_, end_;
  };
  Cursor begin() const { return {order_.begin(), order_.end()}; }
  Cursor seek(std::string_view key) const {
    return {order_.lower_bound(Sought(key)), order_.end()};
  }

 private:
  static const Version* visible(const Version* version, Lsn at) {
    while (version != nullptr && version->lsn > at) version = version->older;
    return version;
  }
  Item* make_item(std::string_view key, uint64_t hash);
  Version* make_version(Version* reusable, std::string_view value);
  void keep_spare(Version* version);

  Arena arena_;
  Order order_;
  KeyIndex<Item> index_;
  Version* spare_ = nullptr;  // forgotten versions of hot keys, to be used again
  std::vector<RangeRemove> ranges_;
  uint64_t range_bytes_ = 0;
  Lsn last_ = 0;
};

}  // namespace ringside
