#include "posix/conformance_stages.h"

namespace ringside::conformance {

std::vector<StageKind> stage_kinds() {
  return {{"threads", [](const StageOptions& options) { return real_stage(true, options); }},
          {"io_uring", [](const StageOptions& options) { return real_stage(false, options); }},
          {"sim", [](const StageOptions& options) { return sim_stage(options); }}};
}

}  // namespace ringside::conformance
