#include "storage/version_map.h"

#include <algorithm>

#include "storage/batch.h"

namespace ringside {

void VersionMap::apply(std::string_view batch, Lsn lsn) {
  // Removes of ranges come before everything else in their batch.
  BatchReader ranges(batch);
  for (BatchOperation operation; ranges.next(operation);) {
    if (!operation.range) continue;
    ++changes_;
    ranges_.push_back({{std::string(operation.key), std::string(operation.value)}, lsn});
  }
  BatchReader reader(batch);
  for (BatchOperation operation; reader.next(operation);) {
    if (operation.range) continue;
    ++changes_;
    auto found = keys_.find(operation.key);
    if (found == keys_.end()) {
      found = keys_.emplace(std::string(operation.key), Versions()).first;
      bytes_ += operation.key.size();
    }
    Versions& versions = found->second;
    if (!versions.empty() && versions.back().lsn == lsn) {  // the later change stands
      bytes_ -= versions.back().value.size();
      versions.pop_back();
    }
    CHECK(versions.empty() || versions.back().lsn < lsn);
    versions.push_back({lsn, operation.removed, operation.expires,
                        operation.removed ? std::string() : std::string(operation.value)});
    bytes_ += versions.back().value.size();
  }
  CHECK(reader.ok());
}

Lsn VersionMap::removed_at(std::string_view key, Lsn at) const {
  for (auto remove = ranges_.rbegin(); remove != ranges_.rend(); ++remove) {
    if (remove->lsn <= at && remove->range.contains(key)) return remove->lsn;
  }
  return 0;
}

VersionMap::RangeRemove* VersionMap::removed_after(std::string_view key, Lsn after) {
  const auto first =
      std::upper_bound(ranges_.begin(), ranges_.end(), after,
                       [](Lsn lsn, const RangeRemove& remove) { return lsn < remove.lsn; });
  const auto found = std::find_if(
      first, ranges_.end(), [&](const RangeRemove& remove) { return remove.range.contains(key); });
  return found == ranges_.end() ? nullptr : &*found;
}

Lsn VersionMap::replaced_at(std::string_view key, const Versions& versions, std::size_t i) {
  const Lsn next = i + 1 < versions.size() ? versions[i + 1].lsn : 0;
  const RangeRemove* remove = removed_after(key, versions[i].lsn);
  return remove == nullptr || (next != 0 && next <= remove->lsn) ? next : remove->lsn;
}

std::optional<StoredEntry> VersionMap::find(std::string_view key, Lsn at) const {
  const Lsn removed = removed_at(key, at);
  if (const auto found = keys_.find(key); found != keys_.end()) {
    const Versions& versions = found->second;
    for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
      if (version->lsn > at) continue;
      if (version->lsn < removed) break;
      return StoredEntry{found->first, version->value, version->lsn, version->removed,
                         version->expires};
    }
  }
  if (removed == 0) return std::nullopt;
  return StoredEntry{.key = key, .lsn = removed, .removed = true};
}

const std::string* VersionMap::key_from(std::string_view from) const {
  const auto found = keys_.lower_bound(from);
  return found == keys_.end() ? nullptr : &found->first;
}

template <class Unwanted>
void VersionMap::erase_versions(Versions& versions, Unwanted unwanted) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < versions.size(); ++i) {
    if (unwanted(i)) {
      bytes_ -= versions[i].value.size();
    } else {
      if (kept != i) versions[kept] = std::move(versions[i]);
      ++kept;
    }
  }
  versions.resize(kept);
}

void VersionMap::forget(Lsn durable, const SnapshotList& snapshots, int64_t expired) {
  for (RangeRemove& remove : ranges_) remove.hides = remove.lsn > durable;
  kept_ = 0;
  for (auto at = keys_.begin(); at != keys_.end();) {
    Versions& versions = at->second;
    const std::string& key = at->first;
    erase_versions(versions, [&](std::size_t i) {
      const Lsn next = replaced_at(key, versions, i);
      return next != 0 && next <= durable && !snapshots.any_in(versions[i].lsn, next);
    });
    for (std::size_t i = 0; i < versions.size(); ++i) {
      RangeRemove* remove = removed_after(key, versions[i].lsn);
      if (remove != nullptr && remove->lsn == replaced_at(key, versions, i)) remove->hides = true;
    }
    // What says that there is nothing, and nothing lies beneath.
    if (!versions.empty() && versions[0].lsn <= durable) {
      const bool gone = versions[0].expires != 0 && versions[0].expires <= expired;
      if (versions[0].removed || gone) {
        erase_versions(versions, [](std::size_t i) { return i == 0; });
      }
    }
    if (versions.empty()) {
      bytes_ -= at->first.size();
      at = keys_.erase(at);
    } else {
      kept_ += versions.size() - 1;
      ++at;
    }
  }
  std::erase_if(ranges_, [](const RangeRemove& remove) { return !remove.hides; });
  kept_ += ranges_.size();
  changes_ = 0;
}

void VersionMap::forget_through(Lsn lsn) {
  for (auto at = keys_.begin(); at != keys_.end();) {
    Versions& versions = at->second;
    erase_versions(versions, [&](std::size_t i) { return versions[i].lsn <= lsn; });
    if (versions.empty()) {
      bytes_ -= at->first.size();
      at = keys_.erase(at);
    } else {
      ++at;
    }
  }
  std::erase_if(ranges_, [&](const RangeRemove& remove) { return remove.lsn <= lsn; });
  changes_ = 0;
}

uint64_t VersionMap::versions() const {
  uint64_t total = 0;
  for (const auto& [key, versions] : keys_) total += versions.size();
  return total;
}

}  // namespace ringside
