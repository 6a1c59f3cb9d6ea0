// Buffer: bytes with a reference count, so that one frame goes to N peers and a host can hold what
// it was given without a copy. Shared bytes are never changed: fill a buffer before it is copied or
// handed away. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace ringside {

class Buffer {
 public:
  Buffer() = default;
  // `size` bytes, not initialised.
  static Buffer with_size(std::size_t size);
  static Buffer copy_of(std::string_view bytes);

  Buffer(const Buffer& other) : block_(other.block_), size_(other.size_) {
    if (block_ != nullptr) ++block_->references;
  }
  Buffer(Buffer&& other) noexcept
      : block_(std::exchange(other.block_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Buffer& operator=(Buffer other) noexcept {
    std::swap(block_, other.block_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Buffer() {
    if (block_ != nullptr && --block_->references == 0) release(block_);
  }

  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  const char* data() const { return block_ == nullptr ? nullptr : block_->bytes; }
  char* mutable_data() { return block_ == nullptr ? nullptr : block_->bytes; }
  std::string_view view() const { return {data(), size_}; }
  // Keeps the first `size` bytes.
  void shrink(std::size_t size) { size_ = size < size_ ? size : size_; }

 private:
  struct Block {
    std::size_t references;
    std::size_t total;  // what was allocated
    char bytes[];
  };
  static void release(Block* block);

  Block* block_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace ringside
