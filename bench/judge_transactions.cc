#include "bench/judge_transactions.h"

#include <algorithm>
#include <string>

#include "analysis/isolation/isolation.h"
#include "analysis/isolation/verify.h"
#include "runtime/check.h"
#include "runtime/random.h"

namespace ringside::bench {
namespace {

using namespace isolation;

constexpr uint32_t kKeys = 10, kAppendsOfKey = 32, kProcesses = 20;

// A database that runs one transaction after another; of them, the given share reads every key as
// it was a little while ago.
TransactionHistory list_append(uint32_t transactions, double stale) {
  Random random(1);
  TransactionHistory history;
  std::vector<std::vector<Value>> lists(kKeys);
  std::vector<ObjectId> keys;
  const auto fresh = [&](uint32_t slot) {
    lists[slot].clear();
    history.objects.push_back(std::to_string(history.objects.size()));
    return static_cast<ObjectId>(history.objects.size() - 1);
  };
  for (uint32_t slot = 0; slot < kKeys; ++slot) keys.push_back(fresh(slot));
  Value next = 0;
  for (uint32_t i = 0; i < transactions; ++i) {
    // Takes effect at 100 i; begins in the order of the history, ends within its process's turn.
    const uint32_t process = i % kProcesses;
    const int64_t now = 100 * static_cast<int64_t>(i);
    const int64_t begin = now - 500 + static_cast<int64_t>(random.below(100));
    const int64_t end = now + static_cast<int64_t>(random.below(900));
    history.add(process, begin, end);
    const bool behind = random.chance(stale);
    const uint64_t ops = 1 + random.below(4);
    std::vector<std::size_t> own(kKeys,
                                 0);  // appends of this transaction, which it sees in any case
    for (uint64_t op = 0; op < ops; ++op) {
      const auto slot = static_cast<uint32_t>(random.below(kKeys));
      std::vector<Value>& list = lists[slot];
      if (random.chance(0.5)) {
        if (list.size() >= kAppendsOfKey && own[slot] == 0) keys[slot] = fresh(slot);
        history.append(keys[slot], next);
        list.push_back(next++);
        ++own[slot];
        continue;
      }
      const bool old = behind && own[slot] == 0 && !list.empty();
      history.read_list(keys[slot], std::span(list).first(list.size() - (old ? 1 : 0)));
    }
  }
  return history;
}

// Seconds to judge, and to verify the serial order when there is one.
struct Took {
  double judge = 0, verify = 0;
};
Took judge(const TransactionHistory& history, bool clean, bool weak) {
  IsolationOptions options;
  options.judge_weak = weak;
  const double before = cpu_seconds();
  const Result<IsolationReport> report = check_isolation(history, options);
  Took took = {cpu_seconds() - before, 0};
  CHECK(report.ok());
  CHECK((report->level(Level::kStrictSerializable) == LevelVerdict::kHolds) == clean);
  CHECK(clean || report->level(Level::kSerializable) == LevelVerdict::kRuledOut);
  if (!clean) return took;
  const double then = cpu_seconds();
  CHECK(verify_order(history, report->order, {.processes = true, .real_time = true}).ok());
  took.verify = cpu_seconds() - then;
  return took;
}

Row rate_row(std::string test, uint32_t transactions, const std::vector<double>& seconds,
             std::optional<double> goal) {
  return {std::move(test), "transactions/s", transactions / median(seconds), {}, {}, {}, goal};
}

}  // namespace

std::vector<Row> judge_transactions_rows(uint32_t transactions, int rounds) {
  std::vector<double> clean, verify, broken, weak;
  for (int round = 0; round < rounds; ++round) {
    const std::vector<double> numbers = in_child([&] {
      const TransactionHistory history = list_append(transactions, 0);
      const Took took = judge(history, true, true);
      return std::vector{took.judge, took.verify};
    });
    clean.push_back(numbers[0]);
    verify.push_back(numbers[1]);
    broken.push_back(in_child([&] {
      return std::vector{judge(list_append(transactions, 0.001), false, false).judge};
    })[0]);
    weak.push_back(in_child([&] {
      return std::vector{judge(list_append(transactions, 0.001), false, true).judge};
    })[0]);
  }
  // One core judges a million a second.
  return {rate_row("transactions/list_append", transactions, clean, 1e6),
          rate_row("transactions/list_append_broken", transactions, broken, 1e6),
          rate_row("transactions/list_append_broken_weak_levels", transactions, weak, {}),
          rate_row("transactions/verify_serial_order", transactions, verify, {})};
}

}  // namespace ringside::bench
