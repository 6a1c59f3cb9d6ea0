// Judge: holds what was observed of a run against what its scenario expects. Each expectation
// becomes one line; a violated one names its witnesses. Fewer acknowledged writes or verified reads
// than the scenario demands is a violation too: nothing was tested.
#pragma once

#include <vector>

#include "lab/disk_reader.h"
#include "lab/experiment.h"
#include "lab/observer.h"
#include "lab/plan.h"
#include "scenarios/scenario.pb.h"
#include "workloads/history.h"

namespace ringside::lab {

// All that was seen of a run.
struct Evidence {
  const History& history;
  const RunObserver& observer;
  std::vector<ReadImage> restarts;  // every disk before its node started again
  std::vector<ReadImage> finals;    // every node's disk at the end
  Time healed = 0;
  Time rested = 0;                 // when the final images were taken
  std::vector<NodeId> damaged;     // whose own disks are no witnesses: a fault may have spoilt them
  std::vector<std::string> stuck;  // nodes that do not run at the end, and why; one line each
  // From the beginning to the end, as the administrators' orders left them, one after the other.
  std::vector<std::vector<Member>> members;
  uint64_t orders = 0;                               // that administrators gave
  std::vector<std::string> carried_out, unfinished;  // of those; one line each
  // At whose end the run was stopped, since a register broke; kNoOperation: it went to its end.
  uint32_t breaking = kNoOperation;
};

// Fills in expectations, witnesses, metrics, pooled estimates and the t-visibility curve. Of a run
// that was stopped only whether it is linearizable: of the rest it is no evidence.
void judge(const scenario::Scenario& scenario, const Plan& plan, const Evidence& evidence,
           RunResult& result);

// Which of the oracles a scenario asks for, so that a run pays only for those.
bool needs_replica_oracle(const scenario::Expect& expect);
bool needs_restart_images(const scenario::Expect& expect);
bool needs_final_images(const scenario::Expect& expect);

}  // namespace ringside::lab
