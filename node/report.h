// Report: what a node says of its data when it is asked for its status: what it holds, what waits
// for others, how repair and transfers go, how many versions reads found.
#pragma once

#include "node/node.h"
#include "protocols/partitions.h"
#include "protocols/replication/dynamo/hint_store.h"
#include "protocols/status.h"

namespace ringside {

class Report final : public StatusSource {
 public:
  Report(const NodeStatus& status, const Partitions& partitions, const HintStore& hints)
      : status_(status), partitions_(partitions), hints_(hints) {}

  void describe(std::vector<StatusSection>& out) const override;

 private:
  const NodeStatus& status_;
  const Partitions& partitions_;
  const HintStore& hints_;
};

}  // namespace ringside
