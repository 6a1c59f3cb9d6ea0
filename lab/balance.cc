#include "lab/balance.h"

#include <algorithm>
#include <vector>

#include "runtime/check.h"

namespace ringside::lab {

double load_balancing_efficiency(const Ring& ring, uint32_t n) {
  CHECK(!ring.members().empty() && n > 0);
  std::vector<double> load(ring.members().size());
  double all = 0;
  for (uint32_t partition = 0; partition < ring.partitions(); ++partition) {
    const PositionRange range = ring.range(partition);
    // The circle's end is 0, and so comes out right.
    const auto width = static_cast<double>(range.end - range.begin);
    const std::span<const NodeId> list = ring.preference(partition);
    for (const NodeId home : list.first(std::min<std::size_t>(n, list.size()))) {
      const auto at = std::ranges::lower_bound(ring.members(), home, {}, &Member::id);
      load[static_cast<std::size_t>(at - ring.members().begin())] += width;
      all += width;
    }
  }
  return all / static_cast<double>(load.size()) / *std::ranges::max_element(load);
}

}  // namespace ringside::lab
