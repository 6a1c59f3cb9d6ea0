// How a node looks after what it holds when nobody asks: anti-entropy and the reaping of
// tombstones, and what they did.
#pragma once

#include <cstdint>

#include "runtime/time.h"

namespace ringside {

struct UpkeepOptions {
  bool anti_entropy = true;
  Duration every = 2 * kSecond;  // each range is compared with one other home this often

  bool reap = true;
  Duration reap_after = 60 * kSecond;  // of a tombstone, by its own time
  Duration reap_every = 30 * kSecond;  // the ranges are searched for old tombstones
  // Between the agreement that a tombstone may go and its removal: longer than any frame is on its
  // way, and than an operation takes.
  Duration reap_grace = 10 * kSecond;

  Duration request_timeout = kSecond;  // for what is asked of another node
};

struct UpkeepStats {
  uint64_t rounds = 0;           // every held range was compared with one home
  uint64_t ranges_compared = 0;  // …
  uint64_t ranges_clean = 0;     // of these: the roots were the same
  uint64_t unanswered = 0;       // comparisons that the other home did not see through
  uint64_t leaves = 0;           // whose rows were compared
  uint64_t rows_fetched = 0, rows_pushed = 0;
  uint64_t hash_bytes = 0;  // of comparing: bodies of frames, both ways, as who asks counts them
  uint64_t row_bytes = 0;   // of objects that travelled
  uint64_t suspects = 0;    // ranges that were given up to be pulled anew
  uint64_t reap_asked = 0, reap_agreed = 0, reaped = 0;
  uint64_t reap_waiting = 0;  // old tombstones that not everyone agreed about, in the last search
};

}  // namespace ringside
