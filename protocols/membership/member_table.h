// MemberTable: all that a node knows of the members: a record each, and what follows from them.
// Pure: no time, no network. Hashes of 64 buckets of ids, and of the whole, are kept as records
// change, so that two tables are compared without reading them (gossip.h).
//
// Changes of the ring are done one at a time, in the order of their tickets. `view` says what the
// ring looks like to whoever holds this table: members of before, and, from copying on, of the
// change under way.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "protocols/membership/member_record.h"
#include "protocols/ring_view.h"
#include "protocols/rings.h"

namespace ringside {

class MemberTable {
 public:
  static constexpr std::size_t kBuckets = 64;
  using Digests = std::vector<std::pair<NodeId, uint64_t>>;  // hashes of records, by id

  struct Merged {
    bool seat = false, life = false;  // what changed
    bool any() const { return seat || life; }
  };
  // Takes what is newer in `record`.
  Merged merge(const MemberRecord& record);

  const MemberRecord* find(NodeId id) const;
  const std::map<NodeId, MemberRecord>& all() const { return records_; }
  std::size_t size() const { return records_.size(); }

  uint64_t hash() const { return hash_; }
  uint64_t bucket_hash(std::size_t bucket) const { return buckets_[bucket]; }
  static std::size_t bucket_of(NodeId id);
  static uint64_t hash_of(const MemberRecord& record);
  // The hash of each record in a bucket.
  const Digests& digests(std::size_t bucket) const { return digests_[bucket]; }
  // Changes whenever a seat does: what is derived below is then derived anew.
  uint64_t seats_version() const { return seats_version_; }

  uint64_t ticket_known() const { return ticket_known_; }
  // A ticket for a change that `decider` decides.
  uint64_t next_ticket(NodeId decider) const;

  struct Change {
    NodeId id = 0;  // the node that joins or leaves
    Seat seat;
  };
  // Those that said that they speak wire version 1 alone, and that nobody gossips to.
  const std::set<NodeId>& old_speakers() const { return old_speakers_; }

  // Those that are not done, in the order in which they are.
  std::vector<Change> unfinished() const;
  // The greatest ticket of those that are; 0: none is.
  uint64_t last_done() const;
  // The one that has begun; nothing while all wait.
  const Change* under_way(const std::vector<Change>& changes) const;

  // The ring's members, before the changes that are not done.
  std::vector<Member> members() const;
  bool in_ring(NodeId id) const;
  // Members after the change; empty when nobody would be left.
  std::vector<Member> members_after(const Change& change) const;
  // Whose word a change needs for each step: the members of both rings, without those that an
  // administrator called dead.
  std::vector<NodeId> must_confirm(const Change& change) const;
  // Without members there is no ring: both of the view's are null. Rings of `before` that are still
  // right are taken over, with what they have computed.
  RingView view(const RingOptions& options, const RingView& before = {},
                const std::shared_ptr<Rings>& rings = nullptr) const;

 private:
  bool replaced(NodeId id) const;
  bool called_dead(NodeId id) const;

  std::map<NodeId, MemberRecord> records_;
  std::array<Digests, kBuckets> digests_;
  std::array<uint64_t, kBuckets> buckets_ = {};
  uint64_t hash_ = 0;
  // Those few that walks over all would look for.
  std::set<NodeId> unfinished_, replacing_, old_speakers_;
  uint64_t seats_version_ = 0;
  uint64_t ticket_known_ = 0;
};

}  // namespace ringside
