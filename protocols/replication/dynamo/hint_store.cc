#include "protocols/replication/dynamo/hint_store.h"

#include <algorithm>
#include <utility>

#include "runtime/bug.h"

namespace ringside {
namespace {

constexpr std::size_t kOwnerBytes = 4;
constexpr std::size_t kPositionBytes = 8;
constexpr uint64_t kHintBytesBeside = 100;  // of memory and disk, beside the object and its place

uint64_t counted_bytes(std::string_view place, std::string_view object) {
  return place.size() + object.size() + kHintBytesBeside;
}

uint64_t hint_units(std::size_t bytes) { return 100 + bytes / 8; }

}  // namespace

HintStore::HintStore(Rpc& rpc, Engine& engine, const Versioning& versions,
                     const DynamoOptions& options, DynamoStats& stats)
    : rpc_(rpc),
      engine_(engine),
      host_(rpc.host()),
      versions_(versions),
      options_(options),
      stats_(stats),
      latches_(host_.ready()),
      acks_(rpc, engine),
      scope_(host_.ready()) {}

std::string HintStore::place_of(std::string_view key) {
  std::string place(kPositionBytes, '\0');
  put_big_endian(Ring::position_of(key), place.data());
  place += key;
  return place;
}

uint64_t HintStore::position_at(std::string_view place) { return get_big_endian(place.data()); }
std::string_view HintStore::key_at(std::string_view place) { return place.substr(kPositionBytes); }

std::string HintStore::row_of(NodeId owner, std::string_view place) {
  std::string row(1 + kOwnerBytes, kHintRow);
  for (std::size_t i = 0; i < kOwnerBytes; ++i) {
    row[1 + i] = static_cast<char>(owner >> (8 * (kOwnerBytes - 1 - i)) & 0xff);
  }
  row += place;
  return row;
}

const HintStore::Hint* HintStore::find(NodeId owner, const std::string& place) const {
  const auto hints = owners_.find(owner);
  if (hints == owners_.end()) return nullptr;
  const auto hint = hints->second.find(place);
  return hint == hints->second.end() ? nullptr : &hint->second;
}

uint64_t HintStore::waiting_for(NodeId owner) const {
  const auto hints = owners_.find(owner);
  return hints == owners_.end() ? 0 : hints->second.size();
}

bool HintStore::waiting_for(PositionRange range) const {
  if (!loaded_ || !complete_) return true;
  std::string begin(kPositionBytes, '\0');
  put_big_endian(range.begin, begin.data());
  return std::any_of(owners_.begin(), owners_.end(), [&](const auto& owner) {
    const auto first = owner.second.lower_bound(begin);
    return first != owner.second.end() && range.contains(position_at(first->first));
  });
}

Task<Result<void>> HintStore::load() {
  std::string begin = hint_rows().begin;
  const std::string end = hint_rows().end;
  for (bool more = true; more;) {
    const ScanLimits limits{.fill_cache = false};
    Result<Rows> rows = co_await engine_.scan(begin, end, limits, View::kDurable);
    if (!rows.ok() && rows.code() == Code::kCorrupt) {
      // A damaged disk costs hints, as it may cost objects; whoever reaps must not count on us.
      host_.trace().probe("hints.unreadable");
      complete_ = false;
      break;
    }
    if (!rows.ok()) co_return rows.error();
    more = !rows->empty();
    for (const StoredEntry& entry : *rows) {
      begin = std::string(entry.key) + '\0';
      if (entry.key.size() <= 1 + kOwnerBytes + kPositionBytes) {
        co_return Error{Code::kCorrupt, "the name of a hint does not decode"};
      }
      Row row;
      row.owner = 0;
      for (std::size_t i = 0; i < kOwnerBytes; ++i) {
        row.owner = row.owner << 8 | static_cast<unsigned char>(entry.key[1 + i]);
      }
      row.place = std::string(entry.key.substr(1 + kOwnerBytes));
      note(row, counted_bytes(row.place, entry.value));
    }
  }
  if (!owners_.empty()) host_.trace().probe("hints.found_after_restart");
  loaded_ = true;
  co_return Result<void>();
}

void HintStore::note(const Row& row, uint64_t bytes) {
  Hints& hints = owners_[row.owner];
  const auto [hint, is_new] = hints.try_emplace(row.place);
  count_ += is_new ? 1 : 0;
  bytes_ += bytes - hint->second.bytes;
  hint->second = {bytes, ++turns_};
  publish();
}

void HintStore::publish() {
  stats_.hints_waiting = count_;
  stats_.hint_bytes = bytes_;
}

void HintStore::keep(std::string_view key, std::string_view object, NodeId intended,
                     const Ack& ack) {
  if (RINGSIDE_BUG(sloppy_quorum_trusted)) {
    acks_.answer(ack, Status::kOk, encode_empty());  // counted before anything is kept
    return;
  }
  const uint64_t bytes = object.size() + key.size() + kPositionBytes + kHintBytesBeside;
  if (!loaded_ || bytes_ + bytes > options_.hint_bytes_max) {
    ++stats_.hints_refused;
    host_.trace().probe("hints.no_room");
    acks_.answer(ack, Status::kOverloaded, encode_empty());
    return;
  }
  if (intended == rpc_.self() || intended >= kFirstClient || !versions_.valid(object)) {
    acks_.answer(ack, Status::kInvalid, encode_empty());
    return;
  }
  host_.cpu().charge(hint_units(object.size()));
  Row row;
  row.owner = intended;
  row.place = place_of(key);
  row.name = row_of(intended, row.place);
  if (find(intended, row.place) == nullptr) return store(row, object, ack);
  const MemoryLookup found = engine_.lookup(row.name, View::kLatest);
  if (found.state == MemoryLookup::State::kFound) {
    merge_into(row, found.value, found.lsn, object, ack);
  } else if (found.state == MemoryLookup::State::kNotInMemory) {
    scope_.spawn(keep_later(std::move(row), std::string(object), ack));
  } else {
    store(row, object, ack);
  }
}

Task<void> HintStore::keep_later(Row row, std::string object, Ack ack) {
  host_.trace().probe("hints.merge_with_disk");
  KeyLatches::Use use(latches_, row.name);
  const Permit permit = co_await use.acquire();
  for (;;) {
    const Hint* hint = find(row.owner, row.place);
    if (hint == nullptr) break;
    const uint64_t turn = hint->turn;
    const Result<std::optional<std::string>> stored = co_await engine_.get(row.name, View::kLatest);
    if (!stored.ok()) {
      acks_.answer(ack, Status::kFailed, encode_empty());
      co_return;
    }
    hint = find(row.owner, row.place);
    if (hint == nullptr) break;
    if (hint->turn != turn) continue;  // written meanwhile, by somebody who found it in memory
    if (!*stored) break;
    merge_into(row, **stored, engine_.last_submitted(), object, ack);
    co_return;
  }
  store(row, object, ack);
}

void HintStore::merge_into(const Row& row, std::string_view stored, Lsn lsn,
                           std::string_view object, const Ack& ack) {
  if (stored == object) return acks_.when_durable(lsn, ack);
  switch (versions_.merge(stored, object, scratch_)) {
    case Versioning::Merge::kFirst: return acks_.when_durable(lsn, ack);
    case Versioning::Merge::kSecond: return store(row, object, ack);
    case Versioning::Merge::kBoth: return store(row, scratch_, ack);
    case Versioning::Merge::kBadFirst:
    case Versioning::Merge::kBadSecond: break;
  }
  host_.trace().probe("hints.bad_object");
  acks_.answer(ack, Status::kFailed, encode_empty());
}

void HintStore::store(const Row& row, std::string_view object, const Ack& ack) {
  batch_.clear();
  batch_.put(row.name, object);
  const Result<Lsn> lsn = engine_.submit(batch_);
  if (!lsn.ok()) {
    ++stats_.hints_refused;
    acks_.answer(ack, lsn.code() == Code::kOverloaded ? Status::kOverloaded : Status::kFailed,
                 encode_empty());
    return;
  }
  ++stats_.hints_kept;
  host_.trace().probe("hints.kept");
  note(row, counted_bytes(row.place, object));
  acks_.when_durable(*lsn, ack);
}

void HintStore::get(std::string_view key, const Ack& ack) {
  const std::string place = place_of(key);
  std::string merged;
  for (const auto& [owner, hints] : owners_) {
    if (!hints.contains(place)) continue;
    const MemoryLookup stored = engine_.lookup(row_of(owner, place), View::kDurable);
    if (stored.state == MemoryLookup::State::kNotInMemory) {
      scope_.spawn(get_later(std::string(key), ack));
      return;
    }
    if (stored.state == MemoryLookup::State::kFound) add_to(merged, stored.value);
  }
  if (!merged.empty()) host_.trace().probe("hints.read");
  acks_.answer(ack, Status::kOk, GetReply{!merged.empty(), merged}.encode());
}

Task<void> HintStore::get_later(std::string key, Ack ack) {
  const std::string place = place_of(key);
  std::string merged;
  std::vector<NodeId> owners;
  for (const auto& [owner, hints] : owners_) {
    if (hints.contains(place)) owners.push_back(owner);
  }
  for (const NodeId owner : owners) {
    const std::string name = row_of(owner, place);
    const Result<std::optional<std::string>> stored = co_await engine_.get(name, View::kDurable);
    if (!stored.ok()) {
      acks_.answer(ack, Status::kFailed, encode_empty());
      co_return;
    }
    if (*stored) add_to(merged, **stored);
  }
  if (!merged.empty()) host_.trace().probe("hints.read_from_disk");
  acks_.answer(ack, Status::kOk, GetReply{!merged.empty(), merged}.encode());
}

// An empty object is none.
void HintStore::add_to(std::string& merged, std::string_view object) {
  if (merged.empty()) {
    merged = object;
    return;
  }
  switch (versions_.merge(merged, object, scratch_)) {
    case Versioning::Merge::kFirst:
    case Versioning::Merge::kBadSecond: break;
    case Versioning::Merge::kSecond:
    case Versioning::Merge::kBadFirst: merged = object; break;
    case Versioning::Merge::kBoth: merged = scratch_; break;
  }
}

Task<Result<std::optional<std::string>>> HintStore::read(NodeId owner, std::string place) {
  const std::string name = row_of(owner, place);
  const MemoryLookup found = engine_.lookup(name, View::kLatest);
  if (found.state == MemoryLookup::State::kFound) {
    co_return std::optional<std::string>(std::string(found.value));
  }
  if (found.state == MemoryLookup::State::kRemoved) co_return std::optional<std::string>();
  co_return co_await engine_.get(name, View::kLatest);
}

bool HintStore::remove(NodeId owner, const std::string& place, uint64_t turn) {
  const Hint* hint = find(owner, place);
  if (hint == nullptr || hint->turn != turn) return false;
  batch_.clear();
  batch_.remove(row_of(owner, place));
  if (!engine_.submit(batch_).ok()) return false;
  --count_;
  bytes_ -= hint->bytes;
  publish();
  const auto hints = owners_.find(owner);
  hints->second.erase(place);
  if (hints->second.empty()) owners_.erase(hints);
  return true;
}

}  // namespace ringside
