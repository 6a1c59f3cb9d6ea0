#include "runtime/buffer.h"

#include <cstring>
#include <new>

#include "runtime/frame_pool.h"

namespace ringside {

Buffer Buffer::with_size(std::size_t size) {
  Buffer buffer;
  if (size == 0) return buffer;
  const std::size_t total = sizeof(Block) + size;
  buffer.block_ = new (FramePool::allocate(total)) Block{1, total};
  buffer.size_ = size;
  return buffer;
}

Buffer Buffer::copy_of(std::string_view bytes) {
  Buffer buffer = with_size(bytes.size());
  if (!bytes.empty()) std::memcpy(buffer.mutable_data(), bytes.data(), bytes.size());
  return buffer;
}

void Buffer::release(Block* block) { FramePool::release(block, block->total); }

}  // namespace ringside
