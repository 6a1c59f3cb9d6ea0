// What the storage benchmark was asked for, and the sessions that follow from it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/storage.h"

namespace ringside::bench {

inline const std::string kOurs = "ours";
inline const std::string kRocksDb = "RocksDB";
inline const std::string kLevelDb = "LevelDB";
inline const std::string kWithoutTrees = "ours without";  // what ours with Merkle trees is beside

struct Options {
  bool json = false;
  bool quick = false;
  bool pinned = true, free = true;
  int core = 0;          // that all engines are pinned to
  uint64_t entries = 0;  // not 0: one size of data, this one
  uint64_t value_bytes = 100;
  uint64_t seed = 1;
  double seconds = 0;  // not 0: at most so long a step, fills apart
  std::string only;    // rows whose name holds this text
  std::string directory = ".";
  std::string profile;  // of the one engine that runs
  std::vector<std::string> engines = {kOurs, kRocksDb, kLevelDb};
};

// Ends the program with code 2 and a line when the arguments are none.
Options parse_options(int count, char** arguments);

struct Session {
  std::string name;  // "pinned/100B_1M"
  Setup setup;
  std::vector<Step> steps;
  bool pinned = false;
  bool merkle() const { return setup.merkle_depth > 0; }
};

std::string row_name(const Session& session, const Step& step);

// Reads follow the fill and the overwrites; a session goes as far as the rows that are wanted.
std::vector<Session> sessions_of(const Options& options);

}  // namespace ringside::bench
