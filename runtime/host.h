// Host: everything a node may know of the world. One Host is one machine as one process sees it.
// There are two: sim/ (virtual time, a modelled network and disk) and posix/ (sockets, files,
// clocks). The node cannot tell which.
#pragma once

#include <string_view>

#include "runtime/clock.h"
#include "runtime/cpu.h"
#include "runtime/disk.h"
#include "runtime/network.h"
#include "runtime/random.h"
#include "runtime/ready.h"
#include "runtime/scope.h"
#include "runtime/task.h"
#include "runtime/trace.h"

namespace ringside {

class Host {
 public:
  virtual ~Host() = default;

  virtual Clock& clock() = 0;
  virtual Network& network() = 0;
  virtual Disk& disk() = 0;
  // A named, independent stream of this process. A restarted process never replays its draws.
  virtual Random& random(std::string_view stream) = 0;
  virtual Cpu& cpu() = 0;
  virtual Trace& trace() = 0;
  virtual ReadyList& ready() = 0;
  // Runs until done or until the process dies. Objects that may die earlier use a Scope of their
  // own.
  virtual void spawn(Task<void> task) = 0;
  // The process gives up (a poisoned log): it ends as if it had crashed, when control returns to
  // the host.
  virtual void abort(std::string_view why) = 0;
};

}  // namespace ringside
