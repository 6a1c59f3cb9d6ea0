#include "analysis/isolation/verify.h"

#include <algorithm>
#include <map>

#include "analysis/isolation/facts.h"
#include "runtime/bug.h"

namespace ringside::isolation {
namespace {

Error untrue(std::string what) { return {Code::kInvalid, std::move(what)}; }
std::string t(TransactionId id) { return "T" + std::to_string(id); }

// Are these the edges of a cycle of this class? In the words of the definitions.
bool is_of_class(AnomalyKind kind, std::vector<EdgeKind> edges) {
  if (RINGSIDE_BUG(verifier_knows_no_classes)) return true;
  const auto has = [&](EdgeKind one) { return std::ranges::count(edges, one); };
  const int order = has(EdgeKind::kRealTime) > 0 ? 10 : has(EdgeKind::kProcess) > 0 ? 5 : 0;
  const auto base = static_cast<AnomalyKind>(static_cast<int>(kind) - order);
  const auto anti = has(EdgeKind::kReadWrite);
  edges.push_back(edges.front());
  const bool adjacent = std::ranges::adjacent_find(edges, [](EdgeKind a, EdgeKind b) {
                          return a == EdgeKind::kReadWrite && b == a;
                        }) != edges.end();
  switch (base) {
    case AnomalyKind::kG0: return anti == 0 && has(EdgeKind::kWriteRead) == 0;
    case AnomalyKind::kG1c: return anti == 0 && has(EdgeKind::kWriteRead) > 0;
    case AnomalyKind::kGSingle: return anti == 1;
    case AnomalyKind::kGNonadjacent: return anti > 1 && !adjacent;
    case AnomalyKind::kG2Item: return anti > 1 && adjacent;
    default: return false;
  }
}

// A plain database, one transaction after the other.
class PlainDatabase {
 public:
  explicit PlainDatabase(const TransactionHistory& history)
      : history_(history),
        lists_(history.objects.size()),
        registers_(history.objects.size(), kInitialValue) {}

  // False when a read, or a recorded replacement, is not what is there.
  bool apply(TransactionId id) {
    const bool told = history_.transactions[id].ok();
    for (const Op& op : history_.ops_of(id)) {
      switch (op.kind) {
        case OpKind::kAppend: lists_[op.object].push_back(op.value); break;
        case OpKind::kWrite:
          if (told && op.replaced != kUnrecorded && op.replaced != registers_[op.object])
            return false;
          registers_[op.object] = op.value;
          break;
        case OpKind::kReadList:
          if (told && op.read_known() &&
              !std::ranges::equal(history_.list(op), lists_[op.object]) &&
              !RINGSIDE_BUG(serial_orders_read_anything))
            return false;
          break;
        case OpKind::kReadRegister:
          if (told && op.read_known() && op.value != registers_[op.object]) return false;
          break;
      }
    }
    return true;
  }

 private:
  const TransactionHistory& history_;
  std::vector<std::vector<Value>> lists_;
  std::vector<Value> registers_;
};

// One linear claim, by looking for it.
class LinearClaim {
 public:
  LinearClaim(const Facts& facts, const Anomaly& anomaly) : facts_(facts), anomaly_(anomaly) {}

  bool true_of_history() const {
    const auto& who = anomaly_.transactions;
    switch (anomaly_.kind) {
      case AnomalyKind::kDuplicateElements:
        return any_read(who[0], [&](const Op& op) {
          return op.kind == OpKind::kReadList && count(op, anomaly_.value) > 1;
        });
      case AnomalyKind::kGarbageRead:
        return facts_.writer(anomaly_.object, anomaly_.value) == kNoTransaction &&
               (any_read(who[0], [&](const Op& op) { return count(op, anomaly_.value) > 0; }) ||
                any_replaced(who[0]));
      case AnomalyKind::kG1a:
        return failed(who[1]) && wrote_value(who[1]) &&
               any_read(who[0], [&](const Op& op) { return count(op, anomaly_.value) > 0; });
      case AnomalyKind::kG1b:
        return wrote_value(who[1]) && who[0] != who[1] &&
               facts_.last_written(who[1], anomaly_.object) != anomaly_.value &&
               any_read(who[0], [&](const Op& op) { return newest(op) == anomaly_.value; });
      case AnomalyKind::kDirtyUpdate:
        return failed(who[1]) && wrote_value(who[1]) && facts_.happened(who[0]) &&
               (any_replaced(who[0]) || appended_after(who[0]));
      case AnomalyKind::kInternal: return contradicts_itself(who[0]);
      case AnomalyKind::kLostUpdate: {
        const Value one = updated(who[0]), two = updated(who[1]);
        return who[0] != who[1] && one != kUnrecorded && one == two;
      }
      case AnomalyKind::kIncompatibleOrder: return disagree(who[0], who[1]);
      case AnomalyKind::kCyclicVersions:
        return facts_.happened(who[0]);  // a circle has no short proof
      default: return false;
    }
  }

 private:
  const TransactionHistory& history() const { return facts_.history(); }
  bool failed(TransactionId id) const {
    return history().transactions[id].outcome == Outcome::kFailed;
  }
  std::ptrdiff_t count(const Op& read, Value value) const {
    if (read.kind == OpKind::kReadRegister) return read.value == value;
    return std::ranges::count(history().list(read), value);
  }
  Value newest(const Op& read) const {
    if (read.kind == OpKind::kReadRegister) return read.value;
    return read.list_count == 0 ? kInitialValue : history().list(read).back();
  }
  template <class Test>
  bool any_read(TransactionId id, Test&& test) const {
    return history().transactions[id].ok() &&
           std::ranges::any_of(history().ops_of(id), [&](const Op& op) {
             return op.object == anomaly_.object && op.read_known() && test(op);
           });
  }
  bool any_replaced(TransactionId id) const {
    return std::ranges::any_of(history().ops_of(id), [&](const Op& op) {
      return op.object == anomaly_.object && op.kind == OpKind::kWrite &&
             op.replaced == anomaly_.value;
    });
  }
  bool wrote_value(TransactionId id) const {
    return facts_.writer(anomaly_.object, anomaly_.value) == id;
  }
  // Some read has the value in question, and later on one of this transaction's.
  bool appended_after(TransactionId id) const {
    for (TransactionId reader = 0; reader < history().transactions.size(); ++reader) {
      const bool shows = any_read(reader, [&](const Op& op) {
        if (op.kind != OpKind::kReadList) return false;
        const auto list = history().list(op);
        const auto at = std::ranges::find(list, anomaly_.value);
        return std::any_of(at, list.end(), [&](Value later) {
          return facts_.writer(anomaly_.object, later) == id;
        });
      });
      if (shows) return true;
    }
    return false;
  }
  // It read the value in question, and not before it what the writer had appended earlier.
  bool read_out_of_order(TransactionId reader, TransactionId writer) const {
    if (!wrote_value(writer)) return false;
    return any_read(reader, [&](const Op& op) {
      if (op.kind != OpKind::kReadList) return false;
      const auto list = history().list(op);
      const auto at = std::ranges::find(list, anomaly_.value);
      if (at == list.end()) return false;
      for (const Op& write : history().ops_of(writer)) {
        if (!write.writes() || write.object != anomaly_.object) continue;
        if (write.value == anomaly_.value) return false;
        if (std::find(list.begin(), at, write.value) == at) return true;
      }
      return false;
    });
  }
  // Read or replaced two things that no single order of versions has.
  bool disagree(TransactionId a, TransactionId b) const {
    if (read_out_of_order(a, b)) return true;
    for (const Op& one : history().ops_of(a)) {
      for (const Op& two : history().ops_of(b)) {
        if (one.object != anomaly_.object || two.object != anomaly_.object || &one == &two)
          continue;
        if (one.kind == OpKind::kWrite && two.kind == OpKind::kWrite &&
            one.replaced != kUnrecorded && one.replaced == two.replaced)
          return true;
        if (one.kind != OpKind::kReadList || two.kind != OpKind::kReadList) continue;
        if (!one.read_known() || !two.read_known()) continue;
        if (anomaly_.value != kInitialValue) continue;
        const auto first = history().list(one), second = history().list(two);
        const std::size_t both = std::min(first.size(), second.size());
        if (!std::ranges::equal(first.first(both), second.first(both))) return true;
      }
    }
    return false;
  }
  bool contradicts_itself(TransactionId id) const {
    std::vector<Value> known;
    bool whole = false;
    const std::span<const Op> ops = history().ops_of(id);
    for (const Op& op : ops) {
      if (op.object != anomaly_.object) continue;
      const bool from_the_future = std::any_of(ops.data(), &op, [&](const Op& earlier) {
        return op.writes() && earlier.object == op.object && earlier.read_known() &&
               count(earlier, op.value) > 0;
      });
      if (from_the_future) return true;
      if (op.kind == OpKind::kWrite) {
        known = {op.value};
        whole = true;
      } else if (op.kind == OpKind::kAppend) {
        known.push_back(op.value);
      } else if (op.read_known()) {
        std::vector<Value> read = {op.value};
        if (op.kind == OpKind::kReadList) {
          const auto list = history().list(op);
          read.assign(list.begin(), list.end());
        }
        if (whole ? read != known : !std::ranges::equal(last_of(read, known.size()), known))
          return true;
        known = read;
        whole = true;
      }
    }
    return false;
  }
  static std::span<const Value> last_of(const std::vector<Value>& values, std::size_t count) {
    const std::span<const Value> all = values;
    return all.last(std::min(count, all.size()));
  }
  // What it read first, before it wrote; kUnrecorded when it did not write or read.
  Value updated(TransactionId id) const {
    Value read = kUnrecorded;
    for (const Op& op : history().ops_of(id)) {
      if (op.object != anomaly_.object) continue;
      if (op.writes()) return read;
      if (read == kUnrecorded && op.read_known()) read = newest(op);
    }
    return kUnrecorded;
  }

  const Facts& facts_;
  const Anomaly& anomaly_;
};

}  // namespace

Result<void> verify_order(const TransactionHistory& history, std::span<const TransactionId> order,
                          const OrderClaims& claims) {
  std::vector<char> in(history.transactions.size(), 0);
  PlainDatabase database(history);
  std::map<uint32_t, std::pair<int64_t, TransactionId>> last_of_process;
  int64_t latest_begin = INT64_MIN;
  for (const TransactionId id : order) {
    if (id >= in.size() || in[id]) return untrue("the order has a transaction twice, or no such");
    in[id] = 1;
    const Transaction& transaction = history.transactions[id];
    if (transaction.outcome == Outcome::kFailed) return untrue(t(id) + " failed");
    if (!database.apply(id)) return untrue(t(id) + " did not read that in this order");
    if (claims.real_time && transaction.ok() && transaction.end < latest_begin &&
        !RINGSIDE_BUG(serial_orders_have_no_clock))
      return untrue(t(id) + " had ended before one began that the order has earlier");
    latest_begin = std::max(latest_begin, transaction.begin);
    if (!claims.processes) continue;
    // One of unknown outcome may take effect late, but not before those that its process had
    // finished.
    const std::pair place(transaction.begin, id);
    auto& last = last_of_process.try_emplace(transaction.process, place).first->second;
    if (transaction.ok() && place < last)
      return untrue(t(id) + " is later in the order than its process made it");
    last = std::max(last, place);
  }
  for (TransactionId id = 0; id < in.size(); ++id) {
    if (history.transactions[id].ok() && !in[id]) return untrue(t(id) + " is missing");
  }
  return {};
}

Result<void> verify_anomaly(const TransactionHistory& history, const Anomaly& anomaly,
                            const DependencyOptions& options) {
  const Facts facts(history, options);
  if (!is_cycle(anomaly.kind)) {
    if (anomaly.transactions.empty()) return untrue("nobody shows it");
    return LinearClaim(facts, anomaly).true_of_history()
               ? Result<void>()
               : untrue(std::string("not ") + anomaly_name(anomaly.kind));
  }
  const std::size_t length = anomaly.transactions.size();
  if (length < 2 || anomaly.edges.size() != length) return untrue("no cycle");
  std::vector<TransactionId> sorted = anomaly.transactions;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end())
    return untrue("a transaction comes twice");
  for (std::size_t i = 0; i < length; ++i) {
    const TransactionId from = anomaly.transactions[i], to = anomaly.transactions[(i + 1) % length];
    if (!facts.edge(anomaly.edges[i], from, to))
      return untrue("no " + std::string(edge_name(anomaly.edges[i])) + " from " + t(from) + " to " +
                    t(to));
  }
  if (!is_of_class(anomaly.kind, anomaly.edges))
    return untrue(std::string("the edges are not those of ") + anomaly_name(anomaly.kind));
  return {};
}

}  // namespace ringside::isolation
