// HintDelivery: brings hints to the homes for which they are kept, one loop an owner, in the order
// of the ring, and deletes each when its owner has answered that its log holds that very object; a
// hint that was written again meanwhile stays. While the owner is silent the pause doubles. When
// the owner is back it is not stormed: deliveries begin one at a time, more are in flight while its
// answers stay fast and half as many when they get slow, and between rounds it is left alone for
// longer than the round took. A hint whose owner is no home of the key any more goes to those that
// are.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "protocols/replication/dynamo/hint_store.h"
#include "protocols/replication/dynamo/replica.h"
#include "protocols/ring_view.h"
#include "protocols/suspects.h"

namespace ringside {

class HintDelivery {
 public:
  // Called before a round with the bytes that it will send; returns when they may be sent.
  using Admit = std::function<Task<void>(uint64_t)>;

  // `view` is where the owner keeps the pointer to the ring as it is now.
  HintDelivery(Rpc& rpc, HintStore& store, Replica& replica, Suspects& suspects,
               const RingView* const& view, const DynamoOptions& options, DynamoStats& stats);

  // Starts the loops of all who have hints, or of one, when they are not under way.
  void start();
  void start(NodeId owner);
  void admit_by(Admit admit) { admit_ = std::move(admit); }

 private:
  struct Flight {
    std::string place;
    uint64_t turn = 0;
    bool delivered = false;
    std::unique_ptr<Fanout> fanout;
  };
  using Round = std::vector<Flight>;
  enum class Came : uint8_t { kNothing, kSome, kAll };  // back from a round

  struct Pace;
  Task<void> deliver(NodeId owner);
  // The next hints after the cursor, which goes on; empty at the end.
  Round take(NodeId owner, std::string& cursor, uint32_t hints_max, uint64_t& bytes);
  void send(NodeId owner, Flight& flight, std::string_view object, Time deadline);
  Task<Came> finish(NodeId owner, Round& round, Time deadline);
  Homes targets(NodeId owner, uint64_t position) const;
  std::string reborn(std::string_view object);

  Rpc& rpc_;
  Host& host_;
  HintStore& store_;
  Replica& replica_;
  Suspects& suspects_;
  const RingView* const& view_;
  const DynamoOptions& options_;
  DynamoStats& stats_;
  Random& random_;
  Admit admit_;
  std::set<NodeId> running_;
  uint64_t reborn_ = 0;
  Scope scope_;
};

}  // namespace ringside
