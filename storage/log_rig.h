// LogRig: a log on a bare host, and a model of it. The model knows what was appended, what was
// acknowledged and what a table would hold; every opening is held to it, and so is a reader of the
// change stream that resumes where it stopped, across lives. For tests.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "storage/log.h"
#include "storage/log_recovery.h"
#include "storage/test_host.h"

namespace ringside {

class LogRig final : private BatchSink {
 public:
  explicit LogRig(uint64_t seed, LogOptions options = small());
  ~LogRig() { die(); }

  // Segments of four pages, groups of at most one.
  static LogOptions small();

  // Recovers and logs again, in at most `steps` steps of the host. False when they did not suffice
  // or it was refused, and then `error` says why.
  bool open(uint64_t steps = 1'000'000);
  // In at most `steps` steps each; false when they did not suffice.
  bool idle(uint64_t steps = 1'000'000);
  // A batch of so many random bytes.
  void append(uint64_t bytes);
  // Batches up to here are in tables.
  void flush(Lsn flushed);
  // The stream, as far as it reaches. Nothing may be wrong with it.
  void read_on(ChangeLimits limits = {});
  void die();
  void power_loss(TestDisk::Fate pages = TestDisk::Fate::kDrawn,
                  TestDisk::Fate names = TestDisk::Fate::kDrawn);

  Result<std::vector<LoggedBatch>> read(Lsn after, ChangeLimits limits = {}) {
    return host.run(log->read(after, limits));
  }

  TestHost host;
  LogOptions options;
  LostLog lost_policy = LostLog::kRefuse;
  std::unique_ptr<DurableMark> durable;
  std::unique_ptr<Log> log;  // while it is open
  LogRecovery recovery;      // of the last opening; `start` was moved away
  Error error;

  std::vector<std::string> batches;  // the LSN is the index plus one
  Lsn acknowledged = 0;
  Lsn flushed = 0;
  Lsn consumed = 0;
  std::string wrong;  // what was violated first
  uint64_t lost = 0, streamed = 0, gaps = 0, steps_taken = 0;

 private:
  static Task<void> start(LogRig& rig);
  static Task<void> acknowledge(LogRig& rig, DurableMark& durable, Lsn lsn);
  static Task<void> consume(LogRig& rig, ChangeLimits limits);
  void replay(Lsn lsn, std::string_view batch, bool proven) override;
  void check_recovered();
  void violated(const std::string& what);

  Random random_;
  EngineStats stats_;
  std::vector<std::string> again_;
  std::vector<LostBatches> holes_;  // in what was replayed
  Lsn replayed_ = 0;
  bool opened_ = false;
};

}  // namespace ringside
