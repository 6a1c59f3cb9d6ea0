#include "storage/engine.h"

#include <algorithm>
#include <utility>

#include "storage/engine_impl.h"
#include "storage/engine_kinds.h"
#include "storage/format.h"
#include "storage/key_prefix.h"

namespace ringside {
namespace {

// Whatever was asked for, the parts fit each other: a group fits a segment, and the log may hold a
// few segments.
EngineOptions fitting(EngineOptions options) {
  options.group_bytes_max = std::max<uint64_t>(options.group_bytes_max, kPageBytes);
  options.log_segment_bytes = round_up_to_page(std::max(
      options.log_segment_bytes, options.group_bytes_max + kLogHeaderBytes + kVarintBytesMax));
  options.log_bytes_max = std::max(options.log_bytes_max, 2 * options.log_segment_bytes);
  options.memtable_bytes_max = std::max<uint64_t>(options.memtable_bytes_max, kPageBytes);
  options.pending_bytes_max = std::max(options.pending_bytes_max, 2 * options.group_bytes_max);
  options.tables_max = std::max<uint64_t>(options.tables_max, 1);
  options.tables_stop = std::max(options.tables_stop, 2 * options.tables_max + 2);
  options.level_fanout = std::max<uint64_t>(options.level_fanout, 2);
  if (options.table_bytes_max == 0) options.table_bytes_max = options.memtable_bytes_max;
  if (options.level_bytes == 0) {
    options.level_bytes = options.tables_max * options.memtable_bytes_max;
  }
  if (options.reserve_bytes == 0) {
    options.reserve_bytes = 5 * options.memtable_bytes_max + options.log_segment_bytes;
  }
  return options;
}

}  // namespace

EngineImpl::EngineImpl(Host& host, EngineOptions options)
    : Engine(host.ready()),
      host_(host),
      options_(fitting(std::move(options))),
      log_directory_(options_.directory + "/log"),
      table_directory_(options_.directory + "/tables"),
      cache_(options_.block_cache_bytes),
      changed_(host.ready()),
      manifest_lock_(host.ready(), 1),
      scope_(host.ready()) {
  if (!options_.key.empty()) cipher_.emplace(options_.key);
}

Task<Result<std::unique_ptr<Engine>>> open_lsm(Host& host, EngineOptions options) {
  if (!options.key.empty() && options.key.size() != Cipher::kKeyBytes) {
    co_return Error{Code::kInvalid,
                    "a key of " + std::to_string(options.key.size()) + " bytes: AES-256 wants 32"};
  }
  auto engine = std::make_unique<EngineImpl>(host, std::move(options));
  Result<void> recovered = co_await engine->recover();
  if (!recovered.ok()) co_return recovered.error();
  co_return std::unique_ptr<Engine>(std::move(engine));
}

// By the first words of keys, which nearly always say enough.
Tablet* EngineImpl::tablet_of(std::string_view key) const {
  const uint64_t word = first_word(key);
  const auto after = std::upper_bound(tablet_words_.begin(), tablet_words_.end(), word);
  auto at = static_cast<std::size_t>(after - tablet_words_.begin());
  while (at > 0 && tablet_words_[at - 1] == word && tablets_[at - 1]->range.begin > key) --at;
  if (at == 0) return nullptr;
  Tablet* tablet = tablets_[at - 1].get();
  return word < tablet_end_words_[at - 1] || before_end(key, tablet->range.end) ? tablet : nullptr;
}

void EngineImpl::add_tablet(std::shared_ptr<Tablet> tablet) {
  const auto at = std::upper_bound(
      tablets_.begin(), tablets_.end(), tablet,
      [](const auto& one, const auto& other) { return one->range.begin < other->range.begin; });
  const auto place = at - tablets_.begin();
  tablet_words_.insert(tablet_words_.begin() + place, first_word(tablet->range.begin));
  tablet_end_words_.insert(tablet_end_words_.begin() + place, first_word(tablet->range.end));
  tablets_.insert(at, std::move(tablet));
}

void EngineImpl::remove_tablet(const std::shared_ptr<Tablet>& tablet) {
  const auto at = std::find(tablets_.begin(), tablets_.end(), tablet);
  if (at == tablets_.end()) return;
  tablet_words_.erase(tablet_words_.begin() + (at - tablets_.begin()));
  tablet_end_words_.erase(tablet_end_words_.begin() + (at - tablets_.begin()));
  tablets_.erase(at);
}

bool EngineImpl::all_in_tablets(std::string_view batch) const {
  BatchReader reader(batch);
  for (BatchOperation operation; reader.next(operation);) {
    if (!operation.range && tablet_of(operation.key) == nullptr) return false;
  }
  return true;
}

Result<Lsn> EngineImpl::submit(const Batch& batch) {
  const std::string_view bytes = batch.encoded();
  if (durable_.poisoned()) return Error{Code::kClosed, "poisoned: " + durable_.error().text()};
  if (closed_) return Error{Code::kClosed, "the engine was closed"};
  if (batch.empty()) return Error{Code::kInvalid, "an empty batch"};
  if (bytes.size() > options_.group_bytes_max) {
    return Error{Code::kInvalid,
                 "a batch of more than " + std::to_string(options_.group_bytes_max) + " bytes"};
  }
  const bool everything = tablets_.size() == 1 && tablets_.front()->range == KeyRange();
  if (!everything && !all_in_tablets(bytes)) {
    return Error{Code::kInvalid, "a key that is in no tablet of this engine"};
  }
  check_space_when_due();
  if (no_space_ && batch.puts() > 0) return Error{Code::kNoSpace, "the disk is nearly full"};
  if (log_->pending_bytes() + bytes.size() > options_.pending_bytes_max) {
    ++stats_.overloaded;
    return Error{Code::kOverloaded, "too much waits for the log"};
  }
  if (too_many_tables_) {
    ++stats_.overloaded;
    return Error{Code::kOverloaded, "merging lags behind"};
  }
  const bool filling = std::max(memory_fill(), table_pressure_) > Admission::kFull / 2;
  if (filling && admission_wait() > 0) {
    ++stats_.overloaded;
    return Error{Code::kOverloaded, "writes come faster than flushes and merges go"};
  }
  if (active_full()) {
    if (generations_.size() >= kGenerationsMax) {
      ++stats_.overloaded;
      return Error{Code::kOverloaded, "flushing lags behind"};
    }
    freeze();
  }
  const Lsn lsn = log_->append(bytes);
  const Lsn oldest = snapshots_.oldest(durable_.lsn());
  BatchReader reader(bytes);
  for (BatchOperation operation; reader.next(operation);) {
    apply(operation, lsn, std::min(oldest, durable_.lsn()));
  }
  CHECK(reader.ok());
  stats_.batch_bytes += bytes.size();
  if (filling) {
    const Time now = host_.clock().now();
    flush_admission_.took(bytes.size(), now, memory_fill());
    merge_admission_.took(bytes.size(), now, table_pressure_);
  }
  return lsn;
}

void EngineImpl::apply(const BatchOperation& operation, Lsn lsn, Lsn oldest) {
  const auto put = [&](Tablet& tablet, const BatchOperation& change) {
    if (lsn <= tablet.created) return;
    tablet.ranges_removed = tablet.ranges_removed || change.range;
    const uint64_t before = tablet.active->bytes();
    tablet.active->apply(change, lsn, oldest);
    active_bytes_ += tablet.active->bytes() - before;
    if (tablet.merkle == nullptr) return;
    if (change.range) {
      tablet.merkle->mark_range(change.key, change.value);
    } else {
      tablet.merkle->mark(change.key);
    }
  };
  if (!operation.range) {
    Tablet* tablet = tablet_of(operation.key);
    if (tablet != nullptr) put(*tablet, operation);
    return;
  }
  const auto put_part = [&](Tablet& tablet) {
    if (!tablet.range.overlaps(operation.key, operation.value)) return;
    BatchOperation part = operation;
    part.key = std::max<std::string_view>(operation.key, tablet.range.begin);
    const bool to_the_end =
        operation.value.empty() ||
        (!tablet.range.end.empty() && !before_end(operation.value, tablet.range.end));
    if (to_the_end) part.value = tablet.range.end;
    put(tablet, part);
  };
  for (const std::shared_ptr<Tablet>& tablet : tablets_and_coming()) put_part(*tablet);
}

EngineImpl::Tablets EngineImpl::tablets_and_coming() const {
  Tablets all = tablets_;
  all.insert(all.end(), coming_.begin(), coming_.end());
  return all;
}

// A quarter of the log is left for what arrives while the flush runs.
bool EngineImpl::active_full() const {
  if (active_bytes_ == 0) return false;
  const uint64_t logged = recovered_log_bytes_ + stats_.log_bytes - log_bytes_at_freeze_;
  return active_bytes_ >= options_.memtable_bytes_max || logged >= options_.log_bytes_max / 4 * 3;
}

// Of what memory may hold, 0 … Admission::kFull.
uint64_t EngineImpl::memory_fill() const {
  const uint64_t memory_max = (1 + kGenerationsMax) * options_.memtable_bytes_max;
  return Admission::kFull * (active_bytes_ + frozen_bytes_) / memory_max;
}

Duration EngineImpl::admission_wait() const {
  const Time now = host_.clock().now();
  return std::max(flush_admission_.wait(now, memory_fill()),
                  merge_admission_.wait(now, table_pressure_));
}

bool EngineImpl::must_wait() const {
  return too_many_tables_ || (active_full() && generations_.size() >= kGenerationsMax);
}

Task<void> EngineImpl::room() {
  while (!durable_.poisoned() && !closed_) {
    if (log_->pending_bytes() > options_.pending_bytes_max / 2) {
      Result<void> held = co_await durable_.wait(log_->last());
      if (!held.ok()) co_return;
    } else if (must_wait()) {
      co_await changed_.wait();
    } else {
      const Duration wait = admission_wait();
      if (wait == 0) co_return;
      co_await host_.clock().sleep(std::max(wait, kWaitMin));
    }
  }
}

// The memtables of all tablets at once: tables then hold everything up to one LSN.
void EngineImpl::freeze() {
  const Generation generation{next_generation_++, log_->last(), active_bytes_};
  for (const std::shared_ptr<Tablet>& tablet : tablets_and_coming()) {
    if (tablet->active->empty()) continue;
    tablet->frozen.push_back(
        {generation.number, std::exchange(tablet->active, std::make_shared<Memtable>())});
  }
  generations_.push_back(generation);
  frozen_bytes_ += std::exchange(active_bytes_, 0);
  log_bytes_at_freeze_ = stats_.log_bytes;
  recovered_log_bytes_ = 0;
  start_background();
}

// It may go back: what a clock that was ahead had hidden is there again, unless a merge left it
// out.
int64_t EngineImpl::wall() const { return host_.clock().wall(); }

// Whether an entry that a reader met counts as removed.
bool EngineImpl::hidden(const Tablet& tablet, const StoredEntry& entry, Lsn at) {
  if (entry.removed) return true;
  if (entry.expires != 0 && entry.expires <= wall()) return true;
  return tablet.ranges_anywhere() && tablet.cover(entry.key, at) > entry.lsn;
}

MemoryLookup EngineImpl::lookup(std::string_view key, View view) {
  const Lsn at = view.at(durable_.lsn());
  const Tablet* tablet = tablet_of(key);
  if (tablet == nullptr) return {.state = MemoryLookup::State::kRemoved};
  if (!tablet->suspect.empty()) return {.state = MemoryLookup::State::kNotInMemory};
  const uint64_t hash = hash_bytes(key);
  const MemoryLookup seen = look_in_memtables(*tablet, key, hash, at);
  return seen.state == MemoryLookup::State::kNotInMemory ? look_in_tables(*tablet, key, hash, at)
                                                         : seen;
}

MemoryLookup EngineImpl::look_in_memtables(const Tablet& tablet, std::string_view key,
                                           uint64_t hash, Lsn at) {
  const Memtable::Version* version = tablet.active->find(key, hash, at);
  for (auto old = tablet.frozen.rbegin(); version == nullptr && old != tablet.frozen.rend();
       ++old) {
    version = old->memtable->find(key, hash, at);
  }
  if (version == nullptr) return {};
  const StoredEntry entry{key, version->value(), version->lsn, version->removed != 0,
                          version->expires};
  if (!hidden(tablet, entry, at)) {
    return {.state = MemoryLookup::State::kFound, .value = entry.value, .lsn = entry.lsn};
  }
  const Lsn cover = tablet.ranges_anywhere() ? tablet.cover(key, at) : 0;
  return {.state = MemoryLookup::State::kRemoved, .lsn = std::max(entry.lsn, cover)};
}

// Goes as far as the filters and the cached blocks reach.
MemoryLookup EngineImpl::look_in_tables(const Tablet& tablet, std::string_view key, uint64_t hash,
                                        Lsn at) {
  const TabletVersion& version = *tablet.version;
  StoredEntry found;
  // What the table says of the key; nothing: ask the next one.
  const auto ask = [&](const Table& table) -> std::optional<MemoryLookup> {
    if (!table.may_contain(key, hash)) {
      ++stats_.bloom_rejections;
      return std::nullopt;
    }
    switch (table.search(key, at, found)) {
      case Table::Answer::kAbsent: ++stats_.bloom_false_positives; return std::nullopt;
      case Table::Answer::kNeedsDisk:
        return MemoryLookup{.state = MemoryLookup::State::kNotInMemory};
      case Table::Answer::kFound: break;
    }
    found.key = key;
    if (!hidden(tablet, found, at)) {
      return MemoryLookup{.state = MemoryLookup::State::kFound, .value = found.value};
    }
    const Lsn cover = tablet.ranges_anywhere() ? tablet.cover(key, at) : 0;
    return MemoryLookup{.state = MemoryLookup::State::kRemoved, .lsn = cover};
  };
  for (const std::shared_ptr<Table>& table : version.levels[0]) {
    if (std::optional<MemoryLookup> answer = ask(*table)) return *answer;
  }
  for (std::size_t level = 1; level < version.levels.size(); ++level) {
    if (version.levels[level].empty()) continue;
    const std::shared_ptr<Table>* table = version.table_for(level, key);
    if (table == nullptr) continue;
    if (std::optional<MemoryLookup> answer = ask(**table)) return *answer;
  }
  return {.state = MemoryLookup::State::kRemoved};
}

// As of now, whatever a merge does meanwhile. Who asks has mostly tried `lookup`: what needs the
// disk is on the way at once.
Task<Result<std::optional<std::string>>> EngineImpl::get(std::string key, View view) {
  using Found = std::optional<std::string>;
  const Tablet* tablet = tablet_of(key);
  if (tablet == nullptr) co_return Found();
  if (!tablet->suspect.empty()) co_return Error{Code::kCorrupt, tablet->suspect};
  const Lsn at = view.at(durable_.lsn());
  const uint64_t hash = hash_bytes(key);
  const MemoryLookup seen = look_in_memtables(*tablet, key, hash, at);
  if (seen.state == MemoryLookup::State::kFound) co_return Found(seen.value);
  if (seen.state == MemoryLookup::State::kRemoved) co_return Found();
  const std::shared_ptr<const TabletVersion> version = tablet->version;
  const Lsn cover = tablet->ranges_anywhere() ? tablet->cover(key, at) : 0;
  StoredEntry found;
  Buffer pin;
  for (std::size_t level = 0; level < version->levels.size(); ++level) {
    const TableSet& tables = version->levels[level];
    for (std::size_t i = 0; i < tables.size(); ++i) {
      const std::shared_ptr<Table>* table =
          level == 0 ? &tables[i] : version->table_for(level, key);
      if (table == nullptr) break;
      if ((*table)->may_contain(key, hash)) {
        Result<bool> held = co_await (*table)->get(host_, key, at, found, pin);
        if (!held.ok()) co_return held.error();
        if (*held) {
          const bool expired = found.expires != 0 && found.expires <= wall();
          if (found.removed || expired || cover > found.lsn) co_return Found();
          co_return Found(found.value);
        }
        ++stats_.bloom_false_positives;
      } else {
        ++stats_.bloom_rejections;
      }
      if (level > 0) break;
    }
  }
  co_return Found();
}

// Space is asked for as the log grows, and again whenever a put was turned away.
void EngineImpl::check_space_when_due() {
  if (checking_space_) return;
  const uint64_t every = std::min(kSpaceCheckBytes, options_.reserve_bytes / 4);
  if (!no_space_ && stats_.log_bytes - log_bytes_at_space_check_ < every) return;
  checking_space_ = true;
  log_bytes_at_space_check_ = stats_.log_bytes;
  scope_.spawn(check_space());
}

Task<void> EngineImpl::check_space() {
  Result<uint64_t> free = co_await host_.disk().space();
  checking_space_ = false;
  if (!free.ok()) co_return;  // a write will tell
  const bool short_of_space = *free < options_.reserve_bytes;
  if (short_of_space) {
    say_no_space();
  } else {
    no_space_ = false;
  }
}

void EngineImpl::say_no_space() {
  if (!no_space_) host_.trace().probe("engine.no_space");
  no_space_ = true;
}

Task<void> EngineImpl::watch_for_poison() {
  Result<void> never = co_await durable_.wait(std::numeric_limits<Lsn>::max());
  CHECK(!never.ok());
  host_.trace().probe("engine.poisoned");
  changed_.pulse();
  if (options_.abort_when_poisoned)
    host_.abort("the storage engine is poisoned: " + never.error().text());
}

Task<Result<void>> EngineImpl::close() {
  closed_ = true;
  changed_.pulse();
  Result<void> done = co_await log_->close();
  scope_.cancel();
  std::map<uint64_t, FileId> files;
  const auto add = [&files](const TableSet& tables) {
    for (const std::shared_ptr<Table>& table : tables) {
      if (table->file() != 0) files.emplace(table->description().id, table->file());
    }
  };
  for (const std::shared_ptr<Tablet>& tablet : tablets_) {
    for (const TableSet& level : tablet->version->levels) add(level);
  }
  for (const auto& [name, checkpoint] : checkpoints_) {
    for (const auto& [range, version] : checkpoint.tablets) {
      for (const TableSet& level : version->levels) add(level);
    }
  }
  add(retired_);
  for (const auto& [id, file] : files) {
    Result<void> closed = co_await host_.disk().close(file);
    if (done.ok()) done = closed;
  }
  Result<void> closed = co_await manifest_->close();
  co_return done.ok() ? closed : done;
}

const EngineStats& EngineImpl::stats() const {
  stats_.tables = stats_.table_bytes = 0;
  stats_.memtable_bytes = active_bytes_;
  for (const std::shared_ptr<Tablet>& tablet : tablets_) {
    stats_.tables += tablet->version->tables();
    stats_.table_bytes += tablet->version->bytes();
    for (const Tablet::Frozen& old : tablet->frozen) stats_.memtable_bytes += old.memtable->bytes();
  }
  return stats_;
}

}  // namespace ringside
