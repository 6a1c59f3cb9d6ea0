#include "storage/engine.h"

#include <algorithm>
#include <utility>

#include "storage/engine_impl.h"
#include "storage/engine_kinds.h"
#include "storage/format.h"

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
  if (options.reserve_bytes == 0) {
    options.reserve_bytes = 3 * options.memtable_bytes_max + options.log_segment_bytes;
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
      active_(std::make_shared<Memtable>()),
      tables_(std::make_shared<TableSet>()),
      changed_(host.ready()),
      manifest_lock_(host.ready(), 1),
      scope_(host.ready()) {}

Task<Result<std::unique_ptr<Engine>>> open_lsm(Host& host, EngineOptions options) {
  auto engine = std::make_unique<EngineImpl>(host, std::move(options));
  Result<void> recovered = co_await engine->recover();
  if (!recovered.ok()) co_return recovered.error();
  co_return std::unique_ptr<Engine>(std::move(engine));
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
  check_space_when_due();
  if (no_space_ && batch.puts() > 0) return Error{Code::kNoSpace, "the disk is nearly full"};
  if (log_->pending_bytes() + bytes.size() > options_.pending_bytes_max) {
    return Error{Code::kOverloaded, "too much waits for the log"};
  }
  if (active_full()) {
    if (immutables_.size() >= kImmutablesMax)
      return Error{Code::kOverloaded, "flushing lags behind"};
    rotate();
  }
  const Lsn lsn = log_->append(bytes);
  BatchReader reader(bytes);
  for (BatchOperation operation; reader.next(operation);)
    active_->apply(operation, lsn, durable_.lsn());
  CHECK(reader.ok());
  return lsn;
}

// A quarter of the log is left for what arrives while the flush runs.
bool EngineImpl::active_full() const {
  if (active_->empty()) return false;
  const uint64_t logged = recovered_log_bytes_ + stats_.log_bytes - log_bytes_at_rotation_;
  return active_->bytes() >= options_.memtable_bytes_max ||
         logged >= options_.log_bytes_max / 4 * 3;
}

void EngineImpl::rotate() {
  CHECK(!active_->empty());
  immutables_.push_back(std::exchange(active_, std::make_shared<Memtable>()));
  log_bytes_at_rotation_ = stats_.log_bytes;
  recovered_log_bytes_ = 0;
  start_background();
}

MemoryLookup EngineImpl::lookup(std::string_view key, View view) {
  const Lsn at = visible(view);
  const uint64_t hash = hash_bytes(key);
  const Memtable::Version* version = active_->find(key, hash, at);
  for (auto table = immutables_.rbegin(); version == nullptr && table != immutables_.rend();
       ++table) {
    version = (*table)->find(key, hash, at);
  }
  if (version == nullptr) return look_in_tables(key, hash);
  if (version->removed) return {.state = MemoryLookup::State::kRemoved, .lsn = version->lsn};
  return {.state = MemoryLookup::State::kFound, .value = version->value(), .lsn = version->lsn};
}

// Goes as far as the filters and the cached blocks reach.
MemoryLookup EngineImpl::look_in_tables(std::string_view key, uint64_t hash) {
  if (tables_->empty()) return {.state = MemoryLookup::State::kRemoved};
  for (const std::shared_ptr<Table>& table : *tables_) {
    const std::optional<uint64_t> block = table->block_for(key, hash);
    if (!block) {
      ++stats_.bloom_rejections;
      continue;
    }
    const Buffer* bytes = cache_.find(table->description().id, *block);
    if (bytes == nullptr) return {.state = MemoryLookup::State::kNotInMemory};
    ++stats_.block_hits;
    BlockCursor cursor(bytes->view());
    cursor.seek(key);
    if (!cursor.valid() || cursor.key() != key) continue;
    if (cursor.removed()) return {.state = MemoryLookup::State::kRemoved};
    return {.state = MemoryLookup::State::kFound, .value = cursor.value()};
  }
  return {.state = MemoryLookup::State::kRemoved};
}

Task<Result<std::optional<std::string>>> EngineImpl::get(std::string key, View view) {
  using Found = std::optional<std::string>;
  const MemoryLookup seen = lookup(key, view);
  if (seen.state == MemoryLookup::State::kFound) co_return Found(std::string(seen.value));
  if (seen.state == MemoryLookup::State::kRemoved) co_return Found();
  const std::shared_ptr<const TableSet> tables =
      tables_;  // as of now, whatever a merge does meanwhile
  const uint64_t hash = hash_bytes(key);
  for (const std::shared_ptr<Table>& table : *tables) {
    const std::optional<uint64_t> block = table->block_for(key, hash);
    if (!block) continue;
    const Buffer* cached = cache_.find(table->description().id, *block);
    Buffer bytes;
    if (cached != nullptr) {
      bytes = *cached;
    } else {
      ++stats_.block_reads;
      Result<Buffer> read = co_await table->read_block(host_, *block);
      if (!read.ok()) co_return read.error();
      bytes = *std::move(read);
      cache_.insert(table->description().id, *block, bytes);
    }
    BlockCursor cursor(bytes.view());
    cursor.seek(key);
    if (!cursor.valid() || cursor.key() != key) continue;
    if (cursor.removed()) co_return Found();
    co_return Found(std::string(cursor.value()));
  }
  co_return Found();
}

// Space is asked for as the log grows, and again whenever a put was turned away.
void EngineImpl::check_space_when_due() {
  if (checking_space_) return;
  if (!no_space_ && stats_.log_bytes - log_bytes_at_space_check_ < kSpaceCheckBytes) return;
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
  if (options_.abort_when_poisoned)
    host_.abort("the storage engine is poisoned: " + never.error().text());
}

Task<void> EngineImpl::room() { co_await host_.clock().sleep(kMillisecond); }

Task<Result<void>> EngineImpl::close() {
  closed_ = true;
  Result<void> done = co_await log_->close();
  scope_.cancel();
  Disk& disk = host_.disk();
  for (const std::shared_ptr<Table>& table : *tables_) {
    Result<void> closed = co_await disk.close(table->file());
    if (done.ok()) done = closed;
  }
  for (const std::shared_ptr<Table>& table : retired_) {
    Result<void> closed = co_await disk.close(table->file());
    if (done.ok()) done = closed;
  }
  Result<void> closed = co_await manifest_->close();
  co_return done.ok() ? closed : done;
}

const EngineStats& EngineImpl::stats() const {
  stats_.tables = tables_->size();
  stats_.table_bytes = 0;
  for (const std::shared_ptr<Table>& table : *tables_)
    stats_.table_bytes += table->description().file_bytes;
  stats_.memtable_bytes = active_->bytes();
  for (const std::shared_ptr<Memtable>& table : immutables_)
    stats_.memtable_bytes += table->bytes();
  return stats_;
}

}  // namespace ringside
