#include "workloads/history.h"

#include <gtest/gtest.h>

#include "runtime/random.h"

namespace ringside {
namespace {

void expect_same(const History& a, const History& b) {
  EXPECT_EQ(a.keys, b.keys);
  ASSERT_EQ(a.clients.size(), b.clients.size());
  for (std::size_t i = 0; i < a.clients.size(); ++i) {
    EXPECT_EQ(a.clients[i].process, b.clients[i].process);
  }
  ASSERT_EQ(a.operations.size(), b.operations.size());
  for (std::size_t i = 0; i < a.operations.size(); ++i) {
    const Operation &x = a.operations[i], &y = b.operations[i];
    ASSERT_EQ(x.id, y.id);
    ASSERT_EQ(x.intended, y.intended);
    ASSERT_EQ(x.invoked, y.invoked);
    ASSERT_EQ(x.finished, y.finished);
    ASSERT_EQ(x.value, y.value);
    ASSERT_EQ(x.item, y.item);
    ASSERT_EQ(x.key, y.key);
    ASSERT_EQ(x.client, y.client);
    ASSERT_EQ(x.coordinator, y.coordinator);
    ASSERT_EQ(x.kind, y.kind);
    ASSERT_EQ(x.outcome, y.outcome);
    ASSERT_EQ(x.phase, y.phase);
    ASSERT_EQ(x.action, y.action);
    ASSERT_TRUE(std::ranges::equal(a.ids_of(x), b.ids_of(y)));
    ASSERT_TRUE(std::ranges::equal(a.items_of(x), b.items_of(y)));
  }
}

// What a run of `operations` on few keys leaves: clients in turns, reads of what was last written,
// now and then siblings, items, lateness, unknown outcomes.
History make_history(uint64_t seed, int operations, int clients, int keys) {
  Random random(seed);
  Time now = 0;
  HistoryRecorder recorder([&now] { return now; });
  for (int i = 0; i < keys; ++i) recorder.intern("key-" + std::to_string(i));
  for (int i = 0; i < clients; ++i) recorder.add_client(kFirstClient + static_cast<NodeId>(i / 64));
  std::vector<ValueId> last(static_cast<std::size_t>(keys));
  std::vector<uint64_t> counter(static_cast<std::size_t>(clients / 64 + 1));
  for (int i = 0; i < operations; ++i) {
    now += static_cast<Duration>(random.below(20'000));
    Invocation invocation;
    invocation.client = static_cast<ClientIndex>(random.below(static_cast<uint64_t>(clients)));
    const uint64_t process = invocation.client / 64;
    invocation.id = (kFirstClient + process) << 32 | ++counter[process];
    invocation.key = static_cast<KeyIndex>(random.below(static_cast<uint64_t>(keys)));
    ValueId& seen = last[invocation.key];
    if (random.chance(0.01)) invocation.late = static_cast<Duration>(random.below(1'000'000));
    if (random.chance(0.01)) invocation.phase = Phase::kFinal;
    const bool put = random.chance(0.5);
    std::vector<ValueId> covered(seen == 0 ? 0 : 1, seen);
    if (put) {
      invocation.kind = OperationKind::kPut;
      invocation.covered = covered;
      if (random.chance(0.1)) {
        invocation.action = Action::kAdd;
        invocation.item = invocation.id;
      }
      seen = invocation.id;
    }
    const auto handle = recorder.invoked(invocation);
    if (random.chance(0.001)) continue;  // never answered
    const Time began = now;
    now += static_cast<Duration>(random.below(2'000'000));
    Completion completion;
    completion.outcome = random.chance(0.99) ? Outcome::kOk : Outcome::kUnknown;
    completion.coordinator = static_cast<NodeId>(1 + random.below(6));
    completion.value = seen;
    if (random.chance(0.02)) covered.push_back(ValueId{77} << 32 | 5);
    completion.read = covered;
    const std::vector<uint64_t> items = {3, 9, seen};
    if (!put && random.chance(0.05)) completion.items = items;
    recorder.finished(handle, completion);
    now = began;
  }
  return recorder.take();
}

TEST(History, keeps_what_clients_asked_and_were_told_in_true_time) {
  Time now = 100;
  HistoryRecorder recorder([&now] { return now; });
  const KeyIndex key = recorder.intern("milk");
  EXPECT_EQ(recorder.intern("milk"), key);
  EXPECT_NE(recorder.intern("eggs"), key);
  const ClientIndex client = recorder.add_client(kFirstClient);
  const std::vector<ValueId> covered = {5, 6};
  const auto put = recorder.invoked({.id = 9,
                                     .client = client,
                                     .key = key,
                                     .kind = OperationKind::kPut,
                                     .late = 30,
                                     .covered = covered});
  now = 150;
  const auto get = recorder.invoked({.id = 10, .client = client, .key = key});
  now = 170;
  const std::vector<ValueId> read = {9, 4};
  recorder.finished(get, {.outcome = Outcome::kOk, .value = 9, .read = read, .coordinator = 3});

  const History& history = recorder.history();
  const Operation& written = history.operations[put];
  EXPECT_EQ(written.intended, 70);
  EXPECT_EQ(written.invoked, 100);
  EXPECT_EQ(written.finished, kNever) << "nobody answered it";
  EXPECT_EQ(written.outcome, Outcome::kUnknown);
  EXPECT_EQ(written.value, 9u);
  EXPECT_TRUE(std::ranges::equal(history.ids_of(written), covered));
  const Operation& asked = history.operations[get];
  EXPECT_EQ(asked.finished, 170);
  EXPECT_EQ(asked.value, 9u);
  EXPECT_EQ(asked.coordinator, 3u);
  EXPECT_TRUE(std::ranges::equal(history.ids_of(asked), read));
}

TEST(History, comes_back_from_disk_as_it_was) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const History history = make_history(seed, 2'000, 100, 30);
    Result<History> back = decode_history(encode_history(history));
    ASSERT_TRUE(back.ok());
    expect_same(history, *back);
  }
  Result<History> nothing = decode_history(encode_history(History()));
  ASSERT_TRUE(nothing.ok());
  EXPECT_TRUE(nothing->operations.empty());
}

TEST(History, takes_at_most_30_bytes_an_operation_on_disk) {
  const History history = make_history(1, 200'000, 50, 1'000);
  const std::string bytes = encode_history(history);
  EXPECT_LT(bytes.size(), 200'000u * 30);
  RecordProperty("bytes_per_operation", static_cast<int>(bytes.size() / 200'000));
}

TEST(History, bytes_that_are_cut_or_changed_never_crash_the_reader) {
  const std::string bytes = encode_history(make_history(1, 300, 10, 5));
  EXPECT_FALSE(decode_history("no history at all").ok());
  for (std::size_t size = 0; size < bytes.size(); size += 7) {
    (void)decode_history(std::string_view(bytes).substr(0, size));
  }
  Random random(4);
  for (int i = 0; i < 5'000; ++i) {
    std::string damaged = bytes;
    damaged[random.below(damaged.size())] = static_cast<char>(random.next());
    (void)decode_history(damaged);
  }
}

}  // namespace
}  // namespace ringside
