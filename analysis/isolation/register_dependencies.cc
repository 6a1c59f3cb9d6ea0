#include <algorithm>

#include "analysis/isolation/dependencies.h"
#include "analysis/isolation/register_order.h"
#include "runtime/bug.h"

namespace ringside::isolation {
namespace {

class RegisterObject {
 public:
  RegisterObject(const TransactionHistory& history, const Versions& versions,
                 const DependencyOptions& options, Dependencies& into)
      : history_(history), versions_(versions), options_(options), into_(into) {}

  void judge(ObjectId object) {
    object_ = object;
    touches_ = versions_.touches(object);
    order_.begin(object, history_, versions_);
    readers_.clear();
    updaters_.clear();
    for (std::size_t i = 0; i < touches_.size();) {
      std::size_t end = i + 1;
      while (end < touches_.size() && touches_[end].transaction == touches_[i].transaction) ++end;
      judge_run(touches_.subspan(i, end - i));
      i = end;
    }
    find_lost_updates();
    if (options_.sequential_registers) order_.follow_processes();
    if (options_.linearizable_registers) order_.follow_real_time();
    const std::vector<TransactionId> circle = order_.close();
    if (!circle.empty()) {
      // What is in a circle orders nothing: the object has its wr edges alone.
      into_.report(AnomalyKind::kCyclicVersions, object_, kInitialValue,
                   {circle.front(), circle.size() > 1 ? circle[1] : kNoTransaction});
      return;
    }
    add_edges();
  }

 private:
  void judge_run(std::span<const Touch> run) {
    const TransactionId id = run.front().transaction;
    if (!versions_.committed(id)) return;
    const bool ok = history_.transactions[id].ok();
    uint32_t read_before = kNoOp, written = kNoOp;  // what it did first, if it fits; its last write
    bool touched = false;
    Value state = kUnrecorded;
    for (const Touch& touch : run) {
      const Op& op = history_.ops[touch.op];
      if (op.kind == OpKind::kWrite) {
        if (ok) judge_replaced(touch);
        const uint32_t version = order_.version_of_write(touch.op);
        if (written != kNoOp)
          order_.precede(order_.version_of_write(written), version);
        else if (read_before != kNoOp)
          order_.precede(order_.version_of(versions_.link(read_before)), version);
        written = touch.op;
        touched = true;
        state = op.value;
      } else if (op.read_known() && ok) {
        if (state != kUnrecorded && state != op.value)
          into_.report(AnomalyKind::kInternal, object_, op.value, {id});
        const uint32_t write = versions_.link(touch.op);
        if (write < kInitialOp && write > touch.op && versions_.owner(write) == id)  // yet to come
          into_.report(AnomalyKind::kInternal, object_, op.value, {id});
        state = op.value;
        if (judge_read(touch) && !touched) read_before = touch.op;
        touched = true;
      }
    }
    if (read_before != kNoOp && written != kNoOp)
      updaters_.push_back({order_.version_of(versions_.link(read_before)), id});
  }

  // False when nobody whose writes count wrote what was read.
  bool judge_read(const Touch& read) {
    const Value value = history_.ops[read.op].value;
    const uint32_t write = versions_.link(read.op);
    if (write == kNoOp) {
      into_.report(AnomalyKind::kGarbageRead, object_, value, {read.transaction});
      return false;
    }
    if (write != kInitialOp) {
      const TransactionId writer = versions_.owner(write);
      if (!versions_.committed(writer)) {
        into_.report(AnomalyKind::kG1a, object_, value, {read.transaction, writer});
        return false;
      }
      if (writer != read.transaction) {
        into_.add(EdgeKind::kWriteRead, writer, read.transaction);
        if (!versions_.final(write))
          into_.report(AnomalyKind::kG1b, object_, value, {read.transaction, writer});
      }
    }
    readers_.push_back({order_.version_of(write), read.transaction});
    return true;
  }

  void judge_replaced(const Touch& write) {
    const Op& op = history_.ops[write.op];
    if (op.replaced == kUnrecorded || RINGSIDE_BUG(replacements_order_nothing)) return;
    const uint32_t before = versions_.link(write.op);
    if (before == kNoOp) {
      into_.report(AnomalyKind::kGarbageRead, object_, op.replaced, {write.transaction});
      return;
    }
    if (before != kInitialOp && !versions_.committed(versions_.owner(before))) {
      into_.report(AnomalyKind::kDirtyUpdate, object_, op.replaced,
                   {write.transaction, versions_.owner(before)});
      return;
    }
    const uint32_t other = order_.replace(order_.version_of(before), write.op);
    if (other != kNoOp)  // a version has one successor
      into_.report(AnomalyKind::kIncompatibleOrder, object_, op.replaced,
                   {write.transaction, versions_.owner(other)});
  }

  void find_lost_updates() {
    std::ranges::sort(updaters_);
    for (std::size_t i = 1; i < updaters_.size(); ++i) {
      if (updaters_[i].version != updaters_[i - 1].version) continue;
      const uint32_t op = order_.write_of(updaters_[i].version);
      into_.report(AnomalyKind::kLostUpdate, object_,
                   op == kInitialOp ? kInitialValue : history_.ops[op].value,
                   {updaters_[i].transaction, updaters_[i - 1].transaction});
    }
  }

  void add_edges() {
    std::ranges::sort(readers_);
    std::size_t next = 0;
    for (uint32_t version = 0; version < order_.versions(); ++version) {
      sources_.clear();
      for (; next < readers_.size() && readers_[next].version == version; ++next) {
        if (sources_.empty() || sources_.back() != readers_[next].transaction)
          sources_.push_back(readers_[next].transaction);
      }
      targets_.clear();
      for (const uint32_t after : order_.after(version))
        targets_.push_back(versions_.owner(order_.write_of(after)));
      std::ranges::sort(targets_);
      targets_.erase(std::unique(targets_.begin(), targets_.end()), targets_.end());
      into_.add_all(EdgeKind::kReadWrite, sources_, targets_);
      if (version == 0) continue;
      const TransactionId writer = versions_.owner(order_.write_of(version));
      into_.add_all(EdgeKind::kWriteWrite, {&writer, 1}, targets_);
    }
  }

  struct VersionUse {
    uint32_t version;
    TransactionId transaction;
    auto operator<=>(const VersionUse&) const = default;
  };

  const TransactionHistory& history_;
  const Versions& versions_;
  const DependencyOptions& options_;
  Dependencies& into_;
  ObjectId object_ = 0;
  std::span<const Touch> touches_;
  RegisterOrder order_;
  std::vector<VersionUse> readers_, updaters_;
  std::vector<TransactionId> sources_, targets_;
};

}  // namespace

void depend_on_registers(const TransactionHistory& history, const Versions& versions,
                         const DependencyOptions& options, Dependencies& into) {
  RegisterObject one(history, versions, options, into);
  for (ObjectId object = 0; object < history.objects.size(); ++object) {
    const std::span<const Touch> touches = versions.touches(object);
    if (!touches.empty() && !history.ops[touches.front().op].of_list()) one.judge(object);
  }
}

}  // namespace ringside::isolation
