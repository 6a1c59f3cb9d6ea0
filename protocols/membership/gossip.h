// Gossip: how members' records spread. Once a period a node picks one other at random and makes
// their two tables one. A round costs what differs, never the table:
//
//   request  the hash of my table                → reply  equal (and that was all), or the hashes
//                                                          of its 64 buckets
//   request  of the buckets that differ, a digest of each record
//                                                → reply  the records that differ or that I lack,
//                                                          and whom it lacks
//   push     those records
//
// Every few rounds the other is a seed, so that a ring that was split, or founded twice, grows
// together again. After news a node talks more often for as many rounds as it takes to be
// everywhere, then falls back to its period. A message is taken whole or not at all: one record in
// it that makes no sense, or another cluster's mark, and nothing of it is.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <utility>
#include <vector>

#include "protocols/membership/member_table.h"
#include "protocols/rpc.h"
#include "runtime/event.h"
#include "runtime/task.h"

namespace ringside {

struct GossipOptions {
  bool on = true;
  Duration every = kSecond;
  Duration news_every = 200 * kMillisecond;  // while there is news; 0: no oftener than ever
  Duration timeout = 500 * kMillisecond;     // of a request
};

struct GossipStats {
  uint64_t rounds = 0, answered = 0, equal = 0, failed = 0;  // as the one who began
  uint64_t records_in = 0, records_out = 0;
  uint64_t refused = 0;  // messages
};

// wire.Gossip: all three messages.
struct GossipMessage {
  uint64_t cluster = 0;  // two clusters that meet by mistake do not become one
  uint64_t hash = 0;     // of the sender's table
  std::vector<uint64_t> buckets;
  uint64_t differing = 0;        // buckets, a bit each, that `digests` are of
  MemberTable::Digests digests;  // by id
  std::vector<MemberRecord> records;
  std::vector<NodeId> wanted;
  Buffer encode() const;
  bool parse(std::string_view body);
};

class Gossip {
 public:
  // `changed` is called with every record of which something was new.
  using Changed = std::function<void(NodeId id, MemberTable::Merged merged)>;
  Gossip(Rpc& rpc, MemberTable& table, GossipOptions options, std::vector<NodeId> seeds,
         uint64_t cluster, Changed changed);

  // Talks for ever; once to everyone whom it knows to reach before the first period is over.
  Task<void> run();
  // One round with `peer`. False when it did not answer in time, or refused.
  Task<bool> round(NodeId peer) { return round(peer, options_.timeout); }
  Task<bool> round(NodeId peer, Duration timeout);
  // Rounds with several at once. How many answered.
  Task<std::size_t> rounds(std::vector<NodeId> peers);
  // Whom this node asks first when it starts: a few at random, seeds before others.
  std::vector<NodeId> first_peers(std::size_t most);
  // gossip_request and gossip_push.
  void message(const Request& request);
  // There is something to tell: called by whoever changes the table himself.
  void news();

  const GossipStats& stats() const { return stats_; }

 private:
  const std::vector<NodeId>& peers();
  NodeId choose();
  Task<void> greet();
  Task<Result<void>> wait_for_news();
  Task<bool> ask(NodeId peer, Duration timeout, GossipMessage message, GossipMessage& reply);
  MemberTable::Digests digests(uint64_t differing) const;
  GossipMessage answer(const GossipMessage& asked);
  std::vector<MemberRecord> records_of(const std::vector<NodeId>& ids);
  void take(const std::vector<MemberRecord>& records);

  Rpc& rpc_;
  Host& host_;
  MemberTable& table_;
  const GossipOptions options_;
  const std::vector<NodeId> seeds_;
  const uint64_t cluster_;
  Changed changed_;
  Random& random_;
  std::vector<NodeId> peers_;
  std::pair<uint64_t, std::size_t> peers_of_{~uint64_t{0}, 0};  // the seats and size of the table
  uint64_t turn_ = 0;
  uint32_t news_rounds_ = 0;
  Event news_;
  GossipStats stats_;
};

}  // namespace ringside
