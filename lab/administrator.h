// Administrator: the people who run the cluster. Switches spare machines on and those that left
// off, restarts machines one by one with another version of the wire, and gives the scenario's
// orders to the nodes as a program of its own would: over the network, to any node that answers,
// again and again until the order is carried out or its time is up. From then on they only look
// what becomes of it. What they were told is all that they know: from it the judge takes who is a
// member at the end.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "lab/fault_schedule.h"
#include "lab/plan.h"
#include "protocols/members.h"
#include "protocols/membership/admin_message.h"
#include "protocols/rpc.h"
#include "scenarios/scenario.pb.h"
#include "sim/world.h"

namespace ringside::lab {

class Administrator {
 public:
  // All of them must outlive this.
  Administrator(const scenario::Scenario& scenario, const Plan& plan, sim::World& world,
                FaultSchedule& faults);
  Administrator(const Administrator&) = delete;
  Administrator& operator=(const Administrator&) = delete;

  // Places the program, when there are orders, and what is done by hand.
  void install();

  // The newest version of the wire that a node speaks when it starts next; 0: what there is.
  uint32_t wire_version(NodeId node) const { return wire_[node - 1]; }
  // Who is a member, by what was carried out so far; and after each order that was.
  std::vector<Member> members() const { return member_history().back(); }
  std::vector<std::vector<Member>> member_history() const;

  uint64_t orders() const { return orders_.size(); }
  // One line each.
  std::vector<std::string> carried_out() const;
  std::vector<std::string> unfinished() const;

 private:
  struct Order {
    const scenario::Admin* asked = nullptr;
    std::string text;  // "join of east-c-2"
    NodeId node = kNoNode;
    NodeId other = kNoNode;  // replace: the machine that takes its place
    Time at = 0, until = 0;
    bool accepted = false;    // a node said that it was decided
    uint64_t ticket = 0;      // … as this change
    bool taken_back = false;  // by a later order
    Time done = kNever;       // also when its time was up
    bool in_time() const { return done != kNever && done <= until; }
    bool seen_to = false;  // what is left to do by hand when it is done
    std::string last;      // what a node last said, or nothing
  };
  friend Task<void> run_administrator(Host& host, Administrator* administrator);
  friend Task<void> carry_out(Host& host, Rpc& rpc, Administrator* administrator, Order* order);

  NodeId someone(Random& random, const Order& order) const;
  AdminOrder words_of(const Order& order) const;
  bool is_done(const Order& order, const MembersReply& reply) const;
  void accepted(Order& order, uint64_t ticket);

  Order resolve(const scenario::Admin& admin) const;
  void install_by_hand(Order& order);
  void install_upgrade(Order& order);
  void install_program();
  // Looks now and then whether an order is done whose machine can be switched off.
  void look();
  NodeId node_of(const std::string& machine) const;

  const scenario::Scenario& scenario_;
  const Plan& plan_;
  sim::World& world_;
  FaultSchedule& faults_;
  std::vector<Order> orders_;
  std::vector<uint32_t> wire_;  // by node - 1
};

}  // namespace ringside::lab
