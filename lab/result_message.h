// What a run found, as recordings, shards and workers' letters carry it: lab/recording.proto's
// Result, everything but the history.
#pragma once

#include <string>

#include "lab/experiment.h"
#include "runtime/result.h"

namespace ringside::record {
class Result;
}

namespace ringside::lab {

void to_message(const RunResult& result, record::Result& message);
RunResult from_message(const record::Result& message);

std::string encode_result(const RunResult& result);
Result<RunResult> decode_result(const std::string& bytes);

}  // namespace ringside::lab
