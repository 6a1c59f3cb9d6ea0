// Dotted version vectors with exact contexts (Preguiça et al. 2010; Almeida et al. 2014).
// A *dot* names one put: the n-th of one actor. A *context* is a set of dots, kept as a vector
// (actor → n: its first n) and a cloud of single dots beyond; it never claims a dot that was not
// seen. An *object* is what a key holds: siblings, each with its dot, and the context of everything
// ever seen there. Merge keeps a sibling when both sides have it, or when the other side's context
// does not cover its dot; it is idempotent, commutative and associative, and only adds to the
// context. Actors never hand out a dot twice (actors.h). Values are views: into the bytes that were
// decoded, which must outlive the object.
//
// The encoding is canonical (equal objects have equal bytes), little-endian:
//   context:  u16 format (2), u16 vector entries, u32 cloud dots, then {u64 actor, u64 counter} of
//             each, both sorted
//   object:   context, u32 siblings | 2^31 when each expires, then for each, sorted by dot:
//             {u64 actor, u64 counter, u64 operation, i64 time, u32 length | 2^31 for a tombstone |
//             2^30 for an expiry, i64 expiry if so, value}
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "protocols/replication/dynamo/versioning.h"

namespace ringside {

class Context {
 public:
  bool empty() const { return vector_.empty() && cloud_.empty(); }
  bool covers(Dot dot) const;
  // Whether every dot of `other` is covered.
  bool dominates(const Context& other) const;
  // The largest counter of `actor` that is covered; 0 when none is.
  uint64_t last(uint64_t actor) const;
  void add(Dot dot);
  void merge(const Context& other);
  bool operator==(const Context&) const = default;

  std::size_t encoded_size() const { return 8 + 16 * (vector_.size() + cloud_.size()); }
  char* encode(char* out) const;
  std::string encoded() const;
  // Takes the context from the front of `bytes`, which then begins behind it. False when it is not
  // one.
  bool decode(std::string_view& bytes);

  using Dots = absl::InlinedVector<Dot, 4>;
  const Dots& vector() const { return vector_; }
  const Dots& cloud() const { return cloud_; }

 private:
  void normalise();

  Dots vector_;  // sorted by actor; {actor, n} stands for the dots 1..n
  Dots cloud_;   // sorted; each beyond its actor's n + 1
};

struct Version {
  Dot dot;
  uint64_t operation = 0;  // the client operation that put it
  bool tombstone = false;  // a delete: a version without a value
  std::string_view value;
  Time time = 0;     // the wall clock of who made it
  Time expires = 0;  // 0: never
  bool operator==(const Version&) const = default;
};

struct Object {
  Context context;
  absl::InlinedVector<Version, 2> siblings;  // sorted by dot

  bool operator==(const Object&) const = default;
  const Version* find(Dot dot) const;
  bool has_operation(uint64_t operation) const;

  // Merges `other` in. The result's values are views of both sides' bytes.
  void merge(const Object& other);
  // Whether merging `other` into this would change nothing.
  bool includes(const Object& other) const;
  // A put: drops what `seen` covers, adds the version, covers `seen` and the dot.
  void put(const Context& seen, const Version& version);

  std::size_t encoded_size() const;
  char* encode(char* out) const;
  std::string encoded() const;
  // False when the bytes are not exactly one object in canonical form.
  bool decode(std::string_view bytes);
};

class DottedVersions final : public Versioning {
 public:
  Versions scheme() const override { return Versions::kDotted; }
  bool valid(std::string_view object) const override;
  bool valid_context(std::string_view context) const override;
  Merge merge(std::string_view first, std::string_view second, std::string& out) const override;
  bool includes(std::string_view object, std::string_view other) const override;
  Put put(std::optional<std::string_view> stored, std::string_view seen, const NewVersion& version,
          Actors& actors, std::string& out) const override;
  std::string context_after(std::string_view seen, const Made& made) const override;
};

}  // namespace ringside
