// Logs of other tools, told apart by what is in them:
//   - Jepsen's history, EDN maps one after another or in one vector, tagged or not, with comments:
//     {:process 0, :type :invoke, :f :write, :value 3}, with
//     :f read, write, cas (register; values [key value] where reads return such pairs), add, remove
//     and read of a collection (set) or of a number (counter), enqueue and dequeue (queue);
//   - Porcupine's key-value logs, which are such maps with :f get, put, append, a :key and texts;
//   - Porcupine's etcd logs: "INFO  jepsen.util - 0 :invoke :write 4", tabs between the parts.
// Events are in the order of time, which is all that is taken from them: line n is time n, and what
// shares a line follows what stands before it.
// :info, or nothing, leaves an outcome unknown. :fail surely did not happen, but in an etcd log a
// refused compare-and-set says that the value was another. Transactions (:f :txn) belong to another
// judge: `transactions` says so, and nothing else is read; so do values of micro-operations where
// no event has an :f. A wrong line is an error with its number.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/calls.h"
#include "analysis/edn.h"
#include "runtime/result.h"

namespace ringside {

enum class LogFormat : uint8_t { kJepsen, kPorcupineKv, kPorcupineEtcd };
const char* log_format_name(LogFormat format);

struct ForeignLog {
  LogFormat format = LogFormat::kJepsen;
  ModelKind model = ModelKind::kRegister;
  bool transactions = false;
  uint64_t operations = 0;
  std::vector<Calls> objects;  // by name
  std::unique_ptr<Texts>
      texts;  // what values stand for, but for counters, whose values are numbers
};

// Is an event's value one of micro-operations, as in [[:append 1 2] [:r 3 nil]]?
bool is_transaction(const Edn& value);
// Does this look like such a log at all?
bool is_foreign_log(std::string_view bytes);
// kInvalid with "line 7: …".
Result<ForeignLog> read_foreign_log(std::string_view bytes);

}  // namespace ringside
