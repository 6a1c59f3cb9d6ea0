// What `ringside engine` says of a directory, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "cli/engine_directory.h"
#include "storage/engine.h"
#include "storage/inspect.h"

namespace ringside::cli {

// A directory as it lies there, and what an engine makes of it.
struct Inspection {
  DirectoryContents contents;
  std::string refused;  // why the engine does not open; when not empty, the rest is nothing
  EngineStats stats;
  Lsn last = 0;  // durable batch
  std::vector<TabletInfo> tablets;
  std::vector<Suspect> suspects;
  std::vector<std::string> checkpoints;
};

std::string describe_inspection(const EngineDirectory& directory, const Inspection& inspection);
std::string inspection_as_json(const EngineDirectory& directory, const Inspection& inspection);

std::string describe_verdict(const EngineDirectory& directory, const DirectoryVerdict& verdict);
std::string verdict_as_json(const EngineDirectory& directory, const DirectoryVerdict& verdict);

}  // namespace ringside::cli
