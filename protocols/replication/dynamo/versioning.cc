#include "protocols/replication/dynamo/versioning.h"

#include <algorithm>

#include "protocols/replication/dynamo/last_writer.h"
#include "protocols/replication/dynamo/vector_clock.h"
#include "protocols/replication/dynamo/version.h"
#include "protocols/replication/dynamo/version_bytes.h"
#include "runtime/check.h"

namespace ringside {
namespace {

using namespace version_bytes;

bool read_dotted(std::string_view bytes, VersionViews& siblings) {
  Object object;
  if (!object.decode(bytes)) return false;
  for (const Version& version : object.siblings) {
    siblings.push_back({version.dot,
                        version.operation,
                        version.tombstone,
                        version.time,
                        version.expires,
                        version.value,
                        {}});
  }
  return true;
}

bool read_clocked(std::string_view bytes, VersionViews& siblings) {
  ClockedObject object;
  if (!object.decode(bytes)) return false;
  for (const ClockedVersion& version : object.siblings) {
    siblings.push_back({version.dot, version.operation, version.tombstone, version.time,
                        version.expires, version.value, version.clock.encoded()});
  }
  return true;
}

bool read_stamped(std::string_view bytes, VersionViews& siblings) {
  StampedObject object;
  if (!object.decode(bytes)) return false;
  const WriteStamp& stamp = object.stamp;
  siblings.push_back({{stamp.actor, static_cast<uint64_t>(stamp.time)},
                      stamp.operation,
                      object.tombstone,
                      stamp.time,
                      object.expires,
                      object.value,
                      {}});
  return true;
}

bool clocked_has(std::string_view bytes, const VersionView& version) {
  ClockedObject object;
  VectorClock clock;
  std::string_view rest = version.clock;
  if (!object.decode(bytes) || !clock.decode(rest)) return false;
  return std::any_of(object.siblings.begin(), object.siblings.end(),
                     [&](const ClockedVersion& sibling) {
                       return sibling.dot == version.dot || sibling.clock.strictly_descends(clock);
                     });
}

bool stamped_has(std::string_view bytes, const VersionView& version) {
  StampedObject object;
  return object.decode(bytes) &&
         object.stamp >= WriteStamp{version.time, version.dot.actor, version.operation};
}

}  // namespace

std::unique_ptr<Versioning> Versioning::make(const DynamoOptions& options) {
  switch (options.versions) {
    case Versions::kDotted: return std::make_unique<DottedVersions>();
    case Versions::kVectorClock: return std::make_unique<ClockVersions>(options.clock_entries_max);
    case Versions::kLastWriterWins: return std::make_unique<LastWriter>();
  }
  CHECK(false);
  return nullptr;
}

std::optional<Versions> scheme_of(std::string_view bytes) {
  if (bytes.size() < 2) return {};
  switch (load<uint16_t>(bytes.data())) {
    case kDottedFormat: return Versions::kDotted;
    case kClockFormat: return Versions::kVectorClock;
    case kLastWriterFormat: return Versions::kLastWriterWins;
    default: return {};
  }
}

bool read_object(std::string_view object, VersionViews& siblings) {
  siblings.clear();
  const std::optional<Versions> scheme = scheme_of(object);
  if (!scheme) return false;
  switch (*scheme) {
    case Versions::kDotted: return read_dotted(object, siblings);
    case Versions::kVectorClock: return read_clocked(object, siblings);
    case Versions::kLastWriterWins: return read_stamped(object, siblings);
  }
  return false;
}

std::string_view context_of(std::string_view object) {
  if (object.size() < 8) return {};
  std::size_t size = 8;
  switch (load<uint16_t>(object.data())) {
    case kDottedFormat:
      size +=
          16 * (std::size_t{load<uint16_t>(object.data() + 2)} + load<uint32_t>(object.data() + 4));
      break;
    case kClockFormat: size += 24 * std::size_t{load<uint16_t>(object.data() + 2)}; break;
    case kLastWriterFormat: size += 16; break;
    default: return {};
  }
  return size <= object.size() ? object.substr(0, size) : std::string_view();
}

std::size_t sibling_count(std::string_view object) {
  const std::size_t at = context_of(object).size();
  return at == 0 || object.size() < at + 4 ? 0 : load<uint32_t>(object.data() + at) & ~kAllExpire;
}

bool context_covers(std::string_view context, Dot dot) {
  const std::optional<Versions> scheme = scheme_of(context);
  if (!scheme) return false;
  switch (*scheme) {
    case Versions::kDotted: {
      Context decoded;
      return decoded.decode(context) && decoded.covers(dot);
    }
    case Versions::kVectorClock: {
      VectorClock clock;
      return clock.decode(context) && clock.count_of(dot.actor) >= dot.counter;
    }
    case Versions::kLastWriterWins: {
      WriteStamp stamp;
      return decode_stamp(context, stamp) &&
             stamp >= WriteStamp{static_cast<Time>(dot.counter), dot.actor, 0};
    }
  }
  return false;
}

bool present_or_superseded(std::string_view object, const VersionView& version) {
  const std::optional<Versions> scheme = scheme_of(object);
  if (!scheme) return false;
  switch (*scheme) {
    case Versions::kDotted: return context_covers(object, version.dot);
    case Versions::kVectorClock: return clocked_has(object, version);
    case Versions::kLastWriterWins: return stamped_has(object, version);
  }
  return false;
}

std::optional<Time> dead_since(std::string_view object, Time now) {
  VersionViews siblings;
  if (!read_object(object, siblings)) return {};
  Time since = 0;
  for (const VersionView& version : siblings) {
    if (!version.dead(now)) return {};
    since = std::max(since, version.tombstone ? version.time : version.expires);
  }
  return since;
}

Time expiry_of(std::string_view object) {
  const std::size_t at = context_of(object).size();
  if (at == 0 || object.size() < at + 4) return 0;
  if ((load<uint32_t>(object.data() + at) & kAllExpire) == 0) return 0;
  VersionViews siblings;
  if (!read_object(object, siblings)) return 0;
  Time last = 0;
  for (const VersionView& version : siblings) last = std::max(last, version.expires);
  return last;
}

bool names_actor(std::string_view object, const Actors& actors) {
  std::string_view context = context_of(object);
  if (context.empty()) return false;
  const std::size_t step = scheme_of(object) == Versions::kVectorClock ? 24 : 16;
  if (scheme_of(object) == Versions::kLastWriterWins) return false;  // names, not counters
  for (context.remove_prefix(8); context.size() >= step; context.remove_prefix(step)) {
    if (actors.own(load<uint64_t>(context.data()))) return true;
  }
  return false;
}

}  // namespace ringside
