// What an engine says, compared with the model.
#include <algorithm>
#include <utility>

#include "storage/engine_rig.h"
#include "storage/merkle.h"
#include "storage/test_rows.h"

namespace ringside {
namespace {

std::string shown_entries(const std::vector<Entry>& found, const std::vector<Entry>& expected) {
  std::size_t at = 0;
  while (at < found.size() && at < expected.size() && found[at] == expected[at]) ++at;
  const auto show = [at](const std::vector<Entry>& entries) {
    return at < entries.size() ? entries[at].key + " = " + entries[at].value.substr(0, 24)
                               : std::string("nothing");
  };
  return show(found) + " instead of " + show(expected);
}

}  // namespace

void EngineRig::set_wall(int64_t wall) {
  note("the clock says " + std::to_string(wall));
  wall_ = wall;
  host.set_wall(wall);
  ++epoch_;
}

void EngineRig::compare_rows(const Result<std::vector<Entry>>& found, std::vector<Entry> expected,
                             const std::optional<KeyRange>& changing, const std::string& what) {
  if (!found.ok()) return fail(what + ": " + found.error().text());
  // While a tablet comes or goes, its keys may be there or not.
  const auto unsure = [&](const Entry& entry) { return changing && changing->contains(entry.key); };
  std::vector<Entry> seen = *found;
  std::erase_if(seen, unsure);
  std::erase_if(expected, unsure);
  if (seen != expected) fail(what + " says " + shown_entries(seen, expected));
}

void EngineRig::compare_all(View view, Lsn lsn) {
  ++counts.checked[6];
  const std::optional<KeyRange> during = changing();
  Result<std::vector<Entry>> found = entries_of(
      host.run(engine_->scan("", "", {.rows_max = 100'000, .bytes_max = 1u << 30}, view)));
  compare_rows(found, live_entries(model.at(lsn), wall_), during,
               "I6: a scan at " + std::to_string(lsn));
}

void EngineRig::compare_limited(const std::string& begin, ScanLimits limits) {
  if (admin_.kind != Admin::Kind::kNone) return;
  ++counts.limited_scans;
  Result<std::vector<Entry>> found =
      entries_of(host.run(engine_->scan(begin, "", limits, View::kLatest)));
  const std::vector<Entry> all = live_entries(model.at(model.last()), wall_, {begin, ""});
  std::vector<Entry> expected;
  uint64_t bytes = 0;
  for (const Entry& entry : all) {
    if (expected.size() >= limits.rows_max || bytes >= limits.bytes_max) break;
    expected.push_back(entry);
    bytes += entry.key.size() + entry.value.size();
  }
  compare_rows(found, expected, std::nullopt, "a limited scan");
}

void EngineRig::compare_key(const std::string& key, View view, Lsn lsn) {
  if (changing() && changing()->contains(key)) return;
  const ModelState state = model.at(lsn);
  const std::vector<Entry> live = live_entries(state, wall_, {key, key + '\0'});
  const std::optional<std::string> expected =
      live.empty() ? std::nullopt : std::optional(live.front().value);
  const MemoryLookup seen = engine_->lookup(key, view);
  const bool lookup_wrong =
      (seen.state == MemoryLookup::State::kFound && (!expected || *expected != seen.value)) ||
      (seen.state == MemoryLookup::State::kRemoved && expected);
  if (lookup_wrong) return fail("lookup of " + key + " at " + std::to_string(lsn) + " is wrong");
  Result<std::optional<std::string>> value = host.run(engine_->get(key, view));
  if (!value.ok()) return fail("get: " + value.error().text());
  if (*value != expected) {
    fail("get of " + key + " at " + std::to_string(lsn) + " says " +
         value->value_or("nothing").substr(0, 24) + " instead of " +
         expected.value_or("nothing").substr(0, 24));
  }
  ++counts.checked[6];
}

void EngineRig::hold_snapshot(View view) {
  snapshots_.push_back(engine_->snapshot(view));
  note("holds " + std::to_string(snapshots_.back().lsn()));
}

void EngineRig::release_snapshot(std::size_t index) {
  note("releases " + std::to_string(snapshots_[index].lsn()));
  snapshots_.erase(snapshots_.begin() + static_cast<std::ptrdiff_t>(index));
}

// At once, or beside all that happens from now on.
void EngineRig::read_snapshot(std::size_t index, bool later) {
  const Lsn lsn = snapshots_[index].lsn();
  if (!later) return compare_all(snapshots_[index], lsn);
  host.spawn(read_held(*this, engine_->snapshot(View(snapshots_[index]))));
  host.ready().drain();
}

Task<void> EngineRig::read_held(EngineRig& rig, Snapshot held) {
  const Lsn lsn = held.lsn();
  const uint64_t epoch = rig.epoch_;
  Result<std::vector<Entry>> found = entries_of(co_await rig.engine_->scan(
      "", "", {.rows_max = 100'000, .bytes_max = 1u << 30, .fill_cache = false}, held));
  if (rig.closing_ || rig.epoch_ != epoch) co_return;
  ++rig.counts.held_reads;
  ++rig.counts.checked[6];
  rig.compare_rows(found, live_entries(rig.model.at(lsn), rig.wall_), rig.changing(),
                   "I6: a scan beside writes at " + std::to_string(lsn));
}

void EngineRig::compare_checkpoint(const std::string& name) {
  ++counts.checked[6];
  Result<std::vector<Entry>> found = entries_of(host.run(
      engine_->scan_checkpoint(name, "", "", {.rows_max = 100'000, .bytes_max = 1u << 30})));
  const std::vector<Entry> expected = live_entries(model.checkpoints.at(name).state, wall_);
  if (!found.ok()) return fail("checkpoint " + name + ": " + found.error().text());
  if (*found != expected)
    fail("I6: checkpoint " + name + " says " + shown_entries(*found, expected));
}

void EngineRig::compare_changes(Lsn after, ChangeLimits limits) {
  ++counts.changes_read;
  const Lsn durable = engine_->last_durable();
  Result<std::vector<LoggedBatch>> read = host.run(engine_->changes(after, limits));
  if (!read.ok()) {
    // What was flushed may be gone from a log whose archive is bounded.
    const bool may = read.code() == Code::kNotFound && options_.archive_bytes_max < (1u << 30);
    if (!may) fail("changes after " + std::to_string(after) + ": " + read.error().text());
    return;
  }
  const Lsn until = std::min(limits.until, model.last());
  if (read->empty() && after < std::min(until, durable))
    return fail("no changes after " + std::to_string(after));
  for (const LoggedBatch& batch : *read) {
    if (batch.lsn != ++after || batch.lsn > std::min(until, engine_->last_durable()) ||
        batch.batch != model.batch(batch.lsn))
      return fail("the change stream says another batch " + std::to_string(batch.lsn));
  }
}

void EngineRig::compare_merkle(KeyRange tablet, bool beside) {
  if (options_.merkle_depth == 0 || changing() == tablet) return;
  if (beside) {
    host.spawn([](Engine& engine, KeyRange range) -> Task<void> {
      (void)co_await engine.merkle(std::move(range));
    }(*engine_, tablet));
    for (int steps = 0; steps < 2 && step(); ++steps) {
    }
  }
  if (changing() == tablet) return;
  Result<MerkleHashes> hashes = host.run(engine_->merkle(tablet));
  if (!hashes.ok()) return fail("merkle: " + hashes.error().text());
  ++counts.checked[9];
  const MerkleHashes rebuilt =
      rebuild_merkle(tablet, options_.merkle_depth, model.of_tablet(tablet, model.last()), wall_);
  if (hashes->nodes == rebuilt.nodes) return;
  const MerkleTree division(tablet, options_.merkle_depth);
  std::string leaves;
  const Result<std::vector<uint32_t>> differing = differing_leaves(*hashes, rebuilt);
  if (!differing.ok()) return fail("I9: " + differing.error().text());
  for (const uint32_t leaf : *differing) {
    const KeyRange part = division.leaf_range(leaf);
    leaves += " [" + part.begin + ", " + part.end + ")";
  }
  fail("I9: the Merkle tree of [" + tablet.begin + ", " + tablet.end +
       ") is not what is rebuilt, in" + leaves);
}

void EngineRig::scrub() {
  ++counts.scrubs;
  Result<ScrubReport> report = host.run(engine_->scrub());
  if (!report.ok()) return fail("scrub: " + report.error().text());
  if (!report->bad.empty()) fail("scrub: " + report->bad.front().why);
  if (!engine_->suspects().empty()) fail("suspect: " + engine_->suspects().front().why);
}

Task<Result<std::vector<std::string>>> EngineRig::take_chunks(EngineRig& rig, KeyRange range,
                                                              std::string checkpoint) {
  Result<std::unique_ptr<RangeExport>> source =
      co_await rig.engine_->export_range(std::move(range), std::move(checkpoint));
  if (!source.ok()) co_return source.error();
  std::vector<std::string> chunks;
  while (true) {
    Result<std::optional<std::string>> chunk = co_await (*source)->next();
    if (!chunk.ok()) co_return chunk.error();
    if (!chunk->has_value()) co_return chunks;
    chunks.push_back(**chunk);
  }
}

std::optional<EngineRig::Admin> EngineRig::export_tablet(KeyRange range,
                                                         const std::string& checkpoint) {
  const Lsn lsn = engine_->last_durable();
  Result<std::vector<std::string>> chunks = host.run(take_chunks(*this, range, checkpoint));
  if (!chunks.ok()) {
    fail("export: " + chunks.error().text());
    return std::nullopt;
  }
  Admin import{.kind = Admin::Kind::kImport, .range = range, .chunks = *std::move(chunks)};
  const ModelState state =
      checkpoint.empty() ? model.at(lsn) : model.checkpoints.at(checkpoint).state;
  for (const Entry& entry : live_entries(state, wall_, range))
    import.base.emplace(entry.key, state.at(entry.key));
  return import;
}

}  // namespace ringside
