#include "analysis/isolation/weak.h"

#include <absl/container/flat_hash_map.h>

#include <algorithm>

#include "analysis/isolation/cycle_search.h"
#include "analysis/isolation/sessions_view.h"
#include "runtime/bug.h"

namespace ringside::isolation {
namespace {

// `writer`, visible to `reader`, is older than the version of `object` that it read.
struct ArbitrationDemand {
  TransactionId writer, version;
  TransactionId reader;
  ObjectId object;
};

class WeakChecker {
 public:
  WeakChecker(const SessionsView& view, WeakLevel level, uint64_t work_max)
      : view_(view), level_(level), work_left_(work_max) {}

  WeakVerdict check() {
    WeakVerdict verdict;
    using Kind = WeakVerdict::Kind;
    find_base();
    if (level_ == WeakLevel::kCausal) {
      const Components past = strong_components_of(graph(false));
      if (!past.all_single()) {
        verdict.kind = Kind::kViolated;
        verdict.witness = witness_of(graph(false), past);
        return verdict;
      }
      demand_causal(past);
    } else {
      demand();
    }
    if (too_much_) return verdict;
    for (const ArbitrationDemand& one : demands_) {
      if (one.version != kInitialTransaction) continue;
      verdict.kind = Kind::kViolated;
      verdict.witness = {{one.writer}, {EdgeKind::kArbitration}, {{one.reader, one.object}}};
      return verdict;
    }
    for (const ArbitrationDemand& one : demands_) arbitration_.push_back({one.writer, one.version});
    const Graph whole = graph(true);
    const Components components = strong_components_of(whole);
    verdict.kind = components.all_single() ? Kind::kHolds : Kind::kViolated;
    if (!components.all_single()) verdict.witness = witness_of(whole, components);
    return verdict;
  }

 private:
  // The session order that the level respects.
  void find_base() {
    switch (level_) {
      case WeakLevel::kReadCommitted:
      case WeakLevel::kReadAtomic:
      case WeakLevel::kCausal: session_order_ = view_.session_order(); break;
      case WeakLevel::kMonotonicWrites:
        for (const std::vector<TransactionId>& session : view_.sessions()) {
          TransactionId last = kNoTransaction;
          for (const TransactionId id : session) {
            if (view_.written(id).empty()) continue;
            if (last != kNoTransaction) session_order_.push_back({last, id});
            last = id;
          }
        }
        break;
      default: break;
    }
  }

  Graph graph(bool with_versions) const {
    std::vector<Graph::Part> parts = {{EdgeKind::kProcess, session_order_},
                                      {EdgeKind::kWriteRead, view_.read_from()}};
    if (with_versions) {
      parts.push_back({EdgeKind::kWriteWrite, view_.version_order()});
      parts.push_back({EdgeKind::kArbitration, arbitration_});
    }
    return Graph(view_.transactions(), parts);
  }

  WeakWitness witness_of(const Graph& whole, const Components& components) const {
    const std::vector<uint32_t> vertices = components.large().front();
    const Graph part(whole, vertices, UINT32_MAX);
    uint64_t visits = 20'000'000 + 2 * part.edges();  // enough for one, shortest where it is small
    CycleSearch search(part, part.vertices(), visits);
    FoundCycle cycle = search.shortest_through(0, any_class(), UINT32_MAX);
    const FoundCycle better =
        search.shortest(any_class(), static_cast<uint32_t>(cycle.vertices.size()));
    if (!better.vertices.empty()) cycle = better;
    WeakWitness witness;
    witness.edges = cycle.edges;
    witness.demands.resize(cycle.edges.size());
    for (const uint32_t vertex : cycle.vertices) witness.transactions.push_back(vertices[vertex]);
    for (std::size_t i = 0; i < witness.edges.size(); ++i) {
      if (witness.edges[i] != EdgeKind::kArbitration) continue;
      const TransactionId from = witness.transactions[i];
      const TransactionId to = witness.transactions[(i + 1) % witness.transactions.size()];
      const auto why = std::ranges::find_if(demands_, [&](const ArbitrationDemand& one) {
        return one.writer == from && one.version == to;
      });
      witness.demands[i] = {why->reader, why->object};
    }
    return witness;
  }

  bool spend(uint64_t work) {
    too_much_ |= work > work_left_;
    work_left_ -= std::min(work, work_left_);
    return !too_much_;
  }
  void demand_one(TransactionId visible, TransactionId reader, const SessionsView::Read& read) {
    if (visible != kNoTransaction && visible != read.from && visible != reader)
      demands_.push_back({visible, read.from, reader, read.object});
  }

  // All that `reader` read, from the given place on, against one visible writer.
  void demand_all(TransactionId visible, TransactionId reader, std::size_t from) {
    const auto reads = view_.reads(reader).subspan(from);
    const auto written = view_.written(visible);
    if (!spend(1 + std::min(reads.size(), written.size()))) return;
    if (reads.size() <= written.size() || !sorted_reads(reader)) {
      for (const SessionsView::Read& read : reads) {
        if (view_.writes(visible, read.object)) demand_one(visible, reader, read);
      }
      return;
    }
    for (const ObjectId object : written) {
      auto at = std::ranges::lower_bound(by_object_, object, {},
                                         [&](uint32_t i) { return view_.reads(reader)[i].object; });
      for (; at != by_object_.end() && view_.reads(reader)[*at].object == object; ++at) {
        if (*at >= from) demand_one(visible, reader, view_.reads(reader)[*at]);
      }
    }
  }
  // Fills by_object_ with a reader's reads once, when it has many.
  bool sorted_reads(TransactionId reader) {
    const auto reads = view_.reads(reader);
    if (reads.size() < 8) return false;
    if (by_object_of_ == reader) return true;
    by_object_of_ = reader;
    by_object_.resize(reads.size());
    for (uint32_t i = 0; i < reads.size(); ++i) by_object_[i] = i;
    std::ranges::sort(by_object_, {}, [&](uint32_t i) { return std::pair(reads[i].object, i); });
    return true;
  }

  void demand() {
    for (uint32_t session = 0; session < view_.sessions().size() && !too_much_; ++session) {
      pending_.clear();
      for (const TransactionId id : view_.sessions()[session]) {
        if (too_much_) return;
        switch (level_) {
          case WeakLevel::kReadCommitted: demand_from_reads(id, true); break;
          case WeakLevel::kReadAtomic:
            demand_from_reads(id, false);
            if (!RINGSIDE_BUG(atomic_reads_see_no_session))
              demand_past(id, session, view_.index(id));
            break;
          case WeakLevel::kReadYourWrites: demand_own(id); break;
          case WeakLevel::kMonotonicReads: demand_seen(id); break;
          case WeakLevel::kMonotonicWrites: demand_writers_past(id); break;
          case WeakLevel::kWritesFollowReads: demand_writers_reads(id); break;
          case WeakLevel::kCausal: break;
        }
      }
    }
  }

  // What it read from is visible: to all its reads, or to those that came later.
  void demand_from_reads(TransactionId id, bool later_only) {
    const auto reads = view_.reads(id);
    seen_.clear();
    for (std::size_t i = 0; i < reads.size(); ++i) {
      if (reads[i].from == kInitialTransaction || !seen_.insert({reads[i].from, 0}).second)
        continue;
      demand_all(reads[i].from, id, later_only ? i + 1 : 0);
    }
  }
  // The past of a session, up to a place in it.
  void demand_past(TransactionId id, uint32_t session, uint32_t before) {
    for (const SessionsView::Read& read : view_.reads(id)) {
      if (!spend(1)) return;
      demand_one(view_.last_writer(read.object, session, before), id, read);
    }
  }
  // All of the session's own writers, since nothing orders them among themselves.
  void demand_own(TransactionId id) {
    for (const SessionsView::Read& read : view_.reads(id)) {
      const auto own = view_.writers(read.object, view_.session(id), view_.index(id));
      if (!spend(1 + own.size())) return;
      for (const SessionsView::Writer& writer : own) demand_one(writer.id, id, read);
    }
  }
  // Writers that the session read from, object by object. A read of an object makes all that were
  // seen there older than what it returned, which stands for them from then on: but not before one
  // of the session itself that is yet to come, since nobody is visible to itself.
  void demand_seen(TransactionId id) {
    const auto reads = view_.reads(id);
    for (const SessionsView::Read& read : reads) {
      const auto at = pending_.find(read.object);
      if (at == pending_.end()) continue;
      if (!spend(at->second.size())) return;
      for (const TransactionId visible : at->second) demand_one(visible, id, read);
    }
    for (const SessionsView::Read& read : reads) {
      const auto at = pending_.find(read.object);
      if (at != pending_.end() && read.from != kInitialTransaction && !own_future(id, read.from))
        std::erase_if(at->second, [&](TransactionId seen) { return seen != id; });
    }
    for (const SessionsView::Read& read : reads) {
      if (read.from == kInitialTransaction || RINGSIDE_BUG(sessions_forget_what_they_saw)) continue;
      if (!spend(view_.written(read.from).size())) return;
      for (const ObjectId object : view_.written(read.from)) pending_[object].push_back(read.from);
    }
  }
  bool own_future(TransactionId id, TransactionId other) const {
    return view_.session(other) == view_.session(id) && view_.index(other) > view_.index(id);
  }
  void demand_writers_past(TransactionId id) {
    seen_.clear();
    for (const SessionsView::Read& read : view_.reads(id)) {
      const TransactionId from = read.from;
      if (from == kInitialTransaction || !seen_.insert({from, 0}).second) continue;
      demand_past(id, view_.session(from), view_.index(from));
    }
  }
  // All that the sessions of whom it read from had read from, up to there (that read included).
  void demand_writers_reads(TransactionId id) {
    seen_.clear();
    for (const SessionsView::Read& read : view_.reads(id)) {
      if (read.from == kInitialTransaction) continue;
      const auto& session = view_.sessions()[view_.session(read.from)];
      auto [upto, first] = seen_.insert({view_.session(read.from), 0});
      for (; upto->second <= view_.index(read.from); ++upto->second) {
        for (const SessionsView::Read& earlier : view_.reads(session[upto->second])) {
          if (too_much_) return;
          if (earlier.from != kInitialTransaction) demand_all(earlier.from, id, 0);
        }
      }
    }
  }

  // What happened before each transaction, as how much of each session.
  void demand_causal(const Components& past) {
    const std::size_t sessions = view_.sessions().size();
    if (!spend(sessions * view_.transactions())) return;
    std::vector<uint32_t> clocks(sessions * view_.transactions(), 0);
    std::vector<TransactionId> order(view_.transactions());
    for (TransactionId id = 0; id < order.size(); ++id) order[past.count - 1 - past.of[id]] = id;
    for (const TransactionId id : order) {
      if (view_.session(id) == UINT32_MAX) continue;
      uint32_t* clock = &clocks[sessions * id];
      const auto join = [&](TransactionId before) {
        const uint32_t* other = &clocks[sessions * before];
        for (std::size_t s = 0; s < sessions; ++s) clock[s] = std::max(clock[s], other[s]);
        uint32_t& own = clock[view_.session(before)];
        own = std::max(own, view_.index(before) + 1);
      };
      if (view_.index(id) > 0) join(view_.sessions()[view_.session(id)][view_.index(id) - 1]);
      for (const SessionsView::Read& read : view_.reads(id)) {
        if (read.from != kInitialTransaction && !RINGSIDE_BUG(causal_past_forgets_reads))
          join(read.from);
      }
      for (const SessionsView::Read& read : view_.reads(id)) demand_before(id, read, clock);
      if (too_much_) return;
    }
  }
  void demand_before(TransactionId id, const SessionsView::Read& read, const uint32_t* clock) {
    const auto writers = view_.writers(read.object);
    for (std::size_t i = 0; i < writers.size() && spend(1);) {
      const uint32_t session = writers[i].session;
      demand_one(view_.last_writer(read.object, session, clock[session]), id, read);
      i = static_cast<std::size_t>(
          std::ranges::lower_bound(writers.begin() + static_cast<std::ptrdiff_t>(i), writers.end(),
                                   SessionsView::Writer{read.object, session + 1, 0, 0}) -
          writers.begin());
    }
  }

  const SessionsView& view_;
  const WeakLevel level_;
  uint64_t work_left_;
  bool too_much_ = false;
  std::vector<Edge> session_order_, arbitration_;
  std::vector<ArbitrationDemand> demands_;
  absl::flat_hash_map<uint32_t, uint32_t> seen_;                       // looked up, never walked
  absl::flat_hash_map<ObjectId, std::vector<TransactionId>> pending_;  // likewise
  std::vector<uint32_t> by_object_;                                    // of by_object_of_
  TransactionId by_object_of_ = kNoTransaction;
};

}  // namespace

const char* weak_level_name(WeakLevel level) {
  static constexpr const char* kNames[kWeakLevels] = {
      "read-committed-in-sessions", "read-atomic",     "causal",
      "read-your-writes",           "monotonic-reads", "monotonic-writes",
      "writes-follow-reads"};
  return kNames[static_cast<std::size_t>(level)];
}

WeakVerdict check_weak(const TransactionHistory& history, const Versions& versions, WeakLevel level,
                       const WeakOptions& options) {
  const SessionsView view(history, versions);
  return WeakChecker(view, level, options.work_max).check();
}

std::string describe(const TransactionHistory& history, const WeakWitness& witness) {
  std::string text;
  for (std::size_t i = 0; i < witness.transactions.size(); ++i) {
    text += (i > 0 ? "\n" : "") + describe(history, witness.transactions[i]);
    const WeakWitness::Demand& demand = witness.demands[i];
    const TransactionId next = witness.transactions[(i + 1) % witness.transactions.size()];
    text += "\n  —" + std::string(edge_name(witness.edges[i])) + "→ ";
    text += witness.transactions.size() == 1 ? "the initial version" : "T" + std::to_string(next);
    if (witness.edges[i] != EdgeKind::kArbitration) continue;
    text += ", whose version of " + history.objects[demand.object] +
            " was returned where the first was visible, to " + describe(history, demand.reader);
  }
  return text;
}

}  // namespace ringside::isolation
