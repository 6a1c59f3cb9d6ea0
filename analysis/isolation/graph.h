// A directed graph in compressed rows, edges labelled with their kind, and its strongly connected
// components by Boost.Graph (Tarjan, linear). Edges are sorted by source before they are handed
// over: building a Boost graph from unsorted edges costs more than all that comes after.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analysis/isolation/dependencies.h"

namespace ringside::isolation {

using KindMask = uint32_t;
inline constexpr KindMask mask_of(EdgeKind kind) { return 1u << static_cast<uint32_t>(kind); }
inline constexpr KindMask kPlainEdges =
    mask_of(EdgeKind::kWriteWrite) | mask_of(EdgeKind::kWriteRead) | mask_of(EdgeKind::kReadWrite);
inline constexpr KindMask kProcessEdges = mask_of(EdgeKind::kProcess);
inline constexpr KindMask kRealTimeEdges = mask_of(EdgeKind::kRealTime);

class Graph {
 public:
  struct Part {
    EdgeKind kind;
    std::span<const Edge> edges;
  };
  Graph(uint32_t vertices, std::span<const Part> parts);
  // Edges of these kinds, and all that lead on from auxiliary vertices.
  Graph(const Dependencies& dependencies, KindMask kinds);
  // The part between these vertices (ascending), which are numbered anew in that order.
  Graph(const Graph& whole, std::span<const uint32_t> vertices, KindMask kinds);

  uint32_t vertices() const { return static_cast<uint32_t>(begin_.size() - 1); }
  uint64_t edges() const { return targets_.size(); }
  uint32_t first(uint32_t vertex) const { return begin_[vertex]; }
  uint32_t last(uint32_t vertex) const { return begin_[vertex + 1]; }
  uint32_t target(uint32_t edge) const { return targets_[edge]; }
  EdgeKind kind(uint32_t edge) const { return kinds_[edge]; }

 private:
  static std::vector<Part> parts_of(const Dependencies& dependencies, KindMask kinds);

  std::vector<uint32_t> begin_, targets_;
  std::vector<EdgeKind> kinds_;
};

struct Components {
  uint32_t count = 0;
  // By vertex. Where an edge leads from one component to another, the first has the larger number.
  std::vector<uint32_t> of;
  bool all_single() const { return count == of.size(); }  // there are no loops, hence no cycle
  // The vertices of each component of more than one, in ascending order.
  std::vector<std::vector<uint32_t>> large() const;
};
Components strong_components_of(const Graph& graph);

}  // namespace ringside::isolation
