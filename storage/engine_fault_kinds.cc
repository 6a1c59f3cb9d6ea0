// Which fault can meet which part, and what nobody can know.
#include "storage/engine_faults.h"

namespace ringside {

bool is_table_part(FaultPart part) {
  return part == FaultPart::kData || part == FaultPart::kLeaf || part == FaultPart::kFilter ||
         part == FaultPart::kTop;
}

const char* fault_part_name(FaultPart part) {
  constexpr const char* kNames[] = {"log segment",  "archived segment",        "manifest",
                                    "table file",   "table data block",        "table index leaf",
                                    "table filter", "table index top, footer", "directory"};
  return kNames[static_cast<int>(part)];
}

const char* disk_fault_name(DiskFault fault) {
  constexpr const char* kNames[] = {
      "bit flip",          "read error", "write error",  "sync error", "sync fails once",
      "sync lies",         "open error", "rename error", "short read", "misdirected read",
      "misdirected write", "torn write", "disk full",    "older file", "name lost"};
  return kNames[static_cast<int>(fault)];
}

bool fault_applies(FaultPart part, DiskFault fault) {
  using F = DiskFault;
  if (part == FaultPart::kDirectory) return fault == F::kSyncError || fault == F::kSyncLies;
  if (is_table_part(part)) {
    return fault == F::kBitFlip || fault == F::kReadError || fault == F::kShortRead ||
           fault == F::kReadElsewhere;
  }
  switch (fault) {
    case F::kBitFlip:
    case F::kReadError:
    case F::kShortRead:
    case F::kReadElsewhere: return part != FaultPart::kTable;
    case F::kRenameError: return part == FaultPart::kLog || part == FaultPart::kManifest;
    // An archived segment is only renamed and read; a table is written once under its name.
    case F::kWriteError:
    case F::kSyncError:
    case F::kSyncFailsOnce:
    case F::kSyncLies:
    case F::kWriteElsewhere:
    case F::kTornWrite:
    case F::kFull: return part != FaultPart::kArchive;
    case F::kOlder: return part == FaultPart::kLog || part == FaultPart::kManifest;
    case F::kOpenError:
    case F::kNameLost: return true;
  }
  return false;
}

const char* fault_undetectable(FaultPart part, DiskFault fault) {
  if (part == FaultPart::kLog && fault == DiskFault::kSyncLies)
    return "a lying sync at the tail looks like a tail that was never synced";
  if (part == FaultPart::kLog && fault == DiskFault::kWriteElsewhere)
    return "the newest group went astray, and nothing later proves it";
  if (part == FaultPart::kLog && fault == DiskFault::kOlder)
    return "the newest segment as it was is a log that ended earlier";
  if (part == FaultPart::kLog && fault == DiskFault::kNameLost)
    return "without its newest segment the log ended earlier";
  if (part == FaultPart::kDirectory && fault == DiskFault::kSyncLies)
    return "the name of the newest log segment never reached the medium";
  return nullptr;
}

}  // namespace ringside
