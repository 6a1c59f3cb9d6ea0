#include "storage/bloom.h"

#include <algorithm>

namespace ringside {
namespace {

constexpr uint64_t kNextProbe = 0x9e3779b97f4a7c15ULL;

std::size_t bloom_block(std::string_view filter, uint64_t hash) {
  const uint64_t blocks = filter.size() / kBloomBlockBytes;
  return static_cast<std::size_t>(((hash >> 32) * blocks) >> 32) * kBloomBlockBytes;
}

}  // namespace

// Fewer than the ln 2 × bits of a filter without blocks: a block fills unevenly.
uint32_t bloom_probes(uint32_t bits_per_key) {
  return std::clamp<uint32_t>((bits_per_key * 6 + 5) / 10, 1, kBloomProbesMax);
}

std::string empty_bloom(uint64_t keys, uint32_t bits_per_key) {
  const uint64_t block_bits = 8 * kBloomBlockBytes;
  const uint64_t blocks = (keys * bits_per_key + block_bits - 1) / block_bits;
  return std::string(blocks * kBloomBlockBytes, '\0');
}

void bloom_add(std::string& filter, uint32_t probes, uint64_t hash) {
  if (filter.empty()) return;
  char* block = filter.data() + bloom_block(filter, hash);
  uint64_t bits = mix(hash);
  for (uint32_t i = 0; i < probes; ++i, bits *= kNextProbe)
    block[bits >> 58] |= static_cast<char>(1 << ((bits >> 55) & 7));
}

bool bloom_may_contain(std::string_view filter, uint32_t probes, uint64_t hash) {
  if (filter.empty()) return true;
  const char* block = filter.data() + bloom_block(filter, hash);
  uint64_t bits = mix(hash);
  for (uint32_t i = 0; i < probes; ++i, bits *= kNextProbe) {
    if ((block[bits >> 58] & (1 << ((bits >> 55) & 7))) == 0) return false;
  }
  return true;
}

}  // namespace ringside
