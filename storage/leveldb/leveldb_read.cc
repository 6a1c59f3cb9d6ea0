// Reading: what was submitted and is not in LevelDB yet, then LevelDB, at the state that the view
// asks for.
#include <utility>

#include "storage/format.h"
#include "storage/leveldb/leveldb_engine.h"
#include "storage/slice.h"

namespace ringside {
namespace {

using leveldb::Status;

constexpr uint64_t kUnitsPerLookup = 1'000;
constexpr uint64_t kUnitsPerScanned = 200;

// What LevelDB holds under a key: expiry, value.
bool decode_stored(std::string_view stored, StoredEntry& entry) {
  uint64_t expires = 0;
  if (!take_varint(stored, expires)) return false;
  entry.expires = static_cast<int64_t>(expires);
  entry.value = stored;
  return true;
}

}  // namespace

leveldb::ReadOptions LevelDbEngine::reading(Lsn at) const {
  leveldb::ReadOptions options;
  options.verify_checksums = true;
  if (at >= written_) return options;
  if (at == durable_.lsn()) {
    options.snapshot = at_durable_;
  } else {
    const auto kept = kept_.find(at);
    CHECK(kept != kept_.end());  // the view of a Snapshot that is gone
    options.snapshot = kept->second;
  }
  return options;
}

Result<LevelDbEngine::Found> LevelDbEngine::find(std::string_view key, Lsn at) {
  const Time wall = host_.clock().wall();
  host_.cpu().charge(kUnitsPerLookup);
  if (at > written_) {
    if (const std::optional<StoredEntry> entry = overlay_.find(key, at))
      return Found{live(*entry, wall), entry->lsn, std::string(entry->value)};
  }
  Found found;
  if (at > durable_.lsn()) found.lsn = written_;
  const leveldb::ReadOptions options = reading(at);
  std::string stored;
  const Status status =
      in_leveldb([&] { return db_->Get(options, kUserPrefix + std::string(key), &stored); });
  if (files_.operations() > 0) start_loop();  // it thought that a merge was due
  if (status.IsNotFound()) return found;
  if (!status.ok()) return result_of(status).error();
  StoredEntry entry;
  if (!decode_stored(stored, entry))
    return Error{Code::kCorrupt, options_.directory + ": a value that LevelDB kept is none"};
  found.live = live(entry, wall);
  found.value = entry.value;
  return found;
}

MemoryLookup LevelDbEngine::lookup(std::string_view key, View view) {
  Result<Found> found = find(key, visible(view));
  if (!found.ok()) return {};  // `get` says why
  if (!found->live) return {.state = MemoryLookup::State::kRemoved, .lsn = found->lsn};
  found_ = std::move(found->value);
  return {.state = MemoryLookup::State::kFound, .value = found_, .lsn = found->lsn};
}

Task<Result<std::optional<std::string>>> LevelDbEngine::get(std::string key, View view) {
  Result<Found> found = find(key, visible(view));
  if (!found.ok()) co_return found.error();
  if (!found->live) co_return std::optional<std::string>();
  co_return std::optional(std::move(found->value));
}

Task<Result<Rows>> LevelDbEngine::scan(std::string begin, std::string end, ScanLimits limits,
                                       View view) {
  const Lsn at = visible(view);
  const Time wall = host_.clock().wall();
  leveldb::ReadOptions options = reading(at);
  options.fill_cache = limits.fill_cache;
  Rows rows;
  uint64_t bytes = 0, looked_at = 0;
  bool sound = true;
  const Status status = in_leveldb([&] {
    const std::unique_ptr<leveldb::Iterator> stored(db_->NewIterator(options));
    stored->Seek(kUserPrefix + begin);
    const std::string* fresh = at > written_ ? overlay_.key_from(begin) : nullptr;
    while (rows.size() < limits.rows_max && bytes < limits.bytes_max) {
      std::optional<std::string_view> old;
      if (stored->Valid()) old.emplace(stored->key().data() + 1, stored->key().size() - 1);
      if (old && !before_end(*old, end)) old.reset();
      if (fresh != nullptr && !before_end(*fresh, end)) fresh = nullptr;
      if (!old && fresh == nullptr) break;
      ++looked_at;
      const bool is_old = old && (fresh == nullptr || *old <= *fresh);
      const std::string key(is_old ? *old : std::string_view(*fresh));
      std::optional<StoredEntry> entry;
      if (at > written_) entry = overlay_.find(key, at);
      if (!entry && is_old) {
        sound = decode_stored({stored->value().data(), stored->value().size()}, entry.emplace());
        if (!sound) break;
      }
      if (entry && live(*entry, wall)) {
        rows.add({.key = key, .value = entry->value, .lsn = entry->lsn, .expires = entry->expires});
        bytes += key.size() + entry->value.size();
      }
      if (fresh != nullptr && *fresh == key) fresh = overlay_.key_from(key + '\0');
      if (is_old) stored->Next();
    }
    return stored->status();
  });
  if (files_.operations() > 0) start_loop();
  if (!status.ok()) co_return result_of(status).error();
  if (!sound)
    co_return Error{Code::kCorrupt, options_.directory + ": a value that LevelDB kept is none"};
  Slice slice(host_);
  slice.charge(kUnitsPerLookup + kUnitsPerScanned * looked_at);
  if (slice.spent()) co_await slice.let_others_run();
  co_return rows;
}

const EngineStats& LevelDbEngine::stats() const {
  stats_.tables = stats_.table_bytes = 0;
  for (const std::string& name : files_.names()) {
    if (name.size() < 4 || name.compare(name.size() - 4, 4, ".ldb") != 0) continue;
    ++stats_.tables;
    stats_.table_bytes += files_.bytes(name);
  }
  stats_.memtable_bytes = overlay_.bytes();
  return stats_;
}

}  // namespace ringside
