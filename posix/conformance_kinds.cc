#include "posix/conformance_stages.h"

namespace ringside::conformance {

// Where the kernel forbids io_uring, its test is the one that says so (file_backend_test).
std::vector<StageKind> stage_kinds() {
  std::vector<StageKind> kinds{{"threads", [] { return real_stage(true); }}};
  if (io_uring_works()) kinds.push_back({"io_uring", [] { return real_stage(false); }});
#ifdef RINGSIDE_CONFORMANCE_SIM
  kinds.push_back({"sim", [] { return sim_stage(); }});
#endif
  return kinds;
}

}  // namespace ringside::conformance
