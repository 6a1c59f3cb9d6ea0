#include "storage/log_format.h"

#include <algorithm>
#include <utility>

#include "runtime/random.h"
#include "storage/format.h"

namespace ringside {
namespace {

constexpr std::size_t kChecksumFrom = 16;

uint64_t group_checksum(std::string_view group) {
  return hash_bytes(group.substr(kChecksumFrom), load<uint64_t>(group.data()));
}

}  // namespace

LogGroup::LogGroup(Lsn first, std::size_t capacity) : first_(first) {
  reserve(std::max<std::size_t>(round_up_to_page(capacity), kPageBytes));
}

void LogGroup::reserve(std::size_t capacity) {
  Buffer larger = Buffer::with_size(capacity);
  if (!buffer_.empty()) std::memcpy(larger.mutable_data(), buffer_.data(), used_);
  buffer_ = std::move(larger);
}

void LogGroup::append(std::string_view batch) {
  const std::size_t needed = used_ + kVarintBytesMax + batch.size();
  if (needed > buffer_.size()) reserve(std::max(round_up_to_page(needed), 2 * buffer_.size()));
  char* at = store_varint(buffer_.mutable_data() + used_, batch.size());
  std::memcpy(at, batch.data(), batch.size());
  used_ = static_cast<std::size_t>(at - buffer_.data()) + batch.size();
  ++count_;
}

Buffer LogGroup::seal(LogGroupHeader header) && {
  char* at = buffer_.mutable_data();
  store(at, kLogMagic);
  store(at + 4, kLogVersion);
  store(at + 6, static_cast<uint16_t>(header.kind));
  store(at + 16, header.segment);
  store(at + 24, header.life);
  store(at + 32, first_);
  store(at + 40, header.durable);
  store(at + 48, header.manifest_sequence);
  store(at + 56, count_);
  store(at + 60, static_cast<uint32_t>(used_ - kLogHeaderBytes));
  store(at + 8, group_checksum({at, used_}));
  const std::size_t padded = bytes();
  std::memset(at + used_, 0, padded - used_);
  buffer_.shrink(padded);
  return std::move(buffer_);
}

std::optional<LogGroupHeader> peek_log_group(std::string_view bytes) {
  if (bytes.size() < kLogHeaderBytes) return std::nullopt;
  const char* at = bytes.data();
  if (load<uint32_t>(at) != kLogMagic) return std::nullopt;
  LogGroupHeader header;
  header.kind = static_cast<LogGroupKind>(load<uint16_t>(at + 6));
  header.segment = load<uint64_t>(at + 16);
  header.life = load<uint64_t>(at + 24);
  header.first = load<uint64_t>(at + 32);
  header.durable = load<uint64_t>(at + 40);
  header.manifest_sequence = load<uint64_t>(at + 48);
  header.count = load<uint32_t>(at + 56);
  header.payload_bytes = load<uint32_t>(at + 60);
  return header;
}

std::optional<LogGroupHeader> parse_log_group(std::string_view bytes) {
  std::optional<LogGroupHeader> header = peek_log_group(bytes);
  if (!header || load<uint16_t>(bytes.data() + 4) != kLogVersion) return std::nullopt;
  const uint64_t length = kLogHeaderBytes + uint64_t{header->payload_bytes};
  if (length > bytes.size()) return std::nullopt;
  if (load<uint64_t>(bytes.data() + 8) != group_checksum(bytes.substr(0, length)))
    return std::nullopt;
  return header;
}

bool LogGroupReader::next(std::string_view& batch) {
  if (rest_.empty() || !ok_) return false;
  ok_ = take_bytes(rest_, batch);
  return ok_;
}

}  // namespace ringside
