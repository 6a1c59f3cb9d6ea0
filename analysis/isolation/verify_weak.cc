#include <algorithm>

#include "analysis/isolation/facts.h"
#include "analysis/isolation/verify.h"

namespace ringside::isolation {
namespace {

class WeakClaims {
 public:
  WeakClaims(const Facts& facts, WeakLevel level) : facts_(facts), level_(level) {}

  bool respects_sessions() const {
    return level_ <= WeakLevel::kCausal || level_ == WeakLevel::kMonotonicWrites;
  }
  bool session(TransactionId a, TransactionId b) const {
    return facts_.process(a, b) && facts_.history().transactions[b].ok();
  }

  // `reader` read `object` from `version` (kNoTransaction: what nobody wrote) while `writer`, who
  // also wrote it, was visible.
  bool demand(TransactionId writer, TransactionId version, const WeakWitness::Demand& by) const {
    if (writer == version || writer == by.reader) return false;
    if (!facts_.happened(writer) || !facts_.wrote(writer, by.object)) return false;
    const std::span<const Op> ops = facts_.history().ops_of(by.reader);
    if (!facts_.history().transactions[by.reader].ok()) return false;
    bool read_from_writer = false;  // so far
    for (const Op& op : ops) {
      if (op.object == by.object && op.read_known() && returns(op, version)) {
        if (level_ == WeakLevel::kReadCommitted ? read_from_writer : visible(writer, by.reader))
          return true;
      }
      read_from_writer |= !op.writes() && facts_.reads_from(op, writer);
    }
    return false;
  }

 private:
  bool returns(const Op& read, TransactionId version) const {
    if (version != kNoTransaction) return facts_.reads_from(read, version);
    return read.kind == OpKind::kReadList ? read.list_count == 0 : read.value == kInitialValue;
  }
  bool visible(TransactionId a, TransactionId b) const {
    switch (level_) {
      case WeakLevel::kReadCommitted: return false;
      case WeakLevel::kReadAtomic: return session(a, b) || facts_.write_read(a, b);
      case WeakLevel::kCausal: return leads(a, b);
      case WeakLevel::kReadYourWrites: return session(a, b);
      case WeakLevel::kMonotonicReads:
        return some([&](TransactionId c) { return facts_.write_read(a, c) && session(c, b); });
      case WeakLevel::kMonotonicWrites:
        return some([&](TransactionId c) { return session(a, c) && facts_.write_read(c, b); });
      case WeakLevel::kWritesFollowReads:
        return some([&](TransactionId d) {
          return facts_.write_read(d, b) && some([&](TransactionId c) {
                   return facts_.write_read(a, c) && (c == d || session(c, d));
                 });
        });
    }
    return false;
  }
  template <class Test>
  bool some(Test&& test) const {
    for (TransactionId id = 0; id < facts_.history().transactions.size(); ++id) {
      if (test(id)) return true;
    }
    return false;
  }
  // By sessions and reads.
  bool leads(TransactionId a, TransactionId b) const {
    std::vector<TransactionId> reached = {a};
    std::vector<char> seen(facts_.history().transactions.size(), 0);
    for (std::size_t i = 0; i < reached.size(); ++i) {
      for (TransactionId next = 0; next < seen.size(); ++next) {
        if (seen[next] || !(session(reached[i], next) || facts_.write_read(reached[i], next)))
          continue;
        if (next == b) return true;
        seen[next] = 1;
        reached.push_back(next);
      }
    }
    return false;
  }

  const Facts& facts_;
  const WeakLevel level_;
};

}  // namespace

Result<void> verify_weak(const TransactionHistory& history, WeakLevel level,
                         const WeakWitness& witness) {
  const DependencyOptions options;
  const Facts facts(history, options);
  const WeakClaims claims(facts, level);
  const std::size_t length = witness.transactions.size();
  if (length == 0 || witness.edges.size() != length || witness.demands.size() != length)
    return Error{Code::kInvalid, "no witness"};
  for (std::size_t i = 0; i < length; ++i) {
    const TransactionId from = witness.transactions[i];
    const TransactionId to = length == 1 ? kNoTransaction : witness.transactions[(i + 1) % length];
    bool holds = false;
    switch (witness.edges[i]) {
      case EdgeKind::kProcess:
        holds = claims.respects_sessions() && claims.session(from, to);
        break;
      case EdgeKind::kArbitration: holds = claims.demand(from, to, witness.demands[i]); break;
      case EdgeKind::kWriteWrite:
      case EdgeKind::kWriteRead:
        holds = to != kNoTransaction && facts.edge(witness.edges[i], from, to);
        break;
      default: break;
    }
    if (!holds)
      return Error{Code::kInvalid, "no " + std::string(edge_name(witness.edges[i])) + " from T" +
                                       std::to_string(from)};
  }
  return {};
}

}  // namespace ringside::isolation
