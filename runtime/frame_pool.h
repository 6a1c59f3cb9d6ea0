// Coroutine frames and buffers come and go with every message and every block that is read; a free
// list a size class makes that cheap. One thread only. The determinism gate runs with the pool off,
// so that a use of a dead frame shows itself.
#pragma once

#include <cstddef>

namespace ringside {

class FramePool {
 public:
  static void* allocate(std::size_t bytes);
  static void release(void* frame, std::size_t bytes);

  // Off: every frame is a plain allocation. Call before the first coroutine runs.
  static void set_enabled(bool enabled);
};

}  // namespace ringside
