// Partitions over a real engine on a bare host: what is held and whole survives a crash at every
// single disk call, with and without power, and marks and tablets agree afterwards.
#include "protocols/partitions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "storage/test_host.h"

namespace ringside {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr uint64_t kQuarter = uint64_t{1} << 62;
constexpr PositionRange kLow{0, kQuarter / 2}, kHigh{kQuarter / 2, kQuarter};
constexpr PositionRange kA{0, kQuarter}, kB{kQuarter, 2 * kQuarter}, kC{2 * kQuarter, 3 * kQuarter},
    kD{3 * kQuarter, 0};

using State = std::vector<std::pair<PositionRange, bool>>;

EngineOptions small_engine() {
  EngineOptions options;
  options.one_tablet = false;
  options.memtable_bytes_max = 16384;
  options.log_segment_bytes = 16384;
  options.log_bytes_max = 65536;
  options.group_bytes_max = 8192;
  options.reserve_bytes = 1;
  options.abort_when_poisoned = false;
  return options;
}

struct Rig {
  explicit Rig(uint64_t seed = 1) : host(seed) {}
  ~Rig() { die(); }

  void open(LostLog lost_log = LostLog::kRefuse) {
    EngineOptions options = small_engine();
    options.lost_log = lost_log;
    Result<std::unique_ptr<Engine>> opened = host.run(Engine::open(host, options));
    ASSERT_TRUE(opened.ok()) << opened.error().text();
    engine = *std::move(opened);
    partitions.emplace(host, *engine);
    const Result<void> loaded = host.run(partitions->load());
    ASSERT_TRUE(loaded.ok()) << loaded.error().text();
  }
  void die() {
    host.end_tasks();
    partitions.reset();
    engine.reset();
    host.kill();
  }
  void reopen() {
    die();
    open();
  }
  State state() const {
    State state;
    for (const auto& [begin, held] : partitions->all()) state.emplace_back(held.range, held.whole);
    return state;
  }
  std::vector<KeyRange> object_tablets() const {
    std::vector<KeyRange> found;
    for (const TabletInfo& tablet : engine->tablets()) {
      if (tablet.range.begin[0] == kObjectRow) found.push_back(tablet.range);
    }
    return found;
  }
  Result<void> put(uint64_t position, std::string key) {
    Batch batch;
    batch.put(ObjectRow(position, key).view(), "value");
    const Result<Lsn> lsn = engine->submit(batch);
    if (!lsn.ok()) return lsn.error();
    return host.run([](Engine& of, Lsn until) -> Task<Result<void>> {
      co_return co_await of.durable(until);
    }(*engine, *lsn));
  }
  uint64_t rows(PositionRange range) {
    const KeyRange of = rows_of(range);
    Result<Rows> found = host.run(engine->scan(of.begin, of.end, ScanLimits(), View::kDurable));
    return found.ok() ? found->size() : 0;
  }
  void check(Result<void> done) { EXPECT_TRUE(done.ok()) << done.error().text(); }

  TestHost host;
  std::unique_ptr<Engine> engine;
  std::optional<Partitions> partitions;
};

TEST(Partitions, what_is_held_and_whole_is_known_again_after_a_restart) {
  Rig rig;
  rig.open();
  EXPECT_TRUE(rig.partitions->fresh());
  rig.check(rig.host.run(rig.partitions->hold({kA, kC}, true)));
  rig.check(rig.host.run(rig.partitions->hold({kA, kB}, false, 7)));
  const State expected{{kA, true}, {kB, false}, {kC, true}};
  EXPECT_EQ(rig.state(), expected) << "what was held stays as it was";
  rig.reopen();
  EXPECT_FALSE(rig.partitions->fresh());
  EXPECT_EQ(rig.state(), expected);
  EXPECT_EQ(rig.partitions->find(kB.begin)->ticket, 7u);
  EXPECT_FALSE(rig.partitions->holds(kD.begin));
  EXPECT_FALSE(rig.partitions->whole(kB.begin));
  EXPECT_TRUE(rig.partitions->whole(kC.begin + 5));
}

TEST(Partitions, a_dropped_range_takes_its_rows_and_its_tablet_with_it) {
  Rig rig;
  rig.open();
  rig.check(rig.host.run(rig.partitions->hold({kA, kB}, true)));
  rig.check(rig.put(3, "a"));
  rig.check(rig.put(kQuarter + 3, "b"));
  rig.check(rig.host.run(rig.partitions->drop(kA)));
  EXPECT_FALSE(rig.put(3, "a").ok()) << "no tablet";
  rig.check(rig.host.run(rig.partitions->hold({kA}, false)));
  EXPECT_EQ(rig.rows(kA), 0u);
  EXPECT_EQ(rig.rows(kB), 1u);
}

TEST(Partitions, cut_ranges_share_a_tablet_until_the_last_of_them_goes) {
  Rig rig;
  rig.open();
  rig.check(rig.host.run(rig.partitions->hold({kA, kB}, true)));
  for (uint64_t i = 0; i < 8; ++i) rig.check(rig.put(i * (kQuarter / 8), "k"));
  rig.check(rig.host.run(rig.partitions->cut_at({kQuarter / 2, kQuarter / 4, kQuarter / 2, 0})));
  const PositionRange first{0, kQuarter / 4}, second{kQuarter / 4, kQuarter / 2},
      rest{kQuarter / 2, kQuarter};
  EXPECT_EQ(rig.state(), (State{{first, true}, {second, true}, {rest, true}, {kB, true}}));
  EXPECT_EQ(rig.object_tablets().size(), 2u);
  rig.check(rig.host.run(rig.partitions->drop(second)));
  EXPECT_EQ(rig.rows(first), 2u);
  EXPECT_EQ(rig.rows(second), 0u) << "gone with the range";
  EXPECT_EQ(rig.rows(rest), 4u);
  rig.reopen();
  EXPECT_EQ(rig.state(), (State{{first, true}, {rest, true}, {kB, true}}));
  // Held anew: where a tablet lies already, none is made.
  rig.check(rig.host.run(rig.partitions->hold({kA}, false, 3)));
  EXPECT_EQ(rig.state(), (State{{first, true}, {second, false}, {rest, true}, {kB, true}}));
  rig.check(rig.host.run(rig.partitions->join({kA, kB})));
  EXPECT_EQ(rig.state().size(), 4u) << "not joined: a part of it is not whole";
  rig.check(rig.host.run(rig.partitions->set_whole(second, true, 3)));
  rig.check(rig.host.run(rig.partitions->join({kA, kB})));
  EXPECT_EQ(rig.state(), (State{{kA, true}, {kB, true}}));
  rig.check(rig.host.run(rig.partitions->drop(kA)));
  EXPECT_EQ(rig.object_tablets().size(), 1u);
}

TEST(Partitions, a_renewed_range_is_empty_held_and_not_whole_and_so_is_what_shared_its_tablet) {
  Rig rig;
  rig.open();
  rig.check(rig.host.run(rig.partitions->hold({kA, kB}, true)));
  rig.check(rig.host.run(rig.partitions->cut_at({kQuarter / 2})));
  rig.check(rig.put(3, "a"));
  rig.check(rig.put(kQuarter / 2 + 3, "a"));
  rig.check(rig.put(kQuarter + 3, "b"));
  rig.check(rig.host.run(rig.partitions->renew(kLow, 4)));
  EXPECT_EQ(rig.state(), (State{{kLow, false}, {kHigh, false}, {kB, true}}));
  EXPECT_EQ(rig.rows(kA), 0u);
  EXPECT_EQ(rig.rows(kB), 1u);
  rig.check(rig.put(5, "again"));
}

TEST(Partitions, lost_marks_leave_every_range_held_and_none_whole) {
  Rig rig;
  rig.open();
  rig.check(rig.host.run(rig.partitions->hold({kA, kD}, true)));
  rig.check(rig.put(3, "a"));
  rig.check(rig.host.run(rig.engine->flush()));
  rig.die();
  // Every table of the node's own rows goes bad: the marks are the rows without a value of text.
  int damaged = 0;
  for (const std::string& path : rig.host.disk().paths()) {
    std::string& bytes = rig.host.disk().bytes(path);
    if (bytes.find("partition/") == std::string::npos || path.find("table") == std::string::npos)
      continue;
    for (char& byte : bytes) byte = static_cast<char>(byte ^ 0x55);
    ++damaged;
  }
  ASSERT_GT(damaged, 0);
  rig.open();
  EXPECT_EQ(rig.state(), (State{{kA, false}, {kD, false}}));
  EXPECT_FALSE(rig.partitions->fresh());
  EXPECT_EQ(rig.host.probes("partitions.marks_lost"), 1u);
  rig.reopen();
  EXPECT_EQ(rig.state(), (State{{kA, false}, {kD, false}})) << "and that is kept";
  EXPECT_EQ(rig.host.probes("partitions.marks_lost"), 1u);
}

TEST(Partitions, after_a_lost_log_everything_is_held_nothing_is_whole_and_hints_can_be_kept_again) {
  Rig rig;
  rig.open();
  rig.check(rig.host.run(rig.partitions->hold({kA, kD}, true)));
  rig.check(rig.host.run(rig.engine->flush()));
  rig.check(rig.put(3, "a"));
  for (int i = 0; i < 40; ++i) rig.check(rig.put(4, "b" + std::to_string(i)));
  rig.die();
  for (const std::string& path : rig.host.disk().paths()) {
    if (path.find("/log/") == std::string::npos) continue;
    std::string& bytes = rig.host.disk().bytes(path);
    for (std::size_t at = 4'096; at < std::min<std::size_t>(bytes.size(), 12'000); ++at)
      bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
  }
  rig.open(LostLog::kReport);
  ASSERT_GT(rig.engine->stats().lost_batches, 0u) << "the log was to be damaged";
  EXPECT_EQ(rig.state(), (State{{kA, false}, {kD, false}}));
  EXPECT_EQ(rig.host.probes("partitions.marks_lost"), 1u);
  EXPECT_EQ(rig.host.probes("partitions.hints_lost"), 1u);
  rig.check(rig.host.run(rig.partitions->renew(kA)));
  rig.check(rig.host.run(rig.partitions->renew(kD)));
  EXPECT_TRUE(rig.engine->suspects().empty());
}

// One step of a life, and what is held after it.
struct Step {
  std::function<Task<Result<void>>(Partitions&)> act;
  State after;
};

std::vector<Step> life() {
  return {
      {[](Partitions& p) { return p.hold({kA, kB}, true); }, {{kA, true}, {kB, true}}},
      {[](Partitions& p) { return p.hold({kC, kD}, false, 5); },
       {{kA, true}, {kB, true}, {kC, false}, {kD, false}}},
      {[](Partitions& p) { return p.set_whole(kC, true, 5); },
       {{kA, true}, {kB, true}, {kC, true}, {kD, false}}},
      {[](Partitions& p) { return p.drop(kB); }, {{kA, true}, {kC, true}, {kD, false}}},
      {[](Partitions& p) { return p.cut_at({kQuarter / 2}); },
       {{kLow, true}, {kHigh, true}, {kC, true}, {kD, false}}},
      {[](Partitions& p) { return p.set_whole(kC, false, 6); },
       {{kLow, true}, {kHigh, true}, {kC, false}, {kD, false}}},
      {[](Partitions& p) { return p.renew(kC, 6); },
       {{kLow, true}, {kHigh, true}, {kC, false}, {kD, false}}},
      {[](Partitions& p) { return p.drop(kLow); }, {{kHigh, true}, {kC, false}, {kD, false}}},
      {[](Partitions& p) { return p.hold({kA}, true, 7); },
       {{kLow, true}, {kHigh, true}, {kC, false}, {kD, false}}},
      {[](Partitions& p) { return p.join({kA}); }, {{kA, true}, {kC, false}, {kD, false}}},
      {[](Partitions& p) { return p.drop(kA); }, {{kC, false}, {kD, false}}},
  };
}

enum class Fate { kCrash, kKept, kDropped, kDrawn };

// Lives until `calls` disk calls were made, dies, and is looked at again. False when the life ended
// before.
bool dies_after(uint64_t calls, Fate fate, uint64_t seed) {
  Rig rig(seed);
  rig.open();
  const uint64_t until = rig.host.disk().performed + calls;
  const std::vector<Step> steps = life();
  std::size_t done = 0;
  bool failed = false;
  rig.host.spawn([](Partitions& partitions, const std::vector<Step>& all, std::size_t& at,
                    bool& wrong) -> Task<void> {
    for (const Step& step : all) {
      const Result<void> result = co_await step.act(partitions);
      if (!result.ok()) {
        wrong = true;
        co_return;
      }
      ++at;
    }
  }(*rig.partitions, steps, done, failed));
  rig.host.ready().drain();
  while (rig.host.disk().performed < until && done < steps.size() && rig.host.step()) {
  }
  EXPECT_FALSE(failed);
  const bool cut = done < steps.size();
  rig.die();
  if (fate == Fate::kKept) rig.host.disk().power_loss(TestDisk::Fate::kKept, TestDisk::Fate::kKept);
  if (fate == Fate::kDropped)
    rig.host.disk().power_loss(TestDisk::Fate::kDropped, TestDisk::Fate::kDropped);
  if (fate == Fate::kDrawn) rig.host.disk().power_loss();
  rig.open();
  if (rig.engine == nullptr) return false;
  const State before = done == 0 ? State() : steps[done - 1].after;
  const State after = steps[std::min(done, steps.size() - 1)].after;
  const State found = rig.state();
  EXPECT_TRUE(found == before || found == after)
      << "step " << done << " after " << calls << " calls, seed " << seed;
  // Marks and tablets agree.
  std::size_t covered = 0;
  for (const KeyRange& tablet : rig.object_tablets()) {
    bool marked = false;
    for (const auto& [range, whole] : found) marked = marked || rows_of(range).overlaps(tablet);
    EXPECT_TRUE(marked) << "a tablet that nobody marked";
  }
  for (const auto& [range, whole] : found) {
    EXPECT_TRUE(rig.put(range.begin, "probe").ok()) << "a mark without a tablet";
    EXPECT_TRUE(rig.put(range.end - 1, "probe").ok()) << "a mark without a tablet";
    ++covered;
  }
  EXPECT_EQ(covered, found.size());
  // And it goes on from there.
  const std::vector<PositionRange> all{kA, kB, kC, kD};
  EXPECT_TRUE(rig.host.run(rig.partitions->hold(all, false, 9)).ok());
  EXPECT_TRUE(rig.partitions->holds_all({0, 0}));
  return cut;
}

TEST(Partitions, a_crash_at_every_disk_call_leaves_the_state_before_or_after_the_step) {
  for (const Fate fate : {Fate::kCrash, Fate::kKept, Fate::kDropped, Fate::kDrawn}) {
    uint64_t calls = 0;
    while (dies_after(calls, fate, 1 + calls) && !testing::Test::HasFailure()) ++calls;
    EXPECT_GT(calls, 50u) << "too few places to die at";
  }
}

}  // namespace
}  // namespace ringside
