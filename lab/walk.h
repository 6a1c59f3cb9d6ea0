// Walk: a recorded run that is walked through, forwards and backwards. On the way forward it leaves
// snapshots behind (lab/held_world.h), never more than `snapshots_max`, evenly spaced; when there
// would be more, every second goes and the distance doubles. To go back is to copy the nearest one
// before the goal and play on from there. One more snapshot stays shortly before the last goal, so
// that steps back from it are short. Where the recording has a checkpoint the fingerprint is held
// against it.
#pragma once

#include <memory>
#include <vector>

#include "lab/held_world.h"
#include "lab/shrink_recording.h"

namespace ringside::lab {

struct WalkOptions {
  std::size_t snapshots_max = 16;  // at least 1
  uint64_t spacing_first = 4096;   // events from one snapshot to the next, at first
  uint32_t keep_events = 4;        // so many of the last events are told
  // Told the share of the run that is played, 0..1, while it goes on.
  std::function<void(double share)> on_progress;
};

class Walk {
 public:
  // Stands before the first event. `recorded` must outlive it. Errors as HeldWorld::begin.
  static Result<std::unique_ptr<Walk>> begin(const Recorded& recorded,
                                             const WalkOptions& options = {});

  // Goes to where `event` events have run, or everything up to `at`; a goal behind the end is the
  // end. kCorrupt: what plays is not what was recorded; kInvalid: and another build recorded it.
  // kReset: the world died on the way, and the walk stands at a snapshot before that.
  Result<void> to_event(uint64_t event) { return to({.event = event}); }
  Result<void> to_time(Time at) { return to({.at = at}); }

  HeldWorld& world() { return *world_; }                           // that stands here
  const record::Standing& here() const { return world_->here(); }  // until it goes on
  uint64_t played() const { return played_; }  // events so far, whichever way they were for
  std::size_t snapshots() const { return snapshots_.size(); }

 private:
  struct Goal {
    uint64_t event = Onward::kNoEvent;
    Time at = kNever;
    bool behind(const record::Standing& standing) const {
      return standing.events() > event || standing.at() > at;
    }
  };

  Walk(const Recorded& recorded, const WalkOptions& options, std::unique_ptr<HeldWorld> first);
  Result<void> to(const Goal& goal);
  HeldWorld& nearest(const Goal& goal) const;
  Result<void> back_to(HeldWorld& snapshot);
  Result<void> play(const Onward& onward);
  Result<void> check() const;
  uint64_t next_stop() const;
  Result<void> keep();

  const Recorded& recorded_;
  const WalkOptions options_;
  std::unique_ptr<HeldWorld> world_;                   // that walks
  std::vector<std::unique_ptr<HeldWorld>> snapshots_;  // in order, the first before the first event
  std::unique_ptr<HeldWorld> near_;                    // shortly before the last goal; may be null
  uint64_t spacing_;
  uint64_t played_ = 0;
};

}  // namespace ringside::lab
