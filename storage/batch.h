// Batch: puts and removes that become visible and durable together. Its encoding is what the log holds:
// repeated { kind u8, key length varint, key, [value length varint, value] }.
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
  std::string_view encoded() const { return encoded_; }
  void clear() {
    encoded_.clear();
    count_ = 0;
  }

 private:
  std::string encoded_;
  uint64_t count_ = 0;
};

}  // namespace ringside
