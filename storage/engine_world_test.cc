// The engine in the simulated world: a process that writes at random, killed at random moments and
// losing power, with a device that takes its time. The model knows what was submitted and what was
// acknowledged; every life checks what the last one left: acknowledged or superseded, a prefix,
// batches whole.
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/bug.h"
#include "sim/world.h"
#include "sim/world_for_test.h"
#include "storage/engine.h"
#include "storage/test_rows.h"

namespace ringside {
namespace {

using State = std::map<std::string, std::string>;
using Changes = std::vector<std::pair<std::string, std::optional<std::string>>>;

// What an outsider knows; it outlives every process.
struct Model {
  explicit Model(uint64_t seed) : random(seed) {}

  Random random;
  std::vector<Changes> batches;  // the LSN is the index plus one
  Lsn acknowledged = 0;
  Lsn settled = 0;  // batches in `state`
  State state;
  std::string wrong;
  uint64_t lives = 0, lost = 0, flushes = 0, merges = 0, acknowledgements = 0;

  void settle(Lsn recovered) {
    if (recovered < acknowledged || recovered > batches.size()) {
      wrong = "acknowledged " + std::to_string(acknowledged) + ", recovered " +
              std::to_string(recovered) + ", submitted " + std::to_string(batches.size());
      return;
    }
    lost += batches.size() - recovered;
    batches.resize(recovered);
    for (; settled < recovered; ++settled) {
      for (const auto& [key, value] : batches[settled]) {
        if (value) {
          state[key] = *value;
        } else {
          state.erase(key);
        }
      }
    }
    acknowledged = recovered;
  }
};

EngineOptions draw_options(Random& random) {
  EngineOptions options;
  options.memtable_bytes_max = 4096 << random.below(4);
  options.group_bytes_max = 4096 << random.below(2);
  options.log_segment_bytes = 16384 << random.below(2);
  options.log_bytes_max = 65536;
  options.tables_max = 1 + random.below(3);
  options.block_cache_bytes = 8192;
  options.reserve_bytes = 1;
  options.seal_after = kMillisecond;
  return options;
}

Task<void> acknowledge(Engine& engine, Lsn lsn, Model& model) {
  Result<void> held = co_await engine.durable(lsn);
  if (!held.ok()) co_return;
  ++model.acknowledgements;
  if (lsn > model.acknowledged) model.acknowledged = lsn;
}

void submit(Engine& engine, Scope& scope, Model& model) {
  Batch batch;
  Changes changes;
  for (uint64_t n = 1 + model.random.below(4); n > 0; --n) {
    const std::string key = "key" + std::to_string(model.random.below(100));
    if (model.random.chance(0.25)) {
      batch.remove(key);
      changes.push_back({key, std::nullopt});
    } else {
      const std::string value =
          std::to_string(model.random.next()) + std::string(model.random.below(200), 'v');
      batch.put(key, value);
      changes.push_back({key, value});
    }
  }
  Result<Lsn> lsn = engine.submit(batch);
  if (!lsn.ok()) return;
  model.batches.push_back(std::move(changes));
  CHECK(*lsn == model.batches.size());
  scope.spawn(acknowledge(engine, *lsn, model));
}

Task<void> one_life(Host& host, Model& model) {
  Result<std::unique_ptr<Engine>> opened = co_await Engine::open(host, draw_options(model.random));
  if (!opened.ok()) {
    model.wrong = opened.error().text();
    co_return;
  }
  Engine& engine = **opened;
  ++model.lives;
  model.settle(engine.last_submitted());
  if (!model.wrong.empty()) co_return;
  Result<std::vector<Entry>> found =
      entries_of(co_await engine.scan("", "", {.rows_max = 10'000}, View::kDurable));
  State seen;
  if (found.ok()) {
    for (Entry& entry : *found) seen[entry.key] = entry.value;
  }
  if (seen != model.state) {
    model.wrong = "the state after batch " + std::to_string(model.settled) + " differs";
    co_return;
  }
  Scope scope(host.ready());
  while (true) {
    for (uint64_t n = model.random.below(6); n > 0; --n) submit(engine, scope, model);
    const auto pause = static_cast<Duration>(model.random.below(100) * kMicrosecond);
    co_await host.clock().sleep(pause);
    model.flushes += engine.stats().flushes > 0 ? 1 : 0;
    model.merges += engine.stats().merges > 0 ? 1 : 0;
  }
}

// Empty, or what was violated.
std::string run(Model& model, uint64_t seed, int cycles) {
  sim::WorldSpec spec = sim::small_world(1, 100 * kMicrosecond, seed);
  spec.machines[0].disk = sim::DiskModel::nvme();
  sim::World world(std::move(spec));
  world.place(1, 0, [&model](Host& host) { return one_life(host, model); });
  world.start(1);
  for (int cycle = 0; cycle < cycles && model.wrong.empty(); ++cycle) {
    const auto lives_for = static_cast<Duration>(model.random.below(9'000) * kMicrosecond);
    world.run_until(world.now() + lives_for);
    if (model.random.chance(0.5)) {
      world.power_loss(0);
    } else {
      world.crash(1);
    }
    world.restart(1);
  }
  return model.wrong;
}

TEST(EngineInWorld, keeps_what_it_acknowledged_through_crashes_and_power_losses) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    Model model(seed);
    EXPECT_EQ(run(model, seed, 400), "") << "seed " << seed;
    EXPECT_GT(model.lives, 100u);
    EXPECT_GT(model.acknowledgements, 1'000u);
    EXPECT_GT(model.lost, 50u) << "nothing was ever in flight: the test tests nothing";
    EXPECT_GT(model.flushes, 0u);
    EXPECT_GT(model.merges, 0u);
  }
}

#ifdef RINGSIDE_PLANTED
TEST(EngineInWorld, catches_both_planted_bugs_of_the_log) {
  for (const char* bug : {"wal_acknowledges_before_sync", "wal_never_syncs"}) {
    set_planted_bugs({bug});
    Model model(1);
    EXPECT_NE(run(model, 1, 400), "") << bug;
    set_planted_bugs({});
  }
}
#endif

}  // namespace
}  // namespace ringside
