// bench_judge [--json] [--quick]: the checkers of histories. Beside Porcupine, as it was measured
// once: its algorithm (Wing-Gong-Lowe, in Go) on 10,000 operations of 10 clients on one register.
#include <algorithm>
#include <cstdio>
#include <cstring>

#include "analysis/chains.h"
#include "analysis/ladder.h"
#include "analysis/linearizability.h"
#include "analysis/online_register.h"
#include "analysis/two_atomicity.h"
#include "analysis/verify_verdict.h"
#include "bench/judge_histories.h"
#include "bench/judge_transactions.h"
#include "bench/rows.h"
#include "runtime/check.h"

namespace ringside::bench {
namespace {

int rounds = 5;  // --quick: 1
constexpr double kPorcupineSeconds = 1.8;
constexpr uint64_t kMillion = 1'000'000;

// CPU seconds of `work`, the best of three: the first one meets cold memory.
template <class F>
double seconds_of(F&& work) {
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const double begin = cpu_seconds();
    work();
    best = std::min(best, cpu_seconds() - begin);
  }
  return best;
}

// Short work often enough that the clock can tell.
template <class F>
double seconds_of_short(F&& work) {
  constexpr int kTimes = 200;
  return seconds_of([&] {
           for (int i = 0; i < kTimes; ++i) work();
         }) /
         kTimes;
}

std::vector<double> zone_test() {
  const History history = register_history(kMillion, 50, 1);
  return {seconds_of([&] { CHECK(check_linearizability(history).linearizable()); })};
}

std::vector<double> chain_test() {
  const Calls calls = registers_of(register_history(kMillion, 50, 1)).front();
  Verdict verdict;
  const double seconds = seconds_of([&] { verdict = check_chains(calls); });
  CHECK(verify_verdict(ModelKind::kRegister, calls, verdict).holds);
  return {seconds};
}

std::vector<double> two_atomicity() {
  const Calls calls = registers_of(register_history(kMillion, 50, 1)).front();
  return {seconds_of([&] { CHECK(check_two_atomicity(calls).answer == Answer::kYes); })};
}

std::vector<double> online() {
  const Calls calls = registers_of(register_history(kMillion, 50, 1)).front();
  struct Event {
    Time at;
    bool ends;
    uint32_t call;
  };
  std::vector<Event> events;
  for (uint32_t i = 0; i < calls.calls.size(); ++i) {
    events.push_back({calls.calls[i].begin, false, i});
    events.push_back({calls.calls[i].end, true, i});
  }
  std::ranges::sort(events, {}, [](const Event& e) { return std::tuple(e.at, e.ends, e.call); });
  return {seconds_of([&] {
    OnlineRegister test;
    for (const Event& event : events) {
      const Call& call = calls.calls[event.call];
      const bool write = call.act == Act::kWrite;
      if (!event.ends && write) test.write_begins(call.value, event.at, event.call);
      if (!event.ends) continue;
      CHECK(write ? test.write_ends(call.value, event.at, true)
                  : test.read_ends(call.value, call.begin, event.at, event.call));
    }
  })};
}

// `count` histories of one model; half of them legal.
std::vector<double> general(ModelKind model, uint64_t count) {
  std::vector<GeneralHistory> histories;
  for (GeneralHistory& one : general_histories(4 * count, 100, 10, 2)) {
    if (one.model == model) histories.push_back(std::move(one));
  }
  uint64_t answers[3] = {};
  const double begin = cpu_seconds();
  for (const GeneralHistory& one : histories) {
    const Verdict verdict = judge_calls(one.model, one.calls, nullptr, {kVisitedMax, false});
    ++answers[static_cast<int>(verdict.answer)];
  }
  CHECK(answers[0] >= count / 2);
  return {cpu_seconds() - begin};
}

std::vector<double> against_search() {
  const History history = register_history(10'000, 10, 3);
  const Calls calls = registers_of(history).front();
  const double zones =
      seconds_of_short([&] { CHECK(check_linearizability(history).linearizable()); });
  const double search = seconds_of(
      [&] { CHECK(search_linearization(ModelKind::kRegister, calls).answer == Answer::kYes); });
  return {zones, search};
}

double middle(const std::function<std::vector<double>()>& measure, const char* name) {
  std::vector<double> values;
  for (int round = 0; round < rounds; ++round) {
    std::fprintf(stderr, "\rjudge: %-32s round %d of %d  ", name, round + 1, rounds);
    values.push_back(in_child(measure)[0]);
  }
  return median(values);
}

Row rate(const char* test, const char* unit, double count, double seconds,
         std::optional<double> goal = std::nullopt) {
  return {test, unit, count / seconds, std::nullopt, std::nullopt, std::nullopt, goal};
}

std::vector<Row> measure() {
  constexpr const char* kOperations = "operations per CPU second";
  constexpr const char* kHistories = "histories per CPU second";
  std::vector<Row> rows;
  rows.push_back(rate("register_1M_50_clients/zones", kOperations, kMillion,
                      middle(zone_test, "zones"), kMillion / 0.150));
  rows.push_back(rate("register_1M_50_clients/chains", kOperations, kMillion,
                      middle(chain_test, "chains, with the order")));
  rows.push_back(
      rate("register_1M_50_clients/online", kOperations, kMillion, middle(online, "online")));
  rows.push_back(rate("register_1M_50_clients/2-atomicity", kOperations, kMillion,
                      middle(two_atomicity, "2-atomicity")));
  for (const ModelKind model : {ModelKind::kRegister, ModelKind::kCounter, ModelKind::kSet}) {
    const std::string test = std::string("general_100_ops_10_clients/") + model_name(model);
    rows.push_back(rate(test.c_str(), kHistories, 10'000,
                        middle([model] { return general(model, 10'000); }, model_name(model)),
                        10'000 / 2.0));
  }
  std::vector<double> zones, searches, ratios, search_ratios;
  for (int round = 0; round < rounds; ++round) {
    const std::vector<double> both = in_child(against_search);
    zones.push_back(1e4 / both[0]);
    searches.push_back(1e4 / both[1]);
    ratios.push_back(kPorcupineSeconds / both[0]);
    search_ratios.push_back(both[1] / both[0]);
  }
  rows.push_back({"register_10k_10_clients/zones", kOperations, median(zones),
                  "Porcupine (Go), measured once", 1e4 / kPorcupineSeconds, median(ratios), 1'000});
  rows.push_back({"register_10k_10_clients/zones", kOperations, median(zones), "our own search",
                  median(searches), median(search_ratios), std::nullopt});
  for (Row& row : judge_transactions_rows(1'000'000, rounds)) rows.push_back(std::move(row));
  std::fprintf(stderr, "\n");
  return rows;
}

}  // namespace
}  // namespace ringside::bench

int main(int count, char** arguments) {
  using namespace ringside::bench;
  bool json = false;
  for (int i = 1; i < count; ++i) {
    if (std::strcmp(arguments[i], "--json") == 0) json = true;
    if (std::strcmp(arguments[i], "--quick") == 0) rounds = 1;
  }
  const std::vector<Row> rows = measure();
  std::fputs((json ? to_json(rows) : to_table(rows)).c_str(), stdout);
  return 0;
}
