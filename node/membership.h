// Membership: whom this node knows, where each listens, and the ring that follows from it. Puts
// together the table of members (kept in the engine), gossip, the failure detector, an
// administrator's orders, and the steps of ring changes. What it was told or decided is durable
// before it says so: a node that comes back is never behind its own word.
//
//   load       what was kept; the founding members where nothing was
//   recognise  a node with an empty engine asks whether others knew it before: then it lost what it
//              held (recognition.h)
//   begin      a new incarnation: from here on it speaks
//   run        for ever
#pragma once

#include <functional>
#include <set>
#include <string>
#include <vector>

#include "node/member_store.h"
#include "node/node.h"
#include "node/ring_changes.h"
#include "protocols/members.h"
#include "protocols/membership/admin_message.h"
#include "protocols/membership/gossip.h"
#include "protocols/membership/pinger.h"
#include "protocols/membership/range_mover.h"
#include "protocols/ring_view.h"
#include "protocols/rpc.h"
#include "protocols/status.h"
#include "runtime/event.h"
#include "runtime/scope.h"
#include "runtime/semaphore.h"

namespace ringside {

class Membership final : public StatusSource {
 public:
  // `options` and `mover` outlive it.
  Membership(Rpc& rpc, Engine& engine, const NodeOptions& options, RangeMover& mover);

  // The same object always, changed in place; `on_view` is called after each change.
  const RingView& view() const { return view_; }
  void on_view(std::function<void()> action) { on_view_ = std::move(action); }
  std::size_t size() const { return table_.members().size(); }
  const MemberTable& table() const { return table_; }
  // Whether this node is in the ring, or in the next one. Who is not serves no clients: it is told
  // of no change.
  bool takes_part() const;
  // It came back with an empty engine.
  bool lost_state() const { return lost_state_; }
  uint64_t incarnation() const { return incarnation_; }
  FailureDetector& detector() { return detector_; }
  const Pinger& pinger() const { return pinger_; }

  Task<Result<void>> load();
  Task<void> recognise();
  Task<Result<void>> begin();
  Task<void> run();

  // Every kind that is about members: join_request, members_push, gossip, ping, members_request,
  // admin_request. Another way to say status: describe.
  void message(Request request);
  static constexpr Kind kRequests[] = {
      Kind::kJoinRequest, Kind::kMembersPush,    Kind::kGossipRequest, Kind::kGossipPush,
      Kind::kPingRequest, Kind::kMembersRequest, Kind::kAdminRequest};
  // Carries out an order as if it had come by message.
  Task<AdminAnswer> order(AdminOrder order);

  void describe(std::vector<StatusSection>& out) const override;
  Task<Result<std::vector<MemberStore::Step>>> history(std::size_t most) {
    return store_.history(most);
  }

 private:
  struct Applied {
    uint64_t ticket = 0;
    ChangePhase phase = ChangePhase::kProposed;
  };

  void found();
  void changed(NodeId id, MemberTable::Merged merged);
  void learn(const MemberRecord& record);
  void follow();
  void tell_mover();
  void show(RingView view);
  bool speak(uint64_t ticket_known, Applied applied);
  Task<bool> tend_once();
  Task<void> tend();
  Task<Result<void>> wait_for_work();
  Task<Result<void>> decide_and_keep(std::vector<MemberRecord> seats);
  Task<void> drive();
  Task<AdminAnswer> forward(NodeId to, AdminOrder order);
  Task<void> answer_order(Request request);
  std::vector<NodeId> pinged() const;
  void describe_member(const MemberRecord& record, std::vector<StatusSection>& out,
                       const std::vector<uint32_t>& owned) const;
  void describe_change(std::vector<StatusSection>& out) const;

  // Wire version 1 (membership_v1.cc).
  std::vector<KnownMember> everyone() const;
  void absorb(const std::vector<KnownMember>& members);
  void take_members(const Request& request);
  void push_to_old() const;
  Task<void> join_old();
  Task<void> ask_for_seat();

  Rpc& rpc_;
  Host& host_;
  const NodeOptions& options_;
  RangeMover& mover_;
  MemberTable table_;
  MemberStore store_;
  FailureDetector detector_;
  Gossip gossip_;
  Pinger pinger_;
  RingChanges changes_;

  RingView view_;
  uint64_t seen_seats_ = ~uint64_t{0};       // the table's seats_version that view_ is made of
  mutable uint64_t part_of_ = ~uint64_t{0};  // the seats_version that in_ring_ is of
  mutable bool in_ring_ = false;
  Applied applied_;                    // by view_
  uint64_t prepared_ = 0, begun_ = 0;  // tickets that the mover was told of
  bool unsettled_ = true;              // the mover was not told of the present, stable, view
  bool fresh_ = false, lost_state_ = false, running_ = false;
  uint64_t incarnation_ = 0;
  uint64_t heard_incarnation_ = 0;  // of this node, from others
  std::set<NodeId> dirty_, decided_;
  std::function<void()> on_view_;
  Event work_;
  Semaphore deciding_;  // one order or step at a time: a cancel never crosses a step
  Scope scope_;
};

void describe_history(const std::vector<MemberStore::Step>& steps, std::vector<StatusSection>& out);

}  // namespace ringside
