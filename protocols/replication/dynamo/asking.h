// Asking: who is asked for one operation (paper, section 4.6: sloppy quorum). Every home of the key
// is a *seat* of the call, and a seat is filled by its home or by a *stand-in*: the next healthy
// node of the preference list, which stands in for one home alone. While a home is asked its
// stand-in may be asked too; whoever answers first fills the seat, so W filled seats are W nodes. A
// leg that failed leaves its seat vacant at once, a silent one after `patience`, and one whose peer
// is suspected from the start.
#pragma once

#include <cstdint>

#include "protocols/replication/dynamo/options.h"
#include "protocols/ring_view.h"
#include "protocols/rpc.h"
#include "protocols/suspects.h"
#include "runtime/random.h"

namespace ringside {

// The homes, a seat each in this order, and how many must be filled.
struct Seats {
  Homes homes;
  uint32_t needed = 0;

  // Whether there are homes enough at all.
  bool enough() const { return homes.size() >= needed; }
  bool has(NodeId node) const { return std::find(homes.begin(), homes.end(), node) != homes.end(); }
};

// Of a get: R of the homes by which reads go.
Seats seats_to_read(const RingView& view, uint64_t position, uint32_t n, uint32_t r);
// Of a put: W of the homes, and one more for every home that a change of the ring adds to them, so
// that W of the old and W of the new are among them.
Seats seats_to_write(const RingView& view, uint64_t position, uint32_t n, uint32_t w);
// Leaves `needed` of the homes, each set of them as likely as any other.
void keep_random(Seats& seats, Random& random);
// Those that are asked first come first: `self`, then who is not suspected, each in their order.
void order_for_hedging(Seats& seats, NodeId self, const Suspects& suspects, Time now);

enum class SeatFill : uint8_t {
  kFilled,
  kWaiting,  // somebody who should answer soon is asked
  kSilent,   // who was asked last does not answer, or is suspected
  kVacant,   // whoever was asked said no
};
SeatFill seat_fill(const Fanout& fanout, uint32_t seat, const Suspects& suspects, Time now,
                   Duration patience);
// When the next seat that is waiting becomes silent; kNever: none is waiting.
Time next_silence(const Fanout& fanout, uint32_t seats, Duration patience, Time now);

// The next healthy node of the preference list that is no home and has no leg yet; kNoNode: there
// is none.
NodeId next_stand_in(const RingView& view, uint64_t position, const Seats& seats,
                     const Fanout& fanout, const Suspects& suspects, Time now);

// How long a home may be silent before somebody stands in for it.
inline Duration patience_of(const DynamoOptions& options, Time now, Time deadline) {
  if (options.sloppy_after > 0) return options.sloppy_after;
  constexpr Duration kMost = 100 * kMillisecond;
  return deadline == kNever ? kMost : std::clamp<Duration>((deadline - now) / 4, 1, kMost);
}

}  // namespace ringside
