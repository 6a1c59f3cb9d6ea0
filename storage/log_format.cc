#include "storage/log_format.h"

#include <algorithm>
#include <utility>

#include "runtime/random.h"
#include "storage/cipher.h"
#include "storage/format.h"

namespace ringside {
namespace {

constexpr std::size_t kChecksumFrom = 16;
constexpr std::size_t kPayloadChecksumAt = 64;
constexpr char kFlagSealed = 1;

uint64_t header_checksum(std::string_view group) {
  return hash_bytes(group.substr(kChecksumFrom, kLogHeaderBytes - kChecksumFrom),
                    load<uint64_t>(group.data()));
}
uint64_t payload_checksum(std::string_view payload, const char* header) {
  return hash_bytes(payload, load<uint64_t>(header));
}

// What a seal vouches for beside the text: the header without its checksums.
std::string authenticated_header(const char* header) {
  std::string bytes(header, 8);
  bytes.append(header + kChecksumFrom, kPayloadChecksumAt - kChecksumFrom);
  return bytes;
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

uint64_t LogGroup::bytes(const Cipher* cipher) const {
  return round_up_to_page(used_ + (cipher == nullptr ? 0 : Cipher::kTagBytes));
}

void LogGroup::append(std::string_view batch) {
  const std::size_t needed = used_ + kVarintBytesMax + batch.size();
  if (needed > buffer_.size()) reserve(std::max(round_up_to_page(needed), 2 * buffer_.size()));
  char* at = store_varint(buffer_.mutable_data() + used_, batch.size());
  std::memcpy(at, batch.data(), batch.size());
  used_ = static_cast<std::size_t>(at - buffer_.data()) + batch.size();
  ++count_;
}

Buffer LogGroup::finish(LogGroupHeader header, const Cipher* cipher, uint64_t offset) && {
  const std::size_t padded = bytes(cipher);
  if (padded > buffer_.size()) reserve(padded);  // the tag did not fit
  char* at = buffer_.mutable_data();
  const std::size_t payload_bytes =
      used_ - kLogHeaderBytes + (cipher == nullptr ? 0 : Cipher::kTagBytes);
  store(at, kLogMagic);
  store(at + 4, kLogVersion);
  at[6] = static_cast<char>(header.kind);
  at[7] = cipher == nullptr ? 0 : kFlagSealed;
  store(at + 16, header.segment);
  store(at + 24, header.life);
  store(at + 32, first_);
  store(at + 40, header.durable);
  store(at + 48, header.manifest_sequence);
  store(at + 56, count_);
  store(at + 60, static_cast<uint32_t>(payload_bytes));
  if (cipher != nullptr) {
    std::string sealed;
    cipher->seal(header.life, header.segment, offset, authenticated_header(at),
                 {at + kLogHeaderBytes, used_ - kLogHeaderBytes}, sealed);
    CHECK(sealed.size() == payload_bytes);
    std::memcpy(at + kLogHeaderBytes, sealed.data(), sealed.size());
    used_ = kLogHeaderBytes + sealed.size();
  }
  store(at + kPayloadChecksumAt, payload_checksum({at + kLogHeaderBytes, payload_bytes}, at));
  store(at + 8, header_checksum({at, kLogHeaderBytes}));
  std::memset(at + used_, 0, padded - used_);
  buffer_.shrink(padded);
  return std::move(buffer_);
}

uint16_t claimed_log_version(std::string_view bytes) {
  if (bytes.size() < kLogHeaderBytes || load<uint32_t>(bytes.data()) != kLogMagic) return 0;
  return load<uint16_t>(bytes.data() + 4);
}

uint64_t claimed_log_segment(std::string_view bytes) {
  if (bytes.size() < kLogHeaderBytes || load<uint32_t>(bytes.data()) != kLogMagic) return 0;
  return load<uint64_t>(bytes.data() + 16);
}

std::optional<LogGroupHeader> parse_log_header(std::string_view bytes) {
  if (claimed_log_version(bytes) != kLogVersion) return std::nullopt;
  const char* at = bytes.data();
  if (load<uint64_t>(at + 8) != header_checksum(bytes)) return std::nullopt;
  LogGroupHeader header;
  header.kind = static_cast<LogGroupKind>(at[6]);
  header.sealed = (at[7] & kFlagSealed) != 0;
  header.segment = load<uint64_t>(at + 16);
  header.life = load<uint64_t>(at + 24);
  header.first = load<uint64_t>(at + 32);
  header.durable = load<uint64_t>(at + 40);
  header.manifest_sequence = load<uint64_t>(at + 48);
  header.count = load<uint32_t>(at + 56);
  header.payload_bytes = load<uint32_t>(at + 60);
  header.payload_checksum = load<uint64_t>(at + kPayloadChecksumAt);
  // Only a writer gone wrong says what no log reaches; believed, its sums would run over.
  constexpr uint64_t kMax = uint64_t{1} << 62;
  if (header.segment == 0 || header.segment > kMax || header.first == 0 || header.first > kMax ||
      header.durable >= header.first || header.manifest_sequence > kMax) {
    return std::nullopt;
  }
  return header;
}

std::optional<LogGroupHeader> parse_log_group(std::string_view bytes) {
  std::optional<LogGroupHeader> header = parse_log_header(bytes);
  if (!header || header->payload_bytes > bytes.size() - kLogHeaderBytes) return std::nullopt;
  const std::string_view payload = bytes.substr(kLogHeaderBytes, header->payload_bytes);
  if (header->payload_checksum != payload_checksum(payload, bytes.data())) return std::nullopt;
  return header;
}

bool open_log_payload(const Cipher& cipher, const LogGroupHeader& header, std::string_view bytes,
                      uint64_t offset, std::string& out) {
  return cipher.open(header.life, header.segment, offset, authenticated_header(bytes.data()),
                     bytes.substr(kLogHeaderBytes, header.payload_bytes), out);
}

bool LogGroupReader::next(std::string_view& batch) {
  if (rest_.empty() || !ok_) return false;
  ok_ = take_bytes(rest_, batch);
  return ok_;
}

}  // namespace ringside
