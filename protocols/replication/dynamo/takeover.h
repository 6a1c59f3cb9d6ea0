// Takeover: brings what this node holds into line with the ring. Told how the ring changes
// (membership/range_mover.h), it holds the ranges that are this node's in the next ring, pulls each
// from enough of its present homes (transfer.h says how many), says when all are whole, and as
// long as the change lasts gives what leaves here to its new homes, as far as they lack it. Once
// the change is over, what is home here no longer is dropped, when each of its homes has said that
// it holds it whole. A cancelled change is the same: what was filled for it is home nowhere here. A
// node that lost what it held, or a range that its engine suspects, is filled from the other homes
// while the node serves the rest.
//
// One loop does it all, a step at a time, and a step can be done again: after a crash or a failure
// it looks at what is held and goes on from there. Where the two rings cut the circle differently
// (strategy 1), what is held is cut at the bounds of both, and joined again at the end.
//
// What was whole once is not whole for ever: a range that is home in the next ring and not in the
// present one gets no writes yet, so its old copy counts for nothing, unless it was filled for this
// very change.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "protocols/membership/range_mover.h"
#include "protocols/partitions.h"
#include "protocols/replication/dynamo/options.h"
#include "protocols/replication/dynamo/transfer.h"
#include "runtime/event.h"

namespace ringside {

class Takeover final : public RangeMover {
 public:
  // `rows_forgotten` is called before rows that this process may have named versions in are gone:
  // the replica then goes on as somebody else (a fresh actor), so that no name is used twice.
  Takeover(Rpc& rpc, Engine& engine, Partitions& partitions, Replica& replica,
           const DynamoOptions& dynamo, const TransferOptions& options, TransferStats& stats,
           std::function<void()> rows_forgotten);

  // From now on ranges are moved; `partitions` is loaded.
  void start(const RingView& view);

  void prepare(const RingView& view) override { follow(view, false); }
  void begin(const RingView& view) override { follow(view, true); }
  bool whole(uint64_t ticket) override;
  void settle(const RingView& view) override { follow(view, true); }
  bool refill(const RingView& view) override;

  // What is held of the range cannot be read, or not believed: it is filled anew.
  void refill_range(PositionRange range);
  // Nothing is left to be filled, given back or dropped.
  bool idle() const { return idle_; }

  // offer_request, page_request, confirm_request.
  void message(Request request) { transfer_.message(std::move(request)); }
  Transfer& transfer() { return transfer_; }

 private:
  // What the rings make of a range, as long as the view stays.
  struct Place {
    PositionRange range;
    bool home_now = false, home_next = false;
    bool home() const { return home_now || home_next; }
    bool leaves() const { return home_now && !home_next; }  // when the ring changes
  };

  void follow(const RingView& view, bool may_pull);
  void plan();
  Place place_of(const PositionRange& range) const;
  std::vector<NodeId> homes(const Ring& ring, uint64_t position) const;  // without this node

  Task<void> work();
  Task<bool> step(Epoch epoch);
  Task<bool> cut_and_hold(Epoch epoch);
  Task<bool> mark_untrusted(Epoch epoch);
  Task<bool> fill_all(Epoch epoch);
  Task<void> fill(PositionRange range, Epoch epoch, bool* filled);
  Task<bool> pull_enough(PositionRange range, uint64_t ticket, Epoch epoch);
  Task<bool> give_all(Epoch epoch);
  Task<bool> drop_all(Epoch epoch);
  Task<bool> drop(PositionRange range, Epoch epoch);
  Task<bool> confirmed(PositionRange range, std::vector<NodeId> nodes);
  bool suspect(const PositionRange& range) const;
  Task<bool> unreadable(PositionRange range);  // by reading all of it
  Task<void> wait(Duration most, Epoch epoch);
  void count();
  uint64_t moves() const {
    return stats_.ranges_filled + stats_.ranges_given_back + stats_.ranges_dropped +
           stats_.rows_pulled + stats_.rows_pushed;
  }

  Rpc& rpc_;
  Host& host_;
  Engine& engine_;
  Partitions& partitions_;
  uint32_t n_, w_;
  const TransferOptions options_;
  TransferStats& stats_;
  std::function<void()> rows_forgotten_;
  Transfer transfer_;
  RingView view_;
  bool may_pull_ = false;      // everyone writes to the homes of both rings
  Time viewed_at_ = 0;         // since when the view is so
  uint64_t epoch_ = 0;         // of the view
  uint64_t held_epoch_ = 0;    // for which everything is held that is to be
  std::vector<Place> places_;  // home in a ring of the view, cut at the bounds of both
  std::vector<uint64_t> cuts_;
  std::vector<PositionRange> untrusted_;  // to be filled anew
  std::set<uint64_t> given_;              // begins of what new homes have got from here
  std::set<uint64_t> unreadable_;         // begins of ranges whose rows are to be given up
  bool lost_everything_ = false;
  bool idle_ = false;
  Event changed_;
  Semaphore filling_;
  Scope scope_;
};

}  // namespace ringside
