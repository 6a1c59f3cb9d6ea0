// Bloom filter of a whole table, version 1: 64-byte blocks; a key sets six bits of one block, so
// that a look-up touches one cache line. Ten bits a key let about one absent key in a hundred pass.
// Hash: XXH3-64 of the key.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/random.h"

namespace ringside {

// Each hash is hash_bytes(key).
std::string build_bloom(const std::vector<uint64_t>& hashes);
// An empty filter lets everything pass.
bool bloom_may_contain(std::string_view filter, uint64_t hash);

}  // namespace ringside
