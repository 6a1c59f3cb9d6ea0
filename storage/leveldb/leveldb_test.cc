// LevelDB as an engine: crashes and power losses at every disk call of a short history, long
// writing without a thread that could be waited for, failed disk calls. And what LevelDB itself
// loses under the Disk's model, which is asserted too: if that ever changes, the README is wrong.
#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/leveldb/leveldb_engine.h"
#include "storage/test_host.h"
#include "storage/test_rows.h"

namespace ringside {
namespace {

using State = std::map<std::string, std::string>;

EngineOptions small_options() {
  EngineOptions options;
  options.kind = EngineKind::kLevelDb;
  options.memtable_bytes_max = 64 << 10;  // the least that LevelDB takes
  options.abort_when_poisoned = false;
  return options;
}

// A history: two lives of one engine, ended in order, with flushes and merges.
class LevelDbRig {
 public:
  static constexpr int kBatches = 60;

  LevelDbRig(uint64_t seed, LevelDbRules rules, EngineOptions options = small_options())
      : host_(seed), random_(mix(seed, 5)), rules_(rules), options_(options) {}
  ~LevelDbRig() { die(); }

  Task<void> play() {
    for (int life = 0; life < 2; ++life) {
      Result<std::unique_ptr<Engine>> opened = co_await open_leveldb(host_, options_, rules_);
      CHECK(opened.ok());
      engine_ = *std::move(opened);
      for (int i = 0; i < kBatches; ++i) {
        const Lsn lsn = submit();
        if (i % 3 == 2) continue;  // the next one goes along
        if ((co_await engine_->durable(lsn)).ok()) acknowledged_ = lsn;
      }
      if (!(co_await engine_->flush()).ok()) co_return;
      acknowledged_ = engine_->last_durable();
      if (!(co_await engine_->close()).ok()) co_return;
      engine_.reset();
    }
    done_ = true;
  }

  void play_until(uint64_t calls) {
    host_.spawn(play());
    while (host_.disk().calls < calls && host_.step()) {
    }
  }
  void play_all() {
    host_.spawn(play());
    host_.run_until_idle();
    CHECK(done_);
  }
  void die() {
    host_.end_tasks();
    engine_.reset();
    host_.kill();
  }

  enum class Outcome { kFine, kRefused, kLost, kWrong };
  // What a fresh engine finds.
  Outcome recover() {
    Result<std::unique_ptr<Engine>> opened = host_.run(open_leveldb(host_, options_, rules_));
    if (!opened.ok()) return Outcome::kRefused;
    engine_ = *std::move(opened);
    const Lsn recovered = engine_->last_submitted();
    Result<std::vector<Entry>> rows = entries_of(host_.run(
        engine_->scan("", "", {.rows_max = 10'000, .bytes_max = 1u << 30}, View::kDurable)));
    if (!rows.ok()) return Outcome::kRefused;
    State found;
    for (Entry& row : *rows) found[row.key] = row.value;
    if (recovered >= states_.size() || found != states_[recovered]) return Outcome::kWrong;
    return recovered < acknowledged_ ? Outcome::kLost : Outcome::kFine;
  }
  // Goes on from what was recovered: one more batch, a crash, and it is there.
  Outcome go_on() {
    states_.resize(engine_->last_submitted() + 1);
    const Lsn lsn = submit();
    CHECK(host_.run(held(*engine_, lsn)).ok());
    acknowledged_ = lsn;
    die();
    return recover();
  }
  static Task<Result<void>> held(Engine& engine, Lsn lsn) {
    co_return co_await engine.durable(lsn);
  }

  TestHost& host() { return host_; }
  Engine& engine() { return *engine_; }

 private:
  Lsn submit() {
    State state = states_.back();
    Batch batch;
    for (uint64_t n = 1 + random_.below(3); n > 0; --n) {
      const std::string key = "key" + std::to_string(random_.below(40));
      if (random_.chance(0.2)) {
        batch.remove(key);
        state.erase(key);
      } else {
        std::string value(500 + random_.below(2500), 'v');
        for (char& c : value) c = static_cast<char>(random_.next());
        batch.put(key, value);
        state[key] = value;
      }
    }
    Result<Lsn> lsn = engine_->submit(batch);
    if (!lsn.ok()) return engine_->last_submitted();
    states_.push_back(state);
    CHECK(*lsn + 1 == states_.size());
    return *lsn;
  }

  TestHost host_;
  Random random_;
  LevelDbRules rules_;
  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
  std::vector<State> states_{State()};  // after each LSN
  Lsn acknowledged_ = 0;
  bool done_ = false;
};

struct Tally {
  uint64_t crashes = 0, fine = 0, refused = 0, lost = 0, wrong = 0, wrong_after = 0;
  friend std::ostream& operator<<(std::ostream& out, const Tally& tally) {
    return out << tally.crashes << " crashes: " << tally.fine << " fine, " << tally.refused
               << " refused, " << tally.lost << " lost what was acknowledged, " << tally.wrong
               << " no prefix, " << tally.wrong_after << " wrong after one more batch";
  }
};

enum class Crash { kKill, kPowerLoss, kPowerLossWithGarbage };

// Crashes at every `step`-th disk call of the history.
Tally crash_everywhere(Crash crash, LevelDbRules rules, uint64_t seeds, uint64_t step = 1) {
  Tally tally;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    LevelDbRig whole(seed, rules);
    whole.play_all();
    const uint64_t calls = whole.host().disk().calls;
    for (uint64_t call = 1; call <= calls; call += step) {
      LevelDbRig rig(seed, rules);
      rig.host().disk().set_garbage(crash == Crash::kPowerLossWithGarbage);
      rig.play_until(call);
      rig.die();
      if (crash != Crash::kKill) rig.host().disk().power_loss();
      ++tally.crashes;
      switch (rig.recover()) {
        case LevelDbRig::Outcome::kFine:
          ++tally.fine;
          if (rig.go_on() != LevelDbRig::Outcome::kFine) ++tally.wrong_after;
          break;
        case LevelDbRig::Outcome::kRefused: ++tally.refused; break;
        case LevelDbRig::Outcome::kLost: ++tally.lost; break;
        case LevelDbRig::Outcome::kWrong: ++tally.wrong; break;
      }
    }
  }
  std::cout << tally << "\n";
  return tally;
}

void expect_all_fine(const Tally& tally) {
  EXPECT_GT(tally.crashes, 300u);
  EXPECT_EQ(tally.fine, tally.crashes) << tally;
  EXPECT_EQ(tally.wrong_after, 0u) << tally;
}

constexpr LevelDbRules kPosix{.name_syncs = NameSyncs::kAsPosix};
constexpr LevelDbRules kTrusting{.paranoid = false};  // LevelDB's own default

TEST(LevelDbCrash, a_kill_at_any_disk_call_loses_nothing) {
  expect_all_fine(crash_everywhere(Crash::kKill, {}, 1));
  expect_all_fine(crash_everywhere(Crash::kKill, kPosix, 1));
}

TEST(LevelDbCrash, a_power_loss_at_any_disk_call_loses_nothing_when_names_keep_their_order) {
  expect_all_fine(crash_everywhere(Crash::kPowerLoss, kTrusting, 2));
}

// Paranoid, LevelDB refuses a tail of its log that was torn, though nothing in it was acknowledged.
TEST(LevelDbCrash, paranoid_refuses_a_torn_tail) {
  const Tally tally = crash_everywhere(Crash::kPowerLoss, {}, 4, 2);
  EXPECT_GT(tally.refused, 0u) << tally;
  EXPECT_EQ(tally.fine + tally.refused, tally.crashes) << tally;
}

// LevelDB syncs the directory before a manifest and at no other time: CURRENT may go back to the
// old manifest after that was removed.
TEST(LevelDbCrash, a_power_loss_may_take_the_name_that_leveldb_never_syncs) {
  LevelDbRules rules = kTrusting;
  rules.name_syncs = NameSyncs::kAsPosix;
  const Tally tally = crash_everywhere(Crash::kPowerLoss, rules, 2, 2);
  EXPECT_GT(tally.refused, 0u) << tally;
  EXPECT_EQ(tally.wrong, 0u) << tally;
}

// LevelDB appends to the page that holds the last synced records, and takes a garbled record at the
// end of its log for one that was never finished.
TEST(LevelDbCrash, a_page_garbled_by_a_power_loss_takes_synced_records_with_it) {
  const Tally paranoid = crash_everywhere(Crash::kPowerLossWithGarbage, {}, 4, 2);
  EXPECT_GT(paranoid.refused, 0u) << paranoid;
  EXPECT_GT(paranoid.lost, 0u) << paranoid;
  const Tally trusting = crash_everywhere(Crash::kPowerLossWithGarbage, kTrusting, 4, 2);
  EXPECT_GT(trusting.refused, 0u) << trusting;
  EXPECT_GT(trusting.lost, paranoid.lost) << trusting;
}

// Level 0 fills and is merged again and again; LevelDB never waits for a thread.
TEST(LevelDb, long_writing_never_blocks) {
  EngineOptions options = small_options();
  options.group_bytes_max = 1 << 20;  // sixteen memtables in one write
  TestHost host;
  std::unique_ptr<Engine> engine = *host.run(open_leveldb(host, options, LevelDbRules()));
  Random random(7);
  State model;
  uint64_t overloaded = 0;
  for (int i = 0; i < 6'000; ++i) {
    Batch batch;
    const uint64_t changes = i % 100 == 0 ? 600 : 4;
    for (uint64_t n = 0; n < changes; ++n) {
      const std::string key = "key" + std::to_string(random.below(5'000));
      const std::string value =
          std::to_string(random.next()) + std::string(random.below(1'500), 'v');
      if (random.chance(0.1)) {
        batch.remove(key);
        model.erase(key);
      } else {
        batch.put(key, value);
        model[key] = value;
      }
    }
    while (!engine->submit(batch).ok()) {
      ++overloaded;
      ASSERT_TRUE(host.step());
    }
  }
  EXPECT_GT(overloaded, 0u);
  host.run_until_idle();
  EXPECT_EQ(engine->last_durable(), 6'000u);
  EXPECT_GT(engine->stats().log_bytes, 40u << 20) << "that is hundreds of memtables";
  EXPECT_GT(engine->stats().tables, 4u) << "and a few are left";
  const Result<std::vector<Entry>> rows = entries_of(
      host.run(engine->scan("", "", {.rows_max = 10'000, .bytes_max = 1u << 30}, View::kDurable)));
  ASSERT_TRUE(rows.ok());
  State found;
  for (const Entry& row : *rows) found[row.key] = row.value;
  EXPECT_EQ(found, model);
  EXPECT_TRUE(host.run(engine->close()).ok());
  engine.reset();
  host.kill();
}

TEST(LevelDb, the_same_calls_leave_the_same_bytes) {
  std::string before;
  for (int run = 0; run < 2; ++run) {
    LevelDbRig rig(3, {});
    rig.play_all();
    std::string all;
    for (const std::string& path : rig.host().disk().paths())
      all += path + "\n" + rig.host().disk().bytes(path);
    if (run == 1) EXPECT_EQ(all, before);
    EXPECT_GT(all.size(), 20'000u);
    before = all;
  }
}

TEST(LevelDb, a_failed_disk_call_poisons) {
  for (const DiskCall::Kind kind :
       {DiskCall::Kind::kWrite, DiskCall::Kind::kSync, DiskCall::Kind::kOpen}) {
    LevelDbRig rig(1, {});
    TestHost& host = rig.host();
    std::unique_ptr<Engine> engine = *host.run(open_leveldb(host, small_options(), LevelDbRules()));
    Batch batch;
    batch.put("a", std::string(70'000, 'v'));  // fills the memtable: the next one needs files
    ASSERT_TRUE(host.run(LevelDbRig::held(*engine, *engine->submit(batch))).ok());
    host.disk().fail(kind, Code::kIo);
    batch.clear();
    batch.put("a", "2");
    const Lsn lsn = *engine->submit(batch);
    const Result<void> held = host.run(LevelDbRig::held(*engine, lsn));
    ASSERT_FALSE(held.ok());
    EXPECT_EQ(held.code(), Code::kIo);
    EXPECT_TRUE(engine->poisoned());
    EXPECT_EQ(engine->submit(batch).code(), Code::kClosed);
    EXPECT_EQ(host.probes("engine.poisoned"), 1u);
    const uint64_t calls = host.disk().calls;
    host.run_until_idle();
    EXPECT_EQ(host.disk().calls, calls) << "nothing is written after a failure";
    host.end_tasks();
    engine.reset();
  }
}

TEST(LevelDb, rot_is_an_error_and_no_wrong_value) {
  LevelDbRig rig(1, {});
  rig.play_all();
  for (const std::string& path : rig.host().disk().paths()) {
    if (path.ends_with(".ldb")) rig.host().disk().bytes(path)[100] ^= 1;
  }
  EXPECT_EQ(rig.recover(), LevelDbRig::Outcome::kRefused);
}

TEST(LevelDb, data_without_its_root_is_refused) {
  LevelDbRig rig(1, {});
  rig.play_all();
  rig.host().run([](Disk& disk) -> Task<Result<void>> {
    co_return co_await disk.remove("data/CURRENT");
  }(rig.host().disk()));
  const Result<std::unique_ptr<Engine>> opened =
      rig.host().run(open_leveldb(rig.host(), small_options(), LevelDbRules()));
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.code(), Code::kCorrupt);
}

}  // namespace
}  // namespace ringside
