// Versioning: how versions of a key are told apart. Three schemes behind one interface: dotted
// version vectors (version.h), the paper's vector clocks (vector_clock.h) and last writer wins
// (last_writer.h). Objects and contexts are bytes here; only a scheme looks into its own. An object
// is every version of a key that none is known to supersede; a context is what a client has seen.
// Merge is idempotent, commutative and associative in all three. Encodings are canonical: equal
// objects are equal bytes, and an object of another scheme is no object.
//
// The functions below the class understand objects of every scheme by their first bytes, for those
// who need no scheme: clients, observers, the reaper.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/container/inlined_vector.h"
#include "protocols/replication/dynamo/actors.h"
#include "protocols/replication/dynamo/options.h"

namespace ringside {

// What a put made, as far as whoever repeats it must know.
struct Made {
  Dot dot;            // counter 0: nothing. Last writer wins: its time
  Time time = 0;      // the coordinator's wall clock
  bool alone = true;  // it was the object's only version
  bool operator==(const Made&) const = default;
};

struct NewVersion {
  std::string_view value;
  bool tombstone = false;
  uint64_t operation = 0;
  Time time = 0;     // the coordinator's wall clock
  Time expires = 0;  // from then on, by the wall clock, it counts as a tombstone; 0: never
  Made known;        // what this operation made here before
};

class Versioning {
 public:
  static std::unique_ptr<Versioning> make(const DynamoOptions& options);
  virtual ~Versioning() = default;

  virtual Versions scheme() const = 0;
  // Whether the bytes are exactly one object of this scheme in canonical form; the same for
  // contexts, of which "" is one too: nothing was seen.
  virtual bool valid(std::string_view object) const = 0;
  virtual bool valid_context(std::string_view context) const = 0;

  enum class Merge : uint8_t {
    kFirst,   // it is the first: that includes the second
    kSecond,  // it is the second
    kBoth,    // it is in `out`
    kBadFirst,
    kBadSecond,
  };
  // What both together are.
  virtual Merge merge(std::string_view first, std::string_view second, std::string& out) const = 0;
  // Whether merging `other` into `object` would change nothing. False when one is none.
  virtual bool includes(std::string_view object, std::string_view other) const = 0;

  struct Put {
    enum class State : uint8_t {
      kMade,      // the object, with it, is in `out`
      kStale,     // last writer wins, and somebody later was there: the object stays as it was
      kRepeated,  // the operation's version is in the object, or was superseded there
      kBadObject,
      kBadContext,  // also one that claims to have seen what is only now being made
    } state = State::kBadObject;
    Made made;
    uint32_t truncated = 0;  // entries of the clock that were dropped
  };
  // A new version on top of `stored`, or of nothing, by a client who saw `seen`.
  virtual Put put(std::optional<std::string_view> stored, std::string_view seen,
                  const NewVersion& version, Actors& actors, std::string& out) const = 0;
  // What a client has seen who saw `seen` and was then told that its put made `made`. Never covers
  // a version that the client has not seen; of vector clocks it may therefore not cover `made`.
  virtual std::string context_after(std::string_view seen, const Made& made) const = 0;
};

// --- Of any scheme.

struct VersionView {
  Dot dot;                 // of the put that made it, unique but for last writer wins
  uint64_t operation = 0;  // the client operation that made it
  bool tombstone = false;
  Time time = 0;     // the wall clock of who made it
  Time expires = 0;  // 0: never
  std::string_view value;
  std::string clock = {};  // vector clocks: its own, as a context; otherwise empty

  bool dead(Time now) const { return tombstone || (expires != 0 && expires <= now); }
};
using VersionViews = absl::InlinedVector<VersionView, 2>;

// Nothing when the bytes begin like no object and no context.
std::optional<Versions> scheme_of(std::string_view object_or_context);
// The siblings, in their order. False when the bytes are no object.
bool read_object(std::string_view object, VersionViews& siblings);
// The context that an object begins with. What it says of bytes that are no object is no context.
std::string_view context_of(std::string_view object);
// How many versions it has. 0 when it is none.
std::size_t sibling_count(std::string_view object);
// Whether who has seen this context, or an object that begins with it, has seen the put (actor,
// counter), as far as that scheme can say.
bool context_covers(std::string_view context, Dot dot);
// The oracle's question: is this version, as some frame or disk showed it, still one of the
// object's, or superseded there by versions that had seen it? Of vector clocks that were truncated
// it may say no where the truth is yes: what would tell was dropped.
bool present_or_superseded(std::string_view object, const VersionView& version);
// Since when the object has been nothing but tombstones, expired versions among them; nothing while
// it has a value.
std::optional<Time> dead_since(std::string_view object, Time now);
// When the last of its versions expires; 0: not all of them do.
Time expiry_of(std::string_view object);
// Whether its context names an actor of this life of the process.
bool names_actor(std::string_view object, const Actors& actors);

}  // namespace ringside
