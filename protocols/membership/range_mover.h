// RangeMover: what membership needs of whoever moves ranges between nodes, while it drives a change
// of the ring. The calls come in this order, each with the view that this node goes by from now on:
//
//   prepare  copying: writes come for the ranges that are this node's in `next`; hold them (not
//            whole). Others may still write to the old homes alone.
//   begin    filling: every member writes to the homes of both rings, and what was under way
//            before is over: what the old homes hold now is all that `prepare`d ranges lack. Pull.
//   settle   stable again: the change is done, or was cancelled. Give back what is home no longer.
//
// A step may be left out (a node that was away hears of the last one only) and `begin` and `settle`
// come again after a restart. `whole` is asked in between, often: has this node everything that
// the change gives it? A change goes on only when every member says so.
#pragma once

#include <cstdint>

#include "protocols/ring_view.h"

namespace ringside {

class RangeMover {
 public:
  virtual ~RangeMover() = default;
  virtual void prepare(const RingView&) {}
  virtual void begin(const RingView& view) = 0;
  virtual bool whole(uint64_t ticket) = 0;
  virtual void settle(const RingView& view) = 0;
  // This node lost what it held (it came back with an empty engine): its home ranges are held, and
  // not whole. Pull them, while serving. False: it cannot, and they count as whole.
  virtual bool refill(const RingView&) { return false; }
};

// Where nothing has to be moved: tests, and nodes whose ranges repair themselves.
class NothingToMove final : public RangeMover {
 public:
  void begin(const RingView&) override {}
  bool whole(uint64_t) override { return true; }
  void settle(const RingView&) override {}
};

}  // namespace ringside
