#include "workloads/workload.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "workloads/test_host.h"

namespace ringside {
namespace {

constexpr NodeId kSelf = kFirstClient;

struct Ran {
  History history;
  std::map<std::string, std::vector<TestStore::Version>> versions;
  uint64_t in_flight_max = 0;
  bool done = false;
};

Task<void> program(TestHost& host, TestStore& store, WorkloadSpec spec, FinalReadsSpec reads,
                   HistorySink& sink) {
  co_await run_workload(host, store, spec, sink);
  if (reads.rounds > 0) {
    co_await run_final_reads(host, store, reads, spec, workload_keys(spec), sink);
  }
}

Ran run(WorkloadSpec spec, uint32_t final_rounds = 0,
        const std::function<void(TestStore&)>& prepare = {}, uint64_t seed = 1) {
  TestHost host(seed);
  TestStore store(host, kSelf + spec.process);
  if (prepare) prepare(store);
  HistoryRecorder recorder([&host] { return host.now(); });
  host.spawn(program(host, store, spec, {.rounds = final_rounds}, recorder));
  host.run_until(1000 * kSecond);
  return {recorder.take(), store.versions, store.in_flight_max, host.done()};
}

uint64_t count(const History& history, const std::function<bool(const Operation&)>& which) {
  return static_cast<uint64_t>(std::ranges::count_if(history.operations, which));
}

TEST(Registers, take_the_newest_sibling_and_write_back_a_context_that_covers_them_all) {
  WorkloadSpec spec{.what = RegistersSpec{.keys = 3, .writes = 0.5, .blind_writes = 0.3},
                    .clients = 4,
                    .end = kSecond / 2};
  const Ran ran = run(spec, 1);
  ASSERT_TRUE(ran.done);
  uint64_t siblings_met = 0;
  for (const Operation& op : ran.history.operations) {
    EXPECT_EQ(op.outcome, Outcome::kOk);
    const auto ids = ran.history.ids_of(op);
    siblings_met += op.is_get() && ids.size() > 1;
    if (op.is_get() && !ids.empty()) {
      EXPECT_TRUE(std::ranges::find(ids, op.value) != ids.end());
    }
  }
  EXPECT_GT(siblings_met, 10u);
  EXPECT_GT(count(ran.history, [](const Operation& op) { return op.is_put(); }), 200u);
  EXPECT_EQ(count(ran.history, [](const Operation& op) { return op.phase == Phase::kFinal; }), 3u);
}

TEST(Registers, a_writer_that_has_read_a_value_writes_one_that_wins_over_it) {
  WorkloadSpec spec{
      .what = RegistersSpec{.keys = 1, .writes = 0.5}, .clients = 1, .operations_max = 500};
  const Ran ran = run(spec);
  // One session: each read returns its last write, whatever the order of actors and clocks.
  ValueId last = kAbsent;
  for (const Operation& op : ran.history.operations) {
    if (op.is_put())
      last = op.id;
    else
      EXPECT_EQ(op.value, last);
  }
}

TEST(Registers, delete_what_they_have_read_and_a_delete_is_in_the_history_as_one) {
  WorkloadSpec spec{.what = RegistersSpec{.keys = 2, .writes = 0.6, .deletes = 0.4},
                    .clients = 3,
                    .operations_max = 600};
  const Ran ran = run(spec, 1);
  uint64_t deletes = 0, nothing = 0;
  for (const Operation& op : ran.history.operations) {
    deletes += op.is_delete();
    nothing += op.is_get() && op.ids_count == 0;
    if (op.is_delete()) {
      EXPECT_TRUE(op.is_put());
      EXPECT_GT(op.ids_count, 0u);
    }
  }
  EXPECT_GT(deletes, 30u);
  EXPECT_GT(nothing, 30u);
  const Result<History> again = decode_history(encode_history(ran.history));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(std::ranges::count_if(again->operations, &Operation::is_delete),
            static_cast<int64_t>(deletes));
}

TEST(Workload, an_open_loop_counts_the_time_that_an_operation_waited_for_a_free_session) {
  // 1,000 a second against two sessions that need 10 ms each: the queue only grows.
  WorkloadSpec spec{.what = RegistersSpec{.keys = 5, .writes = 0},
                    .clients = 2,
                    .rate = 1000,
                    .poisson = false,
                    .end = kSecond};
  const Ran ran = run(spec, 0, [](TestStore& store) { store.delay = 10 * kMillisecond; });
  ASSERT_TRUE(ran.done);
  EXPECT_LE(ran.in_flight_max, 2u);
  const auto sent = count(ran.history, [](const Operation& op) { return op.ok(); });
  EXPECT_NEAR(static_cast<double>(sent), 200, 2);
  // What was due and never sent failed; nothing that was due is missing.
  EXPECT_EQ(ran.history.operations.size(), 999u);
  EXPECT_EQ(count(ran.history, [](const Operation& op) { return op.outcome == Outcome::kFailed; }),
            999 - sent);
  for (std::size_t i = 0; i < ran.history.operations.size(); ++i) {
    const Operation& op = ran.history.operations[i];
    EXPECT_EQ(op.intended, static_cast<Time>(i + 1) * kMillisecond);
  }
}

TEST(Workload, poisson_arrivals_come_at_the_rate_that_was_asked_for) {
  WorkloadSpec spec{.what = RegistersSpec{.keys = 5, .writes = 0},
                    .clients = 200,
                    .rate = 5000,
                    .end = 10 * kSecond};
  const Ran ran = run(spec);
  EXPECT_NEAR(static_cast<double>(ran.history.operations.size()), 50'000, 4 * 224);
}

TEST(Workload, starts_nothing_at_or_after_its_end_and_finishes_what_runs) {
  WorkloadSpec spec{
      .what = RegistersSpec{}, .clients = 3, .start = 100 * kMillisecond, .end = kSecond};
  const Ran ran = run(spec);
  ASSERT_TRUE(ran.done);
  for (const Operation& op : ran.history.operations) {
    EXPECT_GE(op.invoked, spec.start);
    EXPECT_LT(op.intended, spec.end);
    EXPECT_NE(op.finished, kNever);
  }
}

TEST(Workload, the_same_seed_asks_the_same_and_another_does_not) {
  const WorkloadSpec spec{.what = CartSpec{.carts = 5}, .clients = 3, .end = kSecond / 4};
  const std::string once = encode_history(run(spec, 1).history);
  EXPECT_EQ(once, encode_history(run(spec, 1).history));
  EXPECT_NE(once, encode_history(run(spec, 1, {}, 2).history));
}

TEST(Workload, a_killed_process_leaves_its_open_operations_unknown) {
  TestHost host;
  TestStore store(host, kSelf);
  HistoryRecorder recorder([&host] { return host.now(); });
  const WorkloadSpec spec{.what = RegistersSpec{}, .clients = 3, .end = kSecond};
  host.spawn(run_workload(host, store, spec, recorder));
  host.run_until(500 * kMillisecond + 1);
  host.kill();
  EXPECT_TRUE(host.idle());
  const History history = recorder.take();
  EXPECT_EQ(count(history, [](const Operation& op) { return op.finished == kNever; }), 3u);
}

TEST(Cart, keeps_every_acknowledged_item_that_nobody_removed) {
  WorkloadSpec spec{
      .what = CartSpec{.carts = 4, .adds = 0.5, .removes = 0.2}, .clients = 6, .end = kSecond / 2};
  // Now and then a cart cannot be read: the addition goes through all the same, as a sibling.
  const Ran ran = run(spec, 1, [](TestStore& store) {
    store.outcome = [](bool put, uint64_t n) {
      return !put && n % 7 == 0 && n < 400 ? Outcome::kFailed : Outcome::kOk;
    };
  });
  ASSERT_TRUE(ran.done);
  std::map<KeyIndex, std::set<uint64_t>> shown;
  std::set<uint64_t> removed;
  for (const Operation& op : ran.history.operations) {
    if (op.action == Action::kRemove) removed.insert(op.item);
    if (op.phase != Phase::kFinal) continue;
    const auto items = ran.history.items_of(op);
    shown[op.key].insert(items.begin(), items.end());
  }
  EXPECT_GT(removed.size(), 20u);
  uint64_t adds = 0;
  for (const Operation& op : ran.history.operations) {
    if (op.action != Action::kAdd) continue;
    ++adds;
    EXPECT_EQ(op.item, op.id);
    EXPECT_TRUE(shown[op.key].contains(op.item) || removed.contains(op.item));
  }
  EXPECT_GT(adds, 200u);
}

TEST(Ycsb, loads_every_record_and_keeps_the_shares_of_its_workload) {
  for (const char workload : {'A', 'B', 'C', 'D', 'E', 'F'}) {
    WorkloadSpec spec{.what = YcsbSpec{.workload = workload, .records = 100, .value_bytes = 50},
                      .clients = 4,
                      .end = 1000 * kSecond,
                      .operations_max = 1'200};
    const Ran ran = run(spec);
    ASSERT_TRUE(ran.done);
    EXPECT_EQ(count(ran.history, [](const Operation& op) { return op.phase == Phase::kLoad; }),
              100u);
    const auto puts = static_cast<double>(count(
        ran.history, [](const Operation& op) { return op.phase == Phase::kMain && op.is_put(); }));
    const std::map<char, double> expected = {{'A', 600}, {'B', 60}, {'C', 0},
                                             {'D', 60},  {'E', 60}, {'F', 600}};
    EXPECT_NEAR(puts, expected.at(workload), 4 * 18) << workload;
    const auto gets = static_cast<double>(count(
        ran.history, [](const Operation& op) { return op.phase == Phase::kMain && op.is_get(); }));
    if (workload == 'E')
      EXPECT_NEAR(gets / 1140, 40, 15);  // scans of 1 to 100, cut at the end
    else if (workload == 'F')
      EXPECT_EQ(gets, 1200);
    else
      EXPECT_EQ(gets + puts, 1200);
    // Updates hand back the newest context they know: versions do not pile up.
    for (const auto& [key, versions] : ran.versions) EXPECT_LE(versions.size(), 4u) << key;
  }
}

TEST(Ycsb, a_load_that_fails_is_tried_again) {
  WorkloadSpec spec{.what = YcsbSpec{.workload = 'C', .records = 50},
                    .clients = 4,
                    .end = 1000 * kSecond,
                    .operations_max = 100};
  const Ran ran = run(spec, 0, [](TestStore& store) {
    store.outcome = [](bool, uint64_t n) { return n % 3 == 0 ? Outcome::kFailed : Outcome::kOk; };
  });
  EXPECT_EQ(ran.versions.size(), 50u);
}

TEST(Pbs, writes_each_key_once_and_reads_it_at_each_step_of_the_ladder_after_the_commit) {
  const std::vector<Duration> ladder = {0, kMillisecond / 2, 5 * kMillisecond};
  std::map<std::string, int> written;
  for (uint32_t process = 0; process < 2; ++process) {
    WorkloadSpec spec{.what = PbsSpec{.keys = 101, .ladder = ladder},
                      .process = process,
                      .processes = 2,
                      .clients = 8};
    const Ran ran = run(spec);
    ASSERT_TRUE(ran.done);
    std::map<KeyIndex, Time> committed;
    std::map<KeyIndex, std::vector<Duration>> read_after;
    for (const Operation& op : ran.history.operations) {
      if (op.is_put()) {
        committed[op.key] = op.finished;
        ++written[ran.history.keys[op.key]];
      } else {
        read_after[op.key].push_back(op.invoked - committed.at(op.key));
        EXPECT_EQ(op.ids_count, 1u);
      }
    }
    for (const auto& [key, after] : read_after) EXPECT_EQ(after, ladder);
  }
  EXPECT_EQ(written.size(), 101u);
  for (const auto& [key, times] : written) EXPECT_EQ(times, 1);
}

TEST(Pbs, writes_a_key_again_and_again_and_leaves_the_first_writes_unread) {
  WorkloadSpec spec{.what = PbsSpec{.keys = 3,
                                    .ladder = {0, 10, 20},
                                    .rungs_per_key = 2,
                                    .writes_per_key = 5,
                                    .unread_writes = 2},
                    .clients = 2};
  const Ran ran = run(spec);
  ASSERT_TRUE(ran.done);
  std::map<KeyIndex, std::vector<const Operation*>> puts;
  std::map<Duration, int> reads;
  for (const Operation& op : ran.history.operations) {
    if (op.is_put()) {
      // Each covers the one before it.
      const auto covered = ran.history.ids_of(op);
      ASSERT_EQ(covered.size(), puts[op.key].empty() ? 0u : 1u);
      if (!covered.empty()) EXPECT_EQ(covered[0], puts[op.key].back()->value);
      puts[op.key].push_back(&op);
    } else {
      ASSERT_GT(puts[op.key].size(), 2u);
      EXPECT_EQ(op.value, puts[op.key].back()->value);
      ++reads[op.invoked - puts[op.key].back()->finished];
    }
  }
  ASSERT_EQ(puts.size(), 3u);
  for (const auto& [key, all] : puts) EXPECT_EQ(all.size(), 5u);
  EXPECT_EQ(reads.at(0), 9);
  EXPECT_EQ(reads.at(10) + reads.at(20), 9);
}

TEST(Pbs, with_fewer_rungs_a_key_the_others_take_turns) {
  WorkloadSpec spec{.what = PbsSpec{.keys = 300, .ladder = {0, 10, 20, 30}, .rungs_per_key = 2},
                    .clients = 3};
  const Ran ran = run(spec);
  std::map<KeyIndex, Time> committed;
  std::map<Duration, int> reads;
  for (const Operation& op : ran.history.operations) {
    if (op.is_put())
      committed[op.key] = op.finished;
    else
      ++reads[op.invoked - committed.at(op.key)];
  }
  EXPECT_EQ(reads, (std::map<Duration, int>{{0, 300}, {10, 100}, {20, 100}, {30, 100}}));
}

TEST(FinalReads, try_a_key_again_until_it_answers) {
  WorkloadSpec spec{
      .what = RegistersSpec{.keys = 10, .writes = 1}, .clients = 2, .operations_max = 20};
  const Ran ran = run(spec, 2, [](TestStore& store) {
    store.outcome = [](bool put, uint64_t n) {
      return !put && n % 2 == 0 ? Outcome::kFailed : Outcome::kOk;
    };
  });
  ASSERT_TRUE(ran.done);
  std::map<KeyIndex, int> answered;
  for (const Operation& op : ran.history.operations)
    answered[op.key] += op.phase == Phase::kFinal && op.ok();
  for (const auto& [key, times] : answered) EXPECT_EQ(times, 2);
}

TEST(CheckWorkload, says_what_is_wrong) {
  WorkloadSpec spec{.what = RegistersSpec{}, .end = kSecond};
  EXPECT_TRUE(check_workload(spec).ok());
  spec.what = YcsbSpec{.workload = 'Z'};
  EXPECT_EQ(check_workload(spec).error().message,
            "ycsb: the workload must be A, B, C, D, E, F or M");
  spec.what = PbsSpec{.ladder = {5, 5}};
  EXPECT_EQ(check_workload(spec).error().message, "pbs: the ts must rise");
  spec.what = CartSpec{.adds = 0.7, .removes = 0.7};
  EXPECT_EQ(check_workload(spec).code(), Code::kInvalid);
  spec.what = RegistersSpec{};
  spec.end = kNever;
  EXPECT_EQ(check_workload(spec).code(), Code::kInvalid);
}

}  // namespace
}  // namespace ringside
