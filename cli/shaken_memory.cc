#include "cli/shaken_memory.h"

#ifdef RINGSIDE_ALLOCATOR
#include <gperftools/malloc_hook.h>
#include <malloc.h>

#include <cstring>

#include "runtime/check.h"
#endif

namespace ringside::cli {

#ifdef RINGSIDE_ALLOCATOR
namespace {

constexpr int kNew = 0x5A, kFreed = 0xA5;

void overwrite_new(const void* bytes, std::size_t size) {
  if (bytes != nullptr) std::memset(const_cast<void*>(bytes), kNew, size);
}

void overwrite_freed(const void* bytes) {
  auto* freed = const_cast<void*>(bytes);
  if (freed != nullptr) std::memset(freed, kFreed, malloc_usable_size(freed));
}

}  // namespace

void shake_memory() {
  CHECK(MallocHook::AddNewHook(&overwrite_new) && MallocHook::AddDeleteHook(&overwrite_freed));
}
#else
void shake_memory() {}
#endif

}  // namespace ringside::cli
