#include "posix/conformance_stages.h"

namespace ringside::conformance {

// Where the kernel forbids io_uring, its stage is missing.
std::vector<StageKind> stage_kinds() {
  std::vector<StageKind> kinds{{"threads", [] { return real_stage(true); }}};
  if (io_uring_works()) kinds.push_back({"io_uring", [] { return real_stage(false); }});
  kinds.push_back({"sim", [] { return sim_stage(); }});
  return kinds;
}

}  // namespace ringside::conformance
