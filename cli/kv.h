// `ringside kv put|get|delete KEY [VALUE] --at HOST:PORT`: one operation against a running cluster.
// `get` prints the siblings and the causal context; `put --context` supersedes what that context
// has seen.
#pragma once

#include <string>

#include "runtime/time.h"

namespace ringside::cli {

struct KvOptions {
  enum class Verb { kGet, kPut, kDelete } verb = Verb::kGet;
  std::string key;
  std::string value;
  std::string at;       // HOST:PORT of any node
  std::string context;  // hexadecimal, as `get` printed it; empty: a write that has seen nothing
  bool json = false;
  Duration timeout = 5 * kSecond;
};

// Exit code: 0 done (a get that found nothing too), 1 failed or unknown outcome, 2 bad input.
int run_kv(const KvOptions& options);

}  // namespace ringside::cli
