// Lives of an engine, and changes of it. The reads are in engine_rig_reads.cc.
#include "storage/engine_rig.h"

#include <algorithm>
#include <utility>

#include "storage/manifest.h"

namespace ringside {
namespace {

using Kind = EngineRig::Admin::Kind;

constexpr std::size_t kNotesMax = 60;

std::string shown(const KeyRange& range) { return "[" + range.begin + ", " + range.end + ")"; }

std::string shown_batch(std::string_view batch) {
  std::string text;
  BatchReader reader(batch);
  for (BatchOperation operation; reader.next(operation);) {
    text += operation.range ? " -[" : operation.removed ? " -" : " ";
    text += std::string(operation.key);
    if (operation.range) text += ", " + std::string(operation.value) + ")";
    if (operation.expires != 0) text += "@" + std::to_string(operation.expires);
  }
  return text;
}

bool whole(uint64_t bytes, const TableDescription& table) { return bytes == table.file_bytes; }

const char* admin_kind_name(Kind kind) {
  constexpr const char* kNames[] = {"nothing", "create",     "drop",
                                    "import",  "checkpoint", "drop checkpoint"};
  return kNames[static_cast<int>(kind)];
}

// Operations of a batch: with several, it could be torn.
uint64_t operations_in(const std::string& batch) {
  BatchReader reader(batch);
  uint64_t count = 0;
  for (BatchOperation operation; reader.next(operation);) ++count;
  return count;
}

}  // namespace

void RigCounts::add(const RigCounts& other) {
  for (std::size_t i = 1; i <= kInvariants; ++i) checked[i] += other.checked[i];
  const auto sum = [&](auto... member) { ((this->*member += other.*member), ...); };
  using R = RigCounts;
  sum(&R::recoveries, &R::crashes, &R::power_losses, &R::cut_openings, &R::acknowledged, &R::lost,
      &R::flushes, &R::merges, &R::moves, &R::dropped, &R::tablets_created, &R::tablets_dropped,
      &R::imports, &R::checkpoints, &R::resolved_by_crash, &R::held_reads, &R::limited_scans,
      &R::changes_read, &R::scrubs);
}

std::string RigCounts::table() const {
  std::string text = "| Invariant | checked |\n|---|---|\n";
  for (std::size_t i = 1; i <= kInvariants; ++i) {
    text += "| I" + std::to_string(i) + " | " + std::to_string(checked[i]) + " |\n";
  }
  const auto line = [&](const char* name, uint64_t count) {
    text += std::string(text.ends_with('\n') ? "" : ", ") + name + " " + std::to_string(count);
  };
  line("crash-recover cycles", recoveries);
  line("crashes", crashes);
  line("power losses", power_losses);
  line("crashes in recovery", cut_openings);
  line("batches acknowledged", acknowledged);
  line("in flight and lost", lost);
  line("flushes", flushes);
  line("merges", merges);
  line("moves", moves);
  line("entries dropped", dropped);
  line("tablets made", tablets_created);
  line("dropped", tablets_dropped);
  line("imported", imports);
  line("checkpoints", checkpoints);
  line("of these cut off by a crash", resolved_by_crash);
  line("reads beside writes", held_reads);
  line("limited scans", limited_scans);
  line("reads of changes", changes_read);
  line("scrubs", scrubs);
  return text + "\n";
}

std::vector<std::string> RigCounts::never() const {
  std::vector<std::string> names;
  for (std::size_t i = 1; i <= kInvariants; ++i) {
    if (checked[i] == 0) names.push_back("I" + std::to_string(i));
  }
  return names;
}

void EngineRig::fail(const std::string& what) {
  if (wrong_.empty()) wrong_ = where + ": " + what;
}

void EngineRig::note(std::string what) {
  notes_.push_back("#" + std::to_string(host.disk().performed) + " " + std::move(what));
  if (notes_.size() > kNotesMax) notes_.pop_front();
}

std::string EngineRig::story() const {
  std::string text;
  for (const std::string& one : notes_) text += one + "\n";
  return text;
}

bool EngineRig::step() {
  if (at_end() || !wrong_.empty()) return false;
  const bool stepped = host.step();
  if (!host.aborted().empty()) fail("the process aborted: " + host.aborted());
  return stepped;
}

bool EngineRig::open(EngineOptions options) {
  options_ = std::move(options);
  host.set_wall(wall_);
  const uint64_t before = host.disk().performed;
  std::optional<Result<std::unique_ptr<Engine>>> opened;
  host.spawn([](Host& opener, EngineOptions wanted, auto& out) -> Task<void> {
    out.emplace(co_await Engine::open(opener, std::move(wanted)));
  }(host, options_, opened));
  while (!opened && step()) {
  }
  if (!opened) {
    if (!at_end()) fail("opening never ends");
    host.kill();
    ++counts.cut_openings;
    return false;
  }
  if (!opened->ok()) {
    fail("it does not open: " + opened->error().text());
    host.kill();
    return false;
  }
  engine_ = *std::move(*opened);
  opening_calls_ = host.disk().performed - before;
  ++counts.recoveries;
  note("recovered " + std::to_string(engine_->last_submitted()) + " of " +
       std::to_string(model.last()) + ", acknowledged " + std::to_string(acknowledged_));
  check_recovered();
  return wrong_.empty();
}

void EngineRig::check_recovered() {
  const Lsn recovered = engine_->last_submitted();
  if (recovered < acknowledged_ || recovered > model.last()) {
    return fail("acknowledged " + std::to_string(acknowledged_) + ", submitted " +
                std::to_string(model.last()) + ", recovered " + std::to_string(recovered));
  }
  if (engine_->last_durable() != recovered) return fail("recovered batches are not durable");
  counts.checked[1] += acknowledged_ - std::min(acknowledged_, recovered_);
  counts.checked[2] += model.last() > acknowledged_ ? 1 : 0;
  for (Lsn lsn = acknowledged_ + 1; lsn <= model.last(); ++lsn) {
    if (operations_in(model.batch(lsn)) > 1) ++counts.checked[3];
  }
  counts.lost += model.last() - recovered;
  counts.acknowledged += acknowledged_ - std::min(acknowledged_, recovered_);
  model.cut(recovered);
  acknowledged_ = recovered_ = recovered;  // a reader may have seen it from here on
  resolve_admin();
  std::vector<KeyRange> ranges;
  for (const ModelTablet& tablet : model.tablets()) ranges.push_back(tablet.range());
  std::vector<KeyRange> found;
  for (const TabletInfo& tablet : engine_->tablets()) found.push_back(tablet.range);
  if (found != ranges) return fail("the tablets are others than before the crash");
  std::vector<std::string> names;
  for (const auto& [name, checkpoint] : model.checkpoints) names.push_back(name);
  if (engine_->checkpoints() != names) return fail("the checkpoints are others");
  compare_all(View::kDurable, recovered);
}

// Whether a change that a crash cut off took place is for the engine to say, once.
void EngineRig::resolve_admin() {
  if (admin_.kind == Kind::kNone) return;
  ++counts.resolved_by_crash;
  const std::vector<TabletInfo> tablets = engine_->tablets();
  const std::vector<std::string> names = engine_->checkpoints();
  const bool there = std::any_of(tablets.begin(), tablets.end(), [&](const TabletInfo& tablet) {
    return tablet.range == admin_.range;
  });
  const bool named = std::find(names.begin(), names.end(), admin_.name) != names.end();
  bool happened = false;
  switch (admin_.kind) {
    case Kind::kNone: break;
    case Kind::kCreate:
    case Kind::kImport: happened = there; break;
    case Kind::kDrop: happened = !there; break;
    case Kind::kDropCheckpoint: happened = !named; break;
    case Kind::kCheckpoint: happened = named; break;
  }
  if (happened) {
    settle_admin({});
  } else {
    admin_ = {};
  }
}

// As of which LSN a change took place is for the manifest to say.
Lsn EngineRig::lsn_in_manifest() {
  const std::string path = options_.directory + "/manifest";
  Result<ManifestState> state = parse_manifest(host.disk().bytes(path), path);
  if (!state.ok()) {
    fail("the manifest: " + state.error().text());
    return 0;
  }
  for (const TabletState& at : state->tablets) {
    if (changing() && at.range == admin_.range) return at.created;
  }
  for (const CheckpointState& at : state->checkpoints) {
    if (at.name == admin_.name) return at.lsn;
  }
  return 0;
}

void EngineRig::settle_admin(const Result<void>& done) {
  if (!done.ok()) {
    if (!closing_) fail("a change of tablets or checkpoints failed: " + done.error().text());
    return;
  }
  const Lsn as_of = lsn_in_manifest();
  const Admin admin = std::exchange(admin_, {});
  note("done: " + std::string(admin_kind_name(admin.kind)) + " " + admin.name + shown(admin.range) +
       " as of " + std::to_string(as_of));
  ++epoch_;
  switch (admin.kind) {
    case Kind::kNone: break;
    case Kind::kCreate:
      ++counts.tablets_created;
      model.add_tablet(admin.range, as_of, {});
      break;
    case Kind::kImport:
      ++counts.imports;
      model.add_tablet(admin.range, as_of, admin.base);
      break;
    case Kind::kDrop:
      ++counts.tablets_dropped;
      model.drop_tablet(admin.range);
      break;
    case Kind::kCheckpoint:
      ++counts.checkpoints;
      model.checkpoints[admin.name] = {as_of, model.at(as_of)};
      break;
    case Kind::kDropCheckpoint: model.checkpoints.erase(admin.name); break;
  }
}

std::optional<KeyRange> EngineRig::changing() const {
  if (admin_.kind == Kind::kCreate || admin_.kind == Kind::kImport || admin_.kind == Kind::kDrop)
    return admin_.range;
  return std::nullopt;
}

void EngineRig::start(Admin admin) {
  CHECK(admin_.kind == Kind::kNone);
  admin_ = std::move(admin);
  ++epoch_;
  note("starts " + std::string(admin_kind_name(admin_.kind)) + " " + admin_.name +
       shown(admin_.range));
  host.spawn(run_admin(*this));
  host.ready().drain();
}

Task<void> EngineRig::run_admin(EngineRig& rig) {
  Result<void> done = co_await rig.perform_admin();
  rig.settle_admin(done);
}

Task<Result<void>> EngineRig::perform_admin() {
  switch (admin_.kind) {
    case Kind::kNone: break;
    case Kind::kCreate: co_return co_await engine_->create_tablet(admin_.range);
    case Kind::kDrop: co_return co_await engine_->drop_tablet(admin_.range);
    case Kind::kDropCheckpoint: co_return co_await engine_->drop_checkpoint(admin_.name);
    case Kind::kCheckpoint: {
      Result<Lsn> lsn = co_await engine_->create_checkpoint(admin_.name);
      if (!lsn.ok()) co_return lsn.error();
      if (*lsn != lsn_in_manifest()) fail("a checkpoint says another LSN than the manifest");
      break;
    }
    case Kind::kImport: {
      Result<std::unique_ptr<RangeImport>> import = co_await engine_->import_range(admin_.range);
      if (!import.ok()) co_return import.error();
      for (const std::string& chunk : admin_.chunks) {
        Result<void> added = co_await (*import)->add(chunk);
        if (!added.ok()) co_return added;
      }
      co_return co_await (*import)->finish();
    }
  }
  co_return Result<void>();
}

Task<void> EngineRig::run_flush(EngineRig& rig) {
  Result<void> done = co_await rig.engine_->flush();
  rig.flushing_ = false;
  if (!done.ok() && !rig.closing_) rig.fail("flush: " + done.error().text());
}

void EngineRig::start_flush() {
  if (std::exchange(flushing_, true)) return;
  note("flush");
  host.spawn(run_flush(*this));
  host.ready().drain();
}

Task<void> EngineRig::acknowledge(EngineRig& rig, Lsn lsn) {
  Result<void> held = co_await rig.engine_->durable(lsn);
  if (held.ok() && lsn > rig.acknowledged_) rig.acknowledged_ = lsn;
}

bool EngineRig::submit(const Batch& batch) {
  Result<Lsn> lsn = engine_->submit(batch);
  if (!lsn.ok()) {
    const bool may = lsn.code() == Code::kOverloaded ||
                     (lsn.code() == Code::kInvalid && (!model.takes(batch) || changing()));
    if (!may) fail("a batch was not taken: " + lsn.error().text());
    return false;
  }
  if (!model.takes(batch) && !changing()) fail("a batch with keys of no tablet was taken");
  model.append(batch);
  if (*lsn != model.last()) fail("batch " + std::to_string(*lsn) + " is out of order");
  note("batch " + std::to_string(*lsn) + shown_batch(batch.encoded()));
  host.spawn(acknowledge(*this, *lsn));
  return true;
}

bool EngineRig::settle() {
  while (busy() || acknowledged_ < model.last()) {
    if (!step()) {
      if (!at_end()) fail("something never ends");
      return false;
    }
  }
  return true;
}

void EngineRig::close() {
  closing_ = true;
  snapshots_.clear();
  Result<void> closed = host.run(engine_->close());
  if (!closed.ok()) fail("close: " + closed.error().text());
}

void EngineRig::add_stats() {
  const EngineStats& stats = engine_->stats();
  counts.flushes += stats.flushes;
  counts.merges += stats.merges;
  counts.moves += stats.moves;
  counts.dropped += stats.dropped_superseded + stats.dropped_removes + stats.dropped_in_range +
                    stats.dropped_expired;
  counts.checked[4] += stats.checked_i4;
  counts.checked[5] += stats.checked_i5;
  counts.checked[7] += stats.checked_i7;
  counts.checked[8] += stats.checked_i8;
}

void EngineRig::end_life() {
  if (engine_ != nullptr) add_stats();
  snapshots_.clear();
  host.end_tasks();  // first those who wait, then the engine they wait for
  engine_.reset();
  host.kill();
  flushing_ = closing_ = false;
}

void EngineRig::crash(bool power_loss) {
  note(power_loss ? "power loss" : "kill");
  end_life();
  ++counts.crashes;
  check_image(/*before_power_loss=*/true);
  if (!power_loss) return;
  host.disk().power_loss();
  ++counts.power_losses;
  check_image(/*before_power_loss=*/false);
}

// What a dead process leaves: I4 and I5, without asking the engine.
void EngineRig::check_image(bool before_power_loss) {
  const std::string path = options_.directory + "/manifest";
  TestDisk& disk = host.disk();
  if (!wrong_.empty() || !disk.exists(path)) return;
  Result<ManifestState> state = parse_manifest(disk.bytes(path), path);
  if (!state.ok()) return fail("the manifest: " + state.error().text());
  const auto check = [&](const TabletState& tablet) {
    const LeveledTable* last = nullptr;
    for (const LeveledTable& at : tablet.tables) {
      const std::string name = table_file_name(options_.directory + "/tables", at.table.id);
      const bool good = disk.exists(name) && whole(disk.bytes(name).size(), at.table) &&
                        (!before_power_loss || disk.lasts(name));
      if (!good) fail("I4: the manifest names " + name + ", which is not whole and synced");
      ++counts.checked[4];
      if (at.level == 0) continue;
      const bool same_level = last != nullptr && last->level == at.level;
      if (same_level && last->table.largest >= at.table.smallest) {
        fail("I5: tables overlap in level " + std::to_string(at.level));
      }
      counts.checked[5] += same_level ? 1 : 0;
      last = &at;
    }
  };
  for (const TabletState& tablet : state->tablets) check(tablet);
  for (const CheckpointState& checkpoint : state->checkpoints) {
    for (const TabletState& tablet : checkpoint.tablets) check(tablet);
  }
}

}  // namespace ringside
