// One body for every engine behind the interface: what storage/engine.h promises, and nothing that
// only one of them does. The engine is held to a model that keeps the state after every batch.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/engine.h"
#include "storage/test_host.h"
#include "storage/test_rows.h"

namespace ringside {
namespace {

bool persists(EngineKind kind) { return kind != EngineKind::kMemory; }

class Conformance : public testing::TestWithParam<EngineKind> {
 protected:
  Conformance() {
    options_.kind = GetParam();
    options_.abort_when_poisoned = false;
    options_.memtable_bytes_max = 64 << 10;
    options_.tables_max = 2;
  }
  ~Conformance() override { end(); }

  void start() {
    Result<std::unique_ptr<Engine>> opened = host_.run(Engine::open(host_, options_));
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    engine_ = *std::move(opened);
  }
  void end() {
    host_.end_tasks();
    engine_.reset();
    host_.kill();
  }
  static Task<Result<void>> held(Engine& engine, Lsn lsn) {
    co_return co_await engine.durable(lsn);
  }
  Lsn submit(const Batch& batch) {
    Result<Lsn> lsn = engine_->submit(batch);
    while (!lsn.ok() && lsn.code() == Code::kOverloaded && host_.step()) {
      lsn = engine_->submit(batch);
    }
    CHECK(lsn.ok());
    return *lsn;
  }
  Lsn put(std::string_view key, std::string_view value) {
    Batch batch;
    batch.put(key, value);
    return submit(batch);
  }
  void wait(Lsn lsn) { ASSERT_TRUE(host_.run(held(*engine_, lsn)).ok()); }
  std::string get(std::string key, View view = View::kDurable) {
    Result<std::optional<std::string>> value = host_.run(engine_->get(key, view));
    if (!value.ok()) return value.error().text();
    const MemoryLookup seen = engine_->lookup(key, view);
    if (seen.state != MemoryLookup::State::kNotInMemory) {
      EXPECT_EQ(seen.state == MemoryLookup::State::kFound, value->has_value()) << key;
      if (*value) EXPECT_EQ(seen.value, **value);
    }
    return value->value_or("nothing");
  }
  std::string scan(std::string begin, std::string end, View view, ScanLimits limits = {}) {
    Result<std::vector<Entry>> rows =
        entries_of(host_.run(engine_->scan(std::move(begin), std::move(end), limits, view)));
    if (!rows.ok()) return rows.error().text();
    std::string text;
    for (const Entry& row : *rows) text += row.key + "=" + row.value + " ";
    return text;
  }
  Time wall() { return static_cast<Host&>(host_).clock().wall(); }
  void sleep_until(Time at) {
    host_.run([](Host& host, Time until) -> Task<bool> {
      co_await host.clock().sleep_until(until);
      co_return true;
    }(host_, at));
  }

  TestHost host_;
  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
};

TEST_P(Conformance, latest_shows_at_once_and_durable_when_it_is) {
  start();
  const Lsn lsn = put("a", "1");
  EXPECT_EQ(lsn, 1u);
  EXPECT_EQ(engine_->last_submitted(), 1u);
  EXPECT_EQ(engine_->last_durable(), 0u);
  EXPECT_EQ(engine_->lookup("a", View::kLatest).value, "1");
  EXPECT_EQ(engine_->lookup("a", View::kLatest).lsn, 1u) << "whoever is told must wait for it";
  EXPECT_EQ(engine_->lookup("a", View::kDurable).state, MemoryLookup::State::kRemoved);
  wait(lsn);
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(engine_->last_durable(), 1u);
  put("a", "2");
  EXPECT_EQ(engine_->lookup("a", View::kDurable).value, "1");
  EXPECT_EQ(engine_->lookup("a", View::kLatest).value, "2");
}

TEST_P(Conformance, a_batch_is_one_and_its_later_change_of_a_key_stands) {
  start();
  Batch batch;
  batch.put("a", "1");
  batch.put("b", "2");
  batch.remove("a");
  batch.put("c", "");
  wait(submit(batch));
  EXPECT_EQ(scan("", "", View::kDurable), "b=2 c= ");
  EXPECT_EQ(get("a"), "nothing");
  EXPECT_EQ(get("c"), "");
}

TEST_P(Conformance, what_cannot_be_taken_is_refused) {
  start();
  EXPECT_EQ(engine_->submit(Batch()).code(), Code::kInvalid);
  Batch large;
  large.put("a", std::string(options_.group_bytes_max + 1, 'v'));
  EXPECT_EQ(engine_->submit(large).code(), Code::kInvalid);
  EXPECT_EQ(engine_->last_submitted(), 0u);
}

TEST_P(Conformance, too_much_at_once_is_overloaded_and_room_says_when_to_go_on) {
  options_.group_bytes_max = 8 << 10;
  options_.pending_bytes_max = 64 << 10;
  options_.memtable_bytes_max = 1 << 20;
  start();
  Batch batch;
  batch.put("a", std::string(4'000, 'v'));
  uint64_t taken = 0;
  Result<Lsn> lsn = engine_->submit(batch);
  for (; lsn.ok(); lsn = engine_->submit(batch)) ASSERT_LT(++taken, 100u);
  EXPECT_EQ(lsn.code(), Code::kOverloaded);
  EXPECT_GE(taken, 10u);
  host_.run([](Engine& engine) -> Task<bool> {
    co_await engine.room();
    co_return true;
  }(*engine_));
  EXPECT_TRUE(engine_->submit(batch).ok());
  EXPECT_EQ(engine_->last_submitted(), taken + 1) << "what was refused has no number";
  host_.run_until_idle();
  EXPECT_EQ(engine_->last_durable(), taken + 1);
}

TEST_P(Conformance, a_scan_keeps_its_range_and_its_limits) {
  start();
  Batch batch;
  for (char c = 'a'; c <= 'j'; ++c) batch.put(std::string(1, c), std::string(10, c));
  batch.put(std::string("c\0", 2), "after c");
  batch.put("", "the least key");
  wait(submit(batch));
  EXPECT_EQ(scan("c", "e", View::kDurable),
            std::string("c=cccccccccc c\0=after c d=dddddddddd ", 37));
  EXPECT_EQ(scan("", "", View::kDurable, {.rows_max = 2}), "=the least key a=aaaaaaaaaa ");
  EXPECT_EQ(scan("f", "", View::kDurable, {.bytes_max = 12}), "f=ffffffffff g=gggggggggg ")
      << "the row that reaches the limit is the last one";
  EXPECT_EQ(scan("f", "", View::kDurable, {.bytes_max = 11, .fill_cache = false}), "f=ffffffffff ");
  EXPECT_EQ(scan("x", "", View::kDurable), "");
  EXPECT_EQ(scan("e", "c", View::kDurable), "");
}

TEST_P(Conformance, a_key_expires_by_the_wall_clock) {
  start();
  const int64_t expires = wall() + 10 * kSecond;
  Batch batch;
  batch.put_until("a", "1", expires);
  batch.put("b", "2");
  const Lsn lsn = submit(batch);
  EXPECT_EQ(get("a", View::kLatest), "1");
  wait(lsn);
  sleep_until(expires - 1);
  EXPECT_EQ(get("a"), "1");
  EXPECT_EQ(scan("", "", View::kDurable), "a=1 b=2 ");
  sleep_until(expires);
  EXPECT_EQ(get("a"), "nothing");
  EXPECT_EQ(scan("", "", View::kDurable), "b=2 ");
  wait(put("a", "again"));
  EXPECT_EQ(get("a"), "again");
}

TEST_P(Conformance, what_expired_hides_what_is_older_and_stays_hidden_in_tables) {
  start();
  wait(put("a", "old"));
  Batch batch;
  batch.put_until("a", "new", wall() + kSecond);
  wait(submit(batch));
  ASSERT_TRUE(host_.run(engine_->flush()).ok());
  EXPECT_EQ(get("a"), "new");
  sleep_until(wall() + 2 * kSecond);
  EXPECT_EQ(get("a"), "nothing");
  EXPECT_EQ(scan("", "", View::kDurable), "");
}

TEST_P(Conformance, a_range_is_removed_as_it_was_before_its_batch) {
  start();
  Batch batch;
  for (const char* key : {"a", "b", "c", "d"}) batch.put(key, "1");
  wait(submit(batch));
  batch.clear();
  batch.put("b", "2");  // stands: the range goes first
  batch.remove_range("b", "d");
  const Lsn lsn = submit(batch);
  EXPECT_EQ(scan("", "", View::kLatest), "a=1 b=2 d=1 ");
  EXPECT_EQ(scan("", "", View::kDurable), "a=1 b=1 c=1 d=1 ");
  wait(lsn);
  EXPECT_EQ(scan("", "", View::kDurable), "a=1 b=2 d=1 ");
  EXPECT_EQ(get("c"), "nothing");
  batch.clear();
  batch.remove_range("b", "");
  submit(batch);
  EXPECT_EQ(get("c", View::kLatest), "nothing");
  wait(put("c", "3"));
  EXPECT_EQ(scan("", "", View::kDurable), "a=1 c=3 ");
}

TEST_P(Conformance, a_snapshot_stays_whatever_is_written) {
  start();
  Batch batch;
  for (const char* key : {"a", "b", "c"}) batch.put(key, "1");
  wait(submit(batch));
  const Snapshot first = engine_->snapshot();
  put("a", "2");
  std::optional<Snapshot> latest = engine_->snapshot(View::kLatest);
  put("a", "3");
  EXPECT_EQ(get("a", *latest), "2");
  EXPECT_EQ(get("a", first), "1");
  host_.run_until_idle();
  batch.clear();
  batch.remove("b");
  batch.put("d", "4");
  wait(submit(batch));
  ASSERT_TRUE(host_.run(engine_->flush()).ok());
  for (int i = 0; i < 300; ++i) wait(put("b", std::string(1'000, 'v')));
  EXPECT_EQ(scan("", "", first), "a=1 b=1 c=1 ");
  EXPECT_EQ(scan("", "", *latest), "a=2 b=1 c=1 ");
  EXPECT_EQ(get("d", first), "nothing");
  latest.reset();
  wait(put("a", "5"));
  EXPECT_EQ(get("a", first), "1");
  EXPECT_EQ(get("a"), "5");
}

TEST_P(Conformance, what_was_durable_is_there_when_it_is_opened_again) {
  start();
  for (int i = 0; i < 200; ++i) put("key" + std::to_string(i % 50), std::string(900, 'a' + i % 26));
  host_.run_until_idle();
  const std::string before = scan("", "", View::kDurable);
  ASSERT_TRUE(host_.run(engine_->flush()).ok());
  Batch batch;
  batch.put("z", "last");
  batch.remove("key7");
  wait(submit(batch));
  const std::string after = scan("", "", View::kDurable);
  for (const bool closed : {true, false}) {
    if (closed) {
      ASSERT_TRUE(host_.run(engine_->close()).ok());
      EXPECT_EQ(engine_->submit(batch).code(), Code::kClosed);
    }
    end();
    start();
    if (!persists(GetParam())) {
      EXPECT_EQ(engine_->last_durable(), 0u);
      EXPECT_EQ(scan("", "", View::kDurable), "");
      return;
    }
    EXPECT_EQ(engine_->last_durable(), 201u);
    EXPECT_EQ(engine_->last_submitted(), 201u);
    EXPECT_EQ(scan("", "", View::kDurable), after);
    EXPECT_EQ(get("key7"), "nothing");
  }
  EXPECT_EQ(put("a", "1"), 202u);
}

// Everything at once, against the model.
struct Held {
  Snapshot snapshot;
  Lsn lsn;
};

TEST_P(Conformance, any_history_looks_like_the_model) {
  struct Value {
    std::string bytes;
    int64_t expires = 0;
  };
  using State = std::map<std::string, Value>;
  uint64_t compared = 0, held_at_once = 0;
  for (uint64_t seed = 1; seed <= 6; ++seed) {
    start();
    Random random(mix(seed, 21));
    std::vector<State> states{State()};
    const Lsn first = engine_->last_submitted();  // LSNs go on where the last history ended
    if (first > 0) {
      Batch clear;
      for (int i = 0; i < 40; ++i) clear.remove("key" + std::to_string(i));
      wait(submit(clear));
    }
    const Lsn base = engine_->last_submitted();
    std::vector<Held> kept;
    const auto key = [&] { return "key" + std::to_string(random.below(40)); };
    const auto expect = [&](View view, Lsn lsn) {
      std::string begin = random.chance(0.5) ? "" : key(), end = random.chance(0.5) ? "" : key();
      const uint64_t rows = random.chance(0.5) ? 1'000 : 1 + random.below(10);
      std::string text;
      uint64_t left = rows;
      const Time now = wall();
      for (const auto& [name, value] : states[lsn - base]) {
        if (left == 0 || !KeyRange{begin, end}.contains(name)) continue;
        if (value.expires != 0 && value.expires <= now) continue;
        text += name + "=" + value.bytes + " ";
        --left;
      }
      ASSERT_EQ(scan(begin, end, view, {.rows_max = rows}), text)
          << "seed " << seed << ", LSN " << lsn << " of " << engine_->last_submitted();
      const std::string one = key();
      const auto found = states[lsn - base].find(one);
      const bool there = found != states[lsn - base].end() &&
                         (found->second.expires == 0 || found->second.expires > now);
      const MemoryLookup seen = engine_->lookup(one, view);
      if (seen.state != MemoryLookup::State::kNotInMemory) {
        ASSERT_EQ(seen.state == MemoryLookup::State::kFound, there);
        if (there) ASSERT_EQ(seen.value, found->second.bytes);
      }
      ++compared;
    };
    for (int i = 0; i < 700; ++i) {
      State state = states.back();
      Batch batch;
      if (random.chance(0.05)) {
        const KeyRange range{key(), random.chance(0.1) ? "" : key()};
        batch.remove_range(range.begin, range.end);
        std::erase_if(state, [&](const auto& entry) { return range.contains(entry.first); });
      }
      for (uint64_t n = 1 + random.below(4); n > 0; --n) {
        const std::string name = key();
        if (random.chance(0.2)) {
          batch.remove(name);
          state.erase(name);
          continue;
        }
        Value value{std::to_string(i) + std::string(random.below(400), 'v')};
        if (random.chance(0.2)) {
          value.expires = wall() + 1 + static_cast<int64_t>(random.below(20 * kMillisecond));
          batch.put_until(name, value.bytes, value.expires);
        } else {
          batch.put(name, value.bytes);
        }
        state[name] = value;
      }
      if (engine_->submit(batch).ok()) states.push_back(std::move(state));
      for (uint64_t steps = random.below(4); steps > 0; --steps) host_.step();
      if (random.chance(0.05)) sleep_until(wall() + static_cast<Time>(random.below(kMillisecond)));
      if (random.chance(0.02)) ASSERT_TRUE(host_.run(engine_->flush()).ok());
      if (random.chance(0.1)) {
        const bool latest = random.chance(0.5);
        kept.push_back({engine_->snapshot(latest ? View::kLatest : View::kDurable),
                        latest ? engine_->last_submitted() : engine_->last_durable()});
        held_at_once = std::max<uint64_t>(held_at_once, kept.size());
      }
      if (kept.size() > 4) kept.erase(kept.begin() + static_cast<int64_t>(random.below(5)));
      if (random.chance(0.2)) expect(View::kLatest, engine_->last_submitted());
      // A scan may let batches become durable: compare when nothing is under way.
      if (random.chance(0.1)) {
        host_.run_until_idle();
        expect(View::kDurable, engine_->last_durable());
      }
      for (const Held& held : kept) {
        if (random.chance(0.1)) expect(held.snapshot, held.lsn);
      }
      if (HasFatalFailure()) return;
    }
    kept.clear();
    end();
  }
  EXPECT_GT(compared, 500u);
  EXPECT_GE(held_at_once, 4u);
}

INSTANTIATE_TEST_SUITE_P(Engines, Conformance,
                         testing::Values(EngineKind::kLsm, EngineKind::kMemory,
                                         EngineKind::kLevelDb),
                         [](const auto& kind) {
                           switch (kind.param) {
                             case EngineKind::kMemory: return "Memory";
                             case EngineKind::kLevelDb: return "LevelDb";
                             case EngineKind::kLsm: break;
                           }
                           return "Lsm";
                         });

// Only the memory engine: what nobody wants is forgotten.
TEST(MemoryEngineTest, memory_is_bounded_by_what_lives) {
  TestHost host;
  EngineOptions options;
  options.kind = EngineKind::kMemory;
  std::unique_ptr<Engine> engine = *host.run(Engine::open(host, options));
  const auto churn = [&](uint64_t times) {
    for (uint64_t i = 0; i < times; ++i) {
      Batch batch;
      batch.put("hot", std::string(1'000, 'v'));
      batch.put("cold" + std::to_string(i), std::string(100, 'v'));
      if (i % 10 == 9) batch.remove_range("cold", "colder");
      CHECK(engine->submit(batch).ok());
      host.run_until_idle();
    }
  };
  churn(5'000);
  EXPECT_LT(engine->stats().memtable_bytes, 200'000u);
  {
    const Snapshot held = engine->snapshot();
    churn(1'000);
    EXPECT_LT(engine->stats().memtable_bytes, 200'000u) << "one snapshot holds one version a key";
  }
}

TEST(EngineKinds, an_engine_for_research_refuses_what_only_ours_has) {
  TestHost host;
  for (const EngineKind kind : {EngineKind::kMemory, EngineKind::kLevelDb}) {
    EngineOptions options;
    options.kind = kind;
    options.key = std::string(32, 'k');
    EXPECT_EQ(host.run(Engine::open(host, options)).code(), Code::kInvalid);
    options.key.clear();
    std::unique_ptr<Engine> engine = *host.run(Engine::open(host, options));
    EXPECT_EQ(host.run(engine->create_tablet({})).code(), Code::kInvalid);
    EXPECT_EQ(host.run(engine->merkle({})).code(), Code::kInvalid);
    host.end_tasks();
    engine.reset();
    host.kill();
  }
}

}  // namespace
}  // namespace ringside
