#include "protocols/replication/dynamo/vector_clock.h"

#include <algorithm>
#include <tuple>

#include "protocols/replication/dynamo/version_bytes.h"
#include "runtime/bug.h"
#include "runtime/check.h"

namespace ringside {
namespace {

using namespace version_bytes;

constexpr std::size_t kClockEntryBytes = 24;
constexpr std::size_t kClockedBytes = kHeadBytes + 2;   // of a version, without clock and value
constexpr uint64_t kClockCountMax = uint64_t{1} << 62;  // nobody counts that far
constexpr uint16_t kSameAsContext = 0xffff;             // in the place of a number of entries

bool clocked_before(const ClockedVersion& a, const ClockedVersion& b) {
  const auto rest = [](const ClockedVersion& of) {
    return std::tie(of.operation, of.time, of.expires, of.tombstone, of.value);
  };
  if (a.dot != b.dot) return a.dot < b.dot;
  if (a.clock.entries() != b.clock.entries()) return a.clock.entries() < b.clock.entries();
  return rest(a) < rest(b);
}

// Whoever counted in this object's clocks here goes on; otherwise somebody new.
uint64_t counting_actor(const VectorClock& clock, Actors& actors) {
  uint64_t best = 0;
  for (const ClockEntry& entry : clock.entries()) {
    if (entry.actor > best && actors.usable(entry.actor)) best = entry.actor;
  }
  return best != 0 ? best : actors.fresh();
}

}  // namespace

uint64_t VectorClock::count_of(uint64_t actor) const {
  for (const ClockEntry& entry : entries_) {
    if (entry.actor == actor) return entry.counter;
  }
  return 0;
}

bool VectorClock::descends(const VectorClock& other) const {
  std::size_t i = 0;
  for (const ClockEntry& entry : other.entries_) {
    while (i < entries_.size() && entries_[i].actor < entry.actor) ++i;
    if (i == entries_.size() || entries_[i].actor != entry.actor ||
        entries_[i].counter < entry.counter)
      return false;
  }
  return true;
}

// An actor counts once at a time, so that equal counters have equal times; where they have not, the
// later one stands.
void VectorClock::merge(const VectorClock& other) {
  Entries merged;
  std::size_t i = 0;
  for (const ClockEntry& entry : other.entries_) {
    while (i < entries_.size() && entries_[i].actor < entry.actor) merged.push_back(entries_[i++]);
    if (i < entries_.size() && entries_[i].actor == entry.actor) {
      merged.push_back(std::max(entry, entries_[i++]));
    } else {
      merged.push_back(entry);
    }
  }
  merged.insert(merged.end(), entries_.begin() + static_cast<std::ptrdiff_t>(i), entries_.end());
  entries_ = std::move(merged);
}

void VectorClock::set(const ClockEntry& entry) {
  CHECK(entry.counter > 0);
  auto at =
      std::lower_bound(entries_.begin(), entries_.end(), entry.actor,
                       [](const ClockEntry& have, uint64_t actor) { return have.actor < actor; });
  if (at != entries_.end() && at->actor == entry.actor) {
    *at = entry;
  } else {
    entries_.insert(at, entry);
  }
}

uint32_t VectorClock::truncate(std::size_t most, uint64_t own) {
  uint32_t dropped = 0;
  while (entries_.size() > std::max<std::size_t>(most, 1)) {
    auto victim = entries_.end();
    for (auto entry = entries_.begin(); entry != entries_.end(); ++entry) {
      if (RINGSIDE_BUG(truncation_drops_newest)) {
        if (victim == entries_.end() || entry->time >= victim->time) victim = entry;
        continue;
      }
      if (entry->actor == own) continue;
      if (victim == entries_.end() || entry->time < victim->time) victim = entry;
    }
    entries_.erase(victim);
    ++dropped;
  }
  return dropped;
}

char* VectorClock::encode_entries(char* out) const {
  for (const ClockEntry& entry : entries_)
    out = write(write(write(out, entry.actor), entry.counter), entry.time);
  return out;
}

char* VectorClock::encode(char* out) const {
  out = write(out, kClockFormat);
  out = write(out, static_cast<uint16_t>(entries_.size()));
  return encode_entries(write(out, uint32_t{0}));
}

std::string VectorClock::encoded() const {
  std::string bytes(encoded_size(), '\0');
  encode(bytes.data());
  return bytes;
}

bool VectorClock::decode_entries(std::string_view& bytes, std::size_t count) {
  entries_.clear();
  if (bytes.size() / kClockEntryBytes < count) return false;
  entries_.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    ClockEntry& entry = entries_[i];
    entry.actor = take<uint64_t>(bytes);
    entry.counter = take<uint64_t>(bytes);
    entry.time = take<Time>(bytes);
    if (entry.counter == 0 || (i > 0 && entries_[i - 1].actor >= entry.actor)) return false;
  }
  return true;
}

bool VectorClock::decode(std::string_view& bytes) {
  if (bytes.size() < 8 || take<uint16_t>(bytes) != kClockFormat) return false;
  const std::size_t count = take<uint16_t>(bytes);
  return count <= kEntriesMax && take<uint32_t>(bytes) == 0 && decode_entries(bytes, count);
}

void ClockedObject::normalise() {
  std::sort(siblings.begin(), siblings.end(), clocked_before);
  siblings.erase(std::unique(siblings.begin(), siblings.end()), siblings.end());
  absl::InlinedVector<ClockedVersion, 2> kept;
  for (const ClockedVersion& version : siblings) {
    const bool ancestor = std::any_of(
        siblings.begin(), siblings.end(),
        [&](const ClockedVersion& other) { return other.clock.strictly_descends(version.clock); });
    if (!ancestor) kept.push_back(version);
  }
  siblings = std::move(kept);
  context = VectorClock();
  for (const ClockedVersion& version : siblings) context.merge(version.clock);
}

void ClockedObject::merge(const ClockedObject& other) {
  siblings.insert(siblings.end(), other.siblings.begin(), other.siblings.end());
  normalise();
}

bool ClockedObject::includes(const ClockedObject& other) const {
  for (const ClockedVersion& theirs : other.siblings) {
    const bool known =
        std::any_of(siblings.begin(), siblings.end(), [&](const ClockedVersion& ours) {
          return ours == theirs || ours.clock.strictly_descends(theirs.clock);
        });
    if (!known) return false;
    for (const ClockedVersion& ours : siblings) {
      if (theirs.clock.strictly_descends(ours.clock)) return false;
    }
  }
  return true;
}

void ClockedObject::put(const VectorClock& seen, const ClockedVersion& version) {
  siblings.erase(
      std::remove_if(siblings.begin(), siblings.end(),
                     [&](const ClockedVersion& old) { return seen.descends(old.clock); }),
      siblings.end());
  for (ClockedVersion& other : siblings) {
    if (version.clock.descends(other.clock)) other.clock = version.clock;
  }
  siblings.push_back(version);
  normalise();
}

std::size_t ClockedObject::encoded_size() const {
  std::size_t size = context.encoded_size() + 4 + kClockedBytes * siblings.size();
  for (const ClockedVersion& version : siblings) {
    size += version.value.size() + (version.expires != 0 ? 8 : 0);
    if (version.clock != context) size += kClockEntryBytes * version.clock.size();
  }
  return size;
}

char* ClockedObject::encode(char* out) const {
  out = context.encode(out);
  char* const count = out;
  bool all_expire = !siblings.empty();
  out += 4;
  for (const ClockedVersion& version : siblings) {
    out = write_head(out, version);
    all_expire = all_expire && version.expires != 0;
    if (version.clock == context) {
      out = write(out, kSameAsContext);
    } else {
      out = write(out, static_cast<uint16_t>(version.clock.size()));
      out = version.clock.encode_entries(out);
    }
    out = write(out, version.value);
  }
  write(count, static_cast<uint32_t>(siblings.size()) | (all_expire ? kAllExpire : 0));
  return out;
}

std::string ClockedObject::encoded() const {
  std::string bytes(encoded_size(), '\0');
  encode(bytes.data());
  return bytes;
}

bool ClockedObject::decode(std::string_view bytes) {
  siblings.clear();
  if (!context.decode(bytes) || bytes.size() < 4) return false;
  const auto marked = take<uint32_t>(bytes);
  const std::size_t count = marked & ~kAllExpire;
  if (bytes.size() / kClockedBytes < count) return false;
  siblings.resize(count);
  bool all_expire = count > 0;
  for (ClockedVersion& version : siblings) {
    std::size_t size = 0;
    if (!take_head(bytes, version, size)) return false;
    all_expire = all_expire && version.expires != 0;
    uint16_t entries = 0;
    if (!try_take(bytes, entries)) return false;
    if (entries == kSameAsContext) {
      version.clock = context;
    } else if (entries > kEntriesMax || !version.clock.decode_entries(bytes, entries) ||
               version.clock == context) {
      return false;
    }
    if (size > bytes.size()) return false;
    version.value = bytes.substr(0, size);
    bytes.remove_prefix(size);
  }
  if (!bytes.empty() || all_expire != ((marked & kAllExpire) != 0)) return false;
  if (count == 1) return siblings[0].clock == context;
  const ClockedObject before = *this;
  normalise();
  return *this == before;
}

bool ClockVersions::valid(std::string_view object) const { return ClockedObject().decode(object); }

bool ClockVersions::valid_context(std::string_view context) const {
  return context.empty() || (VectorClock().decode(context) && context.empty());
}

Versioning::Merge ClockVersions::merge(std::string_view first, std::string_view second,
                                       std::string& out) const {
  ClockedObject a, b;
  if (!b.decode(second)) return Merge::kBadSecond;
  if (!a.decode(first)) return Merge::kBadFirst;
  if (a.includes(b)) return Merge::kFirst;
  if (b.includes(a)) return Merge::kSecond;
  a.merge(b);
  if (a.context.size() > kEntriesMax) return Merge::kBadSecond;
  out.resize(a.encoded_size());
  a.encode(out.data());
  return Merge::kBoth;
}

bool ClockVersions::includes(std::string_view object, std::string_view other) const {
  ClockedObject a, b;
  return a.decode(object) && b.decode(other) && a.includes(b);
}

Versioning::Put ClockVersions::put(std::optional<std::string_view> stored, std::string_view seen,
                                   const NewVersion& version, Actors& actors,
                                   std::string& out) const {
  using State = Put::State;
  ClockedObject object;
  VectorClock clock;
  if (!seen.empty() && (!clock.decode(seen) || !seen.empty())) return {State::kBadContext};
  const VectorClock context = clock;
  Made made = version.known;
  if (stored) {
    if (!object.decode(*stored)) return {State::kBadObject};
    for (const ClockedVersion& sibling : object.siblings) {
      if (sibling.operation != version.operation) continue;
      return {State::kRepeated, {sibling.dot, sibling.time, object.siblings.size() == 1}};
    }
    const uint64_t counted = object.context.count_of(made.dot.actor);
    if (made.dot.counter != 0 && counted >= made.dot.counter) return {State::kRepeated, made};
  }
  if (stored || made.dot.counter == 0) {
    const uint64_t actor = counting_actor(object.context, actors);
    const uint64_t least = std::max(object.context.count_of(actor), clock.count_of(actor));
    if (least > kClockCountMax) return {State::kBadContext};
    made = {{actor, actors.count(least)}, version.time};
  }
  if (clock.count_of(made.dot.actor) >= made.dot.counter) return {State::kBadContext};
  clock.set({made.dot.actor, made.dot.counter, made.time});
  const uint32_t truncated = clock.truncate(entries_max_, made.dot.actor);
  object.put(context, ClockedVersion{made.dot, clock, version.operation, version.tombstone,
                                     version.value, made.time, version.expires});
  if (object.context.size() > kEntriesMax) return {State::kBadContext};
  made.alone = object.siblings.size() == 1;
  out.resize(object.encoded_size());
  object.encode(out.data());
  return {State::kMade, made, truncated};
}

std::string ClockVersions::context_after(std::string_view seen, const Made& made) const {
  if (!made.alone) return std::string(seen);
  VectorClock clock;
  if (!seen.empty()) CHECK(clock.decode(seen));
  clock.set({made.dot.actor, made.dot.counter, made.time});
  return clock.encoded();
}

}  // namespace ringside
