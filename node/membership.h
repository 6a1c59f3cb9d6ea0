// Membership: whom this node knows, where each listens, and the ring that follows from it. In the
// simulator everything is known from the start; a real node that starts tells its seeds about
// itself, learns the others from them, and keeps what it learned in its engine for the next start.
// (Gossip and leaving are not here.)
#pragma once

#include <map>
#include <vector>

#include "node/node.h"
#include "protocols/members.h"
#include "protocols/ring_view.h"
#include "protocols/rpc.h"

namespace ringside {

class Membership {
 public:
  Membership(Rpc& rpc, Engine& engine, const NodeOptions& options);

  const RingView& view() const { return view_; }
  std::size_t size() const { return known_.size(); }

  // Reads what was kept.
  Task<Result<void>> load();
  // Announces this node until somebody answers. Returns at once when there is nobody to tell.
  Task<void> join();

  // join_request and members_push. True when the ring changed.
  bool message(const Request& request);

 private:
  std::vector<KnownMember> everyone() const;
  KnownMember self() const;
  bool absorb(const std::vector<KnownMember>& members);
  void keep();

  Rpc& rpc_;
  Host& host_;
  Engine& engine_;
  const NodeOptions& options_;
  std::map<NodeId, KnownMember> known_;
  RingView view_;
};

}  // namespace ringside
