// Flat: protobuf's wire format read and written in place, for messages whose fields are numbers and
// bytes. Reading gives views of the input and allocates nothing; writing goes straight into the
// frame's one Buffer. Unknown fields are skipped, so that a newer peer may say more.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

namespace ringside::flat {

constexpr std::size_t varint_size(uint64_t value) {
  std::size_t size = 1;
  while (value >= 0x80) {
    value >>= 7;
    ++size;
  }
  return size;
}

inline char* put_varint(char* out, uint64_t value) {
  while (value >= 0x80) {
    *out++ = static_cast<char>(value | 0x80);
    value >>= 7;
  }
  *out++ = static_cast<char>(value);
  return out;
}

// Empty fields are not written, as in proto3. Field numbers stay below 16: one byte of tag.
constexpr std::size_t bytes_field_size(std::string_view value) {
  return value.empty() ? 0 : 1 + varint_size(value.size()) + value.size();
}
constexpr std::size_t number_field_size(uint64_t value) {
  return value == 0 ? 0 : 1 + varint_size(value);
}

inline char* put_bytes_field(char* out, uint32_t field, std::string_view value) {
  if (value.empty()) return out;
  *out++ = static_cast<char>(field << 3 | 2);
  out = put_varint(out, value.size());
  std::memcpy(out, value.data(), value.size());
  return out + value.size();
}
inline char* put_number_field(char* out, uint32_t field, uint64_t value) {
  if (value == 0) return out;
  *out++ = static_cast<char>(field << 3);
  return put_varint(out, value);
}

// Fields to be written, for whoever takes several (wire.h, message_with).
struct NumberField {
  uint32_t field;
  uint64_t value;
};
struct BytesField {
  uint32_t field;
  std::string_view value;
};
constexpr NumberField number(uint32_t field, uint64_t value) { return {field, value}; }
constexpr BytesField bytes(uint32_t field, std::string_view value) { return {field, value}; }
constexpr std::size_t field_size(const NumberField& of) { return number_field_size(of.value); }
constexpr std::size_t field_size(const BytesField& of) { return bytes_field_size(of.value); }
inline char* put_field(char* out, const NumberField& of) {
  return put_number_field(out, of.field, of.value);
}
inline char* put_field(char* out, const BytesField& of) {
  return put_bytes_field(out, of.field, of.value);
}

// while (reader.next()) switch (reader.field()) { case 1: key = reader.bytes(); … }  then
// reader.ok().
class Reader {
 public:
  explicit Reader(std::string_view input) : at_(input.data()), end_(input.data() + input.size()) {}

  bool next() {
    if (at_ == end_ || !ok_) return false;
    uint64_t tag = 0;
    if (!varint(tag)) return false;
    field_ = static_cast<uint32_t>(tag >> 3);
    type_ = static_cast<uint32_t>(tag & 7);
    number_ = 0;
    bytes_ = {};
    if (field_ == 0) return fail();
    switch (type_) {
      case 0: return varint(number_);
      case 1: return take(8);
      case 2: {
        uint64_t size = 0;
        return varint(size) && take(size);
      }
      case 5: return take(4);
      default: return fail();
    }
  }
  // The field's number, 0 when its type is not one of those that we write.
  uint32_t field() const { return type_ == 0 || type_ == 2 ? field_ : 0; }
  // What the field holds; of the wrong type it makes the message a wrong one.
  std::string_view bytes() {
    if (type_ != 2) ok_ = false;
    return bytes_;
  }
  uint64_t number() {
    if (type_ != 0) ok_ = false;
    return number_;
  }
  bool ok() const { return ok_; }

 private:
  bool fail() {
    ok_ = false;
    return false;
  }
  bool take(uint64_t size) {
    if (size > static_cast<uint64_t>(end_ - at_)) return fail();
    bytes_ = {at_, static_cast<std::size_t>(size)};
    at_ += size;
    return true;
  }
  bool varint(uint64_t& value) {
    uint64_t result = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) return fail();
      const uint64_t byte = static_cast<unsigned char>(*at_++);
      result |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        value = result;
        return true;
      }
    }
    return fail();
  }

  const char* at_;
  const char* end_;
  bool ok_ = true;
  uint32_t field_ = 0;
  uint32_t type_ = 0;
  uint64_t number_ = 0;
  std::string_view bytes_;
};

}  // namespace ringside::flat
