#include "storage/engine_history.h"

#include <utility>

namespace ringside {
namespace {

using Admin = EngineRig::Admin;

const KeyRange kLeft{"", "m"};
const KeyRange kRight{"m", ""};

std::string value_of(uint64_t number) {
  return std::to_string(number) + std::string(120 + number * 37 % 90, 'v');
}

// Keys on both sides and what would be their index entries, together or not at all.
void put_pairs(EngineRig& rig, uint64_t first, uint64_t count) {
  for (uint64_t i = first; i < first + count; ++i) {
    Batch batch;
    batch.put("a" + std::to_string(i % 12), value_of(i));
    batch.put("b" + std::to_string(i % 7), "a" + std::to_string(i % 12));
    if (i % 5 == 0) batch.remove("a" + std::to_string((i + 3) % 12));
    rig.submit(batch);
  }
}

}  // namespace

EngineOptions history_options() {
  EngineOptions options;
  options.memtable_bytes_max = 8192;
  options.group_bytes_max = 4096;
  options.log_segment_bytes = 16384;
  options.log_bytes_max = 65536;
  options.archive_bytes_max = 65536;
  options.fill_segments = true;
  options.tables_max = 1;
  options.table_bytes_max = 1024;
  options.level_bytes = 2048;
  options.level_fanout = 2;
  options.block_bytes = 512;
  options.block_cache_bytes = 4096;
  options.merkle_depth = 2;
  options.one_tablet = false;
  options.reserve_bytes = 1;
  options.seal_after = kMillisecond;
  options.abort_when_poisoned = false;
  return options;
}

bool play_history(EngineRig& rig) {
  EngineModel& model = rig.model;
  model.drop_tablet({});
  if (!rig.open(history_options())) return false;
  rig.start({.kind = Admin::Kind::kCreate, .range = kLeft});
  if (!rig.settle()) return false;
  put_pairs(rig, 0, 3);
  rig.start({.kind = Admin::Kind::kCreate, .range = kRight});
  put_pairs(rig, 3, 3);
  if (!rig.settle()) return false;
  put_pairs(rig, 6, 2);
  rig.start_flush();
  put_pairs(rig, 8, 2);
  if (!rig.settle()) return false;
  Batch batch;
  batch.put("x1", "right");
  batch.put("y2", "right, too");
  batch.remove_range("a3", "a6");
  batch.put("a4", "after its range");
  rig.submit(batch);
  put_pairs(rig, 10, 4);
  rig.start_flush();
  if (!rig.settle()) return false;
  rig.start({.kind = Admin::Kind::kCheckpoint, .name = "early"});
  put_pairs(rig, 14, 6);
  if (!rig.settle()) return false;
  std::optional<Admin> parcel = rig.export_tablet(kRight, "");
  if (!parcel) return false;
  rig.start({.kind = Admin::Kind::kDrop, .range = kRight});
  put_pairs(rig, 20, 2);
  if (!rig.settle()) return false;
  batch.clear();
  batch.remove_range("b", "");
  rig.submit(batch);
  rig.start_flush();
  if (!rig.settle()) return false;
  rig.start(*std::move(parcel));
  if (!rig.settle()) return false;
  rig.compare_checkpoint("early");
  rig.start({.kind = Admin::Kind::kDropCheckpoint, .name = "early"});
  put_pairs(rig, 22, 3);
  if (!rig.settle()) return false;
  while (rig.step()) {  // merges, and the log seals itself
  }
  return !rig.at_end() && rig.wrong().empty();
}

bool play_afterlife(EngineRig& rig) {
  if (!rig.open(history_options())) return false;
  if (rig.model.overlaps(kLeft)) put_pairs(rig, 30, 1);
  return rig.settle();
}

std::string crash_history(HistoryCrash& crash, RigCounts& counts) {
  EngineRig rig(1);
  rig.where = "at call " + std::to_string(crash.at) +
              (crash.power_loss ? ", power loss " : ", kill ") + std::to_string(crash.outcome) +
              (crash.again_at > 0 ? ", again at call " + std::to_string(crash.again_at) : "");
  rig.stop_at = crash.at;
  TestDisk& disk = rig.host.disk();
  play_history(rig);
  disk.reseed(mix(crash.at, crash.outcome));
  rig.crash(crash.power_loss);
  if (crash.again_at > 0) {
    rig.stop_at = disk.performed + crash.again_at;
    if (rig.open(history_options())) rig.fail("recovery was shorter than it was");
    rig.crash(crash.power_loss);
  }
  rig.stop_at = std::numeric_limits<uint64_t>::max();
  if (rig.wrong().empty() && rig.open(history_options())) {
    crash.recovery = rig.opening_calls();
    rig.crash(crash.power_loss);
    if (play_afterlife(rig)) {
      rig.crash(false);
      rig.open(history_options());
    }
  }
  counts.add(rig.counts);
  return rig.wrong();
}

uint64_t history_calls() {
  EngineRig rig(1);
  if (!play_history(rig) || rig.engine().stats().merges == 0) return 0;
  return rig.host.disk().performed;
}

}  // namespace ringside
