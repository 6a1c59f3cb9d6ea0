#include "storage/engine_faults.h"

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "storage/engine.h"
#include "storage/engine_model.h"
#include "storage/format.h"
#include "storage/manifest.h"
#include "storage/table_format.h"
#include "storage/test_host.h"

namespace ringside {
namespace {

constexpr uint64_t kKeys = 60;
constexpr uint64_t kStepsMax = 200'000;
constexpr uint64_t kHitsMax = 3;
constexpr std::size_t kValueBytes = 100;  // more than half a block: a block an entry

using Kind = DiskCall::Kind;

struct TableLayout {
  uint64_t blocks_end = 0, filter = 0, index = 0;
};

std::optional<TableLayout> layout_of(std::string_view bytes) {
  if (bytes.size() < kTableFooterBytes) return std::nullopt;
  const std::string_view footer = bytes.substr(bytes.size() - kTableFooterBytes);
  const uint64_t offset = load<uint64_t>(footer.data() + 8),
                 length = load<uint64_t>(footer.data() + 16);
  if (offset + length > bytes.size()) return std::nullopt;
  TableIndex index;
  FileCipher file;
  if (decode_table_index(bytes.substr(offset, length), offset, nullptr, index, file) !=
      IndexVerdict::kGood) {
    return std::nullopt;
  }
  return TableLayout{index.blocks_end, index.filter.bytes > 0 ? index.filter.offset : offset,
                     offset};
}

bool in_part(FaultPart part, const std::string& path) {
  const bool archive = path.find("/log/archive/") != std::string::npos;
  switch (part) {
    case FaultPart::kLog: return path.find("/log/0") != std::string::npos && !archive;
    case FaultPart::kArchive: return archive;
    case FaultPart::kManifest: return path.find("/manifest") != std::string::npos;
    case FaultPart::kDirectory: return true;
    default: return path.find("/tables/") != std::string::npos;
  }
}

// Of a file, the bytes that are the part: [begin, end).
std::pair<uint64_t, uint64_t> extent_of(FaultPart part, std::string_view bytes) {
  if (!is_table_part(part)) return {0, bytes.size()};
  const std::optional<TableLayout> layout = layout_of(bytes);
  if (!layout) return {0, 0};
  switch (part) {
    case FaultPart::kData: return {0, layout->blocks_end};
    case FaultPart::kLeaf: return {layout->blocks_end, layout->filter};
    case FaultPart::kFilter: return {layout->filter, layout->index};
    default: return {layout->index, bytes.size()};
  }
}

class FaultBench {
 public:
  FaultBench(FaultPart part, DiskFault fault, uint64_t seed)
      : part_(part), fault_(fault), host_(seed), random_(mix(seed, 5)) {}
  ~FaultBench() { end_life(); }

  FaultRun run() {
    build();
    if (at_rest()) {
      end_life();
      damage();
      live(/*write=*/true);
      power_off();
      live(/*write=*/false);
    } else {
      end_life();
      armed_ = random_.chance(0.6);  // otherwise late, when no flush follows
      disk().set_tamper(
          [this](DiskCall& call, const std::string& path) { return tamper(call, path); });
      live(/*write=*/true);
      power_off();
      live(/*write=*/false);
      disk().set_tamper(nullptr);
      power_off();
      after_it();
    }
    return run_;
  }

 private:
  // The fault is over. Unless it left the medium as nobody wrote it, all is well again.
  void after_it() {
    const bool mended = fault_ != DiskFault::kSyncLies && fault_ != DiskFault::kWriteElsewhere;
    const FaultRun before = std::exchange(run_, FaultRun{.wrong = run_.wrong});
    live(/*write=*/false);
    if (mended && run_.refused) fail("the fault is over, and it does not open: " + refusal_);
    if (mended && (run_.failed_read || run_.reported)) fail("the fault is over, and reads fail");
    run_.hits = before.hits;
    run_.refused |= before.refused;
    run_.failed_read |= before.failed_read;
    run_.ended |= before.ended;
    run_.reported |= before.reported;
    run_.gap |= before.gap;
    run_.lost |= before.lost;
    if (run_.wrong == before.wrong) run_.step = before.step;
  }

  TestDisk& disk() { return host_.disk(); }
  bool at_rest() const {
    return fault_ == DiskFault::kBitFlip || fault_ == DiskFault::kOlder ||
           fault_ == DiskFault::kNameLost;
  }
  void fail(const std::string& what) {
    if (run_.wrong.empty()) run_.wrong = what;
  }

  EngineOptions options() {
    EngineOptions options;
    options.memtable_bytes_max = 16384;
    options.group_bytes_max = 4096;
    options.log_segment_bytes = 16384;
    options.log_bytes_max = 65536;
    options.archive_bytes_max = 1u << 20;
    options.tables_max = 2;
    options.table_bytes_max = 4096;
    options.level_bytes = 16384;
    options.level_fanout = 3;
    options.block_bytes = 128;
    options.block_cache_bytes = 1024;
    options.reserve_bytes = 1;
    options.seal_after = kMillisecond;
    options.abort_when_poisoned = false;
    return options;
  }

  // Runs a task to its end, if it has one.
  template <class T>
  std::optional<T> attempt(Task<T> task) {
    auto result = std::make_shared<std::optional<T>>();
    host_.spawn([](Task<T> inner, std::shared_ptr<std::optional<T>> out) -> Task<void> {
      out->emplace(co_await std::move(inner));
    }(std::move(task), result));
    host_.ready().drain();
    for (uint64_t steps = 0; !*result && steps < kStepsMax && host_.step(); ++steps) {
    }
    if (!*result && !torn_) fail(run_.step + " never ends");
    return std::move(*result);
  }

  void write(uint64_t batches) {
    for (uint64_t i = 0; i < batches && !torn_; ++i) {
      Batch batch;
      const std::string key = name_of(random_.below(kKeys));
      const std::string text = std::to_string(model_.last() + 1);
      batch.put(key, text + std::string(kValueBytes - text.size(), 'v'));
      if (random_.chance(0.15)) batch.remove(name_of(random_.below(kKeys)));
      Result<Lsn> lsn = engine_->submit(batch);
      if (!lsn.ok()) {
        run_.refused |= lsn.code() == Code::kNoSpace;
        run_.ended |= lsn.code() == Code::kClosed;
        for (int steps = 0; steps < 50 && host_.step(); ++steps) {
        }
        continue;
      }
      model_.append(batch);
      host_.spawn([](Engine& engine, Lsn waited, Lsn& acknowledged) -> Task<void> {
        Result<void> held = co_await engine.durable(waited);
        if (held.ok() && waited > acknowledged) acknowledged = waited;
      }(*engine_, *lsn, acknowledged_));
      for (uint64_t steps = random_.below(6); steps > 0 && host_.step(); --steps) {
      }
    }
  }
  static std::string name_of(uint64_t key) { return "key" + std::to_string(100 + key); }

  // A store with tables in several levels, a log with some segments, an archive, a checkpoint.
  void build() {
    run_.step = "building";
    if (!open()) return fail("a healthy store does not open");
    for (int round = 0; round < 5; ++round) {
      write(40);
      (void)attempt(engine_->flush());
      if (round == 2) {
        for (const std::string& path : disk().paths()) older_[path] = disk().bytes(path);
        (void)attempt(engine_->create_checkpoint("early"));
        early_ = live_entries(model_.at(model_.last()), 0);
      }
    }
    write(59);
    host_.run_until_idle();
    for (const std::string& path : disk().paths()) {
      if (in_part(FaultPart::kLog, path)) older_[path] = disk().bytes(path);
    }
    write(1);
    host_.run_until_idle();  // the log seals itself
    if (acknowledged_ != model_.last()) fail("a healthy store does not acknowledge");
  }

  bool open() {
    std::optional<Result<std::unique_ptr<Engine>>> opened = attempt(Engine::open(host_, options()));
    if (!opened) return false;
    if (!opened->ok()) {
      refusal_ = opened->error().text();
      const Code code = opened->code();
      if (code != Code::kCorrupt && code != Code::kIo && code != Code::kNoSpace)
        fail("it refuses with " + refusal_);
      return false;
    }
    engine_ = *std::move(*opened);
    return true;
  }

  void live(bool write_on) {
    if (!run_.wrong.empty()) return;
    run_.step = write_on ? "a life that writes" : "a life that reads";
    torn_ = false;
    if (!open()) {
      run_.refused |= !torn_;
      host_.kill();
      return;
    }
    const Lsn recovered = engine_->last_submitted();
    if (recovered > model_.last()) return fail("it recovered more than was submitted");
    if (recovered < acknowledged_) run_.lost = true;
    model_.cut(recovered);
    acknowledged_ = recovered;
    read_all();
    if (write_on) {
      for (int round = 0; round < 3 && !torn_; ++round) {
        write(25);
        if (std::optional<Result<void>> done = attempt(engine_->flush()); done && !done->ok())
          run_.refused |= done->code() == Code::kNoSpace;
        if (!torn_) read_all();
      }
    }
    if (!torn_) read_checkpoint();
    if (!torn_) scrub();
    if (!torn_) changes();
    armed_ = true;
    if (write_on && !torn_) write(12);  // for the log alone to keep
    for (int steps = 0; write_on && !torn_ && steps < 100 && host_.step(); ++steps) {
    }
    run_.ended |= engine_->poisoned();
  }

  bool may(const Error& error) {
    if (error.code == Code::kCorrupt || error.code == Code::kIo || error.code == Code::kNoSpace) {
      run_.failed_read = true;
      return true;
    }
    fail("a read fails with " + error.text());
    return false;
  }

  void read_all() {
    const Lsn before = engine_->last_durable();
    std::optional<Result<Rows>> scan =
        attempt(engine_->scan("", "", {.rows_max = 10'000}, View::kDurable));
    if (scan && scan->ok()) {
      if (*entries_of(*scan) != live_entries(model_.at(before), 0)) {
        return fail("a scan at " + std::to_string(before) + " is wrong");
      }
    } else if (scan) {
      may(scan->error());
    }
    for (uint64_t key = 0; key < kKeys && run_.wrong.empty() && !torn_; ++key) {
      const Lsn low = engine_->last_durable();
      std::optional<Result<std::optional<std::string>>> got =
          attempt(engine_->get(name_of(key), View::kDurable));
      if (!got) return;
      if (!got->ok()) {
        may(got->error());
      } else if (**got != value_at(key, low) && **got != value_at(key, engine_->last_durable())) {
        fail("get of " + name_of(key) + " says " + (*got)->value_or("nothing") + " instead of " +
             value_at(key, low).value_or("nothing"));
      }
    }
  }
  std::optional<std::string> value_at(uint64_t key, Lsn lsn) const {
    const ModelState state = model_.at(lsn);
    const auto found = state.find(name_of(key));
    return found == state.end() ? std::nullopt : std::optional(found->second.value);
  }

  // What it says of the checkpoint, it says right.
  void read_checkpoint() {
    std::optional<Result<Rows>> found =
        attempt(engine_->scan_checkpoint("early", "", "", {.rows_max = 10'000}));
    if (!found) return;
    if (!found->ok()) {
      may(found->error());
    } else if (*entries_of(*found) != early_) {
      fail("the checkpoint says something else than it did");
    }
  }

  void scrub() {
    std::optional<Result<ScrubReport>> report = attempt(engine_->scrub());
    if (!report) return;
    if (!report->ok()) {
      may(report->error());
    } else {
      run_.reported |= !(*report)->bad.empty();
    }
    run_.reported |= !engine_->suspects().empty();
  }

  void changes() {
    Lsn after = 0;
    while (run_.wrong.empty()) {
      std::optional<Result<std::vector<LoggedBatch>>> read =
          attempt(engine_->changes(after, {.batches_max = 50}));
      if (!read) return;
      if (!read->ok() && read->code() == Code::kNotFound) {
        run_.gap = true;
        return;
      }
      if (!read->ok()) {
        may(read->error());
        return;
      }
      if ((*read)->empty()) {
        if (after < engine_->last_durable()) fail("the change stream ends early");
        return;
      }
      for (const LoggedBatch& batch : **read) {
        if (batch.lsn != ++after || batch.lsn > model_.last() ||
            batch.batch != model_.batch(batch.lsn)) {
          return fail("the change stream says another batch " + std::to_string(batch.lsn));
        }
      }
    }
  }

  // The medium, while nothing runs: a file of the part that the engine will need.
  void damage() {
    std::vector<std::string> paths;
    for (const std::string& path : disk().paths()) {
      const auto [begin, end] = extent_of(part_, disk().bytes(path));
      const bool older = fault_ != DiskFault::kOlder ||
                         (older_.contains(path) && older_[path] != disk().bytes(path));
      if (in_part(part_, path) && begin < end && older && needed(path)) paths.push_back(path);
    }
    if (paths.empty()) return;
    const std::string path = paths[random_.below(paths.size())];
    ++run_.hits;
    if (fault_ == DiskFault::kNameLost) return disk().erase(path);
    if (fault_ == DiskFault::kOlder) return disk().replace(path, older_[path]);
    std::string bytes = disk().bytes(path);
    const auto [begin, end] = extent_of(part_, bytes);
    uint64_t at = begin + random_.below(end - begin);
    while (at > begin && bytes[at] == 0) --at;  // padding says nothing
    bytes[at] ^= static_cast<char>(1 << random_.below(8));
    disk().replace(path, bytes);
  }

  // Not a table that nothing names, which the next life removes.
  bool needed(const std::string& path) {
    if (path.find("/tables/") == std::string::npos) return true;
    Result<ManifestState> state = parse_manifest(disk().bytes("data/manifest"), "data/manifest");
    const auto holds = [&](const TabletState& tablet) {
      return std::any_of(tablet.tables.begin(), tablet.tables.end(), [&](const auto& at) {
        return table_file_name("data/tables", at.table.id) == path;
      });
    };
    return std::any_of(state->tablets.begin(), state->tablets.end(), holds) ||
           std::any_of(state->checkpoints.begin(), state->checkpoints.end(), [&](const auto& at) {
             return std::any_of(at.tablets.begin(), at.tablets.end(), holds);
           });
  }

  bool meets(const DiskCall& call, const std::string& path) {
    if (part_ == FaultPart::kDirectory) return call.kind == Kind::kSyncDirectory;
    if (!in_part(part_, path) || call.kind == Kind::kSyncDirectory) return false;
    if (!is_table_part(part_) || call.kind != Kind::kRead) return true;
    if (!disk().exists(path)) return false;
    const auto [begin, end] = extent_of(part_, disk().bytes(path));
    return call.offset < end && call.offset + call.length > begin;
  }

  bool tamper(DiskCall& call, const std::string& path) {
    if (torn_) {  // the machine is about to lose power
      call.fail(Code::kIo, "power is gone");
      return true;
    }
    const double chance = part_ == FaultPart::kManifest ? 0.5 : 0.15;  // it is seldom touched
    const bool for_ever = fault_ == DiskFault::kSyncLies && run_.hits > 0;
    const bool now = for_ever || (run_.hits < kHitsMax && random_.chance(chance));
    if (!armed_ || !now || !meets(call, path)) return false;
    const auto error = [&](Kind kind) {
      if (call.kind != kind) return false;
      ++run_.hits;
      call.fail(Code::kIo, "injected");
      return true;
    };
    switch (fault_) {
      case DiskFault::kReadError: return error(Kind::kRead);
      case DiskFault::kWriteError: return error(Kind::kWrite);
      case DiskFault::kSyncError:
        return error(part_ == FaultPart::kDirectory ? Kind::kSyncDirectory : Kind::kSync);
      case DiskFault::kOpenError: return error(Kind::kOpen);
      case DiskFault::kRenameError: return error(Kind::kRename);
      case DiskFault::kSyncFailsOnce:
        if (!error(Kind::kSync)) return false;
        disk().forget_unsynced(path);
        return true;
      case DiskFault::kSyncLies:
        if (call.kind != (part_ == FaultPart::kDirectory ? Kind::kSyncDirectory : Kind::kSync))
          return false;
        ++run_.hits;
        return true;
      case DiskFault::kFull:
        if (call.kind != Kind::kWrite && call.kind != Kind::kOpen && call.kind != Kind::kSync)
          return false;
        if (call.kind == Kind::kOpen && (call.flags & Disk::kCreate) == 0) return false;
        ++run_.hits;
        call.fail(Code::kNoSpace, "injected");
        return true;
      case DiskFault::kShortRead:
        if (call.kind != Kind::kRead || call.length < 2) return false;
        disk().carry_out(call);
        if (call.bytes.size() < 2) return true;
        ++run_.hits;
        call.bytes = Buffer::copy_of(call.bytes.view().substr(0, random_.below(call.bytes.size())));
        return true;
      case DiskFault::kReadElsewhere: {
        if (call.kind != Kind::kRead) return false;
        ++run_.hits;
        const uint64_t step = is_table_part(part_) ? call.length : kPageBytes;
        const bool back = call.offset >= step && random_.chance(0.5);
        call.offset = back ? call.offset - step : call.offset + step;
        return false;
      }
      case DiskFault::kWriteElsewhere:
        if (call.kind != Kind::kWrite) return false;
        ++run_.hits;
        call.offset = call.offset >= kPageBytes && random_.chance(0.5) ? call.offset - kPageBytes
                                                                       : call.offset + kPageBytes;
        return false;
      case DiskFault::kTornWrite: {
        if (call.kind != Kind::kWrite || call.data.size() < 2) return false;
        ++run_.hits;
        torn_ = true;
        const std::size_t sectors = call.data.size() / kSectorBytes;
        const std::size_t kept = sectors == 0 ? 0 : random_.below(sectors + 1) * kSectorBytes;
        call.data = Buffer::copy_of(call.data.view().substr(0, kept));
        disk().carry_out(call);
        disk().settle(path);  // what was written has reached the medium
        call.fail(Code::kIo, "power is gone");
        return true;
      }
      default: return false;
    }
  }

  void end_life() {
    host_.end_tasks();
    engine_.reset();
    host_.kill();
  }
  void power_off() {
    end_life();
    disk().power_loss();
  }

  const FaultPart part_;
  const DiskFault fault_;
  TestHost host_;
  Random random_;
  std::unique_ptr<Engine> engine_;
  EngineModel model_;
  Lsn acknowledged_ = 0;
  std::map<std::string, std::string> older_;
  std::vector<Entry> early_;  // what the checkpoint holds
  std::string refusal_;
  bool armed_ = true;
  bool torn_ = false;
  FaultRun run_;
};

}  // namespace

FaultRun run_fault(FaultPart part, DiskFault fault, uint64_t seed) {
  return FaultBench(part, fault, seed).run();
}

}  // namespace ringside
