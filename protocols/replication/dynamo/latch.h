// KeyLatches: one holder a key. A read-modify-write whose key is in memory needs none, since it
// never suspends; one that must ask the disk holds the key's latch, so that two of them cannot both
// build on the same old object.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "runtime/semaphore.h"

namespace ringside {

class KeyLatches {
 private:
  struct Entry {
    explicit Entry(ReadyList& ready) : semaphore(ready, 1) {}
    Semaphore semaphore;
    uint32_t users = 0;
  };

 public:
  explicit KeyLatches(ReadyList& ready) : ready_(ready) {}

  // Declares interest; gives it up when destroyed. Hold it longer than the permit.
  class Use {
   public:
    Use(KeyLatches& latches, const std::string& key) : latches_(latches), key_(key) {
      std::unique_ptr<Entry>& entry = latches_.entries_[key_];
      if (!entry) entry = std::make_unique<Entry>(latches_.ready_);
      ++entry->users;
      entry_ = entry.get();
    }
    Use(const Use&) = delete;
    Use& operator=(const Use&) = delete;
    ~Use() {
      if (--entry_->users == 0) latches_.entries_.erase(key_);
    }
    // Permit permit = co_await use.acquire();
    auto acquire() { return entry_->semaphore.acquire(); }

   private:
    KeyLatches& latches_;
    const std::string& key_;
    Entry* entry_;
  };

 private:
  ReadyList& ready_;
  absl::flat_hash_map<std::string, std::unique_ptr<Entry>> entries_;  // looked up, never walked
};

}  // namespace ringside
