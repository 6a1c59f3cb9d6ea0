// EngineRig: an engine on a bare host beside a model of it, for tests. It opens, changes, reads and
// kills the engine, compares all that the engine says with the model, and counts how often each
// invariant was checked:
//
//   I1   what was acknowledged is there after a crash, or superseded
//   I2   recovery yields a prefix of what was submitted
//   I3   a batch is there whole or not at all
//   I4   the manifest names only whole, synced tables
//   I5   tables of a level >= 1 are disjoint
//   I6   the merged view equals the model at every snapshot
//   I7   no remove is dropped while a table still holds older data
//   I8   a merge's entries in = entries out + accounted drops
//   I9   the Merkle root = the rebuilt root
//   I10  the same seed leaves the same bytes
//
// I7 and I8 are asserted by the engine, which counts them; a violation of I7 is a key that rises
// again, which is a violation of I6 here. I10 takes two runs (counted by the tests).
#pragma once

#include <array>
#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/engine.h"
#include "storage/engine_model.h"
#include "storage/test_host.h"

namespace ringside {

struct RigCounts {
  static constexpr std::size_t kInvariants = 10;

  std::array<uint64_t, kInvariants + 1> checked{};  // by number; [0] is not used
  uint64_t recoveries = 0, crashes = 0, power_losses = 0, cut_openings = 0;
  uint64_t acknowledged = 0, lost = 0;  // batches; lost: in flight when the process died
  uint64_t flushes = 0, merges = 0, moves = 0, dropped = 0;
  uint64_t tablets_created = 0, tablets_dropped = 0, imports = 0, checkpoints = 0;
  uint64_t resolved_by_crash = 0;  // changes of tablets and checkpoints that a crash cut off
  uint64_t held_reads = 0, limited_scans = 0, changes_read = 0, scrubs = 0;

  void add(const RigCounts& other);
  std::string table() const;
  std::vector<std::string> never() const;  // invariants that were never checked
};

class EngineRig {
 public:
  // A change of tablets or checkpoints; one at a time is under way.
  struct Admin {
    enum class Kind : uint8_t { kNone, kCreate, kDrop, kImport, kCheckpoint, kDropCheckpoint };
    Kind kind = Kind::kNone;
    KeyRange range;
    std::string name;
    std::vector<std::string> chunks;  // kImport
    ModelState base;                  // kImport: what the chunks hold
  };

  explicit EngineRig(uint64_t seed) : host(seed) {}
  ~EngineRig() { end_life(); }
  EngineRig(const EngineRig&) = delete;
  EngineRig& operator=(const EngineRig&) = delete;

  // Empty, or the first thing that was violated.
  const std::string& wrong() const { return wrong_; }
  void fail(const std::string& what);
  // The last things that were done, for whoever reads a failure.
  void note(std::string what);
  std::string story() const;

  // Opens and checks what was recovered. False when the process died at `stop_at` (crash comes
  // next), or something is wrong.
  bool open(EngineOptions options);
  // The process dies, and perhaps the machine loses power; then the disk is looked at.
  void crash(bool power_loss);
  // Disk calls that the last opening took.
  uint64_t opening_calls() const { return opening_calls_; }
  bool living() const { return engine_ != nullptr; }
  Engine& engine() { return *engine_; }

  // False when the engine does not take it.
  bool submit(const Batch& batch);
  void start_flush();
  void start(Admin admin);
  bool busy() const { return admin_.kind != Admin::Kind::kNone || flushing_; }
  const Admin& under_way() const { return admin_; }
  // The keys of a tablet that comes or goes.
  std::optional<KeyRange> changing() const;
  // One thing happens. False: nothing is left to happen, or the process has come to its end.
  bool step();
  // Until all that was started is done. False when the process came to its end before.
  bool settle();
  bool at_end() { return host.disk().performed >= stop_at; }
  void close();

  // Reads, each compared with the model.
  void compare_all(View view, Lsn lsn);
  void compare_limited(const std::string& begin, ScanLimits limits);
  void compare_key(const std::string& key, View view, Lsn lsn);
  void hold_snapshot(View view);
  void read_snapshot(std::size_t index, bool later);
  void release_snapshot(std::size_t index);
  std::size_t snapshots() const { return snapshots_.size(); }
  void compare_checkpoint(const std::string& name);
  void compare_changes(Lsn after, ChangeLimits limits);
  // `beside`: while somebody else asks, too.
  void compare_merkle(KeyRange tablet, bool beside);
  void scrub();
  // Everything of a range, for a later import.
  std::optional<Admin> export_tablet(KeyRange range, const std::string& checkpoint);

  void set_wall(int64_t wall);
  int64_t wall() const { return wall_; }

  TestHost host;
  EngineModel model;
  RigCounts counts;
  std::string where;                                        // goes before what is wrong
  uint64_t stop_at = std::numeric_limits<uint64_t>::max();  // in disk calls carried out

 private:
  void end_life();
  void check_recovered();
  void resolve_admin();
  Lsn lsn_in_manifest();
  void check_image(bool before_power_loss);
  void add_stats();
  // But for keys in `changing`.
  void compare_rows(const Result<std::vector<Entry>>& found, std::vector<Entry> expected,
                    const std::optional<KeyRange>& changing, const std::string& what);
  Task<Result<void>> perform_admin();
  void settle_admin(const Result<void>& done);
  static Task<void> run_admin(EngineRig& rig);
  static Task<void> run_flush(EngineRig& rig);
  static Task<void> acknowledge(EngineRig& rig, Lsn lsn);
  static Task<void> read_held(EngineRig& rig, Snapshot held);
  static Task<Result<std::vector<std::string>>> take_chunks(EngineRig& rig, KeyRange range,
                                                            std::string checkpoint);

  EngineOptions options_;
  std::unique_ptr<Engine> engine_;
  std::deque<Snapshot> snapshots_;
  Lsn acknowledged_ = 0;
  Lsn recovered_ = 0;
  uint64_t opening_calls_ = 0;
  Admin admin_;
  bool flushing_ = false;
  bool closing_ = false;
  uint64_t epoch_ = 0;  // changes when what a snapshot shows may: tablets, or the wall clock
  int64_t wall_ = 1'000;
  std::string wrong_;
  std::deque<std::string> notes_;
};

}  // namespace ringside
