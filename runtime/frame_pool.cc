#include "runtime/frame_pool.h"

#include <cstdlib>
#include <new>

#include "runtime/check.h"

namespace ringside {
namespace {

constexpr std::size_t kStep = 64;
constexpr std::size_t kClasses = 96;  // up to 6 KiB: a page of a file with what frames it, too

struct FreeFrame {
  FreeFrame* next;
};

// The pool is the one static state of the runtime: it hands out memory and no behaviour can depend
// on it.
FreeFrame* free_frames[kClasses];
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
bool pool_enabled = false;  // let the sanitizer see every frame
#else
bool pool_enabled = true;
#endif
#else
bool pool_enabled = true;
#endif

std::size_t class_of(std::size_t bytes) { return (bytes + kStep - 1) / kStep; }

}  // namespace

void* FramePool::allocate(std::size_t bytes) {
  const std::size_t slot = class_of(bytes);
  if (slot < kClasses && pool_enabled) {
    if (FreeFrame* frame = free_frames[slot]) {
      free_frames[slot] = frame->next;
      return frame;
    }
    return ::operator new(slot * kStep);
  }
  return ::operator new(bytes);
}

void FramePool::release(void* frame, std::size_t bytes) {
  const std::size_t slot = class_of(bytes);
  if (slot < kClasses && pool_enabled) {
    auto* free_frame = static_cast<FreeFrame*>(frame);
    free_frame->next = free_frames[slot];
    free_frames[slot] = free_frame;
    return;
  }
  ::operator delete(frame);
}

void FramePool::set_enabled(bool enabled) { pool_enabled = enabled; }

}  // namespace ringside
