// Compression: how blocks of tables lie on disk.
#pragma once

#include <cstdint>

namespace ringside {

enum class Compression : uint8_t { kNone = 0, kLz4 = 1, kZstd = 2 };

}  // namespace ringside
