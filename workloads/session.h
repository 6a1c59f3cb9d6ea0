// Session: one client that asks one thing at a time and puts every question and answer into the
// history. Knows how to read the values of a workload: which sibling a register client takes, what
// a cart holds.
#pragma once

#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "workloads/history.h"
#include "workloads/store.h"
#include "workloads/workload.h"

namespace ringside {

// What is in the values of a workload.
enum class Content : uint8_t { kRecord, kRegister, kCart };
Content content_of(const WorkloadSpec& spec);

using ValueIds = absl::InlinedVector<ValueId, 4>;

struct Key {
  std::string name;
  KeyIndex index = 0;
};

struct Reading {
  Outcome outcome = Outcome::kUnknown;
  ValueId value = kAbsent;  // what a register client takes; else the sibling with the greatest id
  int64_t timestamp = 0;    // registers: the greatest among the siblings
  ValueIds ids;             // of all siblings
  std::vector<uint64_t> items;  // carts: of all siblings, merged
  std::string context;
};

struct Writing {
  uint64_t id = 0;  // from next_operation: the value carries it
  std::string value;
  std::string context;
  ValueIds covered;  // what the context covers
  Action action = Action::kWrite;
  uint64_t item = 0;
  Time expires = 0;  // by the wall clock; 0: never
  Duration late = 0;
  Phase phase = Phase::kMain;
};

struct Written {
  Outcome outcome = Outcome::kUnknown;
  std::string context;
};

class Session {
 public:
  Session(Store& store, HistorySink& sink, Content content);

  uint64_t next_operation() { return store_.next_operation(); }
  ClientIndex client() const { return client_; }
  // The operations from here to the next step are one, for whoever writes the workload down.
  void begin_step(ScriptStep::What what, Duration expire_after) {
    sink_.step_begins(client_, what, expire_after);
  }
  Task<Reading> get(const Key& key, Duration late, Phase phase = Phase::kMain);
  Task<Written> put(const Key& key, Writing writing);
  // An operation that was due but never sent, because the time was up: it failed.
  void skip(const Key& key, OperationKind kind, Duration late);

 private:
  void understand(const GetResult& result, Reading& reading) const;

  Store& store_;
  HistorySink& sink_;
  Content content_;
  ClientIndex client_;
};

}  // namespace ringside
