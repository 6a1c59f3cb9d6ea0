// Was anything lost that was acknowledged? End to end: a write that its client was told is done is,
// in the final state, present or superseded by a write whose client had read it. Per replica: what
// a replica acknowledged on the wire is covered by its own disk whenever that is opened after a
// restart.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "analysis/supersession.h"
#include "workloads/history.h"

namespace ringside {

// What is there at the end, by key: the ids of the values. Union of the last reads, of disk images,
// or of both.
class FinalState {
 public:
  explicit FinalState(const History& history)
      : values_(history.keys.size()), known_since_(history.keys.size(), kNever) {}

  // `at`: writes acknowledged after it are not expected to be there. The latest `at` of a key
  // counts.
  void add(KeyIndex key, std::span<const ValueId> values, Time at);
  // Every acknowledged get of Phase::kFinal, as of its invocation.
  void add_final_reads(const History& history);

  bool known(KeyIndex key) const { return known_since_[key] != kNever; }
  Time known_since(KeyIndex key) const { return known_since_[key]; }
  std::span<const ValueId> values(KeyIndex key) const { return values_[key]; }

 private:
  std::vector<std::vector<ValueId>> values_;
  std::vector<Time> known_since_;
};

struct LostWrite {
  uint32_t operation = kNoOperation;  // the acknowledged put
};
struct DurabilityReport {
  uint64_t acknowledged = 0;  // puts
  uint64_t judged = 0;  // of those: of keys whose final state is known, acknowledged before it
  uint64_t present = 0;
  uint64_t superseded = 0;
  uint64_t deletes = 0;         // acknowledged; those are not judged themselves (resurrection.h)
  std::vector<LostWrite> lost;  // every one, in the order of invocation
  std::vector<ValueId>
      failed_yet_there;  // in the final state, though the client was told it surely failed
  std::vector<ValueId> nobody_wrote;  // values of the final state that no put of the history wrote
};
DurabilityReport find_lost_writes(const History& history, const FinalState& final_state);

// Shopping carts: an acknowledged addition is in the merged cart at the end, unless a client that
// had seen the item removed it. Judged by the items that the final reads showed.
struct CartReport {
  uint64_t adds = 0;     // acknowledged and judged
  uint64_t removed = 0;  // of those, removed and gone
  // Removed, acknowledged so, and yet there: the paper's anomaly, not a loss.
  uint64_t resurfaced = 0;
  std::vector<LostWrite> lost;
};
CartReport find_lost_items(const History& history);

// ---- Per replica ----

// What replicas acknowledged, as an observer of the wire saw it.
struct ReplicaAcks {
  struct Ack {
    NodeId replica = kNoNode;
    KeyIndex key = 0;
    Time at = 0;  // when the acknowledgement left the replica
    uint32_t values_begin = 0;
    uint32_t values_count = 0;
  };
  std::vector<Ack> acks;
  std::vector<ValueId> values;

  void add(NodeId replica, KeyIndex key, Time at, std::span<const ValueId> ids) {
    acks.push_back({replica, key, at, static_cast<uint32_t>(values.size()),
                    static_cast<uint32_t>(ids.size())});
    values.insert(values.end(), ids.begin(), ids.end());
  }
};

// What a replica's disk held, opened by a fresh engine.
struct ReplicaSnapshot {
  NodeId replica = kNoNode;
  Time at = 0;       // of the restart, or the end of the run
  std::string when;  // for people: "after the restart at 3.2 s"
  // The ids of the siblings: of their values, and of the deletes that left tombstones.
  std::map<std::string, std::vector<ValueId>, std::less<>> keys;
  std::set<ValueId> tombstones;  // which of the ids are those of deletes
  // What it keeps for others.
  std::map<std::string, std::vector<ValueId>, std::less<>> hints;
};

struct BrokenPromise {
  NodeId replica = kNoNode;
  KeyIndex key = 0;
  ValueId value = kAbsent;
  Time acknowledged = 0;
  uint32_t snapshot = 0;  // index
};
struct ReplicaReport {
  uint64_t acks = 0;
  uint64_t checked = 0;               // (acknowledged value, snapshot) pairs
  std::vector<BrokenPromise> broken;  // each (replica, key, value) once, by its first snapshot
};
// Every ack that left before a snapshot of the same replica is held against it. `reaped`:
// tombstones may be collected, so that what a delete covered owes nothing any more.
ReplicaReport check_replicas(const History& history, const ReplicaAcks& acks,
                             std::span<const ReplicaSnapshot> snapshots, bool reaped = false);

// What stand-ins acknowledged: it must be among their hints, or their own objects, or a replica
// must have acknowledged it on the wire before the snapshot (`delivered`).
ReplicaReport check_hints(const History& history, const ReplicaAcks& hinted,
                          const ReplicaAcks& delivered, std::span<const ReplicaSnapshot> snapshots,
                          bool reaped = false);

std::string describe(const History& history, const LostWrite& lost);
std::string describe(const History& history, const BrokenPromise& broken,
                     std::span<const ReplicaSnapshot> snapshots);

}  // namespace ringside
