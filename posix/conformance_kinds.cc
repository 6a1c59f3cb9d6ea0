#include "posix/conformance_stages.h"

namespace ringside::conformance {

std::vector<StageKind> stage_kinds() {
  // What users run does small things at once; the other two leave everything to what it falls back
  // on.
  const auto real = [](bool thread_pool_files, bool files_at_once) {
    return [=](const StageOptions& options) {
      return real_stage({.thread_pool_files = thread_pool_files, .files_at_once = files_at_once},
                        options);
    };
  };
  return {{"page_cache", real(false, true)},
          {"io_uring", real(false, false)},
          {"threads", real(true, false)},
          {"sim", [](const StageOptions& options) { return sim_stage(options); }}};
}

}  // namespace ringside::conformance
