#include "storage/memory_engine.h"

#include <utility>

#include "storage/engine_kinds.h"
#include "storage/slice.h"

namespace ringside {
namespace {

constexpr uint64_t kUnitsPerKept = 50;    // of a walk that forgets
constexpr uint64_t kUnitsPerFound = 100;  // of a scan

}  // namespace

Task<Result<std::unique_ptr<Engine>>> open_memory(Host& host, EngineOptions options) {
  if (Result<void> plain = check_plain(options); !plain.ok()) co_return plain.error();
  co_return std::unique_ptr<Engine>(std::make_unique<MemoryEngine>(host, std::move(options)));
}

MemoryEngine::MemoryEngine(Host& host, EngineOptions options)
    : Engine(host.ready()), host_(host), options_(std::move(options)), scope_(host.ready()) {}

Result<Lsn> MemoryEngine::submit(const Batch& batch) {
  const std::string_view bytes = batch.encoded();
  if (closed_) return Error{Code::kClosed, "the engine was closed"};
  if (batch.empty()) return Error{Code::kInvalid, "an empty batch"};
  if (bytes.size() > options_.group_bytes_max) {
    return Error{Code::kInvalid,
                 "a batch of more than " + std::to_string(options_.group_bytes_max) + " bytes"};
  }
  if (pending_bytes_ > 0 && pending_bytes_ + bytes.size() > options_.pending_bytes_max) {
    ++stats_.overloaded;
    return Error{Code::kOverloaded, "too much waits for its turn"};
  }
  versions_.apply(bytes, ++last_);
  pending_bytes_ += bytes.size();
  ++stats_.batches;
  stats_.batch_bytes += bytes.size();
  if (!committing_) {
    committing_ = true;
    scope_.spawn(commit_loop());
  }
  return last_;
}

Task<void> MemoryEngine::commit_loop() {
  while (durable_.lsn() < last_) {
    co_await host_.clock().sleep(0);
    ++stats_.groups;
    pending_bytes_ = 0;
    durable_.advance(last_);
    if (versions_.garbage()) forget_garbage();
  }
  committing_ = false;
}

void MemoryEngine::forget_garbage() {
  host_.cpu().charge(kUnitsPerKept * versions_.keys());
  versions_.forget(durable_.lsn(), snapshots_, host_.clock().wall() - options_.expired_after);
}

MemoryLookup MemoryEngine::lookup(std::string_view key, View view) {
  const std::optional<StoredEntry> found = versions_.find(key, view.at(durable_.lsn()));
  if (!found) return {.state = MemoryLookup::State::kRemoved};
  if (!live(*found, host_.clock().wall()))
    return {.state = MemoryLookup::State::kRemoved, .lsn = found->lsn};
  return {.state = MemoryLookup::State::kFound, .value = found->value, .lsn = found->lsn};
}

Task<Result<std::optional<std::string>>> MemoryEngine::get(std::string key, View view) {
  const MemoryLookup found = lookup(key, view);
  if (found.state != MemoryLookup::State::kFound) co_return std::optional<std::string>();
  co_return std::optional(std::string(found.value));
}

Task<Result<Rows>> MemoryEngine::scan(std::string begin, std::string end, ScanLimits limits,
                                      View view) {
  const Lsn at = view.at(durable_.lsn());
  const Time wall = host_.clock().wall();
  Rows rows;
  uint64_t bytes = 0;
  uint64_t looked_at = 0;
  const std::string* key = versions_.key_from(begin);
  for (; key != nullptr && before_end(*key, end); key = versions_.key_from(*key + '\0')) {
    if (rows.size() >= limits.rows_max || bytes >= limits.bytes_max) break;
    ++looked_at;
    const std::optional<StoredEntry> found = versions_.find(*key, at);
    if (!found || !live(*found, wall)) continue;
    rows.add({.key = *key, .value = found->value, .lsn = found->lsn, .expires = found->expires});
    bytes += key->size() + found->value.size();
  }
  Slice slice(host_);
  slice.charge(kUnitsPerFound * looked_at);
  if (slice.spent()) co_await slice.let_others_run();
  co_return rows;
}

Task<void> MemoryEngine::room() { (void)co_await durable_.wait(last_); }
Task<Result<void>> MemoryEngine::flush() { co_return Result<void>(); }

Task<Result<void>> MemoryEngine::close() {
  closed_ = true;
  co_return co_await durable_.wait(last_);
}

const EngineStats& MemoryEngine::stats() const {
  stats_.memtable_bytes = versions_.bytes();
  return stats_;
}

}  // namespace ringside
