// Last writer wins: one version a key, that with the latest time, which is what the wall clock of
// its coordinator said. Ties in time go to the higher actor, then to the higher operation, then to
// the greater bytes. Nothing that a client has seen counts, so there are no siblings, and whatever
// was written by a clock that is behind, or at the same time by somebody else, is lost though it
// was acknowledged.
//
// The encoding is canonical, little-endian:
//   context:  u16 format (4), u16 0, u32 0, i64 time, u64 actor
//   object:   context, u32 1 | 2^31 when it expires, u64 operation, u32 length | 2^31 for a
//             tombstone | 2^30 for an expiry, i64 expiry if so, value
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocols/replication/dynamo/versioning.h"

namespace ringside {

// What the versions of a key are ordered by.
struct WriteStamp {
  Time time = 0;
  uint64_t actor = 0;
  uint64_t operation = 0;  // 0 in a context
  auto operator<=>(const WriteStamp&) const = default;
};

struct StampedObject {
  WriteStamp stamp;
  bool tombstone = false;
  std::string_view value;
  Time expires = 0;  // 0: never
  bool operator==(const StampedObject&) const = default;

  std::string encoded() const;
  void encode_into(std::string& out) const;
  // False when the bytes are not exactly one object in canonical form.
  bool decode(std::string_view bytes);
};

std::string encode_stamp(const WriteStamp& stamp);
// Takes a context from the front of `bytes`.
bool decode_stamp(std::string_view& bytes, WriteStamp& stamp);

class LastWriter final : public Versioning {
 public:
  Versions scheme() const override { return Versions::kLastWriterWins; }
  bool valid(std::string_view object) const override;
  bool valid_context(std::string_view context) const override;
  Merge merge(std::string_view first, std::string_view second, std::string& out) const override;
  bool includes(std::string_view object, std::string_view other) const override;
  Put put(std::optional<std::string_view> stored, std::string_view seen, const NewVersion& version,
          Actors& actors, std::string& out) const override;
  std::string context_after(std::string_view seen, const Made& made) const override;
};

}  // namespace ringside
