// bench_judge [--json] [--quick]: the checkers of histories. Beside Porcupine, on 10,000 operations
// of 10 clients on one register: as it was measured once (in Go), and its algorithm as published.
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
#include "bench/published_search.h"
#include "bench/rows.h"
#include "runtime/check.h"

namespace ringside::bench {
namespace {

int rounds = 5;  // --quick: 1
constexpr double kPorcupineSeconds = 1.8;
constexpr uint64_t kMillion = 1'000'000;

struct General {
  ModelKind model;
  bool once;  // each value
  const char* name;
};
constexpr General kGeneral[] = {{ModelKind::kRegister, false, "register"},
                                {ModelKind::kCounter, false, "counter"},
                                {ModelKind::kSet, false, "set"},
                                {ModelKind::kQueue, false, "queue"},
                                {ModelKind::kQueue, true, "queue_values_once"}};

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
std::vector<double> general(ModelKind model, bool once, uint64_t count) {
  const std::vector<Calls> histories = general_histories(model, once, count, 100, 10, 2);
  uint64_t answers[3] = {};
  const double begin = cpu_seconds();
  for (const Calls& calls : histories) {
    const Verdict verdict = judge_calls(model, calls, nullptr, {kVisitedMax, false});
    ++answers[static_cast<int>(verdict.answer)];
  }
  const double seconds = cpu_seconds() - begin;
  CHECK(answers[static_cast<int>(Answer::kYes)] >= count / 2);
  CHECK(answers[static_cast<int>(Answer::kNo)] >= count / 5);
  CHECK(answers[static_cast<int>(Answer::kUnknown)] == 0);
  return {seconds};
}

// The zone test, the published search, and our own, on the same history.
std::vector<double> against_search() {
  const History history = register_history(10'000, 10, 3);
  const Calls calls = registers_of(history).front();
  const double zones =
      seconds_of_short([&] { CHECK(check_linearizability(history).linearizable()); });
  const double published = seconds_of([&] { CHECK(published_search(calls)); });
  const double ours = seconds_of(
      [&] { CHECK(search_linearization(ModelKind::kRegister, calls).answer == Answer::kYes); });
  return {zones, published, ours};
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
  for (const auto& [model, once, name] : kGeneral) {
    const double seconds = middle([&] { return general(model, once, 10'000); }, name);
    const std::string test = std::string("general_100_ops_10_clients/") + name;
    rows.push_back(rate(test.c_str(), kHistories, 10'000, seconds, 10'000 / 2.0));
  }
  std::vector<double> zones, published, ours, of_go, of_published, of_ours;
  for (int round = 0; round < rounds; ++round) {
    const std::vector<double> all = in_child(against_search);
    zones.push_back(1e4 / all[0]);
    published.push_back(1e4 / all[1]);
    ours.push_back(1e4 / all[2]);
    of_go.push_back(kPorcupineSeconds / all[0]);
    of_published.push_back(all[1] / all[0]);
    of_ours.push_back(all[1] / all[2]);
  }
  constexpr const char* kPort = "the published search, in C++";
  rows.push_back({"register_10k_10_clients/zones", kOperations, median(zones),
                  "Porcupine (Go), measured once", 1e4 / kPorcupineSeconds, median(of_go), 1'000});
  rows.push_back({"register_10k_10_clients/zones", kOperations, median(zones), kPort,
                  median(published), median(of_published), std::nullopt});
  rows.push_back({"register_10k_10_clients/search", kOperations, median(ours), kPort,
                  median(published), median(of_ours), std::nullopt});
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
