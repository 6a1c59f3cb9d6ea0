// The engines behind Engine::open, one by one.
#pragma once

#include <memory>

#include "storage/engine.h"

namespace ringside {

Task<Result<std::unique_ptr<Engine>>> open_lsm(Host& host, EngineOptions options);
Task<Result<std::unique_ptr<Engine>>> open_memory(Host& host, EngineOptions options);
Task<Result<std::unique_ptr<Engine>>> open_leveldb(Host& host, EngineOptions options);

// A directory and all above it. Each name lasts before anything beneath it counts.
Task<Result<void>> make_directories(Host& host, std::string directory);

// kInvalid: asks for what only the engine of this room has.
Result<void> check_plain(const EngineOptions& options);

}  // namespace ringside
