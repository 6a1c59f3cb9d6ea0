#include "runtime/result.h"

namespace ringside {

const char* code_name(Code code) {
  switch (code) {
    case Code::kUnknown: return "unknown outcome";
    case Code::kTimeout: return "timeout";
    case Code::kUnavailable: return "unavailable";
    case Code::kReset: return "connection reset";
    case Code::kCorrupt: return "corrupt";
    case Code::kIo: return "input/output error";
    case Code::kNotFound: return "not found";
    case Code::kExists: return "exists";
    case Code::kNoSpace: return "no space";
    case Code::kOverloaded: return "overloaded";
    case Code::kInvalid: return "invalid";
    case Code::kClosed: return "closed";
  }
  return "?";
}

}  // namespace ringside
