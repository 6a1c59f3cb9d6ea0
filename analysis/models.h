// The sequential models that a search can hold a history against. A model has a State, what it is
// at first, and `step`: one call applied to a state, false when the call cannot have returned what
// it did there. Of a call of unknown outcome the result says nothing, and a step that would change
// nothing may be refused, since such a call need not be there at all.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstdint>
#include <vector>

#include "analysis/calls.h"
#include "runtime/random.h"

namespace ringside {

template <class M>
concept SequentialModel =
    std::equality_comparable<typename M::State> && std::copyable<typename M::State> &&
    requires(const M& model, typename M::State& state, const Calls& calls, const Call& call) {
      { model.initial() } -> std::same_as<typename M::State>;
      { model.step(state, calls, call) } -> std::same_as<bool>;
      { model.hash(state) } -> std::same_as<uint64_t>;
    };

// A register, a compare-and-set register, a key of a store of texts.
struct RegisterModel {
  using State = uint64_t;
  Texts* texts = nullptr;  // where there are appends

  State initial() const { return kAbsent; }
  uint64_t hash(State state) const { return mix(state); }
  bool step(State& state, const Calls&, const Call& call) const {
    switch (call.act) {
      case Act::kRead: return state == call.value;
      case Act::kWrite: state = call.value; return true;
      case Act::kDelete: state = kAbsent; return true;
      case Act::kCompareAndSet:
        if (!call.applied) return state != call.expected;
        if (state != call.expected) return false;
        state = call.value;
        return true;
      case Act::kAppend: state = texts->concat(state, call.value); return true;
      default: return false;
    }
  }
};

struct CounterModel {
  using State = uint64_t;
  State initial() const { return 0; }
  uint64_t hash(State state) const { return mix(state); }
  bool step(State& state, const Calls&, const Call& call) const {
    if (call.act == Act::kRead) return state == call.value;
    if (call.act != Act::kAdd) return false;
    state += call.value;
    return true;
  }
};

struct SetModel {
  using State = std::vector<uint64_t>;  // ascending
  State initial() const { return {}; }
  uint64_t hash(const State& state) const {
    uint64_t sum = 0;
    for (const uint64_t element : state) sum += mix(element);
    return sum;
  }
  bool step(State& state, const Calls& calls, const Call& call) const {
    const auto at = std::ranges::lower_bound(state, call.value);
    const bool there = at != state.end() && *at == call.value;
    switch (call.act) {
      case Act::kAdd:
        if (!there) state.insert(at, call.value);
        return true;
      case Act::kRemove:
        if (there) state.erase(at);
        return true;
      case Act::kReadAll: return std::ranges::equal(state, calls.list_of(call));
      default: return false;
    }
  }
};

static_assert(SequentialModel<RegisterModel> && SequentialModel<CounterModel> &&
              SequentialModel<SetModel>);

}  // namespace ringside
