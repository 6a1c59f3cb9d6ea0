// The engine on a bare host under crashes and power losses, against a model: whatever was
// acknowledged is there after recovery or was superseded, what is recovered is a prefix of what was
// submitted, and a batch is there whole or not at all. The crash may come anywhere, recovery
// included.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/bug.h"
#include "storage/engine.h"
#include "storage/test_host.h"
#include "storage/test_rows.h"

namespace ringside {
namespace {

struct Change {
  std::string key;
  std::optional<std::string> value;
};
using State = std::map<std::string, std::string>;

void play(State& state, const std::vector<Change>& batch) {
  for (const Change& change : batch) {
    if (change.value) {
      state[change.key] = *change.value;
    } else {
      state.erase(change.key);
    }
  }
}

class CrashRig {
 public:
  explicit CrashRig(uint64_t seed) : host_(seed), random_(mix(seed, 77)) {}
  ~CrashRig() { die(); }

  // Empty, or what was violated.
  std::string run(int cycles) {
    for (cycle_ = 0; cycle_ < cycles && wrong_.empty(); ++cycle_) {
      if (!open()) continue;
      check();
      if (wrong_.empty()) work();
      add_up();
      die();
      if (random_.chance(0.5)) {
        host_.disk().power_loss();
        ++power_losses_;
      }
    }
    return wrong_;
  }

  TestHost& host() { return host_; }
  uint64_t flushes_ = 0, merges_ = 0, acknowledged_total_ = 0, recovered_ = 0, lost_ = 0;
  uint64_t power_losses_ = 0, cut_openings_ = 0;

 private:
  EngineOptions options() {
    EngineOptions options;
    options.memtable_bytes_max = 4096 << random_.below(3);
    options.group_bytes_max = 4096 << random_.below(2);
    options.log_segment_bytes = 16384;
    options.log_bytes_max = 65536 << random_.below(2);
    options.tables_max = 1 + random_.below(3);
    options.block_cache_bytes = 8192;
    options.reserve_bytes = 1;
    options.seal_after = random_.below(2) * kMillisecond;
    options.abort_when_poisoned = false;
    return options;
  }

  // False when the process died while it opened.
  bool open() {
    std::optional<Result<std::unique_ptr<Engine>>> opened;
    host_.spawn([](Host& host, EngineOptions options, auto& out) -> Task<void> {
      out.emplace(co_await Engine::open(host, std::move(options)));
    }(host_, options(), opened));
    const bool cut = random_.chance(0.2);
    for (uint64_t steps = cut ? random_.below(40) : 100'000; steps > 0 && !opened; --steps)
      host_.step();
    if (!opened || (cut && !opened->ok())) {
      host_.kill();
      if (random_.chance(0.5)) host_.disk().power_loss();
      ++cut_openings_;
      return false;
    }
    if (!opened->ok()) {
      wrong_ = "cycle " + std::to_string(cycle_) + ": " + opened->error().text();
      return false;
    }
    engine_ = *std::move(*opened);
    return true;
  }

  void check() {
    const Lsn recovered = engine_->last_submitted();
    if (recovered < acknowledged_ || recovered > batches_.size()) {
      wrong_ = "cycle " + std::to_string(cycle_) + ": acknowledged " +
               std::to_string(acknowledged_) + ", submitted " + std::to_string(batches_.size()) +
               ", recovered " + std::to_string(recovered);
      return;
    }
    if (engine_->last_durable() != recovered) wrong_ = "recovered batches are not durable";
    lost_ += batches_.size() - recovered;
    recovered_ += recovered - applied_;
    batches_.resize(recovered);
    for (; applied_ < recovered; ++applied_) play(state_, batches_[applied_]);
    acknowledged_ = recovered;  // a reader may have seen it from here on
    compare(random_.chance(0.5) ? View::kDurable : View::kLatest, state_);
  }

  void compare(View view, const State& expected) {
    Result<std::vector<Entry>> found =
        entries_of(host_.run(engine_->scan("", "", {.rows_max = 10'000}, view)));
    if (!found.ok()) {
      wrong_ = "scan: " + found.error().text();
      return;
    }
    State seen;
    for (Entry& entry : *found) seen[entry.key] = entry.value;
    if (seen != expected) {
      wrong_ = "cycle " + std::to_string(cycle_) + ": the state after batch " +
               std::to_string(engine_->last_submitted()) + " differs";
    }
    for (int i = 0; i < 3 && wrong_.empty(); ++i) {
      const std::string key = any_key();
      Result<std::optional<std::string>> value = host_.run(engine_->get(key, view));
      if (!value.ok()) {
        wrong_ = "get: " + value.error().text();
      } else if (*value !=
                 (expected.contains(key) ? std::optional(expected.at(key)) : std::nullopt)) {
        wrong_ = "cycle " + std::to_string(cycle_) + ": get of " + key + " differs from the scan";
      }
    }
  }

  std::string any_key() { return "key" + std::to_string(random_.below(60)); }

  void submit() {
    Batch batch;
    std::vector<Change> changes;
    for (uint64_t n = 1 + random_.below(4); n > 0; --n) {
      const std::string key = any_key();
      if (random_.chance(0.25)) {
        batch.remove(key);
        changes.push_back({key, std::nullopt});
      } else {
        const std::string value =
            std::to_string(random_.next()) + std::string(random_.below(300), 'v');
        batch.put(key, value);
        changes.push_back({key, value});
      }
    }
    Result<Lsn> lsn = engine_->submit(batch);
    if (!lsn.ok()) return;  // overloaded
    batches_.push_back(changes);
    CHECK(*lsn == batches_.size());
    host_.spawn([](Engine& engine, Lsn waited, CrashRig& rig) -> Task<void> {
      Result<void> held = co_await engine.durable(waited);
      if (held.ok() && waited > rig.acknowledged_) rig.acknowledged_ = waited;
    }(*engine_, *lsn, *this));
  }

  void work() {
    const uint64_t actions = random_.below(60);
    for (uint64_t i = 0; i < actions && wrong_.empty(); ++i) {
      switch (random_.below(12)) {
        case 0:
          for (uint64_t steps = random_.below(30); steps > 0; --steps) host_.step();
          break;
        case 1:
        case 2: host_.step(); break;
        case 3:
          if (random_.chance(0.2)) host_.run_until_idle();
          break;
        case 4: {
          if (!random_.chance(0.2)) break;
          State latest = state_;
          for (std::size_t at = applied_; at < batches_.size(); ++at) play(latest, batches_[at]);
          compare(View::kLatest, latest);
          break;
        }
        case 5:
          if (random_.chance(0.2)) {
            host_.spawn(
                [](Engine& engine) -> Task<void> { (void)co_await engine.flush(); }(*engine_));
          }
          break;
        default: submit();
      }
    }
    if (random_.chance(0.1)) (void)host_.run(engine_->close());
  }

  void add_up() {
    flushes_ += engine_->stats().flushes;
    merges_ += engine_->stats().merges;
    acknowledged_total_ += acknowledged_ - applied_;
  }

  void die() {
    host_.end_tasks();  // first those who wait, then the engine they wait for
    engine_.reset();
    host_.kill();
  }

  TestHost host_;
  Random random_;
  std::unique_ptr<Engine> engine_;
  std::vector<std::vector<Change>> batches_;  // the LSN is the index plus one
  Lsn acknowledged_ = 0;
  Lsn applied_ = 0;  // batches in `state_`
  State state_;
  int cycle_ = 0;
  std::string wrong_;
};

TEST(EngineCrash, what_was_acknowledged_survives_thousands_of_crashes_and_power_losses) {
  uint64_t cut = 0, recycled = 0, again = 0;
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    CrashRig rig(seed);
    EXPECT_EQ(rig.run(100), "") << "seed " << seed;
    cut += rig.host().probes("wal.torn_tail_cut");
    recycled += rig.host().probes("wal.segment_recycled");
    again += rig.cut_openings_;
    if (seed > 5) continue;
    EXPECT_GT(rig.flushes_, 10u);
    EXPECT_GT(rig.merges_, 2u);
    EXPECT_GT(rig.acknowledged_total_, 100u);
    EXPECT_GT(rig.recovered_, 100u);
    EXPECT_GT(rig.lost_, 10u) << "nothing was ever in flight: the test tests nothing";
  }
  EXPECT_GT(cut, 20u);
  EXPECT_GT(recycled, 100u);
  EXPECT_GT(again, 100u);
}

#ifdef RINGSIDE_PLANTED
TEST(EngineCrash, catches_a_log_that_acknowledges_before_its_sync) {
  set_planted_bugs({"wal_acknowledges_before_sync"});
  EXPECT_NE(CrashRig(1).run(300), "");
  set_planted_bugs({});
}

TEST(EngineCrash, catches_a_log_that_never_syncs) {
  set_planted_bugs({"wal_never_syncs"});
  EXPECT_NE(CrashRig(1).run(300), "");
  set_planted_bugs({});
}
#endif

Task<Result<void>> put_all(Engine* engine, int count) {
  for (int i = 0; i < count; ++i) {
    Batch batch;
    batch.put(std::to_string(1'000 + i), std::string(3'000, 'v'));
    const Result<Lsn> lsn = engine->submit(batch);
    if (!lsn.ok()) co_return lsn.error();
    Result<void> held = co_await engine->durable(*lsn);
    if (!held.ok()) co_return held;
  }
  co_return Result<void>();
}

TEST(EngineCrash, an_unsynced_log_survives_a_kill_and_leaves_a_prefix_after_a_power_loss) {
  constexpr uint64_t kPuts = 20;
  uint64_t lost = 0;
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    TestHost host(seed);
    EngineOptions options;
    options.sync = false;
    const bool power_loss = seed % 2 == 0;
    {
      const auto engine = *host.run(Engine::open(host, options));
      ASSERT_TRUE(host.run(put_all(engine.get(), kPuts)).ok());
      EXPECT_EQ(engine->stats().syncs, 0u);
      host.end_tasks();
    }
    host.kill();
    if (power_loss) host.disk().power_loss();
    Result<std::unique_ptr<Engine>> again = host.run(Engine::open(host, options));
    ASSERT_TRUE(again.ok()) << "seed " << seed << ": " << again.error().text();
    const auto found = *host.run((*again)->scan("", "", {}, View::kDurable));
    if (!power_loss) {
      EXPECT_EQ(found.size(), kPuts);
    }
    for (std::size_t i = 0; i < found.size(); ++i)
      EXPECT_EQ(found[i].key, std::to_string(1'000 + i));
    lost += kPuts - found.size();
    host.end_tasks();
    again->reset();
    host.kill();
  }
  EXPECT_GT(lost, 0u);
}

}  // namespace
}  // namespace ringside
