#include "runtime/check.h"

#include <cstdio>
#include <cstdlib>

namespace ringside {

void check_failed(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: CHECK failed: %s\n", file, line, condition);
  std::abort();
}

}  // namespace ringside
