#include "storage/bloom.h"

namespace ringside {
namespace {

constexpr uint64_t kBlockBytes = 64;
constexpr uint64_t kBitsPerKey = 10;
constexpr int kProbes = 6;

std::size_t block_of(uint64_t hash, uint64_t blocks) {
  return static_cast<std::size_t>(((hash >> 32) * blocks) >> 32) * kBlockBytes;
}

}  // namespace

std::string build_bloom(const std::vector<uint64_t>& hashes) {
  const uint64_t blocks = (hashes.size() * kBitsPerKey + 8 * kBlockBytes - 1) / (8 * kBlockBytes);
  std::string filter(blocks * kBlockBytes, '\0');
  for (const uint64_t hash : hashes) {
    char* block = filter.data() + block_of(hash, blocks);
    uint64_t bits = mix(hash);
    for (int i = 0; i < kProbes; ++i, bits >>= 9)
      block[(bits & 511) / 8] |= static_cast<char>(1 << (bits & 7));
  }
  return filter;
}

bool bloom_may_contain(std::string_view filter, uint64_t hash) {
  if (filter.empty()) return true;
  const char* block = filter.data() + block_of(hash, filter.size() / kBlockBytes);
  uint64_t bits = mix(hash);
  for (int i = 0; i < kProbes; ++i, bits >>= 9) {
    if ((block[(bits & 511) / 8] & (1 << (bits & 7))) == 0) return false;
  }
  return true;
}

}  // namespace ringside
