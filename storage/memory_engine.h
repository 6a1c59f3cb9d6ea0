// The memory engine: a map of versions. A batch is durable one turn of the loop after it was
// submitted, as far as the process lives; nothing survives that. The model that other engines are
// tested against, and a baseline for what a disk costs.
#pragma once

#include "runtime/scope.h"
#include "storage/engine.h"
#include "storage/version_map.h"

namespace ringside {

class MemoryEngine final : public Engine {
 public:
  MemoryEngine(Host& host, EngineOptions options);

  Result<Lsn> submit(const Batch& batch) override;
  Lsn last_submitted() const override { return last_; }
  MemoryLookup lookup(std::string_view key, View view) override;  // never kNotInMemory
  Task<Result<std::optional<std::string>>> get(std::string key, View view) override;
  Task<Result<Rows>> scan(std::string begin, std::string end, ScanLimits limits,
                          View view) override;
  Task<void> room() override;
  Task<Result<void>> flush() override;
  Task<Result<void>> close() override;
  const EngineStats& stats() const override;

  const VersionMap& versions() const { return versions_; }

 private:
  Task<void> commit_loop();
  void forget_garbage();

  Host& host_;
  EngineOptions options_;
  mutable EngineStats stats_;
  VersionMap versions_;
  Lsn last_ = 0;
  uint64_t pending_bytes_ = 0;
  bool committing_ = false;
  bool closed_ = false;
  Scope scope_;
};

}  // namespace ringside
