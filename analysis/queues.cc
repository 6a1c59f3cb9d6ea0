#include "analysis/queues.h"

#include <algorithm>
#include <tuple>

#include "analysis/visited.h"
#include "runtime/bug.h"
#include "runtime/check.h"

namespace ringside {
namespace {

constexpr uint32_t kNobody = ~uint32_t{0};
constexpr Time kBeforeEverything = INT64_MIN;

// Calls that are not done, linked in the order of a time.
class Waiting {
 public:
  explicit Waiting(std::size_t calls) : next_(calls + 1), previous_(calls + 1) {}

  void link(const std::vector<uint32_t>& order) {
    const auto head = static_cast<uint32_t>(next_.size() - 1);
    uint32_t last = head;
    for (const uint32_t call : order) {
      next_[last] = call;
      previous_[call] = last;
      last = call;
    }
    next_[last] = head;
    previous_[head] = last;
  }
  // The number of calls when there is none.
  uint32_t first() const { return next_.back(); }
  uint32_t after(uint32_t call) const { return next_[call]; }
  uint32_t end() const { return static_cast<uint32_t>(next_.size() - 1); }
  void remove(uint32_t call) {
    next_[previous_[call]] = next_[call];
    previous_[next_[call]] = previous_[call];
  }
  void put_back(uint32_t call) {
    next_[previous_[call]] = call;
    previous_[next_[call]] = call;
  }

 private:
  std::vector<uint32_t> next_, previous_;
};

class QueueSearch {
 public:
  QueueSearch(const Calls& calls, uint64_t visited_max)
      : calls_(calls.calls),
        visited_max_(visited_max),
        done_(calls_.size()),
        puts_(calls_.size()),
        puts_by_end_(calls_.size()),
        takes_(calls_.size()),
        takes_by_end_(calls_.size()) {
    std::vector<uint32_t> puts, takes;
    for (uint32_t i = 0; i < calls_.size(); ++i) {
      CHECK(i == 0 || calls_[i - 1].begin <= calls_[i].begin);
      CHECK(calls_[i].act == Act::kEnqueue || calls_[i].act == Act::kDequeue);
      (is_put(i) ? puts : takes).push_back(i);
      obliged_ += !is_put(i) && calls_[i].known();
    }
    puts_.link(puts);
    takes_.link(takes);
    const auto by_end = [this](uint32_t i) { return std::pair(calls_[i].end, i); };
    std::ranges::sort(puts, {}, by_end);
    std::ranges::sort(takes, {}, by_end);
    puts_by_end_.link(puts);
    takes_by_end_.link(takes);
  }

  Verdict run() {
    Verdict verdict;
    verdict.by = "queue search";
    verdict.answer = search();
    verdict.visited = visited_.size();
    verdict.order =
        verdict.answer == Answer::kYes ? order_of(steps_, true) : order_of(best_, false);
    return verdict;
  }

 private:
  struct Move {
    uint32_t put = kNobody;  // kNobody: `take` finds nothing
    uint32_t take = kNobody;
  };
  struct Step {
    Move move;
    Time began;               // before it
    std::size_t moves_begin;  // of the alternatives to it, in moves_
  };
  struct Nothing {
    bool operator==(const Nothing&) const = default;
  };

  bool is_put(uint32_t i) const { return calls_[i].act == Act::kEnqueue; }
  bool finds_nothing(uint32_t i) const { return calls_[i].known() && calls_[i].value == kAbsent; }
  Time first_end(const Waiting& by_end) const {
    const uint32_t first = by_end.first();
    return first == by_end.end() ? kNever : calls_[first].end;
  }

  Answer search() {
    if (obliged_ == 0) return Answer::kYes;
    list_moves();
    std::size_t begin = 0;  // of the moves that may be made now
    while (true) {
      if (begin == moves_.size()) {  // none is left: undo the last step
        if (steps_.empty()) return Answer::kNo;
        if (steps_.size() > best_.size() + best_.size() / 32) best_ = steps_;
        begin = undo();
        continue;
      }
      const Move move = moves_.back();
      moves_.pop_back();
      if (!make(move, begin)) continue;
      if (obliged_ == 0) return Answer::kYes;
      if (visited_.size() > visited_max_) {
        if (steps_.size() > best_.size()) best_ = steps_;
        return Answer::kUnknown;
      }
      begin = moves_.size();
      list_moves();
    }
  }

  // False when it leads to where the search was.
  bool make(Move move, std::size_t moves_begin) {
    steps_.push_back({move, began_, moves_begin});
    if (move.put != kNobody) take_out(move.put);
    take_out(move.take);
    if (visited_.insert(done_, 0, {})) return true;
    undo();
    return false;
  }

  // Where the moves beside it begin.
  std::size_t undo() {
    const Step step = steps_.back();
    steps_.pop_back();
    bring_back(step.move.take);
    if (step.move.put != kNobody) bring_back(step.move.put);
    began_ = step.began;
    return step.moves_begin;
  }

  void take_out(uint32_t i) {
    done_.add(i);
    began_ = std::max(began_, calls_[i].begin);
    (is_put(i) ? puts_ : takes_).remove(i);
    (is_put(i) ? puts_by_end_ : takes_by_end_).remove(i);
    obliged_ -= !is_put(i) && calls_[i].known();
  }
  void bring_back(uint32_t i) {
    done_.remove(i);
    (is_put(i) ? puts_by_end_ : takes_by_end_).put_back(i);
    (is_put(i) ? puts_ : takes_).put_back(i);
    obliged_ += !is_put(i) && calls_[i].known();
  }

  // Whether `a` may go wherever `b` goes now, and `b` wherever `a` would have gone later.
  bool goes_before(uint32_t a, uint32_t b) const {
    const Call &x = calls_[a], &y = calls_[b];
    const bool both_any = !is_put(a) && !x.known() && !y.known();
    const bool both_ask = (is_put(a) || x.known() == y.known()) && x.value == y.value;
    return (both_any || both_ask) && x.begin <= std::max(began_, y.begin) &&
           (x.end <= y.end || RINGSIDE_BUG(queue_search_keeps_no_deadline));
  }

  // Those that have begun by `until`, without those that another goes before.
  void list_next(const Waiting& waiting, Time until, std::vector<uint32_t>& next) const {
    next.clear();
    for (uint32_t i = waiting.first(); i != waiting.end() && calls_[i].begin <= until;
         i = waiting.after(i)) {
      if (std::ranges::any_of(next, [&](uint32_t other) { return goes_before(other, i); }))
        continue;
      std::erase_if(next, [&](uint32_t other) { return goes_before(i, other); });
      next.push_back(i);
    }
  }

  // Onto moves_, the best at the end.
  void list_moves() {
    const Time puts_until = first_end(puts_by_end_), takes_until = first_end(takes_by_end_);
    const std::size_t begin = moves_.size();
    list_next(takes_, takes_until, next_takes_);
    for (const uint32_t take : next_takes_) {
      const Time at = std::max(began_, calls_[take].begin);
      const bool too_late = at > puts_until && !RINGSIDE_BUG(queue_is_empty_at_any_time);
      if (!finds_nothing(take) || too_late) continue;
      if (at == began_) moves_.resize(begin);
      moves_.push_back({kNobody, take});
      if (at == began_) return;  // nobody waits for it: what else may be done can be done after it
    }
    list_next(puts_, puts_until, next_puts_);
    for (const uint32_t put : next_puts_) {
      if (calls_[put].begin > takes_until && !RINGSIDE_BUG(queue_is_taken_from_before_it_is_put_in))
        continue;
      for (const uint32_t take : next_takes_) {
        const bool equal = !calls_[take].known() || calls_[take].value == calls_[put].value;
        if (equal && !finds_nothing(take)) moves_.push_back({put, take});
      }
    }
    // Who must end first goes first.
    std::sort(moves_.begin() + static_cast<std::ptrdiff_t>(begin), moves_.end(),
              [this](const Move& a, const Move& b) { return urgency(a) > urgency(b); });
  }
  std::tuple<Time, Time, uint32_t, uint32_t> urgency(const Move& move) const {
    const Time put_end = move.put == kNobody ? kBeforeEverything : calls_[move.put].end;
    return {calls_[move.take].end, put_end, move.take, move.put};
  }

  // By their moments; what is still in the queue at the end as well, if `all`.
  std::vector<uint32_t> order_of(const std::vector<Step>& steps, bool all) const {
    std::vector<std::tuple<Time, std::size_t, uint32_t>> moments;
    Time puts_from = kBeforeEverything, takes_from = kBeforeEverything;
    for (const Step& step : steps) {
      const Move& move = step.move;
      if (move.put != kNobody) {
        puts_from = std::max(puts_from, calls_[move.put].begin);
        moments.emplace_back(puts_from, moments.size(), move.put);
      }
      takes_from = std::max({takes_from, puts_from, calls_[move.take].begin});
      if (move.put == kNobody) puts_from = takes_from;
      moments.emplace_back(takes_from, moments.size(), move.take);
    }
    for (uint32_t put = puts_.first(); all && put != puts_.end(); put = puts_.after(put)) {
      if (calls_[put].known())
        moments.emplace_back(std::max(puts_from, calls_[put].begin), moments.size(), put);
    }
    std::ranges::sort(moments);
    std::vector<uint32_t> order;
    for (const auto& [at, place, call] : moments) order.push_back(call);
    return order;
  }

  const std::vector<Call>& calls_;
  const uint64_t visited_max_;
  uint32_t obliged_ = 0;  // dequeues of known outcome that are not done
  DoneCalls done_;
  Waiting puts_, puts_by_end_, takes_, takes_by_end_;
  Time began_ = kBeforeEverything;  // the last of the calls done
  std::vector<Move> moves_;
  std::vector<uint32_t> next_puts_, next_takes_;
  std::vector<Step> steps_, best_;
  Visited<Nothing> visited_;
};

}  // namespace

Verdict search_queue(const Calls& calls, uint64_t visited_max) {
  return QueueSearch(calls, visited_max).run();
}

}  // namespace ringside
