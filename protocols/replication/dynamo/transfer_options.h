// How ranges are moved between nodes, and what was moved.
#pragma once

#include <cstdint>

#include "runtime/time.h"

namespace ringside {

struct TransferOptions {
  uint64_t page_bytes = 64u << 10;            // of rows, in one message
  uint64_t bytes_per_second = 16u << 20;      // of rows that a node pulls or pushes; 0: no bound
  uint32_t ranges_at_once = 4;                // that a node fills
  uint32_t pages_at_once = 4;                 // that a node reads for others
  Duration page_timeout = kSecond;            // for one message
  Duration retry_every = 200 * kMillisecond;  // while something is missing
  // What is home no longer stays for a while: others may still write to it as to an old home.
  Duration keep_for = 2 * kSecond;
  Duration look_every = 5 * kSecond;  // for ranges that turned suspect
};

struct TransferStats {
  uint64_t offers_asked = 0, pages_asked = 0, pages_served = 0, pages_refused = 0;
  uint64_t rows_pulled = 0, bytes_pulled = 0;
  uint64_t rows_alike = 0;  // of later sources: known by their digest, and not sent again
  uint64_t rows_pushed = 0, bytes_pushed = 0;
  uint64_t ranges_filled = 0, ranges_given_back = 0, ranges_dropped = 0, ranges_renewed = 0;
  uint64_t resumed = 0;         // pulls that went on where they were cut off
  uint64_t ranges_missing = 0;  // now: held or to be held, and not whole
  uint64_t ranges_leaving = 0;  // now: held, and home no longer
};

}  // namespace ringside
