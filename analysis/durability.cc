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

namespace {

// The deletes of a key that may have happened: what they cover is gone for good reason.
std::vector<ValueId> possible_deletes(const History& history, std::span<const uint32_t> operations,
                                      Time before = kNever) {
  std::vector<ValueId> deletes;
  for (const uint32_t i : operations) {
    const Operation& op = history.operations[i];
    if (op.is_delete() && op.outcome != Outcome::kFailed && op.invoked < before)
      deletes.push_back(op.value);
  }
  return deletes;
}

}  // namespace

DurabilityReport find_lost_writes(const History& history, const FinalState& final_state) {
  Supersession values(history);
  const ByKey by_key(history);
  DurabilityReport report;
  for (KeyIndex key = 0; key < by_key.keys(); ++key) {
    const bool known = final_state.known(key);
    const std::span<const ValueId> present = final_state.values(key);
    if (known) {
      std::vector<ValueId> standing = possible_deletes(history, by_key[key]);
      standing.insert(standing.end(), present.begin(), present.end());
      values.mark_covered(standing);
    }
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
      if (op.is_delete()) {
        ++report.deletes;
        continue;
      }
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

namespace {

// Acknowledgements held against snapshots of who gave them; with `delivered` they were given for
// others.
class Promises {
 public:
  Promises(const History& history, const ReplicaAcks& acks, const ReplicaAcks* delivered,
           bool reaped)
      : history_(history),
        acks_(acks),
        delivered_(delivered),
        reaped_(reaped),
        values_(history),
        by_key_(history) {
    order_by_place();
    if (delivered != nullptr) list_deliveries();
  }

  ReplicaReport check(std::span<const ReplicaSnapshot> snapshots) {
    report_.acks = acks_.acks.size();
    for (uint32_t s = 0; s < snapshots.size(); ++s) check_one(snapshots[s], s);
    return std::move(report_);
  }

 private:
  // Acknowledgements of one replica for one key stand together, in the order of time.
  void order_by_place() {
    order_.resize(acks_.acks.size());
    for (uint32_t i = 0; i < order_.size(); ++i) order_[i] = i;
    std::ranges::sort(order_, {}, [this](uint32_t i) {
      const ReplicaAcks::Ack& ack = acks_.acks[i];
      return std::tuple(ack.replica, ack.key, ack.at, i);
    });
  }
  void list_deliveries() {
    deliveries_.resize(history_.keys.size());
    for (uint32_t i = 0; i < delivered_->acks.size(); ++i)
      deliveries_[delivered_->acks[i].key].push_back(i);
  }

  void check_one(const ReplicaSnapshot& snapshot, uint32_t number) {
    auto at = std::ranges::lower_bound(order_, snapshot.replica, {},
                                       [this](uint32_t i) { return acks_.acks[i].replica; });
    KeyIndex key = ~KeyIndex{0};
    std::vector<ValueId> present;
    for (; at != order_.end() && acks_.acks[*at].replica == snapshot.replica; ++at) {
      const ReplicaAcks::Ack& ack = acks_.acks[*at];
      if (ack.at >= snapshot.at) continue;
      if (ack.key != key) {
        key = ack.key;
        present = standing(snapshot, key);
        values_.mark_covered(present);
      }
      for (uint32_t v = ack.values_begin; v < ack.values_begin + ack.values_count; ++v) {
        const ValueId value = acks_.values[v];
        if (value == kAbsent) continue;
        ++report_.checked;
        if (values_.is_marked(value)) continue;
        if (std::ranges::find(present, value) != present.end()) continue;
        if (!reported_.insert({ack.replica, key, value}).second) continue;
        report_.broken.push_back({ack.replica, key, value, ack.at, number});
      }
    }
  }

  // Whatever covers what was acknowledged.
  std::vector<ValueId> standing(const ReplicaSnapshot& snapshot, KeyIndex key) const {
    std::vector<ValueId> ids;
    const auto add = [&](const auto& held) {
      const auto found = held.find(history_.keys[key]);
      if (found != held.end()) ids.insert(ids.end(), found->second.begin(), found->second.end());
    };
    add(snapshot.keys);
    if (delivered_ != nullptr) {
      add(snapshot.hints);
      for (const uint32_t i : deliveries_[key]) {
        const ReplicaAcks::Ack& ack = delivered_->acks[i];
        if (ack.at >= snapshot.at || ack.replica == snapshot.replica) continue;
        for (uint32_t v = 0; v < ack.values_count; ++v)
          ids.push_back(delivered_->values[ack.values_begin + v]);
      }
    }
    if (reaped_) {
      const std::vector<ValueId> deletes = possible_deletes(history_, by_key_[key], snapshot.at);
      ids.insert(ids.end(), deletes.begin(), deletes.end());
    }
    return ids;
  }

  const History& history_;
  const ReplicaAcks& acks_;
  const ReplicaAcks* delivered_;
  const bool reaped_;
  Supersession values_;
  ByKey by_key_;
  std::vector<uint32_t> order_;
  std::vector<std::vector<uint32_t>> deliveries_;  // by key: indices into *delivered_
  std::set<std::tuple<NodeId, KeyIndex, ValueId>> reported_;
  ReplicaReport report_;
};

}  // namespace

ReplicaReport check_replicas(const History& history, const ReplicaAcks& acks,
                             std::span<const ReplicaSnapshot> snapshots, bool reaped) {
  return Promises(history, acks, nullptr, reaped).check(snapshots);
}

ReplicaReport check_hints(const History& history, const ReplicaAcks& hinted,
                          const ReplicaAcks& delivered, std::span<const ReplicaSnapshot> snapshots,
                          bool reaped) {
  return Promises(history, hinted, &delivered, reaped).check(snapshots);
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
