// RunObserver: what an outsider sees of a run. It counts probes, and where an oracle asks for it
// listens to the wire: a replica acknowledged the versions of a replica_put_request when it
// answered the same call with ok, and a stand-in those of a hinted_put_request. It believes bytes,
// never nodes.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "analysis/durability.h"
#include "lab/experiment.h"
#include "protocols/tap.h"
#include "sim/world.h"
#include "workloads/history.h"

namespace ringside::lab {

class RunObserver final : public sim::Observer {
 public:
  // `sink` interns keys. Taps the wire only when `replica_oracle`.
  RunObserver(HistorySink& sink, const RunOptions& options, bool replica_oracle)
      : sink_(sink), options_(options), replica_oracle_(replica_oracle) {}

  void on_send(Time at, const Frame& frame) override;
  void on_deliver(Time at, const Frame& frame) override;
  void on_lost(Time at, const Frame& frame, std::string_view why) override;
  void on_probe(Time at, NodeId node, std::string_view name) override;
  void on_trace(Time at, NodeId node, const TraceEvent& event) override;
  void on_start(Time at, NodeId node, uint64_t incarnation) override;
  void on_stop(Time at, NodeId node, std::string_view why) override;
  void on_disk(Time at, NodeId node, const DiskCall& call) override;
  void on_fault(Time at, std::string_view what) override;

  uint64_t reached(std::string_view probe) const;
  const std::map<std::string, uint64_t, std::less<>>& probes() const { return probes_; }
  // Processes that ended by their own word: when, who, why.
  const std::vector<std::string>& gave_up() const { return gave_up_; }
  // The last such line of a node; empty: there is none.
  std::string last_words(NodeId node) const {
    const auto found = last_words_.find(node);
    return found == last_words_.end() ? std::string() : found->second;
  }
  const ReplicaAcks& acks() const { return acks_; }
  const ReplicaAcks& hinted_acks() const { return hinted_acks_; }
  // When a home last asked another for the roots of trees, and for what the keys of a leaf hold;
  // -1: never. Roots are asked for without end, leaves only while something differs.
  Time trees_compared() const { return trees_compared_; }
  Time leaves_compared() const { return leaves_compared_; }
  // Whether the wire showed two versions of one value: a put that was tried at two coordinators.
  bool written_twice(ValueId value) const {
    const auto found = dots_.find(value);
    return found != dots_.end() && found->second.twice;
  }

 private:
  // A replica_put_request that was not answered yet, as (coordinator, replica, call).
  struct Asked {
    NodeId coordinator, replica;
    uint64_t call;
    friend bool operator==(const Asked&, const Asked&) = default;
    template <class H>
    friend H AbslHashValue(H state, const Asked& asked) {
      return H::combine(std::move(state), asked.coordinator, asked.replica, asked.call);
    }
  };
  struct Promised {
    KeyIndex key = 0;
    std::vector<ValueId> values;
  };

  struct FirstDot {
    Dot dot;
    bool twice = false;
  };

  void note_ack(Time at, const Frame& frame);
  void log_frame(LogLine line, const Frame& frame, std::string_view text);
  void log(LogLine::What what, Time at, uint32_t node, const std::string& text);

  HistorySink& sink_;
  const RunOptions& options_;
  bool replica_oracle_;
  std::map<std::string, uint64_t, std::less<>> probes_;
  absl::flat_hash_map<Asked, Promised> asked_;
  ReplicaAcks acks_, hinted_acks_;
  absl::flat_hash_map<ValueId, FirstDot> dots_;
  Time trees_compared_ = -1, leaves_compared_ = -1;
  std::vector<std::string> gave_up_;
  std::map<NodeId, std::string> last_words_;
  absl::flat_hash_map<uint64_t, std::string> key_of_;  // by client operation, for the log alone
};

}  // namespace ringside::lab
