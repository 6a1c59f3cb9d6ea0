#include "analysis/isolation/cycle_search.h"

#include <algorithm>

#include "runtime/bug.h"
#include "runtime/check.h"

namespace ringside::isolation {
namespace {

constexpr int8_t kNo = CycleClass::kNo;
constexpr uint32_t kNoParent = UINT32_MAX;
constexpr uint32_t kStates = CycleClass::kStates;

// A row: the states after ww, wr, rw and any edge of an order (process, real time).
constexpr std::array<int8_t, kEdgeKinds> row(int8_t ww, int8_t wr, int8_t rw, int8_t order) {
  return {ww, wr, rw, order, order, kNo, kNo};
}
constexpr std::array<int8_t, kEdgeKinds> kDead = row(kNo, kNo, kNo, kNo);

}  // namespace

CycleClass plain_class(AnomalyKind base) {
  constexpr KindMask kWw = mask_of(EdgeKind::kWriteWrite), kWr = mask_of(EdgeKind::kWriteRead),
                     kRw = mask_of(EdgeKind::kReadWrite);
  switch (base) {
    case AnomalyKind::kG0: return {base, kWw, {row(0, kNo, kNo, kNo)}, 1u << 0};
    case AnomalyKind::kG1c: return {base, kWr, {row(0, 0, kNo, kNo)}, 1u << 0};
    case AnomalyKind::kGSingle:
      return {base,
              kRw,
              {row(0, 0, RINGSIDE_BUG(g_single_may_have_two_anti_dependencies) ? 0 : kNo, kNo)},
              1u << 0};
    case AnomalyKind::kGNonadjacent:  // (one rw, at the end), (one), (more, at the end), (more)
      return {base,
              kRw,
              {row(1, 1, RINGSIDE_BUG(g_nonadjacent_may_have_adjacent_ones) ? 2 : kNo, kNo),
               row(1, 1, 2, kNo), row(3, 3, kNo, kNo), row(3, 3, 2, kNo)},
              1u << 3};
    default: break;
  }
  CHECK(base == AnomalyKind::kG2Item);  // begins with the two that are adjacent
  return {base, kRw, {row(kNo, kNo, 1, kNo), row(1, 1, 1, kNo)}, 1u << 1};
}

CycleClass ordered_class(AnomalyKind base, EdgeKind order) {
  const bool real_time = order == EdgeKind::kRealTime;
  const auto anomaly = static_cast<AnomalyKind>(static_cast<int>(base) + (real_time ? 10 : 5));
  CycleClass made = {anomaly, mask_of(order), {kDead, kDead, kDead, kDead, kDead}, 0};
  switch (base) {
    case AnomalyKind::kG0:
      made.next[0] = row(0, kNo, kNo, 0);
      made.accepts = 1u << 0;
      break;
    case AnomalyKind::kG1c:  // no wr yet, some
      made.next = {row(0, 1, kNo, 0), row(1, 1, kNo, 1), kDead, kDead, kDead};
      made.accepts = 1u << 1;
      break;
    case AnomalyKind::kGSingle:  // no rw yet, one
      made.next = {row(0, 0, 1, 0), row(1, 1, kNo, 1), kDead, kDead, kDead};
      made.accepts = 1u << 1;
      break;
    case AnomalyKind::kGNonadjacent:  // no rw, (one, at the end), (one), (more, at the end), (more)
      made.next = {row(0, 0, 1, 0), row(2, 2, kNo, 2), row(2, 2, 3, 2), row(4, 4, kNo, 4),
                   row(4, 4, 3, 4)};
      made.accepts = 1u << 3 | 1u << 4;
      break;
    default:  // no two adjacent yet: not at a rw, at one; two
      CHECK(base == AnomalyKind::kG2Item);
      made.next = {row(0, 0, 1, 0), row(0, 0, 2, 0), row(2, 2, 2, 2), kDead, kDead};
      made.accepts = 1u << 2;
  }
  if (!real_time) {  // a process's cycle has no real-time edge
    for (auto& state : made.next) state[static_cast<std::size_t>(EdgeKind::kRealTime)] = kNo;
  }
  return made;
}

CycleClass any_class() {
  return {AnomalyKind::kG0, ~mask_of(EdgeKind::kPass), {{{0, 0, 0, 0, 0, 0, kNo}}}, 1u << 0};
}

FoundCycle CycleSearch::shortest(const CycleClass& cycle_class, uint32_t length) {
  FoundCycle best;
  passed_over_ = UINT32_MAX;
  for (uint32_t vertex = 0; vertex < transactions_ && length > 2 && visits_left_ > 0; ++vertex) {
    FoundCycle found = shortest_through(vertex, cycle_class, length);
    if (found.vertices.empty()) continue;
    length = static_cast<uint32_t>(found.vertices.size());
    best = std::move(found);
  }
  return best;
}

void CycleSearch::reach(uint32_t vertex, uint32_t state, uint32_t distance, uint32_t parent,
                        EdgeKind kind, std::vector<uint32_t>& into) {
  const uint32_t node = (vertex * kStates + state) * 2 + (kind == EdgeKind::kProcess);
  Node& there = nodes_[node];
  if (there.round == round_ && there.distance <= distance) return;
  there = {round_, distance, parent, kind};
  into.push_back(node);
}

FoundCycle CycleSearch::shortest_through(uint32_t vertex, const CycleClass& cycle_class,
                                         uint32_t length) {
  nodes_.resize(static_cast<std::size_t>(graph_.vertices()) * kStates * 2);
  ++round_;
  FoundCycle best;
  now_.clear();
  for (uint32_t edge = graph_.first(vertex); edge < graph_.last(vertex); ++edge) {
    if ((cycle_class.first & mask_of(graph_.kind(edge))) != 0)
      reach(graph_.target(edge), 0, 1, kNoParent, graph_.kind(edge), now_);
  }
  for (uint32_t distance = 1; !now_.empty() && distance < length; ++distance) {
    later_.clear();
    for (std::size_t i = 0; i < now_.size(); ++i) {  // grows as it is walked
      const uint32_t from = now_[i], at = from / (2 * kStates), state = from / 2 % kStates;
      if (nodes_[from].distance != distance) continue;
      for (uint32_t edge = graph_.first(at); edge < graph_.last(at); ++edge) {
        if (visits_left_ == 0) return best;
        --visits_left_;
        const EdgeKind kind = graph_.kind(edge);
        const bool pass = kind == EdgeKind::kPass;
        const int8_t next = pass ? static_cast<int8_t>(state)
                                 : cycle_class.next[state][static_cast<std::size_t>(kind)];
        // The order of a process is transitive: two of its edges in a row are one.
        const bool free = pass || (kind == EdgeKind::kProcess && from % 2 == 1);
        const uint32_t far = distance + (free ? 0 : 1);
        if (next == kNo || far >= length) continue;
        if (graph_.target(edge) == vertex) {
          if ((cycle_class.accepts >> next & 1) == 0) continue;
          FoundCycle found = trace(vertex, from, kind);
          if (found.vertices.empty()) {
            passed_over_ = std::min(passed_over_, far);
            continue;
          }
          best = std::move(found);
          length = far;  // an auxiliary vertex at this distance may still close a shorter one
          continue;
        }
        reach(graph_.target(edge), static_cast<uint32_t>(next), far, from, kind,
              free ? now_ : later_);
      }
    }
    now_.swap(later_);
  }
  return best;
}

FoundCycle CycleSearch::trace(uint32_t vertex, uint32_t node, EdgeKind last) const {
  std::vector<Step> steps;
  for (; node != kNoParent; node = nodes_[node].parent)
    steps.push_back({node / (2 * kStates), nodes_[node].kind});
  std::ranges::reverse(steps);
  return assemble(vertex, steps, last);
}

// Empty when a transaction comes twice.
FoundCycle CycleSearch::assemble(uint32_t start, std::span<const Step> steps, EdgeKind last) const {
  FoundCycle cycle;
  for (std::size_t i = 0; i <= steps.size(); ++i) {
    const uint32_t vertex = i == 0 ? start : steps[i - 1].vertex;
    const EdgeKind out = i == steps.size() ? last : steps[i].kind;
    const bool merged = out == EdgeKind::kProcess && !cycle.edges.empty() &&
                        cycle.edges.back() == EdgeKind::kProcess;
    if (merged) continue;
    if (out != EdgeKind::kPass) cycle.edges.push_back(out);
    if (vertex < transactions_) cycle.vertices.push_back(vertex);
  }
  std::vector<uint32_t> sorted = cycle.vertices;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end()) return {};
  CHECK(cycle.vertices.size() == cycle.edges.size());
  return cycle;
}

bool CycleSearch::shortest_of_all(const CycleClass& cycle_class, uint32_t length, uint64_t visits,
                                  FoundCycle& found) {
  constexpr uint32_t kVerticesMax = 4096;  // a dive is as deep
  if (graph_.vertices() > kVerticesMax) return false;
  on_path_.assign(transactions_, 0);
  Dive one = {cycle_class, 0, 0, visits, {}};
  for (one.limit = 2; one.limit < length && one.limit <= transactions_; ++one.limit) {
    for (one.start = 0; one.start < transactions_; ++one.start) {
      on_path_[one.start] = 1;
      for (uint32_t edge = graph_.first(one.start); edge < graph_.last(one.start); ++edge) {
        if ((cycle_class.first & mask_of(graph_.kind(edge))) == 0) continue;
        steps_ = {{graph_.target(edge), graph_.kind(edge)}};
        if (!dive(one, 0, 1)) continue;
        found = std::move(one.found);
        return true;
      }
      on_path_[one.start] = 0;
      if (one.visits == 0) return false;
    }
  }
  return true;
}

// On from the last step. A vertex between two edges of a process is none of the cycle's.
bool CycleSearch::dive(Dive& one, uint32_t state, uint32_t distance) {
  const auto [at, arrived] = steps_.back();
  const bool transaction = at < transactions_;
  const bool taken = transaction && on_path_[at];
  for (uint32_t edge = graph_.first(at); edge < graph_.last(at); ++edge) {
    if (one.visits == 0) return false;
    --one.visits;
    const EdgeKind kind = graph_.kind(edge);
    const bool pass = kind == EdgeKind::kPass;
    const bool merged = kind == EdgeKind::kProcess && arrived == EdgeKind::kProcess;
    const int8_t next = pass ? static_cast<int8_t>(state)
                             : one.cycle_class.next[state][static_cast<std::size_t>(kind)];
    const uint32_t far = distance + (pass || merged ? 0 : 1);
    if (next == kNo || far > one.limit || (taken && !merged)) continue;
    if (graph_.target(edge) == one.start) {
      if ((one.cycle_class.accepts >> next & 1) == 0) continue;
      one.found = assemble(one.start, steps_, kind);
      if (!one.found.vertices.empty()) return true;
      continue;
    }
    if (transaction) on_path_[at] = taken || !merged;
    steps_.push_back({graph_.target(edge), kind});
    if (dive(one, static_cast<uint32_t>(next), far)) return true;
    steps_.pop_back();
    if (transaction) on_path_[at] = taken;
  }
  return false;
}

}  // namespace ringside::isolation
