#include "lab/administrator.h"

#include <algorithm>

#include "lab/text.h"
#include "lab/units.h"

namespace ringside::lab {
namespace {

constexpr Duration kLookEvery = 100 * kMillisecond;

}  // namespace

Administrator::Administrator(const scenario::Scenario& scenario, const Plan& plan,
                             sim::World& world, FaultSchedule& faults)
    : scenario_(scenario), plan_(plan), world_(world), faults_(faults) {
  for (const NodePlan& node : plan.nodes) wire_.push_back(node.wire_version);
  for (const scenario::Admin& admin : scenario.admin()) orders_.push_back(resolve(admin));
  std::erase_if(orders_, [&](const Order& order) { return order.at >= plan.timeline.end; });
  std::stable_sort(orders_.begin(), orders_.end(),
                   [](const Order& a, const Order& b) { return a.at < b.at; });
}

NodeId Administrator::node_of(const std::string& machine) const {
  return plan_.nodes[plan_.places.machines_in(machine)[0]].id;
}

Administrator::Order Administrator::resolve(const scenario::Admin& admin) const {
  Order order;
  order.asked = &admin;
  order.at = plan_.timeline.start + span_of(admin.at());
  order.until =
      admin.has_within() ? order.at + span_of(admin.within()) : plan_.timeline.final_start;
  if (admin.has_upgrade()) {
    order.text = concat("upgrade to wire version ", admin.upgrade().to_wire_version());
    return order;
  }
  const auto about = [&](const char* what, const std::string& machine) {
    order.text = concat(what, " of ", machine);
    order.node = node_of(machine);
  };
  if (admin.has_join()) about("join", admin.join().machine());
  if (admin.has_leave()) about("leave", admin.leave().machine());
  if (admin.has_remove()) about("removal", admin.remove().machine());
  if (admin.has_cancel()) about("cancelling", admin.cancel().machine());
  if (admin.has_replace()) {
    about("replacement", admin.replace().machine());
    append(order.text, " by ", admin.replace().by());
    order.other = node_of(admin.replace().by());
  }
  return order;
}

void Administrator::install() {
  if (orders_.empty()) return;
  for (Order& order : orders_) {
    if (order.asked->has_upgrade()) {
      install_upgrade(order);
    } else {
      install_by_hand(order);
    }
  }
  install_program();
  look();
}

// Before the order is given: a machine that is to come is switched on, one that is given up is
// switched off for good.
void Administrator::install_by_hand(Order& order) {
  world_.at(order.at, concat("order: ", order.text), [this, order = &order] {
    const scenario::Admin& asked = *order->asked;
    if (asked.has_join()) faults_.switch_on(order->node);
    if (asked.has_remove() || asked.has_replace()) faults_.switch_off(order->node);
    if (asked.has_replace()) faults_.switch_on(order->other);
  });
}

void Administrator::install_upgrade(Order& order) {
  const scenario::Admin::Upgrade& upgrade = order.asked->upgrade();
  for (std::size_t i = 0; i < plan_.nodes.size(); ++i) {
    const NodeId node = plan_.nodes[i].id;
    const bool last = i + 1 == plan_.nodes.size();
    world_.at(order.at + static_cast<Duration>(i) * span_of(upgrade.every()),
              concat("upgrade of ", plan_.nodes[i].member.machine),
              [this, order = &order, node, last] {
                wire_[node - 1] = order->asked->upgrade().to_wire_version();
                if (!faults_.is_off(node)) faults_.restart(node);
                if (last) order->done = world_.now();
              });
  }
}

void Administrator::look() {
  bool waiting = false;
  for (Order& order : orders_) {
    if (order.seen_to) continue;
    if (order.done == kNever) {
      waiting = waiting || (world_.now() < order.until && !order.taken_back);
      continue;
    }
    order.seen_to = true;
    if (order.asked->has_leave()) faults_.switch_off(order.node);
    if (order.asked->has_cancel() && plan_.nodes[order.node - 1].spare)
      faults_.switch_off(order.node);
  }
  if (!waiting) return;
  world_.at(world_.now() + kLookEvery, "the administrators look", [this] { look(); });
}

std::vector<std::vector<Member>> Administrator::member_history() const {
  std::vector<bool> in(plan_.nodes.size());
  for (const NodePlan& node : plan_.nodes) in[node.machine] = !node.spare;
  std::vector<const Order*> done;
  for (const Order& order : orders_)
    if (order.done != kNever) done.push_back(&order);
  std::stable_sort(done.begin(), done.end(),
                   [](const Order* a, const Order* b) { return a->done < b->done; });
  std::vector<std::vector<Member>> history;
  const auto note = [&] {
    history.emplace_back();
    for (const NodePlan& node : plan_.nodes)
      if (in[node.machine]) history.back().push_back(node.member);
  };
  note();
  for (const Order* order : done) {
    const scenario::Admin& asked = *order->asked;
    if (asked.has_join()) in[order->node - 1] = true;
    if (asked.has_leave() || asked.has_remove() || asked.has_replace()) in[order->node - 1] = false;
    if (asked.has_replace()) in[order->other - 1] = true;
    // What was taken back leaves everything as it was before.
    if (asked.has_cancel()) in[order->node - 1] = !plan_.nodes[order->node - 1].spare;
    note();
  }
  return history;
}

std::vector<std::string> Administrator::carried_out() const {
  std::vector<std::string> lines;
  for (const Order& order : orders_) {
    if (order.done != kNever)
      lines.push_back(concat(order.text, " took ", format_span(order.done - order.at)));
  }
  return lines;
}

std::vector<std::string> Administrator::unfinished() const {
  std::vector<std::string> lines;
  for (const Order& order : orders_) {
    if (order.in_time() || order.taken_back) continue;
    lines.push_back(concat("the ", order.text, " was not done ",
                           format_span(order.until - order.at), " after the order",
                           order.last.empty() ? "" : concat(": ", order.last)));
  }
  return lines;
}

}  // namespace ringside::lab
