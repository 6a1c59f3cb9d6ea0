#include "analysis/durability.h"

#include <algorithm>
#include <set>

#include "analysis/by_key.h"
#include "analysis/describe.h"

namespace ringside {

void FinalState::add(KeyIndex key, std::span<const ValueId> values, Time at) {
  std::vector<ValueId>& known = values_[key];
  for (const ValueId value : values) {
    if (value != kAbsent && std::ranges::find(known, value) == known.end()) known.push_back(value);
  }
  Time& since = known_since_[key];
  since = since == kNever ? at : std::max(since, at);
}

void FinalState::add_final_reads(const History& history) {
  for (const Operation& op : history.operations) {
    if (op.phase != Phase::kFinal || !op.is_get() || !op.ok()) continue;
    add(op.key, history.ids_of(op), op.invoked);
  }
}

DurabilityReport find_lost_writes(const History& history, const FinalState& final_state) {
  Supersession values(history);
  const ByKey by_key(history);
  DurabilityReport report;
  for (KeyIndex key = 0; key < by_key.keys(); ++key) {
    const bool known = final_state.known(key);
    const std::span<const ValueId> present = final_state.values(key);
    if (known) values.mark_covered(present);
    for (const ValueId value : present) {
      const uint32_t put = values.put_of(value);
      if (put == kNoOperation || history.operations[put].key != key) {
        report.nobody_wrote.push_back(value);
      } else if (history.operations[put].outcome == Outcome::kFailed) {
        report.failed_yet_there.push_back(value);
      }
    }
    for (const uint32_t i : by_key[key]) {
      const Operation& op = history.operations[i];
      if (!op.is_put() || !op.ok()) continue;
      ++report.acknowledged;
      if (!known || op.finished >= final_state.known_since(key)) continue;
      ++report.judged;
      if (std::ranges::find(present, op.value) != present.end())
        ++report.present;
      else if (values.is_marked(op.value))
        ++report.superseded;
      else
        report.lost.push_back({i});
    }
  }
  std::ranges::sort(report.lost, {}, &LostWrite::operation);
  return report;
}

CartReport find_lost_items(const History& history) {
  struct Cart {
    std::set<uint64_t> shown;
    std::set<uint64_t> removed;  // by a client that had seen it, whatever became of the put
    std::set<uint64_t> surely_removed;
    Time known_since = kNever;
  };
  std::vector<Cart> carts(history.keys.size());
  for (const Operation& op : history.operations) {
    Cart& cart = carts[op.key];
    if (op.phase == Phase::kFinal && op.is_get() && op.ok()) {
      const auto items = history.items_of(op);
      cart.shown.insert(items.begin(), items.end());
      cart.known_since =
          cart.known_since == kNever ? op.invoked : std::max(cart.known_since, op.invoked);
    }
    if (op.action == Action::kRemove && op.outcome != Outcome::kFailed) {
      cart.removed.insert(op.item);
      if (op.ok()) cart.surely_removed.insert(op.item);
    }
  }
  CartReport report;
  for (std::size_t i = 0; i < history.operations.size(); ++i) {
    const Operation& op = history.operations[i];
    const Cart& cart = carts[op.key];
    if (op.action != Action::kAdd || !op.ok() || cart.known_since == kNever) continue;
    if (op.finished >= cart.known_since) continue;
    ++report.adds;
    if (cart.shown.contains(op.item))
      report.resurfaced += cart.surely_removed.contains(op.item);
    else if (cart.removed.contains(op.item))
      ++report.removed;
    else
      report.lost.push_back({static_cast<uint32_t>(i)});
  }
  return report;
}

ReplicaReport check_replicas(const History& history, const ReplicaAcks& acks,
                             std::span<const ReplicaSnapshot> snapshots) {
  ReplicaReport report;
  report.acks = acks.acks.size();
  Supersession values(history);

  // Acknowledgements of one replica for one key stand together, in the order of time.
  std::vector<uint32_t> order(acks.acks.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  auto place = [&acks](uint32_t i) {
    const ReplicaAcks::Ack& ack = acks.acks[i];
    return std::tuple(ack.replica, ack.key, ack.at, i);
  };
  std::ranges::sort(order, {}, place);

  std::set<std::tuple<NodeId, KeyIndex, ValueId>> reported;
  for (uint32_t s = 0; s < snapshots.size(); ++s) {
    const ReplicaSnapshot& snapshot = snapshots[s];
    auto at = std::ranges::lower_bound(order, snapshot.replica, {},
                                       [&acks](uint32_t i) { return acks.acks[i].replica; });
    KeyIndex key = ~KeyIndex{0};
    std::span<const ValueId> present;
    for (; at != order.end() && acks.acks[*at].replica == snapshot.replica; ++at) {
      const ReplicaAcks::Ack& ack = acks.acks[*at];
      if (ack.at >= snapshot.at) continue;
      if (ack.key != key) {
        key = ack.key;
        const auto found = snapshot.keys.find(history.keys[key]);
        present = found == snapshot.keys.end() ? std::span<const ValueId>() : found->second;
        values.mark_covered(present);
      }
      for (uint32_t v = ack.values_begin; v < ack.values_begin + ack.values_count; ++v) {
        const ValueId value = acks.values[v];
        if (value == kAbsent) continue;
        ++report.checked;
        if (values.is_marked(value)) continue;
        if (std::ranges::find(present, value) != present.end()) continue;
        if (!reported.insert({ack.replica, key, value}).second) continue;
        report.broken.push_back({ack.replica, key, value, ack.at, s});
      }
    }
  }
  return report;
}

std::string describe(const History& history, const LostWrite& lost) {
  return "acknowledged and lost: " + describe_operation(history, lost.operation);
}

std::string describe(const History& history, const BrokenPromise& broken,
                     std::span<const ReplicaSnapshot> snapshots) {
  return "node " + std::to_string(broken.replica) + " acknowledged " +
         describe_value(broken.value) + " of \"" + history.keys[broken.key] + "\" at " +
         describe_time(broken.acknowledged) + "; its disk does not hold it " +
         snapshots[broken.snapshot].when;
}

}  // namespace ringside
