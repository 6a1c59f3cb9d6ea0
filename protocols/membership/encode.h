// Encode: protobuf fields appended to a string, for messages that are built piece by piece and are
// not on the hot path. What flat.h does in place.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "protocols/flat.h"
#include "protocols/wire.h"
#include "runtime/buffer.h"

namespace ringside {

inline void append_number(std::string& out, uint32_t field, uint64_t value) {
  const std::size_t at = out.size();
  out.resize(at + flat::number_field_size(value));
  flat::put_number_field(out.data() + at, field, value);
}

inline void append_bytes(std::string& out, uint32_t field, std::string_view value) {
  const std::size_t at = out.size();
  out.resize(at + flat::bytes_field_size(value));
  flat::put_bytes_field(out.data() + at, field, value);
}

// Of a repeated field: there also when it is empty.
inline void append_element(std::string& out, uint32_t field, std::string_view value) {
  if (!value.empty()) return append_bytes(out, field, value);
  out += static_cast<char>(field << 3 | 2);
  out += '\0';
}

// A message of this body, with room for the RPC header in front.
inline Buffer message_of(std::string_view body) {
  Buffer message = Buffer::with_size(kHeaderBytes + body.size());
  if (!body.empty()) std::memcpy(message.mutable_data() + kHeaderBytes, body.data(), body.size());
  return message;
}

}  // namespace ringside
