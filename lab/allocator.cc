#include "lab/allocator.h"

#ifdef RINGSIDE_ALLOCATOR
#include <gperftools/malloc_extension.h>
#include <gperftools/malloc_hook.h>
#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "runtime/check.h"
#endif

namespace ringside::lab {

#ifdef RINGSIDE_ALLOCATOR
namespace {

constexpr int kNew = 0x5A, kFreed = 0xA5;
constexpr std::size_t kLargePage = 2u << 20;

void overwrite_new(const void* bytes, std::size_t size) {
  if (bytes != nullptr) std::memset(const_cast<void*>(bytes), kNew, size);
}

void overwrite_freed(const void* bytes) {
  auto* freed = const_cast<void*>(bytes);
  if (freed != nullptr) std::memset(freed, kFreed, malloc_usable_size(freed));
}

std::size_t round_up(std::size_t size, std::size_t to) { return (size + to - 1) / to * to; }

class LargePages final : public SysAllocator {
 public:
  void* Alloc(std::size_t size, std::size_t* actual, std::size_t alignment) override {
    alignment = std::max(alignment, kLargePage);
    size = round_up(size, kLargePage);
    void* const mapped = mmap(nullptr, size + alignment, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (mapped == MAP_FAILED) return nullptr;
    auto* const begin = static_cast<char*>(mapped);
    const std::size_t before = round_up(reinterpret_cast<uintptr_t>(begin), alignment) -
                               reinterpret_cast<uintptr_t>(begin);
    if (before > 0) munmap(begin, before);
    if (before < alignment) munmap(begin + before + size, alignment - before);
    madvise(begin + before, size, MADV_HUGEPAGE);
    if (actual != nullptr) *actual = size;
    return begin + before;
  }
};

}  // namespace

void shake_memory() {
  CHECK(MallocHook::AddNewHook(&overwrite_new) && MallocHook::AddDeleteHook(&overwrite_freed));
}

void use_large_pages() {
  MallocExtension::instance()->SetSystemAllocator(new LargePages);  // as long as the process lives
}
#else
void shake_memory() {}
void use_large_pages() {}
#endif

}  // namespace ringside::lab
