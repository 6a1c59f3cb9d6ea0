#include "analysis/isolation/graph.h"

#include <algorithm>
#include <boost/graph/compressed_sparse_row_graph.hpp>
#include <boost/graph/strong_components.hpp>
#include <boost/iterator/iterator_facade.hpp>

namespace ringside::isolation {
namespace {

using BoostGraph =
    boost::compressed_sparse_row_graph<boost::directedS, boost::no_property, boost::no_property,
                                       boost::no_property, uint32_t, uint32_t>;

// The edges of our rows as the pairs that Boost's constructor reads, without a copy of them.
class EdgePairs : public boost::iterator_facade<EdgePairs, const std::pair<uint32_t, uint32_t>,
                                                boost::forward_traversal_tag> {
 public:
  EdgePairs() = default;
  EdgePairs(const Graph& graph, uint32_t edge) : graph_(&graph), edge_(edge) { settle(); }

 private:
  friend class boost::iterator_core_access;
  void increment() {
    ++edge_;
    settle();
  }
  bool equal(const EdgePairs& other) const { return edge_ == other.edge_; }
  const std::pair<uint32_t, uint32_t>& dereference() const { return pair_; }
  void settle() {
    if (edge_ >= graph_->edges()) return;
    while (graph_->last(pair_.first) <= edge_) ++pair_.first;
    pair_.second = graph_->target(edge_);
  }

  const Graph* graph_ = nullptr;
  uint32_t edge_ = 0;
  std::pair<uint32_t, uint32_t> pair_ = {0, 0};
};

}  // namespace

std::vector<Graph::Part> Graph::parts_of(const Dependencies& dependencies, KindMask kinds) {
  std::vector<Part> parts;
  for (std::size_t i = 0; i < kEdgeKinds; ++i) {
    const auto kind = static_cast<EdgeKind>(i);
    if (((kinds | mask_of(EdgeKind::kPass)) & mask_of(kind)) != 0)
      parts.push_back({kind, dependencies.edges(kind)});
  }
  return parts;
}

Graph::Graph(const Dependencies& dependencies, KindMask kinds)
    : Graph(dependencies.vertices(), parts_of(dependencies, kinds)) {}

Graph::Graph(uint32_t vertices, std::span<const Part> parts) : begin_(vertices + 2, 0) {
  // begin_[v + 2] counts, then begin_[v + 1] is where the next edge of v goes.
  for (const Part& part : parts) {
    for (const Edge& edge : part.edges) ++begin_[edge.from + 2];
  }
  for (std::size_t i = 1; i < begin_.size(); ++i) begin_[i] += begin_[i - 1];
  targets_.resize(begin_.back());
  kinds_.resize(begin_.back());
  for (const Part& part : parts) {
    for (const Edge& edge : part.edges) {
      const uint32_t at = begin_[edge.from + 1]++;
      targets_[at] = edge.to;
      kinds_[at] = part.kind;
    }
  }
  begin_.pop_back();
}

Graph::Graph(const Graph& whole, std::span<const uint32_t> vertices, KindMask kinds) {
  kinds |= mask_of(EdgeKind::kPass);
  begin_.push_back(0);
  for (const uint32_t vertex : vertices) {
    for (uint32_t edge = whole.first(vertex); edge < whole.last(vertex); ++edge) {
      if ((kinds & mask_of(whole.kind(edge))) == 0) continue;
      const auto to = std::ranges::lower_bound(vertices, whole.target(edge));
      if (to == vertices.end() || *to != whole.target(edge)) continue;
      targets_.push_back(static_cast<uint32_t>(to - vertices.begin()));
      kinds_.push_back(whole.kind(edge));
    }
    begin_.push_back(static_cast<uint32_t>(targets_.size()));
  }
}

Components strong_components_of(const Graph& graph) {
  const BoostGraph boost_graph(boost::edges_are_sorted, EdgePairs(graph, 0),
                               EdgePairs(graph, static_cast<uint32_t>(graph.edges())),
                               graph.vertices());
  Components components;
  components.of.resize(graph.vertices());
  components.count = static_cast<uint32_t>(boost::strong_components(
      boost_graph, boost::make_iterator_property_map(components.of.begin(),
                                                     get(boost::vertex_index, boost_graph))));
  return components;
}

std::vector<std::vector<uint32_t>> Components::large() const {
  std::vector<uint32_t> size(count, 0), slot(count, 0);
  for (const uint32_t component : of) ++size[component];
  std::vector<std::vector<uint32_t>> all;
  for (uint32_t vertex = 0; vertex < of.size(); ++vertex) {
    const uint32_t component = of[vertex];
    if (size[component] < 2) continue;
    if (slot[component] == 0) {
      all.emplace_back();
      slot[component] = static_cast<uint32_t>(all.size());
    }
    all[slot[component] - 1].push_back(vertex);
  }
  return all;
}

}  // namespace ringside::isolation
