// The administrator's own program: gives orders over the network, to any node that answers, until
// they are carried out.
#include <algorithm>
#include <optional>

#include "lab/administrator.h"
#include "lab/text.h"
#include "protocols/members.h"
#include "protocols/membership/admin_message.h"
#include "protocols/rpc.h"

namespace ringside::lab {
namespace {

constexpr Duration kAnswerWithin = 500 * kMillisecond;
constexpr Duration kAskAgain = 200 * kMillisecond;

// What a node answered; nothing when none did.
Task<std::optional<std::string>> ask(Rpc& rpc, NodeId peer, Kind kind, Buffer message) {
  const Time deadline = rpc.host().clock().now() + kAnswerWithin;
  Fanout fanout(rpc, peer);
  fanout.send(kind, 0, deadline, std::move(message));
  co_await fanout.wait(1, deadline);
  if (fanout[0].state != Fanout::Leg::State::kOk) co_return std::nullopt;
  co_return std::string(fanout[0].body());
}

bool is_member(const MembersReply& reply, NodeId node) {
  return std::any_of(reply.members.begin(), reply.members.end(),
                     [node](const KnownMember& known) { return known.member.id == node; });
}

}  // namespace

// Any machine that runs as far as the people know. Not the one that is to come: it knows nobody.
NodeId Administrator::someone(Random& random, const Order& order) const {
  std::vector<NodeId> known;
  for (const Member& member : members()) {
    const bool given_up = faults_.is_off(member.id);
    if (!given_up && member.id != order.node) known.push_back(member.id);
  }
  // A node may be the only one to know of its own leaving.
  if (known.empty()) known.push_back(order.node);
  return known[random.below(known.size())];
}

AdminOrder Administrator::words_of(const Order& order) const {
  const scenario::Admin& asked = *order.asked;
  AdminOrder words;
  words.id = order.node;
  words.verb = asked.has_join()     ? AdminOrder::Verb::kJoin
               : asked.has_leave()  ? AdminOrder::Verb::kLeave
               : asked.has_remove() ? AdminOrder::Verb::kRemove
               : asked.has_cancel() ? AdminOrder::Verb::kCancel
                                    : AdminOrder::Verb::kReplace;
  if (asked.has_replace()) {
    words.id = order.other;
    words.replaces = order.node;
  }
  if (asked.has_join() || asked.has_replace()) {
    const Member& member = plan_.nodes[words.id - 1].member;
    words.capacity = member.capacity;
    words.machine = member.machine;
    words.zone = member.zone;
    words.rack = member.rack;
  }
  return words;
}

// Whether the members, as a node tells them, are what was ordered, and reads go by them.
bool Administrator::is_done(const Order& order, const MembersReply& reply) const {
  if (reply.ticket != 0 && reply.ticket == order.ticket) return false;  // still under way
  if (reply.ticket != 0 && !order.accepted) return false;               // perhaps this very order
  const scenario::Admin& asked = *order.asked;
  if (asked.has_join()) return is_member(reply, order.node);
  if (asked.has_replace()) return is_member(reply, order.other) && !is_member(reply, order.node);
  if (asked.has_cancel()) return is_member(reply, order.node) != plan_.nodes[order.node - 1].spare;
  return !is_member(reply, order.node);
}

void Administrator::accepted(Order& order, uint64_t ticket) {
  order.accepted = true;
  order.ticket = ticket;
  if (!order.asked->has_cancel()) return;
  for (Order& other : orders_) {
    if (&other != &order && other.done == kNever && other.at < order.at &&
        (other.node == order.node || other.other == order.node))
      other.taken_back = true;
  }
}

Task<void> carry_out(Host& host, Rpc& rpc, Administrator* administrator,
                     Administrator::Order* order) {
  Random& random = host.random("administrator");
  co_await host.clock().sleep_until(order->at);
  // An order whose time is up is not given again, but looked after: what nodes once decided, they
  // carry out, and who is a member is to be known to the end.
  while (!order->taken_back) {
    const NodeId peer = administrator->someone(random, *order);
    if (!order->accepted && host.clock().now() < order->until) {
      const std::optional<std::string> said =
          co_await ask(rpc, peer, Kind::kAdminRequest, administrator->words_of(*order).encode());
      AdminAnswer answer;
      if (said && answer.parse(*said)) {
        order->last = concat("node ", peer, " said: ", answer.text);
        if (answer.accepted) administrator->accepted(*order, answer.ticket);
      }
    } else {
      const std::optional<std::string> said =
          co_await ask(rpc, peer, Kind::kMembersRequest, encode_empty());
      MembersReply reply;
      if (said && reply.parse(*said) && administrator->is_done(*order, reply)) {
        order->done = administrator->world_.now();
        co_return;
      }
    }
    co_await host.clock().sleep(kAskAgain);
  }
}

Task<void> run_administrator(Host& host, Administrator* administrator) {
  Rpc rpc(host);
  Scope scope(host.ready());
  for (Administrator::Order& order : administrator->orders_) {
    if (!order.asked->has_upgrade()) scope.spawn(carry_out(host, rpc, administrator, &order));
  }
  co_await scope.join();
}

void Administrator::install_program() {
  const std::size_t machine = plan_.nodes.size() + plan_.clients.size();
  world_.place(plan_.administrator, static_cast<sim::MachineId>(machine),
               [this](Host& host) { return run_administrator(host, this); });
  world_.start(plan_.administrator);
}

}  // namespace ringside::lab
