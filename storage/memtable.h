// Memtable: the newest state of the keys, in order, in memory. A key holds a chain of versions,
// newest first, and keeps those that a reader may still want: the ones not yet durable and the
// newest durable one. A version that nobody can want any more is written over in place, so that a
// table of hot keys does not grow. Look-ups allocate nothing.
#pragma once

#include <absl/container/btree_map.h>

#include <cstdint>
#include <string_view>

#include "storage/arena.h"
#include "storage/engine.h"

namespace ringside {

class Memtable {
 public:
  struct Version {
    Version* older;
    Lsn lsn;
    uint32_t size;
    uint32_t capacity;
    bool removed;

    char* bytes() { return reinterpret_cast<char*>(this + 1); }
    std::string_view value() const { return {reinterpret_cast<const char*>(this + 1), size}; }
  };

 private:
  // The first eight bytes, big-endian, decide nearly every comparison without touching the key
  // itself.
  struct Key {
    uint64_t prefix;
    const char* data;
    uint64_t size;

    explicit Key(std::string_view key);
    std::string_view view() const { return {data, size}; }
    friend bool operator<(const Key& a, const Key& b) {
      if (a.prefix != b.prefix) return a.prefix < b.prefix;
      return a.view() < b.view();
    }
  };
  using Map = absl::btree_map<Key, Version*>;

 public:
  Memtable() = default;
  Memtable(const Memtable&) = delete;
  Memtable& operator=(const Memtable&) = delete;

  // LSNs never go back. `durable`: what the log holds, for what may be forgotten.
  void apply(const BatchOperation& operation, Lsn lsn, Lsn durable);
  // The newest version at or below `at`, or null.
  const Version* find(std::string_view key, Lsn at) const;

  bool empty() const { return map_.empty(); }
  uint64_t keys() const { return map_.size(); }
  uint64_t bytes() const { return arena_.used() + map_.size() * (sizeof(Key) + sizeof(Version*)); }
  Lsn last() const { return last_; }

  // In key order. Valid until the next `apply`.
  class Cursor {
   public:
    bool valid() const { return at_ != end_; }
    std::string_view key() const { return at_->first.view(); }
    const Version* newest() const { return at_->second; }
    // The newest version at or below `at`, or null.
    const Version* version(Lsn at) const { return visible(at_->second, at); }
    void next() { ++at_; }

   private:
    friend class Memtable;
    Cursor(Map::const_iterator at, Map::const_iterator end) : at_(at), end_(end) {}
    Map::const_iterator at_, end_;
  };
  Cursor begin() const { return {map_.begin(), map_.end()}; }
  Cursor seek(std::string_view key) const { return {map_.lower_bound(Key(key)), map_.end()}; }

 private:
  static const Version* visible(const Version* version, Lsn at) {
    while (version != nullptr && version->lsn > at) version = version->older;
    return version;
  }
  Version* make_version(Version* reusable, std::string_view value);
  void keep_spare(Version* version);

  Arena arena_;
  Map map_;
  Version* spare_ = nullptr;  // forgotten versions of hot keys, to be used again
  Lsn last_ = 0;
};

}  // namespace ringside
