// Reaper: removes tombstones that nobody needs any more. A delete is a put like any other, and what
// it left behind may go only when no older version of the key can come from anywhere; otherwise
// that version would be new to whoever forgot. The first home of a range looks for objects that
// have been nothing but tombstones for `reap_after`, and asks, twice and `reap_grace` apart, for
// all of them at once:
//
//   - every home of the range: does it hold exactly this object, durably, and the range whole?
//   - every other member: does it hold nothing of the range?
//   - everybody: has it no hint for the range, does no change of the members run, and are these the
//     homes?
//
// Only what everyone agreed to both times is removed, by each home that still holds exactly it. So
// a member that is down, cut off or behind keeps every tombstone that it may need alive. Between
// the two questions lies the time that a frame or an operation from before the first one may still
// be under way: what it brings meets the tombstone, and what is sent after it was read from nodes
// that hold nothing older. What this assumes: no frame is delayed for longer than the grace, no
// disk is set back to before the tombstone (that node is to be filled anew), and who was removed
// from the members comes back empty.
//
// A home that missed the removal still has the tombstone, and anti-entropy gives it back to the
// others; it is then reaped again.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "protocols/background.h"
#include "protocols/partitions.h"
#include "protocols/replication/dynamo/repair_wire.h"
#include "protocols/replication/dynamo/replica.h"
#include "protocols/replication/dynamo/upkeep_options.h"
#include "protocols/ring_view.h"

namespace ringside {

class Reaper {
 public:
  Reaper(Rpc& rpc, Engine& engine, Partitions& partitions, Replica& replica, const RingView& view,
         uint32_t n, UpkeepOptions options, UpkeepStats& stats, Background& background);

  void reconfigure(const RingView& view) { view_ = &view; }
  // Whether a hint for a key of the range waits here. Without it there are none.
  void hints_waiting(std::function<bool(PositionRange)> waiting) { hints_ = std::move(waiting); }

  // Passes, for ever.
  Task<void> run();
  // Searches what this node is the first home of, asks, waits, asks again and removes.
  Task<void> pass();

  void message(Request request);

 private:
  struct Tombstone {
    std::string key;
    uint64_t object = 0;  // object_hash
  };
  // Of one range.
  struct Old {
    PositionRange range;
    std::vector<Tombstone> tombstones;
  };

  Task<Old> search(PositionRange range);
  // Leaves those that every member agrees about.
  Task<void> ask_everyone(Old& old);
  Task<void> ask_some(Old& old, std::vector<NodeId> members);
  Task<void> remove_everywhere(Old old);
  // What this node itself says of the rows: those that may go, or, to remove, those that went.
  Task<std::vector<uint32_t>> answer(ReapRequest asked, NodeId from);
  Task<void> answer_other(Request request);
  bool agrees(const ReapRequest& asked) const;
  ReapRequest request_for(const Old& old, const std::vector<uint32_t>& homes, bool remove) const;
  std::vector<uint32_t> homes_of(PositionRange range) const;
  bool quiet() const { return !view_->changing(); }

  Rpc& rpc_;
  Host& host_;
  Engine& engine_;
  Partitions& partitions_;
  Replica& replica_;
  const RingView* view_;
  uint32_t n_;
  UpkeepOptions options_;
  UpkeepStats& stats_;
  Background& background_;
  std::function<bool(PositionRange)> hints_;
  Scope scope_;
};

}  // namespace ringside
