// For tests of this room: an engine in memory. A batch becomes durable after `sync_delay`, or when
// a test says so; keys can be made to look as if only the disk held them.
#pragma once

#include <map>
#include <set>
#include <string>

#include "runtime/host.h"
#include "storage/engine.h"

namespace ringside::test {

class TestEngine : public Engine {
 public:
  explicit TestEngine(Host& host, Duration sync_delay = 0)
      : Engine(host.ready()), host_(host), sync_delay_(sync_delay) {}

  Result<Lsn> submit(const Batch& batch) override {
    if (refuse) return Error{refusal, "told to refuse"};
    ++lsn_;
    BatchReader reader(batch.encoded());
    for (BatchOperation operation; reader.next(operation);) {
      const std::string key(operation.key);
      history_[key].push_back(
          {lsn_, !operation.removed, std::string(operation.value), operation.expires});
      cold.erase(key);
    }
    if (!hold) host_.spawn(sync_later(lsn_));
    return lsn_;
  }
  void sync() { durable_.advance(lsn_); }
  void poison() { durable_.poison(Error{Code::kIo, "told to fail"}); }

  Lsn last_submitted() const override { return lsn_; }
  MemoryLookup lookup(std::string_view key, View view) override {
    if (cold.count(std::string(key)) != 0) return {};
    const Change* change = last(std::string(key), view);
    if (change == nullptr) return {MemoryLookup::State::kRemoved, {}, 0};
    return {change->is_put ? MemoryLookup::State::kFound : MemoryLookup::State::kRemoved,
            change->value, change->lsn};
  }
  Task<Result<std::optional<std::string>>> get(std::string key, View view) override {
    co_await host_.clock().sleep(kMillisecond);
    const Change* change = last(key, view);
    co_return change == nullptr || !change->is_put ? std::optional<std::string>()
                                                   : std::optional(change->value);
  }
  Task<Result<Rows>> scan(std::string begin, std::string end, ScanLimits limits,
                          View view) override {
    Rows rows;
    for (auto key = history_.lower_bound(begin); key != history_.end(); ++key) {
      if (!before_end(key->first, end) || rows.size() == limits.rows_max) break;
      const Change* change = last(key->first, view);
      if (change == nullptr || !change->is_put) continue;
      StoredEntry entry;
      entry.key = key->first;
      entry.value = change->value;
      rows.add(entry);
    }
    co_return rows;
  }
  Task<void> room() override { co_return; }
  Task<Result<void>> flush() override { co_return Result<void>(); }
  Task<Result<void>> close() override { co_return Result<void>(); }
  const EngineStats& stats() const override { return stats_; }

  // What is left when the process dies, and a process that starts with it.
  std::map<std::string, std::string> durable_rows() const {
    std::map<std::string, std::string> rows;
    for (const auto& [key, changes] : history_) {
      const Change* change = last(key, View::kDurable);
      if (change != nullptr && change->is_put) rows[key] = change->value;
    }
    return rows;
  }
  void adopt(const std::map<std::string, std::string>& rows) {
    ++lsn_;
    for (const auto& [key, value] : rows) history_[key] = {{lsn_, true, value}};
    durable_.advance(lsn_);
  }

  std::set<std::string> cold;  // keys that only the disk holds, as it were
  bool refuse = false;
  Code refusal = Code::kOverloaded;
  bool hold = false;  // nothing becomes durable until `sync`

 private:
  struct Change {
    Lsn lsn;
    bool is_put;
    std::string value;
    int64_t expires;  // 0: never
  };
  const Change* last(const std::string& key, View view) const {
    const auto found = history_.find(key);
    if (found == history_.end()) return nullptr;
    for (auto change = found->second.rbegin(); change != found->second.rend(); ++change) {
      if (view != View::kLatest && change->lsn > last_durable()) continue;
      const bool expired = change->expires != 0 && change->expires <= host_.clock().wall();
      return expired ? nullptr : &*change;
    }
    return nullptr;
  }
  Task<void> sync_later(Lsn lsn) {
    co_await host_.clock().sleep(sync_delay_);
    if (!hold && lsn > last_durable()) durable_.advance(lsn);
  }

  Host& host_;
  Duration sync_delay_;
  Lsn lsn_ = 0;
  std::map<std::string, std::vector<Change>> history_;
  EngineStats stats_;
};

}  // namespace ringside::test
