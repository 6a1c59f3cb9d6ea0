#include "storage/log_segments.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <limits>
#include <utility>

namespace ringside {
namespace {

constexpr uint64_t kPlaceEveryBytes = 64u << 10;

}  // namespace

std::string log_file_name(const std::string& directory, uint32_t slot) {
  char name[16];
  std::snprintf(name, sizeof name, "/%06u", slot);
  return directory + name;
}

std::string archive_directory(const std::string& log_directory) {
  return log_directory + "/archive";
}

std::string archive_file_name(const std::string& log_directory, Lsn first) {
  char name[32];
  std::snprintf(name, sizeof name, "/%020llu", static_cast<unsigned long long>(first));
  return archive_directory(log_directory) + name;
}

uint32_t slot_of_log_file(const std::string& name) {
  const auto slot = static_cast<uint32_t>(std::strtoul(name.c_str(), nullptr, 10));
  return slot != 0 && log_file_name("", slot) == "/" + name ? slot : 0;
}

Lsn lsn_of_archive_file(const std::string& name) {
  const Lsn first = std::strtoull(name.c_str(), nullptr, 10);
  return first != 0 && archive_file_name("", first) == "/archive/" + name ? first : 0;
}

void LogSegment::remember(Lsn lsn, uint64_t offset, bool always) {
  if (!always && !places.empty() && offset < places.back().offset + kPlaceEveryBytes) return;
  if (!places.empty() && places.back().lsn >= lsn) return;  // a seal starts where the next one does
  places.push_back({lsn, offset});
}

LogSegments::LogSegments(ReadyList& ready, std::string log_directory, LogStart& start)
    : directory(std::move(log_directory)),
      archived(start.archived.begin(), start.archived.end()),
      leaving(start.flushed.begin(), start.flushed.end()),
      needed(start.in_use.begin(), start.in_use.end()),
      free(std::move(start.free)),
      next_slot(start.next_slot),
      names(ready, 1) {}

// From the archived segment that may hold `lsn` on.
template <class Visit>
void LogSegments::visit_from(Lsn lsn, Visit visit) const {
  auto at =
      std::upper_bound(archived.begin(), archived.end(), lsn,
                       [](Lsn wanted, const ArchivedSegment& one) { return wanted < one.first; });
  if (at != archived.begin()) --at;
  for (; at != archived.end(); ++at) {
    visit(at->first, nullptr);
    if (at->first > lsn) return;
  }
  for (const LogSegment& segment : leaving) visit(segment.first, &segment);
  for (const LogSegment& segment : needed) visit(segment.first, &segment);
  if (active.bytes > 0) visit(active.first, &active);
}

std::optional<LogSegments::Holder> LogSegments::find(Lsn lsn) const {
  std::optional<Holder> holder;
  visit_from(lsn, [&](Lsn first, const LogSegment* segment) {
    if (first > lsn) {
      if (holder) holder->until = std::min(holder->until, first);
      return;
    }
    holder = Holder{.first = first, .until = std::numeric_limits<Lsn>::max()};
    if (segment == nullptr) {
      holder->path = archive_file_name(directory, first);
      return;
    }
    holder->id = segment->id;
    holder->file = segment->file;
    holder->bytes = segment->bytes;
    holder->path = log_file_name(directory, segment->slot);
    const auto after =
        std::upper_bound(segment->places.begin(), segment->places.end(), lsn,
                         [](Lsn wanted, const LogPlace& place) { return wanted < place.lsn; });
    if (after != segment->places.begin()) holder->offset = std::prev(after)->offset;
  });
  return holder;
}

bool LogSegments::holds(const Holder& holder) const {
  bool found = false;
  visit_from(holder.first, [&](Lsn first, const LogSegment* segment) {
    found |= first == holder.first && (segment == nullptr ? 0 : segment->id) == holder.id;
  });
  return found;
}

Lsn LogSegments::oldest(Lsn next) const {
  if (!archived.empty()) return archived.front().first;
  if (!leaving.empty()) return leaving.front().first;
  if (!needed.empty()) return needed.front().first;
  return active.bytes > 0 ? active.first : next;
}

}  // namespace ringside
