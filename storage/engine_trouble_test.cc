// The engine on a disk in trouble, in the simulated world. The model knows what was submitted and
// what was acknowledged. Whatever the disk does, a value that is told is the right one: the engine
// says kIo or kCorrupt, aborts, or refuses to open instead. When the trouble is over and the medium
// is mended, everything acknowledged is there again. What no node can notice alone is tested for
// being exactly that: acknowledged writes are lost, and never anything else than the newest ones.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/world.h"
#include "sim/world_for_test.h"
#include "storage/engine.h"
#include "storage/test_rows.h"

namespace ringside {
namespace {

constexpr uint64_t kKeys = 200;

// What an outsider knows of one store; it outlives every process. Every batch is one put of a value
// that names its LSN, so that a prefix is a number.
struct Model {
  explicit Model(uint64_t seed) : random(seed) {}

  std::string value_of(Lsn lsn) const {
    return std::to_string(lsn) + std::string(40 + lsn % 150, static_cast<char>('a' + lsn % 26));
  }
  // Of a key at the end of a prefix of the batches.
  std::optional<std::string> value(uint64_t key, Lsn end) const {
    const std::vector<Lsn>& lsns = puts.at(key);
    const auto after = std::upper_bound(lsns.begin(), lsns.end(), end);
    if (after == lsns.begin()) return std::nullopt;
    return value_of(*std::prev(after));
  }
  void cut(Lsn end) {
    for (auto& [key, lsns] : puts)
      lsns.erase(std::upper_bound(lsns.begin(), lsns.end(), end), lsns.end());
    submitted = end;
  }

  Random random;
  std::map<uint64_t, std::vector<Lsn>> puts;  // by key, in order
  Lsn submitted = 0;
  Lsn acknowledged = 0;
  bool may_lose = false;  // by trouble that no node can notice alone
  bool idle = false;      // reads alone
  std::string wrong;
  uint64_t lives = 0, refused = 0, right = 0, refused_reads = 0, lost_lives = 0;
  uint64_t acknowledgements = 0, rejected = 0;
  std::map<std::string, uint64_t> why;  // refusals
};

EngineOptions small_options(Random& random) {
  EngineOptions options;
  options.memtable_bytes_max = 8192 << random.below(2);
  options.group_bytes_max = 8192;
  options.log_segment_bytes = 32768;
  options.log_bytes_max = 131072;
  options.tables_max = 2 + random.below(4);
  options.block_cache_bytes = 4096;
  options.reserve_bytes = 1;
  options.seal_after = kMillisecond;
  return options;
}

std::string name_of(uint64_t key) { return "key" + std::to_string(1000 + key); }

Task<void> acknowledge(Engine& engine, Lsn lsn, Model& model) {
  Result<void> held = co_await engine.durable(lsn);
  if (!held.ok()) co_return;
  ++model.acknowledgements;
  if (lsn > model.acknowledged) model.acknowledged = lsn;
}

void put(Engine& engine, Scope& scope, Model& model) {
  const uint64_t key = model.random.below(kKeys);
  Batch batch;
  batch.put(name_of(key), model.value_of(model.submitted + 1));
  Result<Lsn> lsn = engine.submit(batch);
  if (!lsn.ok()) {
    ++model.rejected;
    return;
  }
  CHECK(*lsn == model.submitted + 1);
  model.submitted = *lsn;
  model.puts[key].push_back(*lsn);
  scope.spawn(acknowledge(engine, *lsn, model));
}

// One read, of a state that lies between what was durable before and after it.
Task<void> check_get(Engine& engine, Model& model) {
  const uint64_t key = model.random.below(kKeys);
  if (!model.puts.contains(key)) co_return;
  const Lsn before = engine.last_durable();
  Result<std::optional<std::string>> got = co_await engine.get(name_of(key), View::kDurable);
  if (!got.ok()) {
    ++model.refused_reads;
    ++model.why[code_name(got.code())];
    if (got.code() != Code::kIo && got.code() != Code::kCorrupt) model.wrong = got.error().text();
    co_return;
  }
  ++model.right;
  if (*got == model.value(key, before) || *got == model.value(key, engine.last_durable()))
    co_return;
  model.wrong = name_of(key) + " is " + (*got ? **got : "not there") + " at " +
                std::to_string(before) + ", and should be " +
                model.value(key, before).value_or("not there");
}

// All of the state, as one snapshot.
Task<void> check_scan(Engine& engine, Model& model) {
  const Lsn at = engine.last_durable();
  Result<std::vector<Entry>> found =
      entries_of(co_await engine.scan("", "", {.rows_max = 10'000}, View::kDurable));
  if (!found.ok()) {
    ++model.refused_reads;
    ++model.why[code_name(found.code())];
    co_return;
  }
  std::map<std::string, std::string> seen;
  for (Entry& entry : *found) seen[entry.key] = entry.value;
  uint64_t there = 0;
  for (const auto& [key, lsns] : model.puts) {
    const std::optional<std::string> expected = model.value(key, at);
    if (!expected) continue;
    ++there;
    if (seen[name_of(key)] != *expected)
      model.wrong = "a scan at " + std::to_string(at) + " says " + seen[name_of(key)] + " of " +
                    name_of(key) + " instead of " + *expected;
  }
  if (there != found->size()) model.wrong = "a scan found other keys";
  ++model.right;
}

Task<void> one_life(Host& host, Model& model) {
  Result<std::unique_ptr<Engine>> opened = co_await Engine::open(host, small_options(model.random));
  if (!opened.ok()) {
    ++model.refused;
    ++model.why[code_name(opened.code())];
    co_return;
  }
  Engine& engine = **opened;
  ++model.lives;
  const Lsn recovered = engine.last_submitted();
  if (recovered < model.acknowledged) {
    ++model.lost_lives;
    if (!model.may_lose)
      model.wrong = "acknowledged " + std::to_string(model.acknowledged) + ", recovered " +
                    std::to_string(recovered);
  }
  if (recovered > model.submitted) model.wrong = "recovered more than was submitted";
  if (!model.wrong.empty()) co_return;
  model.cut(recovered);
  model.acknowledged = recovered;
  Scope scope(host.ready());
  co_await check_scan(engine, model);
  while (model.wrong.empty()) {
    if (!model.idle) {
      for (uint64_t n = model.random.below(8); n > 0; --n) put(engine, scope, model);
    }
    co_await check_get(engine, model);
    if (model.random.chance(0.02)) co_await check_scan(engine, model);
    const auto pause = static_cast<Duration>(model.random.below(300) * kMicrosecond);
    co_await host.clock().sleep(pause);
  }
}

// A store that was written to, flushed and merged, and a model of it.
struct Store {
  explicit Store(uint64_t seed) : model(seed), world(spec(seed)) {
    world.place(1, 0, [this](Host& host) { return one_life(host, model); });
    world.start(1);
    run(60 * kMillisecond);
    EXPECT_EQ(model.wrong, "");
    EXPECT_GT(model.acknowledged, 100u);
  }
  static sim::WorldSpec spec(uint64_t seed) {
    sim::WorldSpec spec = sim::small_world(1, 100 * kMicrosecond, seed);
    spec.machines[0].disk = sim::DiskModel::nvme();
    return spec;
  }
  // Restarts what ends itself, every so often.
  void run(Duration duration) {
    const Time until = world.now() + duration;
    while (world.now() < until && model.wrong.empty()) {
      world.run_until(std::min(until, world.now() + 2 * kMillisecond));
      if (!world.running(1)) {
        ++ended;
        world.restart(1);
      }
    }
  }
  void power_cycle() {
    world.power_loss(0);
    world.restart(1);
  }
  // Nothing is written, and the log has sealed itself.
  void rest() {
    model.idle = true;
    run(20 * kMillisecond);
  }
  // The trouble is over: what was acknowledged must be there, and reads must be right.
  void recover() {
    world.clear_troubles();
    world.mend(0);
    const uint64_t lives = model.lives;
    power_cycle();
    model.idle = false;
    model.refused_reads = 0;
    run(30 * kMillisecond);
    EXPECT_GT(model.lives, lives);
    EXPECT_EQ(model.refused_reads, 0u);
    EXPECT_EQ(model.wrong, "");
  }
  const sim::InjectedFaults& injected() const { return world.disk_counters(0).injected; }

  Model model;
  sim::World world;
  uint64_t ended = 0;  // processes
};

constexpr uint64_t kSeeds = 20;

// Of all seeds together.
struct Sum {
  uint64_t injected = 0, ended = 0, refused = 0, refused_reads = 0, right = 0, lost_lives = 0;
  uint64_t rejected = 0;
  std::map<std::string, uint64_t> why;

  void add(const Store& store, uint64_t faults) {
    injected += faults;
    ended += store.ended;
    refused += store.model.refused;
    refused_reads += store.model.refused_reads;
    right += store.model.right;
    lost_lives += store.model.lost_lives;
    rejected += store.model.rejected;
    for (const auto& [code, count] : store.model.why) why[code] += count;
  }
};

// A trouble that begins and ends while the store is in use and restarts; then all is well again.
Sum live_with(const sim::DiskTrouble& trouble, uint64_t sim::InjectedFaults::* counter) {
  Sum sum;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Store store(seed);
    const sim::World::TroubleId id = store.world.begin_trouble(0, trouble);
    store.run(30 * kMillisecond);
    store.power_cycle();
    store.run(30 * kMillisecond);
    EXPECT_EQ(store.model.wrong, "") << "seed " << seed;
    store.world.end_trouble(id);
    sum.add(store, store.injected().*counter);
    store.recover();
    EXPECT_EQ(store.model.lost_lives, 0u);
    if (!store.model.wrong.empty()) break;
  }
  EXPECT_GT(sum.injected, kSeeds / 2);
  EXPECT_GT(sum.right, 100u);
  return sum;
}

TEST(EngineInTrouble, a_read_error_fails_the_read_or_the_opening_and_nothing_else) {
  const Sum sum = live_with({.read_error = 0.05}, &sim::InjectedFaults::read_errors);
  EXPECT_GT(sum.refused_reads, kSeeds);
  EXPECT_GT(sum.refused, 0u);
  EXPECT_GT(sum.why.at(code_name(Code::kIo)), 0u);
}

TEST(EngineInTrouble, a_failed_sync_ends_the_process_and_what_was_acknowledged_stays) {
  const Sum sum = live_with({.sync_error = 0.02}, &sim::InjectedFaults::sync_errors);
  EXPECT_GE(sum.ended, kSeeds);
}

TEST(EngineInTrouble, a_failed_write_ends_the_process_and_what_was_acknowledged_stays) {
  const Sum sum = live_with({.write_error = 0.02}, &sim::InjectedFaults::write_errors);
  EXPECT_GE(sum.ended, kSeeds);
}

TEST(EngineInTrouble, a_sync_that_fails_once_is_never_asked_again) {
  Sum sum;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Store store(seed);
    for (int i = 0; i < 5; ++i) {
      const sim::World::TroubleId id = store.world.begin_trouble(0, {.sync_fails_once = true});
      store.run(10 * kMillisecond);
      store.world.end_trouble(id);
      store.power_cycle();
      store.run(5 * kMillisecond);
    }
    sum.add(store, store.injected().syncs_forgotten);
    store.recover();
    EXPECT_EQ(store.model.lost_lives, 0u) << "seed " << seed;
  }
  EXPECT_GE(sum.injected, 5 * kSeeds - 5);
  EXPECT_GE(sum.ended, 4 * kSeeds);
}

TEST(EngineInTrouble, a_dead_disk_ends_the_process_and_keeps_it_from_opening) {
  const Sum sum = live_with({.dead = true}, &sim::InjectedFaults::dead_calls);
  EXPECT_GE(sum.refused, kSeeds);
  EXPECT_GE(sum.ended, kSeeds);
}

TEST(EngineInTrouble, a_full_disk_turns_writes_away_and_goes_on_when_there_is_room) {
  const Sum sum = live_with({.full = true}, &sim::InjectedFaults::full_calls);
  EXPECT_GT(sum.rejected, kSeeds);
}

TEST(EngineInTrouble, a_slow_and_a_gray_disk_only_take_their_time) {
  const Sum sum = live_with(
      {.slower = 3, .good_mean = 5 * kMillisecond, .bad_mean = 5 * kMillisecond, .bad_slower = 10},
      &sim::InjectedFaults::slowed);
  EXPECT_EQ(sum.refused + sum.refused_reads + sum.ended, 0u);
}

// Tables: whatever comes back wrong does not fit its checksum.
TEST(EngineInTrouble, no_wrong_block_of_a_table_is_ever_believed) {
  struct Case {
    sim::DiskTrouble trouble;
    uint64_t sim::InjectedFaults::* counter;
  };
  const Case cases[] = {
      {{.rot_on_read = 0.1, .files = "tables"}, &sim::InjectedFaults::rotted_reads},
      {{.misdirected_read = 0.1, .files = "tables"}, &sim::InjectedFaults::misdirected_reads},
      {{.short_read = 0.1, .files = "tables"}, &sim::InjectedFaults::short_reads}};
  for (const Case& one : cases) {
    SCOPED_TRACE(sim::describe(one.trouble));
    const Sum sum = live_with(one.trouble, one.counter);
    EXPECT_GT(sum.why.at(code_name(Code::kCorrupt)), kSeeds);
  }
}

TEST(EngineInTrouble, a_manifest_record_that_went_astray_is_found_out_or_not_missed) {
  const Sum sum = live_with({.misdirected_write = 0.5, .files = "manifest"},
                            &sim::InjectedFaults::misdirected_writes);
  EXPECT_GT(sum.why.at(code_name(Code::kCorrupt)), 0u);
}

// The medium itself: the store rests, so that the log is sealed, rots, and is opened again and
// read.
TEST(EngineInTrouble, rot_of_the_medium_is_found_out_and_mending_brings_everything_back) {
  for (const char* files : {"tables", "log", "manifest", ""}) {
    Sum sum;
    uint64_t undone = 0;
    for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
      Store store(seed);
      store.rest();
      const uint64_t healthy = store.world.image(1).content_hash();
      store.world.crash(1);
      const sim::DiskImage before = store.world.image(1);
      EXPECT_GT(store.world.rot(0, files, 30), 0u);
      EXPECT_NE(store.world.image(1).content_hash(), healthy);
      store.world.restart(1);
      store.run(20 * kMillisecond);
      EXPECT_EQ(store.model.wrong, "") << files << " seed " << seed;
      EXPECT_EQ(store.model.lost_lives, 0u);
      sum.add(store, store.injected().rotted);
      undone += before.faulty_pages() == 0 ? 1 : 0;
      store.recover();
    }
    EXPECT_EQ(undone, kSeeds);
    EXPECT_EQ(sum.injected, 30 * kSeeds) << files;
    EXPECT_GT(sum.refused + sum.refused_reads, 0u) << files;
    EXPECT_GT(sum.why[code_name(Code::kCorrupt)], 0u) << files;
  }
}

// Log and manifest as they are opened: the store rests, so that the log is sealed, and reads go
// wrong.
TEST(EngineInTrouble, a_log_or_manifest_that_reads_wrong_is_refused_or_right_and_never_cut) {
  const sim::DiskTrouble troubles[] = {{.rot_on_read = 1, .files = "log"},
                                       {.short_read = 0.5, .files = "log"},
                                       {.short_read = 1, .files = "log"},
                                       {.read_error = 0.2, .files = "log"},
                                       {.short_read = 1, .files = "manifest"}};
  for (const sim::DiskTrouble& trouble : troubles) {
    SCOPED_TRACE(sim::describe(trouble));
    Sum sum;
    for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
      Store store(seed);
      store.rest();
      store.world.crash(1);
      const uint64_t lives = store.model.lives;
      store.world.begin_trouble(0, trouble);
      store.world.restart(1);
      store.run(20 * kMillisecond);
      EXPECT_EQ(store.model.wrong, "") << "seed " << seed;
      if (trouble.short_read == 1) EXPECT_EQ(store.model.lives, lives) << "its end is never read";
      const sim::InjectedFaults& injected = store.injected();
      sum.add(store, injected.rotted_reads + injected.short_reads + injected.read_errors);
      store.recover();
      EXPECT_EQ(store.model.lost_lives, 0u);
    }
    EXPECT_GE(sum.injected, kSeeds);
    if (trouble.short_read != 0.5) EXPECT_GT(sum.refused, 0u);
  }
}

TEST(EngineInTrouble, a_log_group_that_went_astray_is_found_out_when_a_later_one_is_there) {
  Sum sum;
  for (uint64_t seed = 1; seed <= 3 * kSeeds; ++seed) {
    Store store(seed);
    const sim::World::TroubleId id =
        store.world.begin_trouble(0, {.misdirected_write = 0.2, .files = "log"});
    store.run(3 * kMillisecond);
    store.world.end_trouble(id);
    // One more group, at its place, which says how far the log was durable.
    store.run(kMillisecond);
    store.rest();
    store.power_cycle();
    store.run(10 * kMillisecond);
    EXPECT_EQ(store.model.wrong, "") << "seed " << seed;
    sum.add(store, store.injected().misdirected_writes);
    store.recover();
    EXPECT_EQ(store.model.lost_lives, 0u);
  }
  EXPECT_GT(sum.injected, kSeeds);
  EXPECT_GT(sum.refused, kSeeds);
}

// Undetectable by one node alone: the engine opens and lacks the newest writes, no others.
TEST(EngineInTrouble, syncs_that_lie_lose_the_newest_writes_at_a_power_loss) {
  Sum sum;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Store store(seed);
    store.world.begin_trouble(0, {.sync_lies = 1, .files = "log"});
    store.run(5 * kMillisecond);
    store.model.may_lose = true;
    store.power_cycle();
    store.run(10 * kMillisecond);
    EXPECT_EQ(store.model.wrong, "") << "seed " << seed;
    sum.add(store, store.injected().syncs_lied);
  }
  EXPECT_GT(sum.injected, kSeeds);
  EXPECT_GT(sum.lost_lives + sum.refused, kSeeds / 2);
}

TEST(EngineInTrouble, an_older_disk_is_opened_as_it_was) {
  Sum sum;
  for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
    Store store(seed);
    const sim::DiskImage older = store.world.image(1);
    store.run(20 * kMillisecond);
    store.world.crash(1);
    store.model.may_lose = true;
    store.world.set_image(1, older);
    store.world.restart(1);
    store.run(20 * kMillisecond);
    EXPECT_EQ(store.model.wrong, "") << "seed " << seed;
    sum.add(store, store.injected().images_replaced);
  }
  EXPECT_EQ(sum.injected, kSeeds);
  EXPECT_EQ(sum.lost_lives, kSeeds);
}

}  // namespace
}  // namespace ringside
