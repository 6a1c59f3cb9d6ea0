// Cow<T>: a value shared by reference count until one owner changes it. One thread, like the world
// that uses it.
#pragma once

#include <cstdint>
#include <utility>

namespace ringside::sim {

template <class T>
class Cow {
 public:
  Cow() = default;
  explicit Cow(T value) : block_(new Block{1, std::move(value)}) {}
  Cow(const Cow& other) : block_(other.block_) {
    if (block_ != nullptr) ++block_->references;
  }
  Cow(Cow&& other) noexcept : block_(std::exchange(other.block_, nullptr)) {}
  Cow& operator=(Cow other) noexcept {
    std::swap(block_, other.block_);
    return *this;
  }
  ~Cow() {
    if (block_ != nullptr && --block_->references == 0) delete block_;
  }

  explicit operator bool() const { return block_ != nullptr; }
  const T& operator*() const { return block_->value; }
  const T* operator->() const { return &block_->value; }
  // The value for this owner alone, copied first when others share it.
  T& own() {
    if (block_->references > 1) *this = Cow(block_->value);
    return block_->value;
  }

 private:
  struct Block {
    uint64_t references;
    T value;
  };
  Block* block_ = nullptr;
};

}  // namespace ringside::sim
