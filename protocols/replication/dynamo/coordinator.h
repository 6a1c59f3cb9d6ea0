// Coordinator: Dynamo's get and put (paper, sections 4.4 to 4.6). A put makes a new version on top
// of what the coordinator holds, sends the merged object to the key's homes and answers at the W-th
// durable acknowledgement; when that fails after anything was written or sent, the outcome is
// unknown. A get asks the homes, waits for R, answers with every causally unrelated version and one
// context, then waits a little for stragglers and pushes the merged object to those that lacked it
// (read repair). With a sloppy quorum the next healthy nodes of the preference list stand in for
// homes that do not answer (asking.h), and keep what they took as hints (hint_store.h,
// hint_delivery.h). Puts are coordinated by one of the homes and otherwise handed on to one; when
// none of them answers, a sloppy put is coordinated by whoever was asked. A test routing instead
// puts every coordination on a node that is no home, so that no leg is local. While the ring
// changes there are homes of two rings, and a put waits for as many more acknowledgements as there
// are more homes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/inlined_vector.h"
#include "protocols/partitions.h"
#include "protocols/replication/dynamo/asking.h"
#include "protocols/replication/dynamo/buffered.h"
#include "protocols/replication/dynamo/hint_delivery.h"
#include "protocols/replication/dynamo/hint_store.h"
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

  // Finds the hints that were kept before a restart. Until it returned, nothing is kept for others.
  Task<Result<void>> load();

  StrategyClaim claim() const override;
  void read(Request request) override;
  void write(Request request) override;
  void message(Request request) override;
  void reconfigure(const RingView& view) override { view_ = &view; }

  // What waits here for others.
  const HintStore& hints() const { return hints_; }
  // Background work that hints are to be delivered by.
  void admit_hints_by(HintDelivery::Admit admit) { delivery_.admit_by(std::move(admit)); }

  // Another one who watches peers.
  void heed(std::function<bool(NodeId, Time)> says, std::function<bool()> anybody) {
    suspects_.heed(std::move(says), std::move(anybody));
  }

  // For those who merge objects here: transfers, repair.
  Replica& replica() { return replica_; }

 private:
  using Peers = absl::InlinedVector<NodeId, 8>;

  // coordinator.cc
  Task<void> forward(Request request, std::string key);
  bool may_coordinate(std::string_view key, Kind kind) const;
  Peers candidates(std::string_view key) const;
  void get_here(std::string_view key, const Ack& ack);
  void merge_here(const ReplicaPutRequest& put, const Ack& ack);
  void keep_hint(const HintedPutRequest& put, const Ack& ack);
  void pass_on(std::string_view key, std::string_view object);

  // coordinator_get.cc
  Task<void> coordinate_get(Request request);
  void ask(Fanout& fanout, uint32_t seat, NodeId peer, bool hints, std::string_view key,
           uint64_t operation, Time deadline);
  bool ask_stand_ins(Fanout& fanout, const Seats& seats, std::string_view key, uint64_t operation,
                     Time deadline, Duration patience);
  void repair(std::string_view key, const Fanout& fanout, std::string_view merged);

  // coordinator_put.cc
  struct Sending;
  // `handed_on`: somebody else may have taken it already.
  Task<void> coordinate_put(Request request, bool handed_on = false);
  void send_put(Fanout& fanout, const Seats& seats, const Sending& sending, bool here,
                const Applied& applied);
  bool hint_stand_ins(Fanout& fanout, const Seats& seats, const Sending& sending,
                      Duration patience);
  Task<void> fill_the_rest(Fanout& fanout, const Seats& seats, const Sending& sending,
                           Duration patience);

  // Remembers who stayed silent, and who did not.
  void note_silence(const Fanout& fanout);
  void note_answers(const Fanout& fanout, Duration patience);
  // Whether there would be too few answers without those of stand-ins.
  bool by_stand_ins(const Fanout& fanout, const Seats& seats) const;

  bool sloppy() const { return options_.sloppy && !options_.random_quorums; }
  Time deadline_of(const Request& request) const;
  bool valid_key(std::string_view key) const;
  void refuse_unheld(const Request& request);
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
  const DynamoOptions options_;
  DynamoStats& stats_;
  Replica replica_;
  RecentPuts recent_;
  Suspects suspects_;
  HintStore hints_;
  HintDelivery delivery_;
  std::optional<BufferedWrites> buffer_;
  Random& draws_;
  Scope scope_;
};

// Whether it is sure that nobody has, or will have, what was sent.
bool nothing_delivered(const Fanout& fanout);
// "2 of 3 said yes, 1 no", for the log.
std::string counted(const Gather& gather);

}  // namespace ringside
