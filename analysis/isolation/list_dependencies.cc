#include <algorithm>

#include "analysis/isolation/dependencies.h"
#include "runtime/bug.h"

namespace ringside::isolation {
namespace {

class ListObject {
 public:
  ListObject(const TransactionHistory& history, const Versions& versions, Dependencies& into)
      : history_(history), versions_(versions), into_(into) {}

  void judge(ObjectId object) {
    object_ = object;
    touches_ = versions_.touches(object);
    order_ = versions_.order(object);
    longest_ = versions_.longest(object) == kNoOp
                   ? std::span<const Value>()
                   : history_.list(history_.ops[versions_.longest(object)]);
    full_readers_.clear();
    unread_.clear();
    updater_.assign(order_.size() + 1, kNoTransaction);
    walk_order();
    for (std::size_t i = 0; i < touches_.size();) {
      std::size_t end = i + 1;
      while (end < touches_.size() && touches_[end].transaction == touches_[i].transaction) ++end;
      judge_run(touches_.subspan(i, end - i));
      i = end;
    }
    if (unread_.empty()) return;
    std::ranges::sort(unread_);
    if (last_writer_ != kNoTransaction)
      into_.add_all(EdgeKind::kWriteWrite, {&last_writer_, 1}, unread_);
    if (RINGSIDE_BUG(unread_appends_follow_nobody)) return;
    into_.add_all(EdgeKind::kReadWrite, full_readers_, unread_);
  }

 private:
  // The committed transaction that appended the element at this position.
  TransactionId writer_at(std::size_t position) const {
    const uint32_t op = order_[position];
    if (op == kNoOp || versions_.link(op) != position) return kNoTransaction;  // nobody's, or twice
    const TransactionId id = versions_.owner(op);
    return versions_.committed(id) ? id : kNoTransaction;
  }

  void walk_order() {
    last_writer_ = kNoTransaction;
    uint32_t failed = kNoOp;
    bad_from_ = order_.size();
    for (std::size_t i = 0; i < order_.size(); ++i) {
      const uint32_t op = order_[i];
      const TransactionId longest_reader = versions_.owner(versions_.longest(object_));
      if (op != kNoOp && versions_.link(op) != i)
        into_.report(AnomalyKind::kDuplicateElements, object_, longest_[i], {longest_reader});
      const TransactionId writer = writer_at(i);
      if (writer == kNoTransaction) {
        bad_from_ = std::min(bad_from_, i);
        if (op != kNoOp && versions_.link(op) == i) failed = op;
        continue;
      }
      if (failed != kNoOp) {
        into_.report(AnomalyKind::kDirtyUpdate, object_, history_.ops[failed].value,
                     {writer, versions_.owner(failed)});
        failed = kNoOp;
      }
      if (last_writer_ != kNoTransaction && !RINGSIDE_BUG(list_writes_have_no_order))
        into_.add(EdgeKind::kWriteWrite, last_writer_, writer);
      last_writer_ = writer;
    }
    next_writer_.assign(order_.size() + 1, kNoTransaction);
    for (std::size_t i = order_.size(); i-- > 0;) {
      const TransactionId writer = writer_at(i);
      next_writer_[i] = writer == kNoTransaction ? next_writer_[i + 1] : writer;
    }
  }

  // All that one transaction did to the list.
  void judge_run(std::span<const Touch> run) {
    const TransactionId id = run.front().transaction;
    if (!versions_.committed(id)) return;
    bool unread = false, touched = false, updates = false;
    uint32_t read_before = kNoOp;  // what it did first, if it fits
    uint32_t appended = kNoOp;
    for (const Touch& touch : run) {
      const Op& op = history_.ops[touch.op];
      if (op.kind == OpKind::kAppend) {
        unread |= versions_.link(touch.op) == kNoOp;
        if (appended != kNoOp) check_own_order(id, appended, touch.op);
        appended = touch.op;
        updates |= read_before != kNoOp;
        touched = true;
      } else if (op.read_known() && history_.transactions[id].ok()) {
        if (judge_read(id, op) && !touched) read_before = touch.op;
        touched = true;
      }
    }
    if (unread) unread_.push_back(id);
    if (run.size() > 1 && history_.transactions[id].ok()) check_internal(run);
    if (!updates) return;
    TransactionId& first = updater_[history_.ops[read_before].list_count];
    if (first == kNoTransaction)
      first = id;
    else if (!RINGSIDE_BUG(lists_may_lose_updates))
      into_.report(AnomalyKind::kLostUpdate, object_, kInitialValue, {id, first});
  }

  // Elements of one transaction are in the list in its order; what was not read comes last.
  void check_own_order(TransactionId id, uint32_t first, uint32_t second) {
    if (versions_.link(second) == kNoOp || versions_.link(first) < versions_.link(second)) return;
    into_.report(AnomalyKind::kIncompatibleOrder, object_, history_.ops[second].value,
                 {versions_.owner(versions_.longest(object_)), id});
  }

  bool prefix_of_longest(std::span<const Value> list) const {
    return list.size() <= longest_.size() && std::ranges::equal(list, longest_.first(list.size()));
  }

  // False when it fits no order of the versions.
  bool judge_read(TransactionId reader, const Op& op) {
    const std::span<const Value> list = history_.list(op);
    if (!prefix_of_longest(list)) {
      into_.report(AnomalyKind::kIncompatibleOrder, object_, kInitialValue,
                   {reader, versions_.owner(versions_.longest(object_))});
      judge_elements(reader, list);
      return false;
    }
    if (list.size() > bad_from_) judge_elements(reader, list);
    if (!list.empty()) {
      const uint32_t last = order_[list.size() - 1];
      const TransactionId writer = writer_at(list.size() - 1);
      if (writer != kNoTransaction && writer != reader) {
        if (!RINGSIDE_BUG(list_reads_follow_nobody))
          into_.add(EdgeKind::kWriteRead, writer, reader);
        if (!versions_.final(last) && !RINGSIDE_BUG(middle_appends_may_be_read))
          into_.report(AnomalyKind::kG1b, object_, list.back(), {reader, writer});
      }
    }
    const TransactionId next = next_writer_[list.size()];
    if (next != kNoTransaction && !RINGSIDE_BUG(list_reads_precede_nobody))
      into_.add(EdgeKind::kReadWrite, reader, next);
    else if (full_readers_.empty() || full_readers_.back() != reader)
      full_readers_.push_back(reader);
    return true;
  }

  // The slow way, for a read of which something is known to be wrong.
  void judge_elements(TransactionId reader, std::span<const Value> list) {
    std::vector<Value> sorted(list.begin(), list.end());
    std::ranges::sort(sorted);
    const auto twice = std::ranges::adjacent_find(sorted);
    if (twice != sorted.end() && !prefix_of_longest(list))
      into_.report(AnomalyKind::kDuplicateElements, object_, *twice, {reader});
    for (const Value value : list) {
      const uint32_t op = versions_.writer_of(object_, value);
      const TransactionId writer = op == kNoOp ? kNoTransaction : versions_.owner(op);
      if (op == kNoOp) {
        into_.report(AnomalyKind::kGarbageRead, object_, value, {reader});
      } else if (history_.transactions[writer].outcome == Outcome::kFailed &&
                 !RINGSIDE_BUG(failed_appends_may_be_read)) {
        into_.report(AnomalyKind::kG1a, object_, value, {reader, writer});
      } else {
        continue;
      }
      return;
    }
  }

  // A read is what the transaction read before and has appended since; after appends alone, it ends
  // with them; and it holds nothing that the transaction has yet to append.
  void check_internal(std::span<const Touch> run) {
    expected_.clear();
    bool whole = false;  // expected_ is all of the list, not just its end
    std::size_t longest_read = 0;
    for (const Touch& touch : run) {
      const Op& op = history_.ops[touch.op];
      if (op.kind == OpKind::kAppend) {
        const uint32_t place = versions_.link(touch.op);
        if (place != kNoOp && place < longest_read)  // it was read before it was appended
          into_.report(AnomalyKind::kInternal, object_, op.value, {touch.transaction});
        expected_.push_back(op.value);
        continue;
      }
      if (!op.read_known()) continue;
      const std::span<const Value> list = history_.list(op);
      const bool as_expected = whole
                                   ? std::ranges::equal(list, expected_)
                                   : list.size() >= expected_.size() &&
                                         std::ranges::equal(list.last(expected_.size()), expected_);
      if (!as_expected)
        into_.report(AnomalyKind::kInternal, object_, kInitialValue, {touch.transaction});
      if (prefix_of_longest(list)) longest_read = std::max(longest_read, list.size());
      expected_.assign(list.begin(), list.end());
      whole = true;
    }
  }

  const TransactionHistory& history_;
  const Versions& versions_;
  Dependencies& into_;
  ObjectId object_ = 0;
  std::span<const Touch> touches_;
  std::span<const uint32_t> order_;
  std::span<const Value> longest_;
  std::size_t bad_from_ = 0;  // the first position that no committed transaction filled
  TransactionId last_writer_ = kNoTransaction;
  std::vector<TransactionId> next_writer_;   // by position: the first writer from there on
  std::vector<TransactionId> updater_;       // by position: read so far, then appended
  std::vector<TransactionId> full_readers_;  // nothing that was read came after
  std::vector<TransactionId> unread_;        // appended what nobody read
  std::vector<Value> expected_;
};

}  // namespace

void depend_on_lists(const TransactionHistory& history, const Versions& versions,
                     Dependencies& into) {
  ListObject list(history, versions, into);
  for (ObjectId object = 0; object < history.objects.size(); ++object) {
    const std::span<const Touch> touches = versions.touches(object);
    if (!touches.empty() && history.ops[touches.front().op].of_list()) list.judge(object);
  }
}

}  // namespace ringside::isolation
