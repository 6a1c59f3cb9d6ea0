// How fast histories of transactions are judged: list-append as Jepsen generates it (ten keys at a
// time, 1 to 4 operations a transaction, 32 appends a key, 20 processes), by a database that is
// strictly serializable, and by one that is not. CPU seconds of one core; making the history is not
// counted.
#pragma once

#include <cstdint>
#include <vector>

#include "bench/rows.h"

namespace ringside::bench {

std::vector<Row> judge_transactions_rows(uint32_t transactions, int rounds);

}  // namespace ringside::bench
