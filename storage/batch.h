// Batch: changes that become visible and durable together. Its encoding is what the log holds:
// repeated { kind u8, … }:
//
//   1 put                 key length varint, key, value length varint, value
//   2 remove              key length varint, key
//   3 put with expiry     key length varint, key, expiry u64, value length varint, value
//   4 remove a range      begin length varint, begin, end length varint, end
//
// Of two changes of a key in one batch the later one stands, but for removes of ranges: they come
// before everything else in their batch.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ringside {

class Batch {
 public:
  void put(std::string_view key, std::string_view value);
  // From `expires` on (wall clock of the host, ns, > 0) the key counts as removed.
  void put_until(std::string_view key, std::string_view value, int64_t expires);
  void remove(std::string_view key);
  // The keys in [begin, end); an empty `end` has no bound.
  void remove_range(std::string_view begin, std::string_view end);
  bool empty() const { return count_ == 0; }
  uint64_t count() const { return count_; }
  uint64_t puts() const { return puts_; }
  std::string_view encoded() const { return encoded_; }
  // Keeps its memory, so that one Batch serves many submits.
  void clear() {
    encoded_.clear();
    count_ = 0;
    puts_ = 0;
  }

 private:
  std::string encoded_;
  uint64_t count_ = 0;
  uint64_t puts_ = 0;
};

struct BatchOperation {
  std::string_view key;    // where a range begins
  std::string_view value;  // where a range ends
  bool removed = false;
  bool range = false;   // removed, and a range
  int64_t expires = 0;  // 0: never
};

// Walks an encoding. `ok` is false once it met bytes that no Batch writes.
class BatchReader {
 public:
  explicit BatchReader(std::string_view encoded) : rest_(encoded) {}
  bool next(BatchOperation& operation);
  bool ok() const { return ok_; }

 private:
  std::string_view rest_;
  bool ok_ = true;
};

}  // namespace ringside
