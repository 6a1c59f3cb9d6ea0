#include "analysis/search.h"

#include <algorithm>
#include <utility>

#include "analysis/models.h"
#include "runtime/bug.h"
#include "runtime/check.h"

namespace ringside {
namespace {

// The configurations that were entered. Of the set of calls done only the words from the first that
// is not full to the last that is not empty are kept.
template <class State>
class Visited {
 public:
  Visited() : slots_(1 << 8) {}

  // False when it was there.
  bool insert(uint64_t hash, uint32_t first, std::span<const uint64_t> words, const State& state) {
    if (entries_.size() * 2 >= slots_.size()) grow();
    const uint64_t mask = slots_.size() - 1;
    uint64_t at = hash & mask;
    for (; slots_[at] != 0; at = (at + 1) & mask) {
      if (same(entries_[slots_[at] - 1], hash, first, words, state)) return false;
    }
    entries_.push_back({hash, words_.size(), first, static_cast<uint32_t>(words.size()), state});
    words_.insert(words_.end(), words.begin(), words.end());
    slots_[at] = static_cast<uint32_t>(entries_.size());
    return true;
  }
  uint64_t size() const { return entries_.size(); }

 private:
  struct Entry {
    uint64_t hash = 0;
    uint64_t words_begin = 0;
    uint32_t first = 0;
    uint32_t words_count = 0;
    State state;
  };
  bool same(const Entry& entry, uint64_t hash, uint32_t first, std::span<const uint64_t> words,
            const State& state) const {
    if (entry.hash != hash || entry.first != first) return false;
    if (!RINGSIDE_BUG(search_forgets_the_state) && !(entry.state == state)) return false;
    return std::ranges::equal(std::span(words_.data() + entry.words_begin, entry.words_count),
                              words);
  }
  void grow() {
    std::vector<uint32_t> slots(slots_.size() * 4);
    const uint64_t mask = slots.size() - 1;
    for (uint32_t i = 0; i < entries_.size(); ++i) {
      uint64_t at = entries_[i].hash & mask;
      while (slots[at] != 0) at = (at + 1) & mask;
      slots[at] = i + 1;
    }
    slots_ = std::move(slots);
  }

  std::vector<Entry> entries_;
  std::vector<uint64_t> words_;
  std::vector<uint32_t> slots_;
};

template <SequentialModel M>
class WingGongLowe {
 public:
  WingGongLowe(const M& model, const Calls& calls, uint64_t visited_max)
      : model_(model), calls_(calls), visited_max_(visited_max), state_(model.initial()) {
    list_events();
  }

  Verdict run() {
    Verdict verdict;
    verdict.by = "search";
    verdict.answer = search();
    verdict.visited = visited_.size();
    if (verdict.answer == Answer::kYes) keep_order();
    verdict.order = std::move(best_);
    return verdict;
  }

 private:
  using State = typename M::State;
  struct Event {
    uint32_t call = 0;
    uint32_t other = 0;  // of a call: its return, 0 for none
    bool returns = false;
  };
  struct Step {
    uint32_t event = 0;
    bool forced = false;  // a read that agreed: there is no other choice to come back to
    State before;
  };

  // Calls and returns by time, linked; 0 is the list's head. At one instant calls come first: what
  // merely touches is concurrent.
  void list_events() {
    const auto count = static_cast<uint32_t>(calls_.calls.size());
    std::vector<uint32_t> by_end;
    for (uint32_t i = 0; i < count; ++i) {
      CHECK(i == 0 || calls_.calls[i - 1].begin <= calls_.calls[i].begin);
      if (calls_.calls[i].known()) by_end.push_back(i);
    }
    std::ranges::sort(by_end, {}, [this](uint32_t i) { return std::pair(calls_.calls[i].end, i); });
    obliged_ = static_cast<uint32_t>(by_end.size());
    events_.resize(1);
    std::vector<uint32_t> event_of(count);
    for (uint32_t begins = 0, ends = 0; begins < count || ends < by_end.size();) {
      const auto at = static_cast<uint32_t>(events_.size());
      if (begins < count &&
          (ends == by_end.size() || calls_.calls[begins].begin <= calls_.calls[by_end[ends]].end)) {
        event_of[begins] = at;
        events_.push_back({begins++, 0, false});
      } else {
        const uint32_t call = by_end[ends++];
        events_[event_of[call]].other = at;
        events_.push_back({call, event_of[call], true});
      }
    }
    const auto size = static_cast<uint32_t>(events_.size());
    next_.resize(size);
    previous_.resize(size);
    for (uint32_t i = 0; i < size; ++i) {
      next_[i] = (i + 1) % size;
      previous_[(i + 1) % size] = i;
    }
    done_.resize(count / 64 + 1);
  }

  Answer search() {
    uint32_t at = next_[0];
    while (obliged_ > 0) {
      if (at == next_[0]) at = take_reads();
      if (obliged_ == 0) break;
      const Event& event = events_[at];
      if (event.returns) {  // this call is not done, and had to be before here
        if (RINGSIDE_BUG(search_never_backs_up) || !back_up(at)) return Answer::kNo;
        continue;
      }
      if (take(at, false)) {
        if (visited_.size() > visited_max_) {
          keep_order();
          return Answer::kUnknown;
        }
        at = next_[0];
      } else {
        at = next_[at];
      }
    }
    return Answer::kYes;
  }

  // Every read that may come now and agrees with the state. Returns where to look on.
  uint32_t take_reads() {
    for (uint32_t at = next_[0]; obliged_ > 0 && !events_[at].returns;) {
      const bool taken = calls_.calls[events_[at].call].only_reads() && take(at, true);
      at = next_[taken ? previous_[at] : at];  // its own return, too, is gone
    }
    return next_[0];
  }

  bool take(uint32_t at, bool forced) {
    const Call& call = calls_.calls[events_[at].call];
    if (!forced && call.only_reads()) return false;  // it did not agree when its turn was
    State before = state_;
    if (!model_.step(state_, calls_, call)) {
      state_ = std::move(before);
      return false;
    }
    mark(events_[at].call);
    if (!forced && !enter()) {
      unmark(events_[at].call);
      state_ = std::move(before);
      return false;
    }
    steps_.push_back({at, forced, std::move(before)});
    unlink(at);
    if (events_[at].other != 0) unlink(events_[at].other);
    obliged_ -= call.known() ? 1 : 0;
    return true;
  }

  // Undoes steps up to the last one that had alternatives; `at` becomes the next of those.
  bool back_up(uint32_t& at) {
    // Within a thirtieth of the longest: a copy for each new one would be quadratic.
    if (steps_.size() > best_.size() + best_.size() / 32) keep_order();
    while (!steps_.empty()) {
      Step step = std::move(steps_.back());
      steps_.pop_back();
      const Event& event = events_[step.event];
      if (event.other != 0) relink(event.other);
      relink(step.event);
      unmark(event.call);
      obliged_ += calls_.calls[event.call].known() ? 1 : 0;
      state_ = std::move(step.before);
      if (step.forced) continue;
      at = next_[step.event];
      return true;
    }
    return false;
  }

  bool enter() {
    while (low_ < done_.size() && done_[low_] == ~uint64_t{0}) ++low_;
    uint32_t high = high_;
    while (high > low_ && done_[high - 1] == 0) --high;
    high_ = high;
    const auto words = low_ < high ? std::span<const uint64_t>(done_).subspan(low_, high - low_)
                                   : std::span<const uint64_t>();
    const uint64_t of_state = RINGSIDE_BUG(search_forgets_the_state) ? 0 : model_.hash(state_);
    return visited_.insert(mix(hash_, of_state), low_, words, state_);
  }

  void mark(uint32_t call) {
    done_[call / 64] |= uint64_t{1} << call % 64;
    hash_ ^= mix(call, 0x5ea6c4);
    high_ = std::max(high_, call / 64 + 1);
  }
  void unmark(uint32_t call) {
    done_[call / 64] &= ~(uint64_t{1} << call % 64);
    hash_ ^= mix(call, 0x5ea6c4);
    low_ = std::min(low_, call / 64);
  }
  void unlink(uint32_t at) {
    next_[previous_[at]] = next_[at];
    previous_[next_[at]] = previous_[at];
  }
  void relink(uint32_t at) {
    next_[previous_[at]] = at;
    previous_[next_[at]] = at;
  }
  void keep_order() {
    best_.clear();
    for (const Step& step : steps_) best_.push_back(events_[step.event].call);
  }

  const M& model_;
  const Calls& calls_;
  const uint64_t visited_max_;
  State state_;
  uint32_t obliged_ = 0;  // calls of known outcome that are not done
  std::vector<Event> events_;
  std::vector<uint32_t> next_, previous_;
  std::vector<uint64_t> done_;
  uint64_t hash_ = 0;  // of done_
  uint32_t low_ = 0, high_ = 0;
  std::vector<Step> steps_;
  std::vector<uint32_t> best_;
  Visited<State> visited_;
};

}  // namespace

Verdict search_linearization(ModelKind model, const Calls& calls, Texts* texts,
                             uint64_t visited_max) {
  switch (model) {
    case ModelKind::kRegister: return WingGongLowe(RegisterModel{texts}, calls, visited_max).run();
    case ModelKind::kCounter: return WingGongLowe(CounterModel(), calls, visited_max).run();
    case ModelKind::kSet: return WingGongLowe(SetModel(), calls, visited_max).run();
    case ModelKind::kQueue: return WingGongLowe(QueueModel(), calls, visited_max).run();
  }
  return {};
}

}  // namespace ringside
