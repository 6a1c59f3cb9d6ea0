// Reads the histories that Jepsen writes for its list-append and rw-register workloads: maps with
// :type, :process and :value, one after another or in one vector, tagged or not.
//   {:type :invoke, :process 0, :f :txn, :value [[:append 5 1] [:r 6 nil]]}
//   {:type :ok,     :process 0, :f :txn, :value [[:append 5 1] [:r 6 [1 2]]]}
// An :ok gives what was read; a :fail surely did not happen; an :info, or an invocation that
// nothing completes, may have. Real time is the order of the events. What is of no client
// (:nemesis) or has no micro-operations is skipped; events without a :process are of process 0.
// Values are integers; keys may be anything. A key is a list where anybody appends to it or reads
// a list from it.
#pragma once

#include <string_view>

#include "analysis/isolation/transactions.h"

namespace ringside::isolation {

// Errors name the line, and what would be right.
Result<TransactionHistory> read_transactions(std::string_view text);

}  // namespace ringside::isolation
