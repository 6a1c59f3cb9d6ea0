#include "analysis/isolation/versions.h"

#include <algorithm>

namespace ringside::isolation {

Versions::Versions(const TransactionHistory& history)
    : history_(history),
      longest_(history.objects.size(), kNoOp),
      link_(history.ops.size(), kNoOp),
      owner_(history.ops.size()),
      final_(history.ops.size(), 0),
      committed_(history.transactions.size()) {
  group();
  order_begin_.push_back(0);
  for (ObjectId object = 0; object < history.objects.size(); ++object) {
    const std::span<const Touch> all = touches(object);
    if (!all.empty()) {
      find_writes(object);
      if (history.ops[all.front().op].of_list())
        order_list(object);
      else
        link_register(object);
    }
    order_begin_.push_back(static_cast<uint32_t>(order_.size()));
  }
}

void Versions::group() {
  begin_.assign(history_.objects.size() + 1, 0);
  for (const Op& op : history_.ops) ++begin_[op.object + 1];
  for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
  touches_.resize(history_.ops.size());
  std::vector<uint32_t> next(begin_.begin(), begin_.end() - 1);
  for (TransactionId id = 0; id < history_.transactions.size(); ++id) {
    const Transaction& transaction = history_.transactions[id];
    committed_[id] = transaction.ok();
    for (uint32_t i = 0; i < transaction.op_count; ++i) {
      const uint32_t op = transaction.op_begin + i;
      owner_[op] = id;
      touches_[next[history_.ops[op].object]++] = {id, op};
    }
  }
}

void Versions::find_writes(ObjectId object) {
  writes_.clear();
  hint_ = 0;
  const std::span<const Touch> all = touches(object);
  TransactionId later = kNoTransaction;  // whose write comes after
  for (std::size_t i = all.size(); i-- > 0;) {
    const Op& op = history_.ops[all[i].op];
    if (!op.writes()) continue;
    final_[all[i].op] = all[i].transaction != later;
    later = all[i].transaction;
    writes_.push_back({op.value, all[i].op});
  }
  std::ranges::reverse(writes_);
  if (!std::ranges::is_sorted(writes_, {}, &Write::value))
    std::ranges::sort(writes_, {}, &Write::value);
}

uint32_t Versions::find(Value value) {
  if (hint_ < writes_.size() && writes_[hint_].value == value) return writes_[hint_++].op;
  const auto at = std::ranges::lower_bound(writes_, value, {}, &Write::value);
  if (at == writes_.end() || at->value != value) return kNoOp;
  hint_ = static_cast<std::size_t>(at - writes_.begin()) + 1;
  return at->op;
}

uint32_t Versions::writer_of(ObjectId object, Value value) const {
  for (const Touch& touch : touches(object)) {
    const Op& op = history_.ops[touch.op];
    if (op.writes() && op.value == value) return touch.op;
  }
  return kNoOp;
}

void Versions::order_list(ObjectId object) {
  uint32_t& longest = longest_[object];
  for (const Touch& touch : touches(object)) {
    const Op& op = history_.ops[touch.op];
    if (!op.read_known() || !history_.transactions[touch.transaction].ok()) continue;
    if (longest == kNoOp || op.list_count > history_.ops[longest].list_count) longest = touch.op;
  }
  if (longest == kNoOp) return;
  const uint32_t begin = static_cast<uint32_t>(order_.size());
  for (const Value value : history_.list(history_.ops[longest])) {
    const uint32_t op = find(value);
    if (op != kNoOp && link_[op] == kNoOp) link_[op] = static_cast<uint32_t>(order_.size()) - begin;
    observe(op);
    order_.push_back(op);
  }
}

void Versions::link_register(ObjectId object) {
  for (const Touch& touch : touches(object)) {
    const Op& op = history_.ops[touch.op];
    if (!history_.transactions[touch.transaction].ok()) continue;
    const Value version = op.kind == OpKind::kWrite ? op.replaced : op.value;
    if (version == kUnrecorded) continue;
    link_[touch.op] = version == kInitialValue ? kInitialOp : find(version);
    observe(link_[touch.op]);
  }
}

}  // namespace ringside::isolation
