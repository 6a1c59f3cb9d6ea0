#include "posix/framing.h"

#include <string.h>

#include <algorithm>

namespace ringside::posix {
namespace {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "integers are copied as they lie in memory");
constexpr uint32_t kMagic = 0x31465352;  // "RSF1"

template <class T>
void put(char* at, T value) {
  memcpy(at, &value, sizeof value);
}

template <class T>
T get(const char* at) {
  T value;
  memcpy(&value, at, sizeof value);
  return value;
}

}  // namespace

Header encode_header(const Message& message) {
  CHECK(message.body.size() <= kFrameBytesMax);
  Header header;
  put(header.data(), kMagic);
  put(header.data() + 4, static_cast<uint32_t>(message.body.size()));
  put(header.data() + 8, message.from);
  put(header.data() + 12, message.kind);
  put(header.data() + 14, static_cast<uint16_t>(message.type));
  put(header.data() + 16, message.operation);
  return header;
}

Buffer encode_hello(const Hello& hello) {
  CHECK(hello.address.size() <= kAddressBytesMax);
  Buffer body = Buffer::with_size(6 + hello.address.size());
  put(body.mutable_data(), hello.to);
  put(body.mutable_data() + 4, static_cast<uint16_t>(hello.address.size()));
  memcpy(body.mutable_data() + 6, hello.address.data(), hello.address.size());
  return body;
}

std::optional<Hello> decode_hello(std::string_view body) {
  if (body.size() < 6) return std::nullopt;
  Hello hello;
  hello.to = get<uint32_t>(body.data());
  const size_t length = get<uint16_t>(body.data() + 4);
  if (length > kAddressBytesMax || body.size() != 6 + length) return std::nullopt;
  hello.address = body.substr(6);
  for (const char c : hello.address) {
    if (c <= ' ' || c > '~') return std::nullopt;
  }
  return hello;
}

// A body that is long goes straight to its own buffer; everything else passes through the stage.
std::span<char> FrameDecoder::space() {
  if (collecting_) return {message_.body.mutable_data() + filled_, body_bytes_ - filled_};
  if (stage_.empty()) stage_.resize(kStageBytes);
  if (begin_ > 0) {
    memmove(stage_.data(), stage_.data() + begin_, staged());
    end_ -= begin_;
    begin_ = 0;
  }
  CHECK(end_ < stage_.size());
  return {stage_.data() + end_, stage_.size() - end_};
}

void FrameDecoder::arrived(size_t bytes) {
  if (collecting_) {
    CHECK(bytes <= body_bytes_ - filled_);
    filled_ += bytes;
  } else {
    CHECK(bytes <= stage_.size() - end_);
    end_ += bytes;
  }
}

bool FrameDecoder::decode_header(const char* bytes) {
  if (get<uint32_t>(bytes) != kMagic) return false;
  body_bytes_ = get<uint32_t>(bytes + 4);
  message_.from = get<uint32_t>(bytes + 8);
  message_.kind = get<uint16_t>(bytes + 12);
  const auto type = get<uint16_t>(bytes + 14);
  message_.operation = get<uint64_t>(bytes + 16);
  if (type == static_cast<uint16_t>(MessageType::kHello)) {
    message_.type = MessageType::kHello;
    return body_bytes_ <= kHelloBytesMax && message_.kind == 0 && message_.operation == 0;
  }
  message_.type = MessageType::kFrame;
  return type == static_cast<uint16_t>(MessageType::kFrame) && frames_allowed_ &&
         body_bytes_ <= kFrameBytesMax;
}

FrameDecoder::Outcome FrameDecoder::next(Message& message) {
  if (broken_) return Outcome::kBroken;
  if (!collecting_) {
    if (staged() < kHeaderBytes) return Outcome::kNeedMore;
    if (!decode_header(stage_.data() + begin_)) {
      broken_ = true;
      return Outcome::kBroken;
    }
    const size_t here = staged() - kHeaderBytes;
    if (here < body_bytes_ && kHeaderBytes + body_bytes_ <= kStageBytes / 2)
      return Outcome::kNeedMore;
    begin_ += kHeaderBytes;
    message_.body = Buffer::with_size(body_bytes_);
    filled_ = std::min<size_t>(here, body_bytes_);
    if (filled_ > 0) memcpy(message_.body.mutable_data(), stage_.data() + begin_, filled_);
    begin_ += filled_;
    collecting_ = true;
  }
  if (filled_ < body_bytes_) return Outcome::kNeedMore;
  collecting_ = false;
  message = std::move(message_);
  message_ = Message();
  return Outcome::kMessage;
}

}  // namespace ringside::posix
