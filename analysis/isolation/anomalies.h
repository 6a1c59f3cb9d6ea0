// What can be wrong with a history of transactions, by the names of Adya ("Weak Consistency: A
// Generalized Theory", 1999) and of Elle (Kingsbury & Alvaro, VLDB 2020), and what each rules out.
// The linear ones are seen by looking at one object; the others are cycles of dependencies. A plain
// cycle has only ww, wr and rw edges; a -process one has at least one process edge and no real-time
// edge; a -realtime one has at least one real-time edge.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analysis/isolation/transactions.h"

namespace ringside::isolation {

enum class AnomalyKind : uint8_t {
  kDuplicateElements,  // a read returned an element twice
  kIncompatibleOrder,  // two reads (or two recorded replacements) admit no order of versions
  kCyclicVersions,     // what is known of a register's versions orders them in a circle
  kGarbageRead,        // nobody wrote what was read
  kDirtyUpdate,        // a committed write on top of a failed one
  kG1a,                // a failed transaction's write was read
  kG1b,                // a write that its own transaction replaced was read by another
  kInternal,           // a read disagrees with what its own transaction did before
  kLostUpdate,         // two transactions read the same version and both replaced it
  kG0,                 // ww alone
  kG1c,                // ww and wr
  kGSingle,            // one rw
  kGNonadjacent,       // several rw, no two of them adjacent
  kG2Item,             // two adjacent rw
  kG0Process,
  kG1cProcess,
  kGSingleProcess,
  kGNonadjacentProcess,
  kG2ItemProcess,
  kG0RealTime,
  kG1cRealTime,
  kGSingleRealTime,
  kGNonadjacentRealTime,
  kG2ItemRealTime,
};
inline constexpr std::size_t kAnomalyKinds = 24;
inline constexpr bool is_cycle(AnomalyKind kind) { return kind >= AnomalyKind::kG0; }

enum class EdgeKind : uint8_t {
  kWriteWrite,   // the second replaced a version of the first
  kWriteRead,    // the second read a version of the first
  kReadWrite,    // the first read a version that the second replaced: an anti-dependency
  kProcess,      // the same process made the first before the second
  kRealTime,     // the first had ended before the second began
  kArbitration,  // weak levels: older, since the second's version was read where the first was
                 // visible
  kPass,         // within a graph: on from an auxiliary vertex
};
inline constexpr std::size_t kEdgeKinds = 7;

struct Anomaly {
  AnomalyKind kind = AnomalyKind::kG0;
  // A cycle: edge i leads from transaction i to the next, the last one back to the first. Else
  // those involved, the one that shows it first.
  std::vector<TransactionId> transactions;
  std::vector<EdgeKind> edges;
  ObjectId object = 0;          // of a linear anomaly
  Value value = kInitialValue;  // of a linear anomaly: the value in question, where there is one
  bool shortest = true;         // of a cycle: false when the search stopped at its budget
};

const char* anomaly_name(AnomalyKind kind);  // "G-single-realtime"
const char* edge_name(EdgeKind kind);        // "rw"

// Several lines: the anomaly, then a line for each transaction and edge.
std::string describe(const TransactionHistory& history, const Anomaly& anomaly);

}  // namespace ringside::isolation
