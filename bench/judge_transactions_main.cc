// bench_judge_transactions [--json]
#include <cstdio>
#include <string_view>

#include "bench/judge_transactions.h"

int main(int count, char** arguments) {
  using namespace ringside::bench;
  const bool json = count > 1 && std::string_view(arguments[1]) == "--json";
  const std::vector<Row> rows = judge_transactions_rows(1'000'000, 3);
  std::fputs((json ? to_json(rows) : to_table(rows)).c_str(), stdout);
  return 0;
}
