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

Task<Result<void>> make_directories(Host& host, std::string directory) {
  std::string parent;
  for (std::size_t at = 0; at <= directory.size(); ++at) {
    if (at < directory.size() && directory[at] != '/') continue;
    const std::string name = directory.substr(0, at);
    Result<void> done = co_await host.disk().make_directory(name);
    if (done.ok()) done = co_await host.disk().sync_directory(parent);
    if (!done.ok()) co_return done;
    parent = name;
  }
  co_return Result<void>();
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
