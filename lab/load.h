// Reading files for people: an error is one line that names the file and says why.
#pragma once

#include <string>

#include "lab/experiment.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {

Result<std::string> read_text_file(const std::string& path);

}  // namespace ringside::lab
