// `ringside replay RUN --walk` and `--seek`: a recorded run, walked through forwards and backwards.
#pragma once

#include "cli/verbs.h"

namespace ringside::cli {

int walk(const ReplayArguments& arguments);

}  // namespace ringside::cli
