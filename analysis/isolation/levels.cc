#include "analysis/isolation/levels.h"

namespace ringside::isolation {
namespace {

// The next weaker levels.
LevelSet weaker(Level level) {
  using enum Level;
  switch (level) {
    case kReadUncommitted: return 0;
    case kReadCommitted: return set_of(kReadUncommitted);
    case kConsistentView: return set_of(kReadCommitted);
    case kRepeatableRead: return set_of(kConsistentView);
    case kSnapshotIsolation: return set_of(kConsistentView);
    case kSerializable: return set_of(kRepeatableRead) | set_of(kSnapshotIsolation);
    case kStrongSessionReadUncommitted: return set_of(kReadUncommitted);
    case kStrongSessionReadCommitted:
      return set_of(kReadCommitted) | set_of(kStrongSessionReadUncommitted);
    case kStrongSessionSnapshotIsolation:
      return set_of(kSnapshotIsolation) | set_of(kStrongSessionReadCommitted);
    case kStrongSessionSerializable:
      return set_of(kSerializable) | set_of(kStrongSessionSnapshotIsolation);
    case kStrongReadUncommitted: return set_of(kStrongSessionReadUncommitted);
    case kStrongReadCommitted:
      return set_of(kStrongSessionReadCommitted) | set_of(kStrongReadUncommitted);
    case kStrongSnapshotIsolation:
      return set_of(kStrongSessionSnapshotIsolation) | set_of(kStrongReadCommitted);
    case kStrictSerializable:
      return set_of(kStrongSessionSerializable) | set_of(kStrongSnapshotIsolation);
  }
  return 0;
}

// The weakest levels that it breaks.
LevelSet weakest_broken(AnomalyKind kind) {
  using enum Level;
  switch (kind) {
    case AnomalyKind::kDuplicateElements:
    case AnomalyKind::kIncompatibleOrder:
    case AnomalyKind::kCyclicVersions:
    case AnomalyKind::kG0: return set_of(kReadUncommitted);
    case AnomalyKind::kGarbageRead:
    case AnomalyKind::kDirtyUpdate:
    case AnomalyKind::kG1a:
    case AnomalyKind::kG1b:
    case AnomalyKind::kG1c: return set_of(kReadCommitted);
    case AnomalyKind::kInternal:
    case AnomalyKind::kGSingle: return set_of(kConsistentView);
    case AnomalyKind::kLostUpdate:
    case AnomalyKind::kGNonadjacent: return set_of(kRepeatableRead) | set_of(kSnapshotIsolation);
    case AnomalyKind::kG2Item: return set_of(kRepeatableRead);
    case AnomalyKind::kG0Process: return set_of(kStrongSessionReadUncommitted);
    case AnomalyKind::kG1cProcess: return set_of(kStrongSessionReadCommitted);
    case AnomalyKind::kGSingleProcess:
    case AnomalyKind::kGNonadjacentProcess: return set_of(kStrongSessionSnapshotIsolation);
    case AnomalyKind::kG2ItemProcess: return set_of(kStrongSessionSerializable);
    case AnomalyKind::kG0RealTime: return set_of(kStrongReadUncommitted);
    case AnomalyKind::kG1cRealTime: return set_of(kStrongReadCommitted);
    case AnomalyKind::kGSingleRealTime:
    case AnomalyKind::kGNonadjacentRealTime: return set_of(kStrongSnapshotIsolation);
    case AnomalyKind::kG2ItemRealTime: return set_of(kStrictSerializable);
  }
  return 0;
}

}  // namespace

const char* level_name(Level level) {
  static constexpr const char* kNames[kLevels] = {"read-uncommitted",
                                                  "read-committed",
                                                  "consistent-view",
                                                  "repeatable-read",
                                                  "snapshot-isolation",
                                                  "serializable",
                                                  "strong-session-read-uncommitted",
                                                  "strong-session-read-committed",
                                                  "strong-session-snapshot-isolation",
                                                  "strong-session-serializable",
                                                  "strong-read-uncommitted",
                                                  "strong-read-committed",
                                                  "strong-snapshot-isolation",
                                                  "strict-serializable"};
  return kNames[static_cast<std::size_t>(level)];
}

LevelSet implied_by(Level level) {
  LevelSet all = set_of(level);
  for (std::size_t i = 0; i < kLevels; ++i) {
    const auto one = static_cast<Level>(i);
    if ((weaker(level) & set_of(one)) != 0) all |= implied_by(one);
  }
  return all;
}

LevelSet ruled_out_by(AnomalyKind kind) {
  LevelSet all = 0;
  for (std::size_t i = 0; i < kLevels; ++i) {
    const auto level = static_cast<Level>(i);
    if ((implied_by(level) & weakest_broken(kind)) != 0) all |= set_of(level);
  }
  return all;
}

}  // namespace ringside::isolation
