#include "protocols/replication/dynamo/last_writer.h"

#include <algorithm>

#include "protocols/replication/dynamo/version_bytes.h"
#include "runtime/check.h"

namespace ringside {
namespace {

using namespace version_bytes;

constexpr std::size_t kStampBytes = 24;
constexpr std::size_t kStampedBytes = kStampBytes + 16;  // of an object without expiry and value

char* write_stamp(char* out, const WriteStamp& stamp) {
  out = write(write(write(out, kLastWriterFormat), uint16_t{0}), uint32_t{0});
  return write(write(out, stamp.time), stamp.actor);
}

// Whether a later one than, or the same as, `other`.
bool at_least(const StampedObject& object, std::string_view bytes, const StampedObject& other,
              std::string_view other_bytes) {
  return object.stamp != other.stamp ? object.stamp > other.stamp : bytes >= other_bytes;
}

}  // namespace

std::string encode_stamp(const WriteStamp& stamp) {
  std::string bytes(kStampBytes, '\0');
  write_stamp(bytes.data(), stamp);
  return bytes;
}

bool decode_stamp(std::string_view& bytes, WriteStamp& stamp) {
  stamp = {};
  if (bytes.size() < kStampBytes || take<uint16_t>(bytes) != kLastWriterFormat) return false;
  if (take<uint16_t>(bytes) != 0 || take<uint32_t>(bytes) != 0) return false;
  stamp.time = take<Time>(bytes);
  stamp.actor = take<uint64_t>(bytes);
  return true;
}

void StampedObject::encode_into(std::string& out) const {
  const auto length = static_cast<uint32_t>(value.size());
  CHECK(length <= kLengthMax && (!tombstone || (length == 0 && expires == 0)));
  out.resize(kStampedBytes + (expires != 0 ? 8 : 0) + length);
  char* at = write_stamp(out.data(), stamp);
  at = write(at, 1 | (expires != 0 ? kAllExpire : 0));
  at = write(at, stamp.operation);
  at = write(at, length | (tombstone ? kTombstone : 0) | (expires != 0 ? kExpires : 0));
  if (expires != 0) at = write(at, expires);
  write(at, value);
}

std::string StampedObject::encoded() const {
  std::string bytes;
  encode_into(bytes);
  return bytes;
}

bool StampedObject::decode(std::string_view bytes) {
  *this = {};
  if (bytes.size() < kStampedBytes || !decode_stamp(bytes, stamp)) return false;
  const auto count = take<uint32_t>(bytes);
  stamp.operation = take<uint64_t>(bytes);
  const auto length = take<uint32_t>(bytes);
  tombstone = (length & kTombstone) != 0;
  const bool expiring = (length & kExpires) != 0;
  if (expiring && (!try_take(bytes, expires) || expires == 0)) return false;
  const std::size_t size = length & kLengthMax;
  if (tombstone && (size > 0 || expiring)) return false;
  value = bytes;
  return size == bytes.size() && count == (1 | (expiring ? kAllExpire : 0));
}

bool LastWriter::valid(std::string_view object) const { return StampedObject().decode(object); }

bool LastWriter::valid_context(std::string_view context) const {
  WriteStamp stamp;
  return context.empty() || (decode_stamp(context, stamp) && context.empty());
}

Versioning::Merge LastWriter::merge(std::string_view first, std::string_view second,
                                    std::string&) const {
  StampedObject a, b;
  if (!b.decode(second)) return Merge::kBadSecond;
  if (!a.decode(first)) return Merge::kBadFirst;
  return at_least(a, first, b, second) ? Merge::kFirst : Merge::kSecond;
}

bool LastWriter::includes(std::string_view object, std::string_view other) const {
  StampedObject a, b;
  return a.decode(object) && b.decode(other) && at_least(a, object, b, other);
}

Versioning::Put LastWriter::put(std::optional<std::string_view> stored, std::string_view seen,
                                const NewVersion& version, Actors& actors, std::string& out) const {
  using State = Put::State;
  if (!valid_context(seen)) return {State::kBadContext};
  StampedObject object;
  Made made = version.known;
  if (stored) {
    if (!object.decode(*stored)) return {State::kBadObject};
    const WriteStamp& stamp = object.stamp;
    if (stamp.operation == version.operation) {
      return {State::kRepeated, {{stamp.actor, static_cast<uint64_t>(stamp.time)}, stamp.time}};
    }
    // It was overwritten, or it never was later than what was there.
    const WriteStamp known{made.time, made.dot.actor, version.operation};
    if (made.dot.counter != 0 && stamp > known) return {State::kRepeated, made};
  }
  if (stored || made.dot.counter == 0)
    made = {{actors.life(), static_cast<uint64_t>(version.time)}, version.time};
  const WriteStamp stamp{made.time, made.dot.actor, version.operation};
  if (stored && object.stamp >= stamp) return {State::kStale, made};
  StampedObject{stamp, version.tombstone, version.value, version.expires}.encode_into(out);
  return {State::kMade, made};
}

std::string LastWriter::context_after(std::string_view seen, const Made& made) const {
  WriteStamp stamp;
  if (!seen.empty()) CHECK(decode_stamp(seen, stamp));
  return encode_stamp(std::max(stamp, WriteStamp{made.time, made.dot.actor, 0}));
}

}  // namespace ringside
