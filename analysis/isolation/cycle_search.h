// One shortest cycle of one class in one graph. See cycles.h.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "analysis/isolation/graph.h"

namespace ringside::isolation {

// An automaton over the kinds of a cycle's edges, read from its first edge on. Edges that only lead
// on from auxiliary vertices change no state and add no length; nor do a process's
// edges that follow one of the same.
struct CycleClass {
  static constexpr int8_t kNo = -1;
  static constexpr std::size_t kStates = 5;
  AnomalyKind anomaly;
  KindMask first;  // the kinds of the first edge, after which the state is 0
  std::array<std::array<int8_t, kEdgeKinds>, kStates> next;  // by state and kind
  uint32_t accepts;                                          // bits of states
};
// What a class's automaton is for cycles of ww, wr and rw alone, or with at least one edge of
// `order`.
CycleClass plain_class(AnomalyKind base);
CycleClass ordered_class(AnomalyKind base, EdgeKind order);
// Any cycle at all.
CycleClass any_class();

struct FoundCycle {
  std::vector<uint32_t> vertices;  // transactions alone, as the graph numbers them
  std::vector<EdgeKind> edges;
};

class CycleSearch {
 public:
  // Vertices below `transactions` are no auxiliary ones. `visits_left` is shared by searches.
  CycleSearch(const Graph& graph, uint32_t transactions, uint64_t& visits_left)
      : graph_(graph), transactions_(transactions), visits_left_(visits_left) {}

  // Shorter than `length`, with no transaction twice; empty when none was found. The budget may
  // have ended it: then visits_left is 0. A walk that met a transaction twice may have stood in the
  // way of a cycle: `passed_over` is the length of the shortest such, UINT32_MAX for none.
  FoundCycle shortest(const CycleClass& cycle_class, uint32_t length);
  FoundCycle shortest_through(uint32_t vertex, const CycleClass& cycle_class, uint32_t length);
  uint32_t passed_over() const { return passed_over_; }
  // The same by trying all walks, which nothing stands in the way of: for small graphs, and at most
  // so many edges. False when those did not suffice.
  bool shortest_of_all(const CycleClass& cycle_class, uint32_t length, uint64_t visits,
                       FoundCycle& found);

 private:
  struct Step {
    uint32_t vertex;
    EdgeKind kind;  // of the edge that led there
  };
  struct Dive {
    const CycleClass& cycle_class;
    uint32_t start, limit;
    uint64_t visits;
    FoundCycle found;
  };
  bool dive(Dive& dive, uint32_t state, uint32_t distance);
  // Of the steps from the first edge on, and the edge that leads back.
  FoundCycle assemble(uint32_t start, std::span<const Step> steps, EdgeKind last) const;
  struct Node {
    uint32_t round = 0;  // of what search the rest is
    uint32_t distance = 0;
    uint32_t parent = 0;  // node index
    EdgeKind kind = EdgeKind::kPass;
  };
  void reach(uint32_t vertex, uint32_t state, uint32_t distance, uint32_t parent, EdgeKind kind,
             std::vector<uint32_t>& into);
  FoundCycle trace(uint32_t vertex, uint32_t node, EdgeKind last) const;

  const Graph& graph_;
  const uint32_t transactions_;
  uint64_t& visits_left_;
  uint32_t round_ = 0;
  std::vector<Node> nodes_;  // by vertex, state, and whether a process's edge led there
  std::vector<uint32_t> now_, later_;
  uint32_t passed_over_ = UINT32_MAX;
  std::vector<Step> steps_;    // of a dive
  std::vector<char> on_path_;  // likewise, by transaction
};

}  // namespace ringside::isolation
