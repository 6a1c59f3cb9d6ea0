// Framing: how frames lie in a TCP stream. Every message is a header of 24 bytes and its body;
// integers are little endian.
//
//   u32 magic "RSF1"   u32 length of the body   u32 from   u16 kind   u16 type (0 frame, 1 hello)
//   u64 operation
//
// The first message in each direction is a hello, whose kind and operation are 0 and whose body is
//
//   u32 to (the expected receiver, or kNoNode: whoever is there)   u16 length   the sender's listen
//   address, or nothing
//
// The bytes come from strangers: a decoder takes no more memory than the limit it was given, and
// once it has met something that is not a message it is broken for good.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/buffer.h"
#include "runtime/network.h"

namespace ringside::posix {

inline constexpr size_t kHeaderBytes = 24;
inline constexpr size_t kHelloBytesMax = 512;
inline constexpr size_t kAddressBytesMax = 300;

enum class MessageType : uint16_t { kFrame = 0, kHello = 1 };

struct Message {
  MessageType type = MessageType::kFrame;
  NodeId from = kNoNode;
  FrameKind kind = 0;
  uint64_t operation = 0;
  Buffer body;
};

struct Hello {
  NodeId to = kNoNode;
  std::string address;
};

using Header = std::array<char, kHeaderBytes>;
Header encode_header(const Message& message);
Buffer encode_hello(const Hello& hello);
std::optional<Hello> decode_hello(std::string_view body);

class FrameDecoder {
 public:
  enum class Outcome { kNeedMore, kMessage, kBroken };

  // Hellos alone are taken until frames are allowed.
  void allow_frames() { frames_allowed_ = true; }

  // Where to put the next bytes; never empty.
  std::span<char> space();
  // That many were put there.
  void arrived(size_t bytes);
  // Call until it needs more.
  Outcome next(Message& message);
  // Memory held for a body that has not arrived in full.
  size_t partial_bytes() const { return collecting_ ? message_.body.size() : 0; }

 private:
  static constexpr size_t kStageBytes = 32u << 10;

  bool decode_header(const char* bytes);
  size_t staged() const { return end_ - begin_; }

  std::vector<char> stage_;
  size_t begin_ = 0, end_ = 0;  // staged bytes that are not consumed
  Message message_;             // while collecting: its header, and a body that fills
  uint32_t body_bytes_ = 0;
  size_t filled_ = 0;
  bool collecting_ = false;
  bool broken_ = false;
  bool frames_allowed_ = false;
};

}  // namespace ringside::posix
