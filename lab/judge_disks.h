// The oracles that look at disks: what replicas and stand-ins acknowledged is there, the replicas
// of each key agree, no hint was forgotten. They know the ring by themselves: from the members that
// are there at the end, as the administrators' orders left them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/durability.h"
#include "lab/judge.h"
#include "lab/plan.h"
#include "lab/verdict.h"
#include "protocols/ring.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {

class DiskJudge {
 public:
  DiskJudge(const scenario::Scenario& scenario, const Plan& plan, const Evidence& evidence,
            Verdict& verdict);

  void judge_replicas();
  void judge_convergence();
  void judge_hints();

 private:
  struct Snapshots {
    std::vector<ReplicaSnapshot> list;
    bool readable = true;
    std::size_t excused = 0;  // damaged by faults
  };
  Snapshots usable() const;
  // A fault spoilt its disk, and the scenario says that it is no witness then.
  bool excused(NodeId node) const;
  std::vector<NodeId> homes(std::string_view key) const;
  // Under every ring that there was.
  bool always_home(std::string_view key, NodeId node) const;
  // It acknowledged as a home that it was not all the time, and all who are homes now hold it, as
  // far as their disks can be read or are not excused.
  bool handed_over(const BrokenPromise& broken);
  // Takes out what was handed over, and says how much that was.
  std::size_t excuse(std::vector<BrokenPromise>& broken);
  std::string describe_divergence(const std::string& key, const std::vector<NodeId>& behind,
                                  const std::vector<ReplicaSnapshot>& snapshots) const;

  const scenario::Expect& expect_;
  const Plan& plan_;
  const Evidence& evidence_;
  Verdict& verdict_;
  std::vector<Ring> rings_;             // from the beginning to the end
  const bool reaps_;                    // tombstones are collected
  std::optional<Supersession> values_;  // made when first asked for
};

}  // namespace ringside::lab
