#include "analysis/isolation/sessions_view.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <numeric>

namespace ringside::isolation {
namespace {

// Whose version a read returned: kNoTransaction when it says nothing here.
TransactionId read_from_whom(const TransactionHistory& history, const Versions& versions,
                             uint32_t read) {
  const Op& op = history.ops[read];
  uint32_t write = kInitialOp;
  if (op.kind == OpKind::kReadList) {
    const std::span<const uint32_t> order = versions.order(op.object);
    const std::span<const Value> longest = history.list(history.ops[versions.longest(op.object)]);
    const std::span<const Value> list = history.list(op);
    if (!std::ranges::equal(list, longest.first(list.size()))) return kNoTransaction;
    if (!list.empty()) write = order[list.size() - 1];
    if (write < kInitialOp && versions.link(write) != list.size() - 1) return kNoTransaction;
  } else {
    write = versions.link(read);
  }
  if (write == kInitialOp) return kInitialTransaction;
  if (write == kNoOp || !versions.committed(versions.owner(write))) return kNoTransaction;
  const TransactionId from = versions.owner(write);
  return from != versions.owner(read) && !versions.final(write) ? kNoTransaction : from;
}

}  // namespace

SessionsView::SessionsView(const TransactionHistory& history, const Versions& versions)
    : session_(history.transactions.size(), UINT32_MAX), index_(history.transactions.size(), 0) {
  std::vector<TransactionId> by_begin(history.transactions.size());
  std::iota(by_begin.begin(), by_begin.end(), 0);
  std::ranges::sort(by_begin, {}, [&](TransactionId id) {
    return std::pair(history.transactions[id].begin, id);
  });
  absl::flat_hash_map<uint32_t, uint32_t> session_of;  // looked up, never walked
  for (const TransactionId id : by_begin) {
    if (!versions.committed(id)) continue;
    uint32_t session = static_cast<uint32_t>(sessions_.size());
    if (history.transactions[id].ok())
      session = session_of.try_emplace(history.transactions[id].process, session).first->second;
    if (session == sessions_.size()) sessions_.emplace_back();
    session_[id] = session;
    index_[id] = static_cast<uint32_t>(sessions_[session].size());
    if (index_[id] > 0) session_order_.push_back({sessions_[session].back(), id});
    sessions_[session].push_back(id);
  }

  read_begin_.push_back(0);
  written_begin_.push_back(0);
  for (TransactionId id = 0; id < history.transactions.size(); ++id) {
    const Transaction& transaction = history.transactions[id];
    for (uint32_t op = transaction.op_begin;
         versions.committed(id) && op < transaction.op_begin + transaction.op_count; ++op) {
      if (history.ops[op].writes()) {
        written_.push_back(history.ops[op].object);
        continue;
      }
      if (!transaction.ok() || !history.ops[op].read_known()) continue;
      const TransactionId from = read_from_whom(history, versions, op);
      if (from == kNoTransaction || from == id) continue;
      reads_.push_back({history.ops[op].object, from});
      if (from != kInitialTransaction) read_from_.push_back({from, id});
    }
    read_begin_.push_back(static_cast<uint32_t>(reads_.size()));
    const auto begin = written_.begin() + written_begin_.back();
    std::sort(begin, written_.end());
    written_.erase(std::unique(begin, written_.end()), written_.end());
    written_begin_.push_back(static_cast<uint32_t>(written_.size()));
    for (const ObjectId object : written(id))
      writers_.push_back({object, session_[id], index_[id], id});
  }
  std::ranges::sort(writers_);
  writer_begin_.assign(history.objects.size() + 1, 0);
  for (const Writer& writer : writers_) ++writer_begin_[writer.object + 1];
  for (std::size_t i = 1; i < writer_begin_.size(); ++i) writer_begin_[i] += writer_begin_[i - 1];
  order_versions(history, versions);
}

// What the history itself says of the order of versions, at any level: the order within lists, and
// recorded replacements.
void SessionsView::order_versions(const TransactionHistory& history, const Versions& versions) {
  const auto add = [&](TransactionId from, TransactionId to) {
    if (from != kNoTransaction && from != to) version_order_.push_back({from, to});
  };
  for (ObjectId object = 0; object < history.objects.size(); ++object) {
    TransactionId last = kNoTransaction;
    const std::span<const uint32_t> order = versions.order(object);
    for (std::size_t i = 0; i < order.size(); ++i) {
      if (order[i] == kNoOp || versions.link(order[i]) != i) continue;
      const TransactionId writer = versions.owner(order[i]);
      if (!versions.committed(writer)) continue;
      add(last, writer);
      last = writer;
    }
    for (const Touch& touch : versions.touches(object)) {
      const Op& op = history.ops[touch.op];
      if (!op.writes() || !versions.committed(touch.transaction)) continue;
      const uint32_t link = versions.link(touch.op);
      if (op.kind == OpKind::kAppend && link == kNoOp) add(last, touch.transaction);
      if (op.kind == OpKind::kWrite && link < kInitialOp &&
          versions.committed(versions.owner(link)))
        add(versions.owner(link), touch.transaction);
    }
  }
}

bool SessionsView::writes(TransactionId id, ObjectId object) const {
  return std::ranges::binary_search(written(id), object);
}

std::span<const SessionsView::Writer> SessionsView::writers(ObjectId object) const {
  return {writers_.data() + writer_begin_[object],
          writer_begin_[object + 1] - writer_begin_[object]};
}

std::span<const SessionsView::Writer> SessionsView::writers(ObjectId object, uint32_t session,
                                                            uint32_t before) const {
  const std::span<const Writer> all = writers(object);
  const auto first = std::ranges::lower_bound(all, Writer{object, session, 0, 0});
  return {first, std::ranges::lower_bound(first, all.end(), Writer{object, session, before, 0})};
}

TransactionId SessionsView::last_writer(ObjectId object, uint32_t session, uint32_t before) const {
  const std::span<const Writer> all = writers(object);
  const auto after = std::ranges::lower_bound(all, Writer{object, session, before, 0});
  if (after == all.begin() || std::prev(after)->session != session) return kNoTransaction;
  return std::prev(after)->id;
}

}  // namespace ringside::isolation
