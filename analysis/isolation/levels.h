// Isolation levels, and which anomaly rules out which. The definitions are Adya's (PL-1, PL-2,
// PL-2+, PL-2.99, PL-3, 1999), snapshot isolation's that of Cerone & Gotsman (every cycle has two
// adjacent rw; JACM 2018); the strong ones also respect the order of each process, or that and real
// time (as in Elle). A level that a history breaks takes all stronger ones with it.
#pragma once

#include <cstdint>
#include <span>

#include "analysis/isolation/anomalies.h"

namespace ringside::isolation {

enum class Level : uint8_t {
  kReadUncommitted,
  kReadCommitted,
  kConsistentView,
  kRepeatableRead,
  kSnapshotIsolation,
  kSerializable,
  kStrongSessionReadUncommitted,
  kStrongSessionReadCommitted,
  kStrongSessionSnapshotIsolation,
  kStrongSessionSerializable,
  kStrongReadUncommitted,
  kStrongReadCommitted,
  kStrongSnapshotIsolation,
  kStrictSerializable,
};
inline constexpr std::size_t kLevels = 14;

using LevelSet = uint32_t;  // a bit for each Level
inline constexpr LevelSet set_of(Level level) { return 1u << static_cast<uint32_t>(level); }

const char* level_name(Level level);  // "strong-session-snapshot-isolation"

// All that a history with this anomaly breaks.
LevelSet ruled_out_by(AnomalyKind kind);
// All that a history has that has this level, itself included.
LevelSet implied_by(Level level);

}  // namespace ringside::isolation
