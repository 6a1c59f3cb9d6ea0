#include "analysis/isolation/cycles.h"

#include <algorithm>
#include <numeric>

#include "analysis/isolation/cycle_search.h"
#include "runtime/check.h"

namespace ringside::isolation {
namespace {

constexpr AnomalyKind kBases[] = {AnomalyKind::kG0, AnomalyKind::kG1c, AnomalyKind::kGSingle,
                                  AnomalyKind::kGNonadjacent, AnomalyKind::kG2Item};
constexpr KindMask kAllEdges = kPlainEdges | kProcessEdges | kRealTimeEdges;

constexpr uint64_t kDiveVisitsMax = 2'000'000;

// Transactions from first to last, when no component has two vertices.
std::vector<TransactionId> order_of(const Components& components, uint32_t transactions) {
  std::vector<TransactionId> at(components.count, kNoTransaction), order;
  for (TransactionId id = 0; id < transactions; ++id)
    at[components.count - 1 - components.of[id]] = id;
  order.reserve(transactions);
  for (const TransactionId id : at) {
    if (id != kNoTransaction) order.push_back(id);
  }
  return order;
}

class Finder {
 public:
  Finder(uint32_t transactions, const CycleOptions& options)
      : transactions_(transactions), visits_left_(options.visits_max) {}

  // Among these vertices, which are one component of `whole`.
  void search(const Graph& whole, const std::vector<uint32_t>& vertices) {
    search_with(whole, vertices, kPlainEdges, EdgeKind::kPass);
    search_with(whole, vertices, kPlainEdges | kProcessEdges, EdgeKind::kProcess);
    search_with(whole, vertices, kAllEdges, EdgeKind::kRealTime);
  }

  void finish(CycleReport& report) {
    for (std::size_t i = 0; i < kAnomalyKinds; ++i) {
      const std::size_t length = best_[i].transactions.size();
      report.stopped[i] = stopped_[i] && length != 2;
      if (length == 0) continue;
      best_[i].shortest = !report.stopped[i];
      report.anomalies.push_back(std::move(best_[i]));
    }
  }

 private:
  void search_with(const Graph& whole, const std::vector<uint32_t>& vertices, KindMask kinds,
                   EdgeKind order) {
    const Graph part(whole, vertices, kinds);
    for (const std::vector<uint32_t>& members : strong_components_of(part).large()) {
      const Graph graph(part, members, kinds);
      std::vector<uint32_t> names;
      for (const uint32_t member : members) names.push_back(vertices[member]);
      const auto own =
          static_cast<uint32_t>(std::ranges::lower_bound(names, transactions_) - names.begin());
      CycleSearch search(graph, own, visits_left_);
      for (const AnomalyKind base : kBases) {
        const CycleClass one =
            order == EdgeKind::kPass ? plain_class(base) : ordered_class(base, order);
        Anomaly& best = best_[static_cast<std::size_t>(one.anomaly)];
        const uint32_t bound = best.transactions.empty()
                                   ? UINT32_MAX
                                   : static_cast<uint32_t>(best.transactions.size());
        keep(search.shortest(one, bound), names);
        bool& stopped = stopped_[static_cast<std::size_t>(one.anomaly)];
        stopped |= visits_left_ == 0;
        const uint32_t shorter = best.transactions.empty()
                                     ? UINT32_MAX
                                     : static_cast<uint32_t>(best.transactions.size());
        if (search.passed_over() >= shorter) continue;
        FoundCycle found;
        stopped |= !search.shortest_of_all(one, shorter, kDiveVisitsMax, found);
        keep(found, names);
      }
      if (visits_left_ > 0) continue;
      uint64_t once = graph.edges() * 2;  // no budget is too small to show one
      keep(CycleSearch(graph, own, once).shortest_through(0, any_class(), UINT32_MAX), names);
    }
  }

  void keep(const FoundCycle& found, const std::vector<uint32_t>& names) {
    if (found.vertices.empty()) return;
    const AnomalyKind kind = classify(found.edges);
    Anomaly& best = best_[static_cast<std::size_t>(kind)];
    if (!best.transactions.empty() && best.transactions.size() <= found.vertices.size()) return;
    best.kind = kind;
    best.edges = found.edges;
    best.transactions.clear();
    for (const uint32_t vertex : found.vertices) best.transactions.push_back(names[vertex]);
  }

  const uint32_t transactions_;
  uint64_t visits_left_;
  std::array<Anomaly, kAnomalyKinds> best_;
  std::array<bool, kAnomalyKinds> stopped_ = {};
};

}  // namespace

AnomalyKind classify(std::span<const EdgeKind> edges) {
  bool read = false, process = false, real_time = false, adjacent = false;
  std::size_t anti = 0;
  for (std::size_t i = 0; i < edges.size(); ++i) {
    const bool rw = edges[i] == EdgeKind::kReadWrite;
    read |= edges[i] == EdgeKind::kWriteRead;
    process |= edges[i] == EdgeKind::kProcess;
    real_time |= edges[i] == EdgeKind::kRealTime;
    anti += rw;
    adjacent |= rw && edges[(i + 1) % edges.size()] == EdgeKind::kReadWrite;
  }
  const int base = anti == 0 ? (read ? 1 : 0) : anti == 1 ? 2 : adjacent ? 4 : 3;
  return static_cast<AnomalyKind>(static_cast<int>(AnomalyKind::kG0) + base +
                                  (real_time ? 10
                                   : process ? 5
                                             : 0));
}

CycleReport find_cycles(const Dependencies& dependencies, const CycleOptions& options) {
  CycleReport report;
  const uint32_t transactions = dependencies.transactions();
  const Graph whole(dependencies, kAllEdges);
  const Components components = strong_components_of(whole);
  if (components.all_single()) {
    report.order = order_of(components, transactions);
    return report;
  }
  Finder finder(transactions, options);
  for (const std::vector<uint32_t>& vertices : components.large()) finder.search(whole, vertices);
  finder.finish(report);
  CHECK(!report.anomalies.empty());
  // Every component with a cycle showed one, whatever the budget.
  if (report.anomalies.front().kind <= AnomalyKind::kG2Item) return report;
  for (const KindMask kinds : {kPlainEdges | kProcessEdges, kPlainEdges}) {
    const Components some = strong_components_of(Graph(dependencies, kinds));
    if (!some.all_single()) continue;
    report.order = order_of(some, transactions);
    break;
  }
  return report;
}

}  // namespace ringside::isolation
