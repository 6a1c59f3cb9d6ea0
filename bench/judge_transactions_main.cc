// bench_judge_transactions [--json] [TRANSACTIONS [ROUNDS]]
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "bench/judge_transactions.h"

int main(int count, char** arguments) {
  using namespace ringside::bench;
  const bool json = count > 1 && std::string_view(arguments[1]) == "--json";
  const int first = json ? 2 : 1;
  const int transactions = count > first ? std::atoi(arguments[first]) : 1'000'000;
  const int rounds = count > first + 1 ? std::atoi(arguments[first + 1]) : 3;
  if (transactions <= 0 || rounds <= 0) {
    std::fprintf(stderr, "usage: bench_judge_transactions [--json] [TRANSACTIONS [ROUNDS]]\n");
    return 2;
  }
  const auto rows = judge_transactions_rows(static_cast<uint32_t>(transactions), rounds);
  std::fputs((json ? to_json(rows) : to_table(rows)).c_str(), stdout);
  return 0;
}
