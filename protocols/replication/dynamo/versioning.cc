#include "protocols/replication/dynamo/versioning.h"

#include <algorithm>

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

}  // namespace

std::unique_ptr<Versioning> Versioning::make(const DynamoOptions& options) {
  CHECK(options.versions == Versions::kDotted);
  return std::make_unique<DottedVersions>();
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
    default: return false;
  }
}

std::string_view context_of(std::string_view object) {
  if (object.size() < 8) return {};
  std::size_t size = 8;
  switch (load<uint16_t>(object.data())) {
    case kDottedFormat:
      size +=
          16 * (std::size_t{load<uint16_t>(object.data() + 2)} + load<uint32_t>(object.data() + 4));
      break;
    default: return {};
  }
  return size <= object.size() ? object.substr(0, size) : std::string_view();
}

std::size_t sibling_count(std::string_view object) {
  const std::optional<Versions> scheme = scheme_of(object);
  if (!scheme) return 0;
  if (*scheme == Versions::kLastWriterWins) return 1;
  const std::size_t at = context_of(object).size();
  return at == 0 || object.size() < at + 4 ? 0 : load<uint32_t>(object.data() + at) & ~kAllExpire;
}

bool context_covers(std::string_view context, Dot dot) {
  Context decoded;
  return decoded.decode(context) && decoded.covers(dot);
}

bool present_or_superseded(std::string_view object, const VersionView& version) {
  return context_covers(object, version.dot);
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
  const std::size_t step = 16;
  for (context.remove_prefix(8); context.size() >= step; context.remove_prefix(step)) {
    if (actors.own(load<uint64_t>(context.data()))) return true;
  }
  return false;
}

}  // namespace ringside
