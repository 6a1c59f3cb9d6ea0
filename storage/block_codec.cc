#include "storage/block_codec.h"

#include <lz4.h>
#include <zstd.h>

#include "runtime/check.h"
#include "runtime/disk.h"
#include "runtime/random.h"
#include "storage/format.h"

namespace ringside {
namespace {

constexpr int kZstdLevel = 1;

struct FreeZstd {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

void append_block_handle(std::string& out, const BlockHandle& handle) {
  append_varint(out, handle.offset);
  append_varint(out, 4 * handle.bytes + static_cast<uint64_t>(handle.compression));
  if (handle.compression != Compression::kNone) append_varint(out, handle.text_bytes);
  append_fixed(out, handle.checksum);
}

bool take_block_handle(std::string_view& in, BlockHandle& handle) {
  uint64_t bytes = 0;
  if (!take_varint(in, handle.offset) || !take_varint(in, bytes)) return false;
  handle.bytes = bytes / 4;
  handle.text_bytes = 0;
  if (bytes % 4 > static_cast<uint64_t>(Compression::kZstd)) return false;
  handle.compression = static_cast<Compression>(bytes % 4);
  if (handle.compression != Compression::kNone &&
      (!take_varint(in, handle.text_bytes) || handle.text_bytes > kCompressedTextMax)) {
    return false;
  }
  return take_fixed(in, handle.checksum) && handle.bytes > 0 && handle.offset <= kFileBytesMax &&
         handle.bytes <= kFileBytesMax - handle.offset;
}

struct BlockEncoder::Contexts {
  std::unique_ptr<ZSTD_CCtx, FreeZstd> zstd;
};

BlockEncoder::BlockEncoder() = default;
BlockEncoder::~BlockEncoder() = default;

// False when it is not worth it.
bool BlockEncoder::compress(std::string_view text, Compression compression) {
  if (compression == Compression::kNone || text.size() > kCompressedTextMax) return false;
  const std::size_t most = text.size() - text.size() / 8;
  compressed_.resize(most);
  if (compression == Compression::kLz4) {
    const int made = LZ4_compress_default(text.data(), compressed_.data(),
                                          static_cast<int>(text.size()), static_cast<int>(most));
    if (made <= 0) return false;
    compressed_.resize(static_cast<std::size_t>(made));
    return true;
  }
  if (contexts_ == nullptr) {
    contexts_ = std::make_unique<Contexts>();
    contexts_->zstd.reset(ZSTD_createCCtx());
    CHECK(contexts_->zstd != nullptr);
  }
  const std::size_t made = ZSTD_compressCCtx(contexts_->zstd.get(), compressed_.data(), most,
                                             text.data(), text.size(), kZstdLevel);
  if (ZSTD_isError(made) != 0) return false;
  compressed_.resize(made);
  return true;
}

BlockHandle BlockEncoder::encode(std::string_view text, uint64_t offset, Compression compression,
                                 const FileCipher& cipher, std::string& out) {
  BlockHandle handle{.offset = offset, .text_bytes = text.size()};
  if (compress(text, compression)) {
    handle.compression = compression;
    text = compressed_;
  }
  const std::size_t start = out.size();
  if (cipher.cipher != nullptr) {
    cipher.cipher->seal(cipher.salt.high, cipher.salt.low, offset, {}, text, out);
  } else {
    out.append(text);
  }
  handle.bytes = out.size() - start;
  handle.checksum = hash_bytes(std::string_view(out).substr(start));
  return handle;
}

struct BlockDecoder::Contexts {
  std::unique_ptr<ZSTD_DCtx, FreeZstd> zstd;
};

BlockDecoder::BlockDecoder() = default;
BlockDecoder::~BlockDecoder() = default;

bool BlockDecoder::decode(std::string_view stored, const BlockHandle& handle,
                          const FileCipher& cipher, Buffer& text) {
  if (cipher.cipher != nullptr) {
    opened_.clear();
    if (!cipher.cipher->open(cipher.salt.high, cipher.salt.low, handle.offset, {}, stored,
                             opened_)) {
      return false;
    }
    stored = opened_;
  }
  if (handle.compression == Compression::kNone) {
    text = Buffer::copy_of(stored);
    return true;
  }
  Buffer made = Buffer::with_size(handle.text_bytes);
  if (handle.compression == Compression::kLz4) {
    if (stored.size() > kCompressedTextMax) return false;
    const int size =
        LZ4_decompress_safe(stored.data(), made.mutable_data(), static_cast<int>(stored.size()),
                            static_cast<int>(made.size()));
    if (size < 0 || static_cast<std::size_t>(size) != made.size()) return false;
  } else {
    if (contexts_ == nullptr) {
      contexts_ = std::make_unique<Contexts>();
      contexts_->zstd.reset(ZSTD_createDCtx());
      CHECK(contexts_->zstd != nullptr);
    }
    const std::size_t size = ZSTD_decompressDCtx(contexts_->zstd.get(), made.mutable_data(),
                                                 made.size(), stored.data(), stored.size());
    if (ZSTD_isError(size) != 0 || size != made.size()) return false;
  }
  text = std::move(made);
  return true;
}

uint64_t encode_units(uint64_t text_bytes, Compression compression, bool sealed) {
  const uint64_t hashing = text_bytes / 16;
  const uint64_t sealing = sealed ? 500 + text_bytes / 4 : 0;
  switch (compression) {
    case Compression::kNone: return hashing + sealing;
    case Compression::kLz4: return hashing + sealing + 2 * text_bytes;
    case Compression::kZstd: return hashing + sealing + 6 * text_bytes;
  }
  return hashing + sealing;
}

uint64_t decode_units(const BlockHandle& handle, bool sealed) {
  const uint64_t hashing = handle.bytes / 16;
  const uint64_t opening = sealed ? 500 + handle.bytes / 4 : 0;
  switch (handle.compression) {
    case Compression::kNone: return hashing + opening;
    case Compression::kLz4: return hashing + opening + handle.text_bytes / 2;
    case Compression::kZstd: return hashing + opening + 2 * handle.text_bytes;
  }
  return hashing + opening;
}

}  // namespace ringside
