// MemberStore: what a node keeps of the members in its engine's own rows:
//
//   member/ id u32            the record, as on the wire (membership/member_record.h)
//   history/ ticket u64 id u32 version u64
//                             i64 wall time, then the seat: every step of every change that was
//                             heard of, for administrators
//   incarnation               u64: how often this node has started
//
// Numbers in keys are big-endian, in values little-endian. What was decided or promised is durable
// before it is said.
#pragma once

#include <cstdint>
#include <vector>

#include "protocols/membership/member_table.h"
#include "runtime/host.h"
#include "runtime/task.h"
#include "storage/engine.h"

namespace ringside {

class MemberStore {
 public:
  struct Step {
    uint64_t ticket = 0;
    NodeId id = 0;
    Time wall = 0;  // when this node heard of it
    Seat seat;
  };

  MemberStore(Host& host, Engine& engine) : host_(host), engine_(engine) {}

  // All records that were kept. kCorrupt.
  Task<Result<std::vector<MemberRecord>>> read();
  // The incarnation of this start; durable. At least `least`.
  Task<Result<uint64_t>> begin_incarnation(uint64_t least);
  // Durable when it returns. The seats of `decided` go into the history as well.
  Task<Result<void>> keep(std::vector<MemberRecord> records, std::vector<MemberRecord> decided);
  // The latest `most` steps, oldest first.
  Task<Result<std::vector<Step>>> history(std::size_t most);

 private:
  Task<Result<void>> write(Batch batch);

  Host& host_;
  Engine& engine_;
};

}  // namespace ringside
