// History: what the clients of a run asked for and were told, in true time. It is all that the
// judges of analysis/ get to know of a run besides wire observations and disk images, so it holds
// what clients saw and nothing that nodes claim. Operations are in the order of their invocation. A
// value is known by the id of the operation that wrote it (each value starts with that id,
// workloads/value.h), so every value is unique; 0 is "absent". Keys are interned.
//
// A workload writes through HistorySink, which stamps the time: the client's own clock may be
// skewed, the truth is not. Recording costs about 100 bytes of memory an operation; on disk
// (history.proto) it is about 20.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/network.h"
#include "runtime/outcome.h"
#include "runtime/result.h"
#include "runtime/time.h"

namespace ringside {

using ValueId = uint64_t;   // the client operation that wrote it
using KeyIndex = uint32_t;  // into History::keys
using ClientIndex =
    uint32_t;  // into History::clients; one is one session: it has one operation at a time

inline constexpr ValueId kAbsent = 0;
inline constexpr ValueId kDamaged = ~ValueId{0};  // read, but not as anybody wrote it
inline constexpr uint32_t kNoOperation = ~uint32_t{0};

enum class OperationKind : uint8_t { kGet = 0, kPut = 1 };
enum class Phase : uint8_t {
  kLoad = 0,   // before the measurement: the records of YCSB
  kMain = 1,   // the safety phase, under faults
  kFinal = 2,  // after healing: reads of every key
};
// What a put means: to the shopping cart an item that comes or goes; kDelete leaves no value, but
// has an id all the same, which stands for the tombstone.
enum class Action : uint8_t { kWrite = 0, kAdd = 1, kRemove = 2, kDelete = 3 };
constexpr bool is_of_item(Action action) {
  return action == Action::kAdd || action == Action::kRemove;
}

struct Operation {
  uint64_t id = 0;    // client operation; a put's value id
  Time intended = 0;  // when an open loop wanted it to start; otherwise `invoked`
  Time invoked = 0;
  Time finished = kNever;  // kNever: the client never learned, or gave up with the run; the outcome
                           // is then kUnknown
  ValueId value = kAbsent;  // put: the id written. get: the value the client took for the
                            // register's, kAbsent for none
  uint64_t item = 0;        // cart: the item added (its id is the operation's) or removed
  uint32_t ids_begin = 0;   // in History::ids: get: every sibling read; put: what its context
                            // covered, that is what its
  uint32_t ids_count = 0;   //   client had read
  uint32_t items_count =
      0;  // cart gets: the items of the merged siblings; they follow the ids in History::ids
  KeyIndex key = 0;
  ClientIndex client = 0;
  NodeId coordinator = kNoNode;  // who answered, when known
  OperationKind kind = OperationKind::kGet;
  Outcome outcome = Outcome::kUnknown;
  Phase phase = Phase::kMain;
  Action action = Action::kWrite;

  bool is_get() const { return kind == OperationKind::kGet; }
  bool is_put() const { return kind == OperationKind::kPut; }
  bool is_delete() const { return action == Action::kDelete; }
  bool ok() const { return outcome == Outcome::kOk; }
};

struct ClientInfo {
  NodeId process = kNoNode;
};

struct History {
  std::vector<Operation> operations;
  std::vector<uint64_t> ids;
  std::vector<std::string> keys;
  std::vector<ClientInfo> clients;

  std::span<const ValueId> ids_of(const Operation& operation) const {
    return {ids.data() + operation.ids_begin, operation.ids_count};
  }
  std::span<const uint64_t> items_of(const Operation& operation) const {
    return {ids.data() + operation.ids_begin + operation.ids_count, operation.items_count};
  }
};

// What the client knows when it asks, and when it was answered.
struct Invocation {
  uint64_t id = 0;
  ClientIndex client = 0;
  KeyIndex key = 0;
  OperationKind kind = OperationKind::kGet;
  Phase phase = Phase::kMain;
  Action action = Action::kWrite;
  uint64_t item = 0;
  Duration late = 0;                      // how long ago an open loop wanted it to start
  std::span<const ValueId> covered = {};  // put
};
struct Completion {
  Outcome outcome = Outcome::kUnknown;
  ValueId value = kAbsent;               // get
  std::span<const ValueId> read = {};    // get: every sibling
  std::span<const uint64_t> items = {};  // cart get
  NodeId coordinator = kNoNode;
};

// One turn of a client on a register, so that it can be played again by itself (ScriptSpec).
struct ScriptStep {
  enum class What : uint8_t { kRead, kWrite, kBlindWrite, kDelete };
  Duration at = 0;      // from the start of the workload, or as the sink counts
  uint32_t client = 1;  // of all; in a sink: ClientIndex + 1
  std::string key;
  What what = What::kRead;
  Duration expire_after = 0;      // 0: never
  std::vector<uint32_t> numbers;  // of its operations, without their process; none: counted
};

class HistorySink {
 public:
  using Handle = uint32_t;
  virtual ~HistorySink() = default;

  virtual KeyIndex intern(std::string_view key) = 0;
  // A new session of this process.
  virtual ClientIndex add_client(NodeId process) = 0;
  virtual Handle invoked(const Invocation& invocation) = 0;
  virtual void finished(Handle operation, const Completion& completion) = 0;
  // What the client's next operations belong to. Only of workloads on registers.
  virtual void step_begins(ClientIndex client, ScriptStep::What what, Duration expire_after) {}
};

// The sink that keeps a History. `true_time` is the world's clock (or the machine's, outside a
// simulation).
class HistoryRecorder final : public HistorySink {
 public:
  explicit HistoryRecorder(std::function<Time()> true_time);
  ~HistoryRecorder() override;

  KeyIndex intern(std::string_view key) override;
  ClientIndex add_client(NodeId process) override;
  Handle invoked(const Invocation& invocation) override;
  void finished(Handle operation, const Completion& completion) override;
  void step_begins(ClientIndex client, ScriptStep::What what, Duration expire_after) override;

  // In the order of their beginning, by true time. Kept from `keep_steps` on.
  void keep_steps() { keeps_steps_ = true; }
  std::vector<ScriptStep> take_steps() { return std::move(steps_); }
  const History& history() const { return history_; }
  History take() { return std::move(history_); }

 private:
  struct Keys;
  void note_in_step(const Operation& operation);

  std::function<Time()> true_time_;
  History history_;
  std::unique_ptr<Keys> index_;
  bool keeps_steps_ = false;
  std::vector<ScriptStep> steps_;
  std::vector<uint32_t> step_of_;  // by client: its open step, + 1; 0: none
};

// On disk: a serialised ringside.record.History (history.proto). kCorrupt for bytes that are not
// one.
std::string encode_history(const History& history);
Result<History> decode_history(std::string_view bytes);

const char* phase_name(Phase phase);

}  // namespace ringside
