// What the encodings of versions share. Every encoding of an object begins with the context of the
// object, and every context with its format, so that an observer who knows no scheme can tell
// which it is, and cut the context off without reading the rest:
//
//   2  dotted version vectors   version.h
//   3  vector clocks            vector_clock.h
//   4  last writer wins         last_writer.h
//
// 1 was dotted version vectors without times. All little-endian.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "runtime/check.h"
#include "runtime/time.h"
#include "storage/format.h"

namespace ringside::version_bytes {

inline constexpr uint16_t kDottedFormat = 2;
inline constexpr uint16_t kClockFormat = 3;
inline constexpr uint16_t kLastWriterFormat = 4;

// More than anybody honest has; what would have more is refused.
inline constexpr std::size_t kEntriesMax = 0xfff0;

// In the length of a version's value.
inline constexpr uint32_t kTombstone = 1u << 31;  // and the length is 0
inline constexpr uint32_t kExpires = 1u << 30;    // an expiry stands in front of the value
inline constexpr uint32_t kLengthMax = kExpires - 1;
// In the number of siblings: each of them expires.
inline constexpr uint32_t kAllExpire = 1u << 31;

// Returns the byte after it.
template <class T>
char* write(char* at, T value) {
  store(at, value);
  return at + sizeof value;
}
inline char* write(char* at, std::string_view bytes) {
  if (!bytes.empty()) std::memcpy(at, bytes.data(), bytes.size());
  return at + bytes.size();
}
// Takes a number from the front of bytes that are known to be long enough.
template <class T>
T take(std::string_view& bytes) {
  const T value = load<T>(bytes.data());
  bytes.remove_prefix(sizeof value);
  return value;
}
// The same of bytes that may be too short: false.
template <class T>
bool try_take(std::string_view& bytes, T& value) {
  if (bytes.size() < sizeof value) return false;
  value = take<T>(bytes);
  return true;
}

// What stands in front of a version's value: u64 actor, u64 counter, u64 operation, i64 time, u32
// length with its marks, i64 expiry if there is one.
inline constexpr std::size_t kHeadBytes = 36;  // without the expiry

template <class V>
char* write_head(char* out, const V& version) {
  const auto length = static_cast<uint32_t>(version.value.size());
  const bool expires = version.expires != 0;
  CHECK(length <= kLengthMax && (!version.tombstone || (length == 0 && !expires)));
  out = write(write(write(out, version.dot.actor), version.dot.counter), version.operation);
  out = write(out, version.time);
  out = write(out, length | (version.tombstone ? kTombstone : 0) | (expires ? kExpires : 0));
  return expires ? write(out, version.expires) : out;
}
// False when the bytes are too short, or are no such head. `size`: of the value that follows.
template <class V>
bool take_head(std::string_view& bytes, V& version, std::size_t& size) {
  if (bytes.size() < kHeadBytes) return false;
  version.dot.actor = take<uint64_t>(bytes);
  version.dot.counter = take<uint64_t>(bytes);
  version.operation = take<uint64_t>(bytes);
  version.time = take<Time>(bytes);
  const auto length = take<uint32_t>(bytes);
  version.tombstone = (length & kTombstone) != 0;
  size = length & kLengthMax;
  const bool expires = (length & kExpires) != 0;
  if (version.tombstone && (size > 0 || expires)) return false;
  return !expires || (try_take(bytes, version.expires) && version.expires != 0);
}

}  // namespace ringside::version_bytes
