// Calls: what was asked of one object and what came back, as every checker of sequential models
// takes it: registers, stores of texts, counters, sets, queues. Made from a History, key by key,
// or read from other tools' logs (foreign_log.h). Rules:
//   - calls are in the order of `begin`; a finishes before b only when a.end < b.begin;
//   - end == kNever: the outcome is not known. It took effect at some time after `begin`, or never,
//     and what it returned says nothing. Reads of unknown outcome are not there at all;
//   - what surely did not happen is not there, but for a compare-and-set that was refused
//     (applied == false), which says that the value was another;
//   - values are numbers, 0 is "absent"; texts are interned (Texts), counters hold two's
//   complement.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "workloads/history.h"

namespace ringside {

enum class Act : uint8_t {
  kRead,           // value: what came back (register, counter)
  kWrite,          // value
  kDelete,         // leaves kAbsent
  kCompareAndSet,  // from `expected` to `value`
  kAppend,         // value: the text put behind the one that is there
  kAdd,            // value: the element (set) or the amount (counter)
  kRemove,         // value: the element
  kReadAll,        // the elements of the set: Calls::list_of
  kEnqueue,        // value
  kDequeue,        // value: what came back, kAbsent when the queue was empty
};
const char* act_name(Act act);

struct Call {
  Time begin = 0;
  Time end = kNever;
  uint64_t value = kAbsent;
  uint64_t expected = kAbsent;
  uint32_t client = 0;
  uint32_t source = 0;  // where it came from: index of the operation, or line
  uint32_t list_begin = 0;
  uint32_t list_count = 0;
  Act act = Act::kRead;
  bool applied = true;

  bool known() const { return end != kNever; }
  // Changes nothing, whatever the state: leaving it out makes no illegal history of a legal one.
  bool only_reads() const {
    return act == Act::kRead || act == Act::kReadAll || (act == Act::kCompareAndSet && !applied);
  }
};

struct Calls {
  std::string object;  // the key's name
  std::vector<Call> calls;
  std::vector<uint64_t> lists;

  std::span<const uint64_t> list_of(const Call& call) const {
    return {lists.data() + call.list_begin, call.list_count};
  }
};

// Texts by number. 0 is the empty one, which is what an absent text is.
class Texts {
 public:
  Texts();
  ~Texts();

  uint64_t intern(std::string_view text);
  const std::string& text(uint64_t number) const;
  uint64_t concat(uint64_t front, uint64_t back);

 private:
  struct Index;
  std::unique_ptr<Index> index_;
};

enum class ModelKind : uint8_t {
  kRegister,  // read, write, delete, compare-and-set, append
  kCounter,   // read, add
  kSet,       // add, remove, read all
  kQueue,     // first in, first out
};
const char* model_name(ModelKind model);

// The registers of a history: one for each key that has operations.
std::vector<Calls> registers_of(const History& history);

// "read [12, 15] by 3 returned 7", times and clients as in the log. `texts`: what values stand for.
std::string describe_call(const Calls& calls, uint32_t call, const Texts* texts = nullptr);

}  // namespace ringside
