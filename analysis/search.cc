#include "analysis/search.h"

#include <algorithm>
#include <utility>

#include "analysis/models.h"
#include "analysis/queues.h"
#include "analysis/visited.h"
#include "runtime/bug.h"
#include "runtime/check.h"

namespace ringside {
namespace {

template <SequentialModel M>
class WingGongLowe {
 public:
  WingGongLowe(const M& model, const Calls& calls, uint64_t visited_max)
      : model_(model),
        calls_(calls),
        visited_max_(visited_max),
        state_(model.initial()),
        done_(calls.calls.size()) {
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
    done_.add(events_[at].call);
    if (!forced && !enter()) {
      done_.remove(events_[at].call);
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
      done_.remove(event.call);
      obliged_ += calls_.calls[event.call].known() ? 1 : 0;
      state_ = std::move(step.before);
      if (step.forced) continue;
      at = next_[step.event];
      return true;
    }
    return false;
  }

  bool enter() {
    return visited_.insert(done_, RINGSIDE_BUG(search_forgets_the_state) ? 0 : model_.hash(state_),
                           state_);
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
  DoneCalls done_;
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
    case ModelKind::kQueue: return search_queue(calls, visited_max);
  }
  return {};
}

}  // namespace ringside
