// `ringside engine inspect|verify|dump DIR`: looks into the directory of a node that is not running
// and changes nothing in it. The engine itself opens the directory, on a disk that keeps what
// recovery writes in memory.
#pragma once

#include <cstdint>
#include <string>

namespace ringside::cli {

struct EngineArguments {
  enum class Verb { kInspect, kVerify, kDump } verb = Verb::kInspect;
  std::string directory;  // a node's (NODE/RINGSIDE is there) or an engine's own
  std::string key_file;   // 32 bytes; empty: it is not sealed
  bool json = false;
  // dump
  std::string from, to;  // as on_one_line prints keys; `to` empty: no bound
  uint64_t limit = 0;    // keys or batches; 0: all
  bool raw = false;      // values as the engine keeps them, and the node's own keys
  bool changes = false;  // batches after `after`, in place of keys
  uint64_t after = 0;
};

// Exit code: 0 done, or clean; 1 problems found; 2 bad input (one line on stderr).
int run_engine(const EngineArguments& arguments);

}  // namespace ringside::cli
