// Vector clocks, as the paper has them (section 4.4): each version carries a clock, a list of
// (actor, counter, time), and a version is an ancestor of another when the other's clock has at
// least its counters and one more. A put's clock is that of the client's context and the next count
// of the coordinator; above a threshold the entry with the oldest time is dropped, never the put's
// own. Merge keeps the versions that have no descendant on either side (syntactic reconciliation).
//
// One actor a server, not a client, keeps clocks short, and has a price. The counter n of a server
// stands for all that it did before, so the clock of a put claims to have seen whatever else that
// server made of this key. Siblings of which that is not true are given the put's own clock: equal
// clocks are no one's ancestors. They are safe, but a client that had seen one of them before can
// no longer replace it without reading again: false concurrency, which dotted version vectors do
// not have. For the same reason the context after a put covers the put only when it stood alone.
// Truncation has a price too: a clock that lost an entry no longer descends from versions that have
// it, and where such a one survived it comes back as a sibling.
//
// The encoding is canonical, little-endian:
//   context:  u16 format (3), u16 entries, u32 0, then {u64 actor, u64 counter, i64 time} of each,
//             sorted by actor
//   object:   context: all its clocks together; u32 siblings | 2^31 when each expires, then for
//             each, sorted: {u64 actor, u64 counter, u64 operation, i64 time, u32 length | 2^31 for
//             a tombstone | 2^30 for an expiry, i64 expiry if so, u16 entries of its clock, or
//             65,535: it is the context; the entries, value}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "protocols/replication/dynamo/versioning.h"

namespace ringside {

struct ClockEntry {
  uint64_t actor = 0;
  uint64_t counter = 0;
  Time time = 0;  // when the actor counted, by its wall clock
  auto operator<=>(const ClockEntry&) const = default;
};

class VectorClock {
 public:
  using Entries = absl::InlinedVector<ClockEntry, 4>;

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  uint64_t count_of(uint64_t actor) const;
  // Whether each counter of `other` is reached here.
  bool descends(const VectorClock& other) const;
  bool strictly_descends(const VectorClock& other) const {
    return descends(other) && !other.descends(*this);
  }
  void merge(const VectorClock& other);
  void set(const ClockEntry& entry);
  // Drops the oldest entries until `most` are left, never that of `own`. Ties in time are broken by
  // actor. Returns how many.
  uint32_t truncate(std::size_t most, uint64_t own);
  bool operator==(const VectorClock&) const = default;

  std::size_t encoded_size() const { return 8 + 24 * entries_.size(); }
  char* encode(char* out) const;  // as a context
  std::string encoded() const;
  char* encode_entries(char* out) const;
  // Takes a context, or so many entries, from the front of `bytes`. False when there is none.
  bool decode(std::string_view& bytes);
  bool decode_entries(std::string_view& bytes, std::size_t count);

  const Entries& entries() const { return entries_; }

 private:
  Entries entries_;  // sorted by actor; counters above 0
};

struct ClockedVersion {
  Dot dot;  // what its put added to the clock, which was this version's alone
  VectorClock clock;
  uint64_t operation = 0;
  bool tombstone = false;
  std::string_view value;
  Time time = 0;
  Time expires = 0;  // 0: never
  bool operator==(const ClockedVersion&) const = default;
};

struct ClockedObject {
  VectorClock context;                              // of all siblings
  absl::InlinedVector<ClockedVersion, 2> siblings;  // sorted; none descends from another

  bool operator==(const ClockedObject&) const = default;
  void merge(const ClockedObject& other);
  bool includes(const ClockedObject& other) const;
  // Drops what `seen` descends from, adds the version, and gives its clock to those that were not
  // seen and yet would be its ancestors.
  void put(const VectorClock& seen, const ClockedVersion& version);

  std::size_t encoded_size() const;
  char* encode(char* out) const;
  std::string encoded() const;
  // False when the bytes are not exactly one object in canonical form.
  bool decode(std::string_view bytes);

 private:
  // Sorts, drops what is there twice and what another descends from, makes the context anew.
  void normalise();
};

class ClockVersions final : public Versioning {
 public:
  explicit ClockVersions(uint32_t entries_max) : entries_max_(entries_max) {}

  Versions scheme() const override { return Versions::kVectorClock; }
  bool valid(std::string_view object) const override;
  bool valid_context(std::string_view context) const override;
  Merge merge(std::string_view first, std::string_view second, std::string& out) const override;
  bool includes(std::string_view object, std::string_view other) const override;
  Put put(std::optional<std::string_view> stored, std::string_view seen, const NewVersion& version,
          Actors& actors, std::string& out) const override;
  std::string context_after(std::string_view seen, const Made& made) const override;

 private:
  uint32_t entries_max_;
};

}  // namespace ringside
