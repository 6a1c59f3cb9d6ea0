#include "bench/judge_histories.h"

#include <algorithm>
#include <set>

#include "runtime/random.h"

namespace ringside::bench {
namespace {

constexpr uint64_t kThink = 1000;  // ns, at most; and so long an operation takes at most

struct Span {
  Time begin, end;
  uint32_t client;
};

std::vector<Span> spans(uint64_t operations, uint64_t clients, Random& random) {
  std::vector<Time> free(clients);
  std::vector<Span> all;
  for (uint64_t i = 0; i < operations; ++i) {
    const auto client = static_cast<uint32_t>(i % clients);
    const Time begin = free[client] + static_cast<Time>(random.below(kThink));
    free[client] = begin + 1 + static_cast<Time>(random.below(kThink));
    all.push_back({begin, free[client], client});
  }
  std::ranges::sort(all, {}, &Span::begin);
  return all;
}

// The order in which they take effect.
std::vector<uint32_t> effects(const std::vector<Span>& spans, Random& random) {
  std::vector<std::pair<Time, uint32_t>> points;
  for (uint32_t i = 0; i < spans.size(); ++i) {
    const auto length = static_cast<uint64_t>(spans[i].end - spans[i].begin + 1);
    points.emplace_back(spans[i].begin + static_cast<Time>(random.below(length)), i);
  }
  std::ranges::sort(points);
  std::vector<uint32_t> order;
  for (const auto& [at, i] : points) order.push_back(i);
  return order;
}

Call general_call(ModelKind model, Random& random) {
  Call call;
  const uint64_t draw = random.below(100);
  call.value = 1 + random.below(5);
  switch (model) {
    case ModelKind::kRegister:
      call.act = draw < 50   ? Act::kRead
                 : draw < 70 ? Act::kWrite
                 : draw < 80 ? Act::kDelete
                             : Act::kCompareAndSet;
      call.expected = 1 + random.below(5);
      if (call.act == Act::kDelete) call.value = kAbsent;
      break;
    case ModelKind::kCounter: call.act = draw < 50 ? Act::kRead : Act::kAdd; break;
    case ModelKind::kSet:
      call.act = draw < 50 ? Act::kReadAll : draw < 80 ? Act::kAdd : Act::kRemove;
      break;
    case ModelKind::kQueue: call.act = draw < 50 ? Act::kDequeue : Act::kEnqueue; break;
  }
  return call;
}

struct Object {
  uint64_t number = 0;
  std::set<uint64_t> set;
  std::vector<uint64_t> queue;
};

void take_effect(Object& object, Calls& calls, Call& call) {
  switch (call.act) {
    case Act::kRead: call.value = object.number; break;
    case Act::kWrite:
    case Act::kDelete: object.number = call.value; break;
    case Act::kCompareAndSet:
      call.applied = object.number == call.expected;
      if (call.applied) object.number = call.value;
      break;
    case Act::kAdd:
      object.number += call.value;
      object.set.insert(call.value);
      break;
    case Act::kRemove: object.set.erase(call.value); break;
    case Act::kReadAll:
      call.list_begin = static_cast<uint32_t>(calls.lists.size());
      call.list_count = static_cast<uint32_t>(object.set.size());
      calls.lists.insert(calls.lists.end(), object.set.begin(), object.set.end());
      break;
    case Act::kEnqueue: object.queue.push_back(call.value); break;
    case Act::kDequeue:
      call.value = object.queue.empty() ? kAbsent : object.queue.front();
      if (!object.queue.empty()) object.queue.erase(object.queue.begin());
      break;
    case Act::kAppend: break;
  }
}

}  // namespace

History register_history(uint64_t operations, uint64_t clients, uint64_t seed) {
  Random random(seed);
  History history;
  history.keys.push_back("k");
  history.clients.resize(clients);
  const std::vector<Span> all = spans(operations, clients, random);
  for (uint64_t i = 0; i < operations; ++i) {
    Operation op;
    op.id = i + 1;
    op.client = all[i].client;
    op.kind = random.chance(0.5) ? OperationKind::kPut : OperationKind::kGet;
    op.intended = op.invoked = all[i].begin;
    op.finished = all[i].end;
    op.outcome = Outcome::kOk;
    history.operations.push_back(op);
  }
  ValueId now = kAbsent;
  for (const uint32_t i : effects(all, random)) {
    Operation& op = history.operations[i];
    if (op.is_put()) now = op.id;
    op.value = now;
  }
  return history;
}

std::vector<Calls> general_histories(ModelKind model, bool once, uint64_t count,
                                     uint64_t operations, uint64_t clients, uint64_t seed) {
  Random random(seed);
  std::vector<Calls> all;
  for (uint64_t n = 0; n < count; ++n) {
    Calls& made = all.emplace_back();
    const std::vector<Span> times = spans(operations, clients, random);
    uint64_t number = 0;
    for (const Span& span : times) {
      Call call = general_call(model, random);
      if (once) call.value = ++number;
      call.begin = span.begin;
      call.end = span.end;
      call.client = span.client;
      made.calls.push_back(call);
    }
    Object object;
    for (const uint32_t i : effects(times, random)) take_effect(object, made, made.calls[i]);
    if (n % 2 == 0) continue;
    for (uint64_t i = random.below(operations); i < operations; ++i) {
      Call& call = made.calls[i];
      if (call.act != Act::kRead && call.act != Act::kDequeue && call.act != Act::kReadAll)
        continue;
      if (call.act == Act::kReadAll) {
        call.list_count = call.list_count == 0 ? 0 : call.list_count - 1;
      } else {
        call.value = 1 + random.below(once ? operations : 5);
      }
      break;
    }
  }
  return all;
}

}  // namespace ringside::bench
