// Coordinator: Dynamo's get and put (paper, sections 4.5 and 4.4). A put makes a new version on top
// of what the coordinator holds, sends the merged object to the key's first N nodes and answers at
// the W-th durable acknowledgement; when that fails after anything was written or sent, the outcome
// is unknown. A get asks the N, waits for R, answers with every causally unrelated version and one
// context, then waits a little for stragglers and pushes the merged object to those that lacked it
// (read repair). Puts are coordinated by one of the N and otherwise handed on to one; a test
// routing instead puts every coordination on a node that is none of them, so that no leg is local.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "protocols/partitions.h"
#include "protocols/replication/dynamo/options.h"
#include "protocols/replication/dynamo/recent_puts.h"
#include "protocols/replication/dynamo/replica.h"
#include "protocols/replication/strategy.h"
#include "protocols/ring_view.h"
#include "protocols/suspects.h"

namespace ringside {

class Dynamo : public Strategy {
 public:
  Dynamo(Rpc& rpc, Engine& engine, const Partitions& partitions, const RingView& view,
         DynamoOptions options, DynamoStats& stats);

  StrategyClaim claim() const override;
  void read(Request request) override;
  void write(Request request) override;
  void message(Request request) override;
  void reconfigure(const RingView& view) override { view_ = &view; }

 private:
  using Peers = absl::InlinedVector<NodeId, 8>;

  Task<void> coordinate_get(Request request);
  Task<void> coordinate_put(Request request);
  Task<void> forward(Request request, std::string key);
  void repair(std::string_view key, const Fanout& fanout, std::string_view merged);
  // Remembers who stayed silent, and who did not.
  void note_silence(const Fanout& fanout);

  std::span<const NodeId> home(std::string_view key) const;
  bool may_coordinate(std::string_view key, Kind kind) const;
  Peers candidates(std::string_view key) const;
  Time deadline_of(const Request& request) const;
  bool valid_key(std::string_view key) const;
  void refuse_unheld(const Request& request);
  bool is_leg(const Fanout& fanout) const;
  // A line of the virtual-time log; `detail` is made only when somebody listens.
  template <class Detail>
  void log(std::string_view name, std::string_view key, uint64_t operation, Detail detail) {
    if (host_.trace().enabled()) host_.trace().event({name, key, operation, detail()});
  }
  void refuse(const Request& request, Status status) {
    rpc_.reply(request, status, encode_empty());
  }

  Rpc& rpc_;
  Host& host_;
  const Partitions& partitions_;
  const RingView* view_;
  DynamoOptions options_;
  Replica replica_;
  RecentPuts recent_;
  Suspects suspects_;
  DynamoStats& stats_;
  Scope scope_;
};

}  // namespace ringside
