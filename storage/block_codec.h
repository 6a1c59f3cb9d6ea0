// How a piece of a table lies in its file: compressed when that shrinks it by an eighth, then
// sealed when the engine has a key (storage/cipher.h; salt of the file, place = offset, no header).
// Its handle, kept elsewhere in the file, says which and holds the checksum of the result: bytes
// from any other place do not pass for it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "runtime/buffer.h"
#include "storage/cipher.h"
#include "storage/compression.h"

namespace ringside {

// Longer ones are not compressed, so that nobody reserves more on the word of a bad file.
inline constexpr std::size_t kCompressedTextMax = 16u << 20;

struct BlockHandle {
  uint64_t offset = 0;      // in the file
  uint64_t bytes = 0;       // in the file
  uint64_t text_bytes = 0;  // before it was compressed; what was not says nothing of it
  uint64_t checksum = 0;    // XXH3-64 of the bytes in the file
  Compression compression = Compression::kNone;
};

void append_block_handle(std::string& out, const BlockHandle& handle);
// False when it is malformed, empty, or beyond any file.
bool take_block_handle(std::string_view& in, BlockHandle& handle);

// Names a file's life for its cipher.
struct FileSalt {
  uint64_t high = 0;
  uint64_t low = 0;
};

// The key and the salt of a file that is sealed; no cipher: it is not.
struct FileCipher {
  const Cipher* cipher = nullptr;
  FileSalt salt;
};

class BlockEncoder {
 public:
  BlockEncoder();
  ~BlockEncoder();
  // Appends the block to `out`, for `offset` in its file.
  BlockHandle encode(std::string_view text, uint64_t offset, Compression compression,
                     const FileCipher& cipher, std::string& out);

 private:
  bool compress(std::string_view text, Compression compression);

  struct Contexts;
  std::unique_ptr<Contexts> contexts_;
  std::string compressed_;
};

class BlockDecoder {
 public:
  BlockDecoder();
  ~BlockDecoder();
  // False when the bytes are not what such a block lies as. `stored` has passed its checksum.
  bool decode(std::string_view stored, const BlockHandle& handle, const FileCipher& cipher,
              Buffer& text);

 private:
  struct Contexts;
  std::unique_ptr<Contexts> contexts_;  // made when they are first needed
  std::string opened_;
};

// What the work costs, for Host::cpu: about what a reference core takes, in ns.
uint64_t encode_units(uint64_t text_bytes, Compression compression, bool sealed);
uint64_t decode_units(const BlockHandle& handle, bool sealed);

}  // namespace ringside
