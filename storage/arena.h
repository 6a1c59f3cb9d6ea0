// Arena: memory that is given back all at once. Chunks start small, so that an idle node is cheap,
// and grow.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

namespace ringside {

class Arena {
 public:
  static constexpr std::size_t kFirstChunkBytes = 512;
  static constexpr std::size_t kChunkBytesMax = 256u << 10;

  // Aligned to eight bytes, not initialised.
  char* allocate(std::size_t bytes) {
    const std::size_t rounded = (bytes + 7) & ~std::size_t{7};
    if (rounded > left_) grow(rounded);
    char* taken = next_;
    next_ += rounded;
    left_ -= rounded;
    used_ += rounded;
    return taken;
  }
  std::string_view copy(std::string_view bytes) {
    if (bytes.empty()) return {};
    char* at = allocate(bytes.size());
    std::memcpy(at, bytes.data(), bytes.size());
    return {at, bytes.size()};
  }
  uint64_t used() const { return used_; }

 private:
  void grow(std::size_t needed) {
    const std::size_t bytes = std::max(needed, chunk_bytes_);
    chunk_bytes_ = std::min(2 * chunk_bytes_, kChunkBytesMax);
    chunks_.push_back(std::make_unique_for_overwrite<char[]>(bytes));
    next_ = chunks_.back().get();
    left_ = bytes;
  }

  std::vector<std::unique_ptr<char[]>> chunks_;
  char* next_ = nullptr;
  std::size_t left_ = 0;
  std::size_t chunk_bytes_ = kFirstChunkBytes;
  uint64_t used_ = 0;
};

}  // namespace ringside
