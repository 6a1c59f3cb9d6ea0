// Bloom filter of a whole table, version 2: 64-byte blocks; a key sets `probes` bits of one block
// (Putze, Sanders & Singler 2007), so that a look-up touches one cache line. Ten bits and six
// probes a key let about one absent key in a hundred pass.
//
// A key's hash is hash_bytes(key). Its upper 32 bits, scaled, name the block; from h = mix(hash), a
// probe is the top nine bits of h, and the next h is h × 0x9e3779b97f4a7c15.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/random.h"

namespace ringside {

inline constexpr uint32_t kBloomProbesMax = 16;
inline constexpr uint64_t kBloomBlockBytes = 64;

uint32_t bloom_probes(uint32_t bits_per_key);
// Zeros, to which `bloom_add` adds keys.
std::string empty_bloom(uint64_t keys, uint32_t bits_per_key);
void bloom_add(std::string& filter, uint32_t probes, uint64_t hash);
// An empty filter lets everything pass.
bool bloom_may_contain(std::string_view filter, uint32_t probes, uint64_t hash);

}  // namespace ringside
