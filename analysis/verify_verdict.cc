#include "analysis/verify_verdict.h"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "runtime/bug.h"

namespace ringside {
namespace {

// Every model at once. Numbers of values are texts to the register that appends, so that two ways
// to one text are one state.
struct Replayed {
  std::deque<std::string> register_values{std::string()};  // the latest last, at most k
  uint64_t counter = 0;
  std::set<uint64_t> elements;
  std::deque<uint64_t> queue;
  auto operator<=>(const Replayed&) const = default;
};

class Replay {
 public:
  Replay(ModelKind model, const Texts* texts, uint64_t k) : model_(model), texts_(texts), k_(k) {}

  // False: `call` cannot have returned what it did. `list`: what it read.
  bool apply(Replayed& state, const Call& call, const std::set<uint64_t>& list,
             std::size_t list_size) const {
    switch (model_) {
      case ModelKind::kRegister: return apply_to_register(state, call);
      case ModelKind::kCounter:
        if (call.act == Act::kRead) return state.counter == call.value;
        state.counter += call.value;
        return call.act == Act::kAdd;
      case ModelKind::kSet:
        if (call.act == Act::kAdd) state.elements.insert(call.value);
        if (call.act == Act::kRemove) state.elements.erase(call.value);
        return call.act != Act::kReadAll || (state.elements == list && list_size == list.size());
      case ModelKind::kQueue: return apply_to_queue(state, call);
    }
    return false;
  }

 private:
  std::string text(uint64_t value) const {
    if (value == kAbsent) return {};
    return texts_ != nullptr ? texts_->text(value) : std::to_string(value);
  }

  bool apply_to_register(Replayed& state, const Call& call) const {
    std::deque<std::string>& values = state.register_values;
    std::string next;
    switch (call.act) {
      case Act::kRead: return std::ranges::find(values, text(call.value)) != values.end();
      case Act::kWrite: next = text(call.value); break;
      case Act::kDelete: break;
      case Act::kCompareAndSet:
        if (!call.applied) return values.back() != text(call.expected);
        if (values.back() != text(call.expected)) return false;
        next = text(call.value);
        break;
      case Act::kAppend: next = values.back() + text(call.value); break;
      default: return false;
    }
    values.push_back(std::move(next));
    if (values.size() > k_) values.pop_front();
    return true;
  }

  bool apply_to_queue(Replayed& state, const Call& call) const {
    if (call.act == Act::kEnqueue) {
      state.queue.push_back(call.value);
      return true;
    }
    const bool unknown = call.end == kNever;
    if (state.queue.empty()) return call.act == Act::kDequeue && (unknown || call.value == kAbsent);
    if (call.act != Act::kDequeue || (!unknown && state.queue.front() != call.value)) return false;
    state.queue.pop_front();
    return true;
  }

  const ModelKind model_;
  const Texts* texts_;
  const uint64_t k_;
};

Verification objects(std::string objection) { return {false, std::move(objection)}; }

std::string named(uint32_t call) { return "call " + std::to_string(call); }

// The part of a history that a witness keeps, and whether it may keep just that.
struct Kept {
  std::vector<Call> calls;
  std::vector<std::set<uint64_t>> lists;
  std::vector<std::size_t> sizes;
  std::string objection;
};

bool writes_value(const Call& call) {
  return call.act == Act::kWrite || call.act == Act::kDelete ||
         (call.act == Act::kCompareAndSet && call.applied);
}

// Values of which something that matters is left out.
std::set<uint64_t> values_out(const Calls& calls, const Witness& witness,
                              const std::set<uint32_t>& in, std::string& objection) {
  std::set<uint64_t> out;
  for (uint32_t i = 0; i < calls.calls.size(); ++i) {
    const Call& call = calls.calls[i];
    const bool reads = call.act == Act::kRead || call.act == Act::kReadAll || !call.applied;
    if (reads || in.contains(i) || call.begin > witness.cut) continue;
    if (call.act == Act::kDequeue) {
      if (call.end == kNever || call.end > witness.cut)
        objection = named(i) + ": a dequeue of unknown outcome may have taken anything";
      if (call.value == kAbsent) continue;
    }
    out.insert(call.value);
  }
  return out;
}

// Why `call` must not be kept when these values are out; empty when it may.
std::string refuse(ModelKind model, const Call& call, const std::set<uint64_t>& out, bool blind) {
  if (out.empty() || call.act == Act::kReadAll || RINGSIDE_BUG(verifier_lets_anything_out))
    return {};
  if (model == ModelKind::kCounter) return "of a counter only reads may be left out";
  if (call.act == Act::kCompareAndSet && !call.applied)
    return "a refused compare-and-set depends on every value";
  if (model == ModelKind::kQueue && call.act == Act::kDequeue &&
      (call.end == kNever || call.value == kAbsent)) {
    return {};
  }
  if (out.contains(call.value)) return "a call on its value was left out";
  if (call.act == Act::kCompareAndSet && !blind && out.contains(call.expected))
    return "a call on the value that it expected was left out";
  return {};
}

Kept keep(ModelKind model, const Calls& calls, const Witness& witness) {
  Kept kept;
  const std::set<uint32_t> in(witness.calls.begin(), witness.calls.end());
  const std::set<uint32_t> blind(witness.blind.begin(), witness.blind.end());
  const std::set<uint64_t> out = values_out(calls, witness, in, kept.objection);
  const bool appends = std::ranges::any_of(calls.calls, [&](const Call& call) {
    return call.act == Act::kAppend && call.begin <= witness.cut;
  });
  if (appends && !out.empty())
    kept.objection = "where texts are appended only reads may be left out";
  for (const uint32_t i : in) {
    if (i >= calls.calls.size()) {
      kept.objection = "there is no " + named(i);
      return kept;
    }
    Call call = calls.calls[i];
    if (call.begin > witness.cut) continue;
    if (call.end > witness.cut) call.end = kNever;
    const std::string refused = refuse(model, call, out, blind.contains(i));
    if (!refused.empty()) kept.objection = named(i) + ": " + refused;
    const bool reads = call.act == Act::kRead || call.act == Act::kReadAll || !call.applied;
    if (reads && call.end == kNever) continue;
    if (blind.contains(i)) {
      if (!writes_value(call)) kept.objection = named(i) + ": is no compare-and-set";
      call.act = Act::kWrite;
    }
    std::set<uint64_t> list;
    std::size_t size = 0;
    for (const uint64_t element : calls.list_of(call)) {
      if (out.contains(element)) continue;
      list.insert(element);
      ++size;
    }
    kept.calls.push_back(call);
    kept.lists.push_back(std::move(list));
    kept.sizes.push_back(size);
  }
  return kept;
}

// All that can have been done at each return, returns taken in their order: sets of (calls that
// took effect, state). A call that has returned is in every set of its time and is forgotten.
class EveryOrder {
 public:
  EveryOrder(const Kept& kept, const Replay& replay, uint64_t states_max)
      : kept_(kept), replay_(replay), states_max_(states_max) {}

  // False: there is none. `gave_up` when that is not known.
  bool exists(bool& gave_up) {
    std::vector<uint32_t> returns;
    for (uint32_t i = 0; i < kept_.calls.size(); ++i) {
      if (kept_.calls[i].end != kNever) returns.push_back(i);
    }
    std::ranges::sort(returns, {}, [this](uint32_t i) { return std::pair(kept_.calls[i].end, i); });
    std::set<Configuration> now{{{}, Replayed()}};
    std::set<uint32_t> returned;
    for (const uint32_t next : returns) {
      std::set<Configuration> after;
      std::vector<Configuration> open(now.begin(), now.end());
      std::set<Configuration> seen(std::move(now));
      while (!open.empty()) {
        const Configuration configuration = std::move(open.back());
        open.pop_back();
        if (configuration.done.contains(next)) {
          Configuration rest = configuration;
          rest.done.erase(next);
          after.insert(std::move(rest));
          continue;
        }
        for (uint32_t i = 0; i < kept_.calls.size(); ++i) {
          const Call& call = kept_.calls[i];
          if (call.begin > kept_.calls[next].end) break;
          if (returned.contains(i) || configuration.done.contains(i)) continue;
          Configuration more = configuration;
          if (!replay_.apply(more.state, call, kept_.lists[i], kept_.sizes[i])) continue;
          more.done.insert(i);
          if (!seen.insert(more).second) continue;
          if (++states_ > states_max_) {
            gave_up = true;
            return true;
          }
          open.push_back(std::move(more));
        }
      }
      if (after.empty()) return false;
      returned.insert(next);
      now = std::move(after);
    }
    return true;
  }

 private:
  struct Configuration {
    std::set<uint32_t> done;
    Replayed state;
    auto operator<=>(const Configuration&) const = default;
  };
  const Kept& kept_;
  const Replay& replay_;
  const uint64_t states_max_;
  uint64_t states_ = 0;
};

}  // namespace

Verification verify_order(ModelKind model, const Calls& calls, const std::vector<uint32_t>& order,
                          const Texts* texts, uint64_t k) {
  std::vector<bool> there(calls.calls.size());
  const Replay replay(model, texts, k);
  Replayed state;
  Time latest_begin = INT64_MIN;
  uint32_t began_last = 0;
  for (const uint32_t i : order) {
    if (i >= calls.calls.size()) return objects("there is no " + named(i));
    if (there[i]) return objects(named(i) + " is there twice");
    there[i] = true;
    const Call& call = calls.calls[i];
    if (call.end < latest_begin && !RINGSIDE_BUG(verifier_has_no_clock))
      return objects(named(i) + " had ended before " + named(began_last) + " began");
    if (call.begin > latest_begin) {
      latest_begin = call.begin;
      began_last = i;
    }
    const std::span<const uint64_t> list = calls.list_of(call);
    if (!replay.apply(state, call, {list.begin(), list.end()}, list.size()))
      return objects(named(i) + " cannot have returned what it did");
  }
  for (uint32_t i = 0; i < there.size(); ++i) {
    if (!there[i] && calls.calls[i].end != kNever) return objects(named(i) + " is left out");
  }
  return {true, {}};
}

Verification verify_witness(ModelKind model, const Calls& calls, const Witness& witness,
                            const Texts* texts, uint64_t k, uint64_t states_max) {
  const Kept kept = keep(model, calls, witness);
  if (!kept.objection.empty()) return objects(kept.objection);
  const Replay replay(model, texts, k);
  bool gave_up = false;
  if (!EveryOrder(kept, replay, states_max).exists(gave_up)) return {true, {}};
  return objects(gave_up ? "there are too many orders to try" : "an order explains the witness");
}

Verification verify_verdict(ModelKind model, const Calls& calls, const Verdict& verdict,
                            const Texts* texts, uint64_t k) {
  switch (verdict.answer) {
    case Answer::kYes: return verify_order(model, calls, verdict.order, texts, k);
    case Answer::kNo: return verify_witness(model, calls, verdict.witness, texts, k);
    case Answer::kUnknown: break;
  }
  return objects("the verdict is unknown");
}

const char* answer_name(Answer answer) {
  switch (answer) {
    case Answer::kYes: return "yes";
    case Answer::kNo: return "no";
    case Answer::kUnknown: return "unknown";
  }
  return "?";
}

}  // namespace ringside
