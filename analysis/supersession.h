// Supersession: which value was written by a client that had read which. The edge from a value to
// those its put's context covered is what the client itself had been told, so no node's word is in
// it. A value is accounted for by a set of values when it is one of them or can be reached from one
// of them.
#pragma once

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "workloads/history.h"

namespace ringside {

class Supersession {
 public:
  explicit Supersession(const History& history);  // keeps a reference

  // Index of the put that wrote the value; kNoOperation when there is none.
  uint32_t put_of(ValueId value) const;

  // Is `value` in `present`, or superseded by one of them? Steps back through contexts, never past
  // the invocation of `value`'s own put, and usually takes one step: most values stand in a chain
  // in which each replaced the one before.
  bool covered(std::span<const ValueId> present, ValueId value);

  // Everything that `present` accounts for is marked; ask with `is_marked` until the next call.
  // Cheaper than `covered` when many values of one key are asked for.
  void mark_covered(std::span<const ValueId> present);
  bool is_marked(ValueId value) const;

  // By operation, of puts: when the value was first surely there, because its put was acknowledged
  // or a read that returned it was answered; kNever when neither happened.
  std::vector<Time> first_seen() const;

 private:
  // The puts of one process by counter; a sorted list when the counters are too far apart for a
  // table.
  struct Process {
    uint32_t high = 0;  // the id's upper half
    uint64_t first = 0;
    std::vector<uint32_t> table;  // by id - first
    std::vector<std::pair<uint64_t, uint32_t>> sparse;
  };
  const Process* find(uint32_t high) const;
  Process* find(uint32_t high);
  void begin_walk();
  void find_chains();

  const History& history_;
  std::vector<Process> processes_;  // by `high`
  std::vector<uint32_t> mark_;      // by operation: the walk that saw it
  std::vector<uint32_t> stack_;
  // By operation, made when first needed: its chain, named by the first put of it. Later in a chain
  // covers earlier.
  std::vector<uint32_t> chain_;
  uint32_t walk_ = 0;
};

}  // namespace ringside
