// HeldWorld: a world that stands still between two events, in a process of its own, and waits to be
// told what to do: to go on to another moment, or to be copied. The copy is a fork: all memory is
// shared until one of the two writes to it, so that a copy costs what its page tables cost, and
// both are the same world to the last bit. A world that is kept to be copied is a snapshot.
//
//   auto held = HeldWorld::begin(scenario, seed);       // before its first event
//   (*held)->go_on({.until_event = 120'000});
//   (*held)->wait();                                    // stands after 120,000 events
//   auto other = (*held)->copy();                       // a second one there
//   (*other)->go_on({.seed = 77});                      // which meets another future
#pragma once

#include <memory>
#include <vector>

#include "lab/held_world.pb.h"
#include "lab/worker_process.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {

struct HeldOptions {
  RunOptions run;  // without on_stand; what it calls is called in the world's process
  bool trip_wire = true;
  uint32_t keep_events = 0;  // so many of the last events are told wherever it stands
};

class HeldWorld {
 public:
  // Plays `scenario` in a new process and returns when that stands before its first event.
  // kInvalid: this build cannot run it; kUnavailable: there can be no process. From here on this
  // process takes in orphans among its descendants (PR_SET_CHILD_SUBREAPER), as copies are.
  static Result<std::unique_ptr<HeldWorld>> begin(const scenario::Scenario& scenario, uint64_t seed,
                                                  const HeldOptions& options = {});

  // One like it where it stands. kUnavailable: there can be no process.
  Result<std::unique_ptr<HeldWorld>> copy();
  // One like it that goes on at once, to the end, by another seed: a worker, for run_launched.
  Result<Started> future(uint64_t seed);

  // Goes on from where it stands; `wait` returns when it stands again (true) or has ended (false).
  // `on_progress` is told the share of the run that is done, 0..1, as it grows.
  void go_on(const Onward& onward);
  bool wait(const std::function<void(double share)>& on_progress = {});

  pid_t process() const { return process_.process(); }
  bool stands() const { return stands_; }
  const record::Standing& here() const { return here_; }  // where it stood last
  WorkerResult ended() { return process_.take(); }        // how, once it has

 private:
  HeldWorld(uint64_t seed, Started started);
  Result<Started> start_copy();

  WorkerProcess process_;
  record::Standing here_;
  bool stands_ = false;
  bool copied_ = false;   // it answered the order to copy
  bool refused_ = false;  // … by no
};

}  // namespace ringside::lab
