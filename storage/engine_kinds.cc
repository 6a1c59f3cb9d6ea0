#include "storage/engine_kinds.h"

#include <utility>

namespace ringside {

Task<Result<std::unique_ptr<Engine>>> Engine::open(Host& host, EngineOptions options) {
  switch (options.kind) {
    case EngineKind::kMemory: return open_memory(host, std::move(options));
    case EngineKind::kLevelDb: return open_leveldb(host, std::move(options));
    case EngineKind::kLsm: break;
  }
  return open_lsm(host, std::move(options));
}

Result<void> check_plain(const EngineOptions& options) {
  const auto lacks = [](const char* what) {
    return Result<void>(
        Error{Code::kInvalid, std::string("an engine for research has no ") + what});
  };
  if (!options.key.empty()) return lacks("encryption");
  if (options.compression != Compression::kNone) return lacks("lz4 or zstd");
  if (options.archive_bytes_max > 0) return lacks("archive of its log");
  if (options.merkle_depth > 0) return lacks("Merkle trees");
  if (!options.one_tablet) return lacks("tablets");
  if (options.hold_removes) return lacks("hold on removes");
  if (options.scrub_every > 0) return lacks("scrubber");
  return {};
}

}  // namespace ringside
