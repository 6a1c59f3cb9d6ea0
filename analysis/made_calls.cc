#include "analysis/made_calls.h"

#include <algorithm>
#include <set>

#include "analysis/chains.h"
#include "analysis/collections.h"
#include "analysis/ladder.h"
#include "analysis/linearizability.h"
#include "analysis/models.h"
#include "analysis/online_register.h"
#include "analysis/two_atomicity.h"
#include "analysis/verify_verdict.h"
#include "runtime/check.h"

namespace ringside {

const char* made_kind_name(MadeKind kind) {
  constexpr const char* kNames[] = {"registers", "plain registers", "registers with repeats",
                                    "texts",     "counters",        "grow-only sets",
                                    "sets",      "queues"};
  return kNames[static_cast<int>(kind)];
}

ModelKind model_of(MadeKind kind) {
  switch (kind) {
    case MadeKind::kCounter: return ModelKind::kCounter;
    case MadeKind::kGrowOnly:
    case MadeKind::kSet: return ModelKind::kSet;
    case MadeKind::kQueue: return ModelKind::kQueue;
    default: return ModelKind::kRegister;
  }
}

namespace {

struct Naive {
  std::vector<uint64_t> values{kAbsent};  // a register's, the latest last
  uint64_t counter = 0;
  std::set<uint64_t> set;
  std::vector<uint64_t> queue;
};

// One call, its result ignored and put in its place when `fill`; otherwise false when it differs.
bool naive_step(ModelKind model, Naive& state, Calls& calls, Call& call, Texts& texts, bool fill,
                uint64_t k) {
  const auto latest = [&] { return state.values.back(); };
  switch (call.act) {
    case Act::kRead: {
      if (model == ModelKind::kCounter) {
        if (fill) call.value = state.counter;
        return call.value == state.counter;
      }
      if (fill) call.value = latest();
      const std::size_t from = state.values.size() > k ? state.values.size() - k : 0;
      return std::find(state.values.begin() + static_cast<std::ptrdiff_t>(from), state.values.end(),
                       call.value) != state.values.end();
    }
    case Act::kWrite: state.values.push_back(call.value); return true;
    case Act::kDelete: state.values.push_back(kAbsent); return true;
    case Act::kCompareAndSet:
      if (fill) call.applied = latest() == call.expected;
      if ((latest() == call.expected) != call.applied) return false;
      if (call.applied) state.values.push_back(call.value);
      return true;
    case Act::kAppend: state.values.push_back(texts.concat(latest(), call.value)); return true;
    case Act::kAdd:
      state.counter += call.value;
      state.set.insert(call.value);
      return true;
    case Act::kRemove: state.set.erase(call.value); return true;
    case Act::kReadAll: {
      if (fill) {
        call.list_begin = static_cast<uint32_t>(calls.lists.size());
        call.list_count = static_cast<uint32_t>(state.set.size());
        calls.lists.insert(calls.lists.end(), state.set.begin(), state.set.end());
      }
      return std::ranges::equal(calls.list_of(call), state.set);
    }
    case Act::kEnqueue: state.queue.push_back(call.value); return true;
    case Act::kDequeue: {
      const uint64_t front = state.queue.empty() ? kAbsent : state.queue.front();
      if (fill) call.value = front;
      if (call.known() && call.value != front) return false;
      if (front != kAbsent) state.queue.erase(state.queue.begin());
      return true;
    }
  }
  return false;
}

class BruteOrders {
 public:
  BruteOrders(ModelKind model, const Calls& calls, Texts& texts, uint64_t k)
      : model_(model), calls_(calls), texts_(texts), k_(k) {}
  bool exists() { return search((1u << calls_.calls.size()) - 1, Naive()); }

 private:
  bool search(uint32_t left, const Naive& state) {
    Time first_end = kNever;
    for (std::size_t i = 0; i < calls_.calls.size(); ++i) {
      if ((left >> i & 1) != 0) first_end = std::min(first_end, calls_.calls[i].end);
    }
    if (first_end == kNever) return true;  // nothing that surely happened is left
    for (std::size_t i = 0; i < calls_.calls.size(); ++i) {
      if ((left >> i & 1) == 0 || calls_.calls[i].begin > first_end) continue;
      Naive next = state;
      Call call = calls_.calls[i];
      if (!naive_step(model_, next, calls_, call, texts_, false, k_)) continue;
      if (search(left & ~(1u << i), next)) return true;
    }
    return false;
  }

  const ModelKind model_;
  Calls calls_;
  Texts& texts_;
  const uint64_t k_;
};

Call draw_call(MadeKind kind, Random& random, Texts& texts, uint64_t number) {
  Call call;
  const uint64_t draw = random.below(100);
  const uint64_t few = 1 + random.below(3);
  const uint64_t any = random.below(number + 1);  // a value that may have been written, or absent
  switch (kind) {
    case MadeKind::kRegister:
      call.act = draw < 40 ? Act::kRead : draw < 65 ? Act::kWrite : Act::kCompareAndSet;
      call.value = call.act == Act::kRead ? any : number;
      call.expected = any;
      break;
    case MadeKind::kPlain:
      call.act = draw < 55 ? Act::kRead : Act::kWrite;
      call.value = call.act == Act::kRead ? any : number;
      break;
    case MadeKind::kRepeated:
      call.act = draw < 40   ? Act::kRead
                 : draw < 60 ? Act::kWrite
                 : draw < 70 ? Act::kDelete
                             : Act::kCompareAndSet;
      call.value = call.act == Act::kDelete ? kAbsent : few - (call.act == Act::kRead ? 1 : 0);
      call.expected = random.below(3);
      call.applied = call.act != Act::kCompareAndSet || random.chance(0.6);
      break;
    case MadeKind::kTexts: {
      call.act = draw < 45 ? Act::kRead : draw < 55 ? Act::kWrite : Act::kAppend;
      const char* const words[] = {"", "a", "b", "ab", "ba"};
      call.value = texts.intern(words[call.act == Act::kRead ? random.below(5) : few]);
      break;
    }
    case MadeKind::kCounter:
      call.act = draw < 40 ? Act::kRead : Act::kAdd;
      call.value = few - (call.act == Act::kRead ? 1 : 0);
      if (call.act == Act::kAdd && random.chance(0.3)) call.value = ~call.value + 1;
      break;
    case MadeKind::kGrowOnly:
    case MadeKind::kSet:
      call.act = draw < 45                                  ? Act::kReadAll
                 : draw < 75 || kind == MadeKind::kGrowOnly ? Act::kAdd
                                                            : Act::kRemove;
      call.value = kind == MadeKind::kGrowOnly ? number : few;
      break;
    case MadeKind::kQueue:
      call.act = draw < 50 ? Act::kEnqueue : Act::kDequeue;
      call.value = call.act == Act::kEnqueue && random.chance(0.8) ? number : random.below(3);
      if (call.act == Act::kEnqueue) call.value = std::max<uint64_t>(call.value, 1);
      break;
  }
  return call;
}

void draw_times(Calls& calls, Random& random) {
  const Time span = static_cast<Time>(4 + random.below(30));
  for (Call& call : calls.calls) {
    call.begin = static_cast<Time>(random.below(static_cast<uint64_t>(span)));
    call.end = call.begin + static_cast<Time>(random.below(static_cast<uint64_t>(span / 2 + 1)));
  }
  std::ranges::sort(calls.calls, {}, &Call::begin);
}

// A list of elements 1 … most, each or not.
void draw_list(Calls& calls, Call& call, Random& random, uint64_t most) {
  call.list_begin = static_cast<uint32_t>(calls.lists.size());
  for (uint64_t element = 1; element <= most; ++element) {
    if (random.chance(0.5)) calls.lists.push_back(element);
  }
  call.list_count = static_cast<uint32_t>(calls.lists.size()) - call.list_begin;
}

// Mostly somebody's value, where one drawn at random would be nobody's.
void aim(Calls& calls, Random& random) {
  std::vector<uint64_t> values{kAbsent};
  for (const Call& call : calls.calls) {
    if (call.act != Act::kRead) values.push_back(call.value);
  }
  for (Call& call : calls.calls) {
    if (random.chance(0.05)) continue;
    (call.act == Act::kRead ? call.value : call.expected) = values[random.below(values.size())];
  }
}

// Results as of a true object: each call takes effect at a point of its time.
void take_effect(ModelKind model, Calls& calls, Random& random, Texts& texts) {
  std::vector<std::pair<Time, std::size_t>> points;
  for (std::size_t i = 0; i < calls.calls.size(); ++i) {
    const Call& call = calls.calls[i];
    const auto length = static_cast<uint64_t>(call.end - call.begin + 1);
    points.push_back({call.begin + static_cast<Time>(random.below(length)), i});
  }
  std::ranges::sort(points);
  Naive state;
  for (const auto& [at, i] : points) {
    naive_step(model, state, calls, calls.calls[i], texts, true, 1);
  }
}

}  // namespace

bool some_order_explains(ModelKind model, const Calls& calls, Texts& texts, uint64_t k) {
  CHECK(calls.calls.size() < 20);
  return BruteOrders(model, calls, texts, k).exists();
}

Calls make_calls(MadeKind kind, Random& random, Texts& texts) {
  const ModelKind model = model_of(kind);
  Calls calls;
  const uint64_t count = 2 + random.below(7);
  for (uint64_t i = 0; i < count; ++i) calls.calls.push_back({});
  draw_times(calls, random);
  uint64_t number = 0;
  for (Call& call : calls.calls) {
    const Call drawn = draw_call(kind, random, texts, ++number);
    const Time begin = call.begin, end = call.end;
    call = drawn;
    call.begin = begin;
    call.end = end;
    if (call.act == Act::kReadAll)
      draw_list(calls, call, random, kind == MadeKind::kSet ? 3 : number);
  }
  if (kind == MadeKind::kRegister || kind == MadeKind::kPlain) aim(calls, random);
  if (random.chance(0.8)) {
    std::vector<Call> drawn = calls.calls;
    take_effect(model, calls, random, texts);
    // One result as it was drawn.
    const std::size_t changed = random.below(count);
    if (random.chance(0.7)) calls.calls[changed] = drawn[changed];
  }
  // Some outcomes are not known; reads of those are not there, nor is what was refused where
  // values are written once.
  for (Call& call : calls.calls) {
    if (random.chance(0.12)) call.end = kNever;
    if (!call.known()) call.applied = true;
  }
  std::erase_if(calls.calls, [kind](const Call& call) {
    const bool refused = call.act == Act::kCompareAndSet && !call.applied;
    return (call.only_reads() && !call.known()) || (refused && kind == MadeKind::kRegister);
  });
  return calls;
}

namespace {

History as_history(const Calls& calls) {
  History history;
  history.keys.push_back("k");
  for (std::size_t i = 0; i < calls.calls.size(); ++i) {
    const Call& call = calls.calls[i];
    Operation op;
    op.kind = call.act == Act::kRead ? OperationKind::kGet : OperationKind::kPut;
    op.id = op.kind == OperationKind::kGet ? 1000 + i : call.value;
    op.value = call.value;
    op.invoked = op.intended = call.begin;
    op.finished = call.end;
    op.outcome = call.known() ? Outcome::kOk : Outcome::kUnknown;
    op.client = static_cast<ClientIndex>(i);
    history.clients.push_back({kFirstClient});
    history.operations.push_back(op);
  }
  return history;
}

// The index of the call whose end made it illegal, or kNoOperation. At one instant begins come
// first.
uint32_t play_online(const Calls& calls) {
  struct Event {
    Time at;
    bool ends;
    uint32_t call;
  };
  std::vector<Event> events;
  for (uint32_t i = 0; i < calls.calls.size(); ++i) {
    events.push_back({calls.calls[i].begin, false, i});
    if (calls.calls[i].known()) events.push_back({calls.calls[i].end, true, i});
  }
  std::ranges::sort(events, {}, [](const Event& e) { return std::tuple(e.at, e.ends, e.call); });
  OnlineRegister online;
  for (const Event& event : events) {
    const Call& call = calls.calls[event.call];
    const bool write = call.act == Act::kWrite;
    if (!event.ends) {
      if (write) online.write_begins(call.value, event.at, event.call);
    } else if (!(write ? online.write_ends(call.value, event.at, true)
                       : online.read_ends(call.value, call.begin, event.at, event.call))) {
      return event.call;
    }
  }
  return kNoOperation;
}

// What had ended when `call` did, in the order of ends that play_online has; others are unknown.
Calls beginning(const Calls& calls, uint32_t last, bool with_last) {
  Calls part;
  part.lists = calls.lists;
  const Call& end = calls.calls[last];
  for (uint32_t i = 0; i < calls.calls.size(); ++i) {
    Call call = calls.calls[i];
    if (call.begin > end.end) continue;
    const bool ended =
        std::tuple(call.end, i) < std::tuple(end.end, last) || (i == last && with_last);
    if (!ended && call.only_reads()) continue;
    if (!ended) call.end = kNever;
    part.calls.push_back(call);
  }
  return part;
}

class Comparison {
 public:
  Comparison(MadeKind kind, uint64_t seed) : kind_(kind), model_(model_of(kind)), random_(seed) {}

  Agreement run(uint64_t count) {
    for (; agreement_.histories < count && agreement_.disagreement.empty();
         ++agreement_.histories) {
      calls_ = make_calls(kind_, random_, texts_);
      compare();
    }
    return agreement_;
  }

 private:
  void object(const std::string& what) {
    if (!agreement_.disagreement.empty()) return;
    agreement_.disagreement = std::string(made_kind_name(kind_)) + ", history " +
                              std::to_string(agreement_.histories) + ": " + what;
    const Texts* texts = kind_ == MadeKind::kTexts ? &texts_ : nullptr;
    for (uint32_t i = 0; i < calls_.calls.size(); ++i)
      agreement_.disagreement += "\n  " + describe_call(calls_, i, texts);
  }

  Texts* texts() { return kind_ == MadeKind::kTexts ? &texts_ : nullptr; }

  // A verdict that must be `legal`, and must hold when it is checked.
  void expect(const Verdict& verdict, bool legal, const std::string& name, uint64_t k = 1) {
    if (verdict.answer == Answer::kUnknown) return object(name + " does not know");
    if ((verdict.answer == Answer::kYes) != legal)
      return object(name + " says " + answer_name(verdict.answer));
    const Verification verification = verify_verdict(model_, calls_, verdict, texts(), k);
    if (!verification.holds)
      return object(name + " says " + answer_name(verdict.answer) + ", but " +
                    verification.objection);
    if (legal) {
      ++agreement_.orders;
    } else {
      ++agreement_.witnesses;
      agreement_.witness_calls += verdict.witness.calls.size();
    }
  }

  void compare() {
    const bool legal = some_order_explains(model_, calls_, texts_);
    agreement_.legal += legal ? 1 : 0;
    Verdict searched = search_linearization(model_, calls_, texts());
    if (searched.answer == Answer::kNo) searched.witness = shrink_witness(model_, calls_, texts());
    expect(searched, legal, "the search");
    expect(judge_calls(model_, calls_, texts()), legal, "the ladder");
    if (model_ == ModelKind::kCounter) {
      const Verdict bounds = check_counter(calls_);
      if (bounds.answer == Answer::kNo) expect(bounds, legal, "the bounds of a counter");
    }
    if (kind_ == MadeKind::kRegister && suits_chain_test(calls_))
      expect(check_chains(calls_), legal, "the chain test");
    if (kind_ == MadeKind::kPlain) compare_plain(legal);
    tell_lies(legal);
  }

  void compare_plain(bool legal) {
    const LinearizabilityReport report = check_linearizability(as_history(calls_));
    if (report.linearizable() != legal) object("the zone test differs");
    const bool two = some_order_explains(model_, calls_, texts_, 2);
    expect(check_two_atomicity(calls_), two, "2-atomicity", 2);
    const uint32_t stopped = play_online(calls_);
    if ((stopped == kNoOperation) != legal) return object("the online test differs");
    if (stopped == kNoOperation) return;
    if (some_order_explains(model_, beginning(calls_, stopped, true), texts_))
      object("the online test stops too soon, at call " + std::to_string(stopped));
    if (!some_order_explains(model_, beginning(calls_, stopped, false), texts_))
      object("the online test stops too late, at call " + std::to_string(stopped));
  }

  // The verifier must turn down what is not so.
  void tell_lies(bool legal) {
    std::vector<uint32_t> order;
    for (uint32_t i = 0; i < calls_.calls.size(); ++i) {
      if (calls_.calls[i].known() || random_.chance(0.5)) order.push_back(i);
    }
    for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random_.below(i)]);
    // Nearly in order is more of a lie than not at all.
    if (random_.chance(0.7)) {
      std::ranges::sort(order);
      if (order.size() > 1) {
        const std::size_t at = random_.below(order.size() - 1);
        std::swap(order[at], order[at + 1]);
      }
    }
    const bool holds = verify_order(model_, calls_, order, texts()).holds;
    if (holds != is_linearization(order)) object("the verifier is wrong about an order");
    agreement_.refused += holds ? 0 : 1;
    if (!legal) return;
    Witness witness;
    for (uint32_t i = 0; i < calls_.calls.size(); ++i) {
      if (random_.chance(0.7)) witness.calls.push_back(i);
      if (random_.chance(0.2) && calls_.calls[i].act == Act::kCompareAndSet)
        witness.blind.push_back(i);
    }
    if (random_.chance(0.4)) witness.cut = static_cast<Time>(random_.below(30));
    if (verify_witness(model_, calls_, witness, texts()).holds)
      return object("the verifier believes a witness against a legal history");
    ++agreement_.refused;
  }

  bool is_linearization(const std::vector<uint32_t>& order) {
    Naive state;
    Calls copy = calls_;
    std::size_t known = 0;
    for (std::size_t i = 0; i < order.size(); ++i) {
      Call call = calls_.calls[order[i]];
      known += call.known() ? 1 : 0;
      for (std::size_t j = 0; j < i; ++j) {
        if (call.end < calls_.calls[order[j]].begin) return false;
      }
      if (!naive_step(model_, state, copy, call, texts_, false, 1)) return false;
    }
    return known == static_cast<std::size_t>(std::ranges::count_if(
                        calls_.calls, [](const Call& call) { return call.known(); }));
  }

  const MadeKind kind_;
  const ModelKind model_;
  Random random_;
  Texts texts_;
  Calls calls_;
  Agreement agreement_;
};

}  // namespace

Agreement compare_checkers(MadeKind kind, uint64_t seed, uint64_t count) {
  return Comparison(kind, seed).run(count);
}

}  // namespace ringside
