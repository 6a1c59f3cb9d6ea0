// Batch: puts and removes that become visible and durable together. Its encoding is what the log
// holds: repeated { kind u8 (1 put, 2 remove), key length varint, key, [value length varint, value]
// }.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace ringside {

class Batch {
 public:
  void put(std::string_view key, std::string_view value);
  void remove(std::string_view key);
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
  std::string_view key;
  std::string_view value;
  bool removed = false;
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
