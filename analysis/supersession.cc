#include "analysis/supersession.h"

#include <algorithm>
#include <map>

namespace ringside {

// Ids are (process, counter), and counters are dense: a table a process finds a value by two
// subtractions.
Supersession::Supersession(const History& history)
    : history_(history), mark_(history.operations.size()) {
  struct Range {
    uint64_t first = UINT64_MAX, last = 0, puts = 0;
  };
  std::map<uint32_t, Range> ranges;
  Range* range = nullptr;
  uint32_t high = 0;
  for (const Operation& op : history.operations) {
    if (!op.is_put()) continue;
    if (range == nullptr || high != op.id >> 32) {
      high = static_cast<uint32_t>(op.id >> 32);
      range = &ranges[high];
    }
    range->first = std::min(range->first, op.id);
    range->last = std::max(range->last, op.id);
    ++range->puts;
  }
  for (const auto& [number, found] : ranges) {
    Process process{number, found.first, {}, {}};
    const uint64_t span = found.last - found.first + 1;
    if (span <= 64 * found.puts + 1024) process.table.resize(span, kNoOperation);
    processes_.push_back(std::move(process));
  }
  for (std::size_t i = 0; i < history.operations.size(); ++i) {
    const Operation& op = history.operations[i];
    if (!op.is_put()) continue;
    Process& process = *find(static_cast<uint32_t>(op.id >> 32));
    if (process.table.empty()) {
      process.sparse.push_back({op.id, static_cast<uint32_t>(i)});
    } else {
      process.table[op.id - process.first] = static_cast<uint32_t>(i);
    }
  }
  for (Process& process : processes_) std::ranges::sort(process.sparse);
}

Supersession::Process* Supersession::find(uint32_t high) {
  return const_cast<Process*>(std::as_const(*this).find(high));
}
const Supersession::Process* Supersession::find(uint32_t high) const {
  const auto process = std::ranges::lower_bound(processes_, high, {}, &Process::high);
  return process == processes_.end() || process->high != high ? nullptr : &*process;
}

uint32_t Supersession::put_of(ValueId value) const {
  const Process* process = find(static_cast<uint32_t>(value >> 32));
  if (process == nullptr || value < process->first) return kNoOperation;
  if (process->table.empty()) {
    const auto entry = std::ranges::lower_bound(process->sparse, std::pair{value, 0u});
    return entry == process->sparse.end() || entry->first != value ? kNoOperation : entry->second;
  }
  const uint64_t offset = value - process->first;
  return offset < process->table.size() ? process->table[offset] : kNoOperation;
}

void Supersession::begin_walk() {
  if (++walk_ == 0) {  // 2^32 walks: start counting again
    std::ranges::fill(mark_, 0);
    walk_ = 1;
  }
  stack_.clear();
}

void Supersession::find_chains() {
  chain_.resize(history_.operations.size(), kNoOperation);
  std::vector<bool> replaced(history_.operations.size());
  for (uint32_t i = 0; i < history_.operations.size(); ++i) {
    const Operation& op = history_.operations[i];
    if (!op.is_put()) continue;
    chain_[i] = i;
    for (const ValueId id : history_.ids_of(op)) {
      const uint32_t put = put_of(id);
      if (put == kNoOperation || put >= i || replaced[put]) continue;
      replaced[put] = true;  // by at most one: a chain does not branch
      chain_[i] = chain_[put];
      break;
    }
  }
}

bool Supersession::covered(std::span<const ValueId> present, ValueId value) {
  if (std::ranges::find(present, value) != present.end()) return true;
  const uint32_t target = put_of(value);
  if (target == kNoOperation) return false;
  if (chain_.empty()) find_chains();
  begin_walk();
  // A context covers only what was invoked before it: operations are in that order, so older ones
  // lead nowhere.
  auto visit = [this, target](ValueId id) {
    const uint32_t put = put_of(id);
    if (put == kNoOperation || put < target || mark_[put] == walk_) return false;
    if (chain_[put] == chain_[target]) return true;
    mark_[put] = walk_;
    stack_.push_back(put);
    return false;
  };
  for (const ValueId id : present) {
    if (visit(id)) return true;
  }
  while (!stack_.empty()) {
    const uint32_t put = stack_.back();
    stack_.pop_back();
    for (const ValueId id : history_.ids_of(history_.operations[put])) {
      if (visit(id)) return true;
    }
  }
  return false;
}

void Supersession::mark_covered(std::span<const ValueId> present) {
  begin_walk();
  auto visit = [this](ValueId id) {
    const uint32_t put = put_of(id);
    if (put == kNoOperation || mark_[put] == walk_) return;
    mark_[put] = walk_;
    stack_.push_back(put);
  };
  for (const ValueId id : present) visit(id);
  while (!stack_.empty()) {
    const uint32_t put = stack_.back();
    stack_.pop_back();
    for (const ValueId id : history_.ids_of(history_.operations[put])) visit(id);
  }
}

bool Supersession::is_marked(ValueId value) const {
  const uint32_t put = put_of(value);
  return put != kNoOperation && mark_[put] == walk_;
}

std::vector<Time> Supersession::first_seen() const {
  std::vector<Time> seen(history_.operations.size(), kNever);
  for (std::size_t i = 0; i < history_.operations.size(); ++i) {
    const Operation& op = history_.operations[i];
    if (!op.ok()) continue;
    if (op.is_put()) {
      seen[i] = std::min(seen[i], op.finished);
      continue;
    }
    for (const ValueId id : history_.ids_of(op)) {
      const uint32_t put = put_of(id);
      if (put != kNoOperation) seen[put] = std::min(seen[put], op.finished);
    }
  }
  return seen;
}

}  // namespace ringside
