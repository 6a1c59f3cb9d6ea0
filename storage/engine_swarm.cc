#include "storage/engine_swarm.h"

#include <algorithm>
#include <utility>

namespace ringside {
namespace {

using Admin = EngineRig::Admin;

constexpr uint64_t kKeys = 60;
constexpr std::size_t kSnapshotsMax = 4;
constexpr std::size_t kCheckpointsMax = 3;

std::string padded(uint64_t number) {
  std::string text = std::to_string(100 + number);
  return text.substr(1);
}

}  // namespace

EngineSwarm::EngineSwarm(uint64_t seed) : rig(seed), random_(mix(seed, 77)) {
  if (random_.chance(0.3)) key_ = std::string(32, 'k');
  const uint64_t archives[] = {0, 65'536, uint64_t{1} << 40};
  archive_bytes_max_ = archives[random_.below(3)];
  tablets_ = random_.chance(0.7);
  sync_ = random_.chance(0.9);
}

EngineOptions EngineSwarm::draw_options() {
  EngineOptions options;
  options.memtable_bytes_max = 4096 << random_.below(3);
  options.group_bytes_max = 4096 << random_.below(2);
  options.log_segment_bytes = 16384;
  options.log_bytes_max = 65536 << random_.below(2);
  options.sync = sync_;
  options.fill_segments = random_.chance(0.5);
  options.archive_bytes_max = archive_bytes_max_;
  options.compaction = random_.chance(0.75) ? Compaction::kLeveled : Compaction::kSizeTiered;
  options.tables_max = 1 + random_.below(4);
  options.tables_stop = 2 + random_.below(10);
  options.table_bytes_max = 2048 << random_.below(4);
  options.level_bytes = 4096 << random_.below(4);
  options.level_fanout = 2 + random_.below(4);
  options.compression = static_cast<Compression>(random_.below(3));
  options.block_bytes = 256 << random_.below(4);
  options.filter_bits_per_key = static_cast<uint32_t>(2 + random_.below(12));
  options.block_cache_bytes = 2048 << random_.below(5);
  options.hold_removes = random_.chance(0.2);
  options.expired_after = static_cast<Duration>(random_.below(100));
  options.key = key_;
  options.merkle_depth = static_cast<uint32_t>(random_.below(6));
  options.reserve_bytes = 1;
  options.seal_after = static_cast<Duration>(random_.below(2)) * kMillisecond;
  options.abort_when_poisoned = false;
  return options;
}

std::string EngineSwarm::run(uint64_t cycles) {
  for (uint64_t cycle = 0; cycle < cycles && rig.wrong().empty(); ++cycle) {
    rig.where = "cycle " + std::to_string(cycle);
    const bool cut = random_.chance(0.2);
    if (cut) rig.stop_at = rig.host.disk().performed + random_.below(60);
    const bool opened = rig.open(draw_options());
    rig.stop_at = std::numeric_limits<uint64_t>::max();
    if (opened) work();
    rig.crash(sync_ && random_.chance(0.5));
  }
  return rig.wrong();
}

std::string EngineSwarm::any_key() { return "k" + padded(random_.below(kKeys)); }

KeyRange EngineSwarm::any_range() {
  std::string begin = any_key(), end = any_key();
  if (begin > end) std::swap(begin, end);
  if (begin == end) end = begin + "x";
  if (random_.chance(0.1)) begin.clear();
  if (random_.chance(0.1)) end.clear();
  return {begin, end};
}

void EngineSwarm::let_run() {
  if (random_.chance(0.1)) {
    while (rig.step()) {
    }
    return;
  }
  for (uint64_t steps = 1 + random_.below(12); steps > 0 && rig.step(); --steps) {
  }
}

void EngineSwarm::work() {
  if (random_.chance(0.3)) rig.scrub();
  for (uint64_t actions = random_.below(70); actions > 0 && rig.wrong().empty(); --actions) act();
  if (rig.wrong().empty() && !rig.busy() && random_.chance(0.1)) rig.close();
}

void EngineSwarm::act() {
  switch (random_.below(20)) {
    case 0:
    case 1:
    case 2:
    case 3: let_run(); break;
    case 4:
    case 5:
    case 6: read(); break;
    case 7:
      if (random_.chance(0.4)) rig.start_flush();
      break;
    case 8:
      if (tablets_ && !rig.busy()) change_tablets();
      break;
    case 9:
      if (!rig.busy() && random_.chance(0.3)) change_checkpoints();
      break;
    case 10:
      if (random_.chance(0.3)) rig.set_wall(rig.wall() + static_cast<int64_t>(random_.below(100)));
      break;
    default: write();
  }
}

// Some operations with keys that index each other: a key and what would be its index entry.
void EngineSwarm::write() {
  Batch batch;
  for (uint64_t n = 1 + random_.below(4); n > 0; --n) {
    const std::string key = any_key();
    const std::string value = std::to_string(random_.next()) + std::string(random_.below(250), 'v');
    const uint64_t kind = random_.below(20);
    if (kind < 4) {
      batch.remove(key);
    } else if (kind < 7) {
      batch.put_until(key, value, rig.wall() + 1 + static_cast<int64_t>(random_.below(150)));
    } else if (kind == 7 && random_.chance(0.5)) {
      const KeyRange range = any_range();
      batch.remove_range(range.begin, range.end);
    } else {
      batch.put(key, value);
      if (random_.chance(0.3)) batch.put("x" + key.substr(1), value.substr(0, 12));
    }
  }
  if (!batch.empty()) rig.submit(batch);
}

void EngineSwarm::read() {
  EngineModel& model = rig.model;
  switch (random_.below(12)) {
    case 0: rig.compare_all(View::kLatest, model.last()); break;
    case 1: rig.compare_key(any_key(), View::kDurable, rig.engine().last_durable()); break;
    case 2: rig.compare_key(any_key(), View::kLatest, model.last()); break;
    case 3:
      rig.compare_limited(any_key(), {.rows_max = 1 + random_.below(20),
                                      .bytes_max = 1 + random_.below(2'000),
                                      .fill_cache = random_.chance(0.5)});
      break;
    case 4:
      if (rig.snapshots() < kSnapshotsMax)
        rig.hold_snapshot(random_.chance(0.7) ? View::kDurable : View::kLatest);
      break;
    case 5:
      if (rig.snapshots() > 0 && random_.chance(0.5))
        rig.release_snapshot(random_.below(rig.snapshots()));
      break;
    case 6:
    case 7:
      if (rig.snapshots() > 0)
        rig.read_snapshot(random_.below(rig.snapshots()), random_.chance(0.5));
      break;
    case 8: {
      if (model.checkpoints.empty() || rig.busy()) break;
      auto at = model.checkpoints.begin();
      std::advance(at, random_.below(model.checkpoints.size()));
      rig.compare_checkpoint(at->first);
      break;
    }
    case 9: {
      ChangeLimits limits{.batches_max = 1 + random_.below(50),
                          .bytes_max = 1 + random_.below(20'000)};
      if (random_.chance(0.3)) limits.until = random_.below(model.last() + 1);
      rig.compare_changes(random_.below(model.last() + 1), limits);
      break;
    }
    case 10:
      if (!model.tablets().empty())
        rig.compare_merkle(model.tablets()[random_.below(model.tablets().size())].range(),
                           random_.chance(0.3));
      break;
    case 11: {
      if (model.tablets().empty()) break;
      const KeyRange range = model.tablets()[random_.below(model.tablets().size())].range();
      rig.engine().repaired(range, random_.below(rig.engine().last_durable() + 1));
      break;
    }
  }
}

void EngineSwarm::change_tablets() {
  EngineModel& model = rig.model;
  if (parcel_ && !model.overlaps(parcel_->range) && random_.chance(0.6)) {
    rig.start(*parcel_);
    if (random_.chance(0.5)) parcel_.reset();
    return;
  }
  if (!model.tablets().empty() && random_.chance(0.4)) {
    const KeyRange range = model.tablets()[random_.below(model.tablets().size())].range();
    if (range == KeyRange() && random_.chance(0.5)) return;
    std::string checkpoint;
    if (!model.checkpoints.empty() && random_.chance(0.3))
      checkpoint = model.checkpoints.begin()->first;
    if (random_.chance(0.6)) parcel_ = rig.export_tablet(range, checkpoint);
    if (rig.wrong().empty() && !rig.busy()) rig.start({.kind = Admin::Kind::kDrop, .range = range});
    return;
  }
  const KeyRange range =
      model.tablets().empty() && random_.chance(0.5) ? KeyRange{"", "k30"} : any_range();
  if (range == KeyRange() || model.overlaps(range)) return;
  rig.start({.kind = Admin::Kind::kCreate, .range = range});
}

void EngineSwarm::change_checkpoints() {
  std::map<std::string, ModelCheckpoint>& all = rig.model.checkpoints;
  if (!all.empty() && (all.size() >= kCheckpointsMax || random_.chance(0.4))) {
    auto at = all.begin();
    std::advance(at, random_.below(all.size()));
    rig.start({.kind = Admin::Kind::kDropCheckpoint, .name = at->first});
  } else {
    rig.start({.kind = Admin::Kind::kCheckpoint, .name = "at" + std::to_string(named_++)});
  }
}

}  // namespace ringside
