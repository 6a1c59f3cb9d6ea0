// Anti-entropy (Dynamo, section 4.7): replicas find and mend what they hold differently, also of
// keys that nobody reads. Each range that this node holds whole is compared with its other homes by
// turns: roots first; below nodes that differ, the nodes beneath them; of leaves that differ,
// hashes of every row (a leaf with many rows is compared as a tree of its own); then only objects
// that differ travel. What is fetched is merged here, and what this makes of it is pushed back, as
// is what the other lacks, by replica_put, whose acknowledgement says that it is durable there. So
// the bytes are in proportion to the difference, and a comparison of equals costs one exchange.
// Nothing is ever removed; a merge never takes anything back.
//
// Rows that this node's engine can no longer read (Engine::suspects, or kCorrupt while hashing) are
// not compared: their range stops being whole, and `refill` is told to pull it anew, once another
// home has answered for it.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "protocols/background.h"
#include "protocols/partitions.h"
#include "protocols/replication/dynamo/repair_wire.h"
#include "protocols/replication/dynamo/replica.h"
#include "protocols/replication/dynamo/tree_source.h"
#include "protocols/replication/dynamo/upkeep_options.h"
#include "protocols/ring_view.h"

namespace ringside {

class AntiEntropy {
 public:
  // `n` is the replicas of a key. What is given outlives it.
  AntiEntropy(Rpc& rpc, Engine& engine, Partitions& partitions, Replica& replica,
              const RingView& view, uint32_t n, UpkeepOptions options, UpkeepStats& stats,
              Background& background);

  void reconfigure(const RingView& view) { view_ = &view; }
  // Told of a range that is no longer whole because of damage, to fill it from the others.
  void on_refill(std::function<void(PositionRange)> refill) { refill_ = std::move(refill); }

  // Rounds, for ever.
  Task<void> run();
  // Compares every range with one other home, the next one each time. Who stays silent is not asked
  // again in the same round.
  Task<void> round();

  // tree, leaf and rows requests of other homes.
  void message(Request request);

 private:
  // What was answered to a peer last, so that the levels of one comparison fit each other.
  struct Answered {
    MerkleHashes hashes;
    Time at = 0;
  };
  // One comparison with one peer.
  struct With {
    NodeId peer = kNoNode;
    bool answered = false;  // the peer answered for this range at all
    bool silent = false;
    bool differed = false;
    bool broken = false;   // by silence, a refusal or an error
    bool damaged = false;  // by rows of this node that cannot be read
  };

  Task<With> compare(PositionRange range, NodeId peer);
  Task<void> mend_suspects();
  Task<void> give_up(PositionRange range);
  static void fail(With& with, const Error& error) {
    with.broken = true;
    with.damaged = error.code == Code::kCorrupt;
  }
  Task<void> compare_rows(With& with, KeyRange range, uint32_t nesting);
  Task<void> compare_tree(With& with, KeyRange range, std::optional<uint32_t> depth,
                          uint32_t nesting);
  Task<void> fetch(With& with, KeyRange range, std::vector<uint64_t> rows);
  Task<void> merge_all(With& with, RowsReply reply);
  Task<void> push(With& with, std::vector<std::string> names);
  Task<Buffer> ask(With& with, Kind kind, Buffer message, uint64_t& count);

  Task<void> answer_tree(Request request);
  Task<void> answer_leaf(Request request);
  Task<void> answer_rows(Request request);
  // Whether the rows lie in a range that this node holds whole.
  bool may_answer(std::string_view begin, std::string_view end) const;
  Homes other_homes(PositionRange range) const;
  void refuse(const Request& request, Status status) {
    rpc_.reply(request, status, encode_empty());
  }
  Time deadline() { return host_.clock().now() + options_.request_timeout; }

  Rpc& rpc_;
  Host& host_;
  Engine& engine_;
  Partitions& partitions_;
  Replica& replica_;
  const RingView* view_;
  uint32_t n_;
  UpkeepOptions options_;
  UpkeepStats& stats_;
  Background& background_;
  RangeTrees trees_;
  std::function<void(PositionRange)> refill_;
  uint64_t turn_ = 0;
  std::map<NodeId, Answered> answered_;
  Scope scope_;
};

}  // namespace ringside
