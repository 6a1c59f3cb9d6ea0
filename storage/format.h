// The few encodings that the formats on disk and on the wire are made of: little-endian integers of
// fixed size, and varints (seven bits a byte, low bits first).
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace ringside {

static_assert(std::endian::native == std::endian::little, "the formats are little-endian");

inline constexpr std::size_t kVarintBytesMax = 10;

template <class Integer>
void store(char* at, Integer value) {
  std::memcpy(at, &value, sizeof value);
}
template <class Integer>
Integer load(const char* at) {
  Integer value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

// Returns the byte after the last one written.
inline char* store_varint(char* at, uint64_t value) {
  while (value >= 0x80) {
    *at++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *at++ = static_cast<char>(value);
  return at;
}

inline void append_varint(std::string& out, uint64_t value) {
  char bytes[kVarintBytesMax];
  out.append(bytes, static_cast<std::size_t>(store_varint(bytes, value) - bytes));
}
template <class Integer>
void append_fixed(std::string& out, Integer value) {
  char bytes[sizeof value];
  store(bytes, value);
  out.append(bytes, sizeof value);
}
inline void append_bytes(std::string& out, std::string_view bytes) {
  append_varint(out, bytes.size());
  out.append(bytes);
}

// Each takes from the front of `in`, and says false (with `in` in no useful state) when it is too
// short or malformed.
inline bool take_varint(std::string_view& in, uint64_t& value) {
  value = 0;
  for (std::size_t i = 0; i < in.size() && i < kVarintBytesMax; ++i) {
    const auto byte = static_cast<unsigned char>(in[i]);
    value |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      in.remove_prefix(i + 1);
      return true;
    }
  }
  return false;
}
template <class Integer>
bool take_fixed(std::string_view& in, Integer& value) {
  if (in.size() < sizeof value) return false;
  value = load<Integer>(in.data());
  in.remove_prefix(sizeof value);
  return true;
}
inline bool take_bytes(std::string_view& in, std::string_view& bytes) {
  uint64_t size = 0;
  if (!take_varint(in, size) || size > in.size()) return false;
  bytes = in.substr(0, size);
  in.remove_prefix(size);
  return true;
}

}  // namespace ringside
