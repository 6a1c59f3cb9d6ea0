// Workloads: what the clients of a run do. Each client process runs one of these to its end:
// `clients` sessions, each with one operation at a time, from `start` to `end`, then
// (run_final_reads) reads of every key, so that read repair converges the replicas and the judges
// see a final state. All times are of the host's monotonic clock. Everything that was asked and
// answered goes to the sink; an operation that is still open when its time is up is abandoned as
// unknown.
//
//   co_await run_workload(host, store, spec, sink);
//   co_await run_final_reads(host, store, final_reads, spec, workload_keys(spec), sink);
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "runtime/host.h"
#include "runtime/result.h"
#include "workloads/history.h"
#include "workloads/store.h"

namespace ringside {

// Each key is a register: unique values, written blind or with the context of a read; a read takes
// the sibling with the greatest (timestamp, actor) and, where it met several, writes nothing: the
// next write's context covers them all.
struct RegistersSpec {
  uint32_t keys = 20;
  double writes = 0.5;      // share of the operations
  double blind_writes = 0;  // share of the writes that do not read first: no context, so siblings
  uint32_t value_bytes = 100;
  double deletes = 0;               // share of the writes that delete
  double expires = 0;               // share of the writes whose value expires
  Duration expire_after = kSecond;  // … so long after the client wrote it, by its clock
};

// The paper's shopping cart. An addition or removal reads the cart, merges its siblings (union),
// and puts the result back with the context that covers them; the others look. A removed item may
// come back through a merge: that is the paper's known anomaly, not a loss. An item's id is the id
// of the put that added it.
struct CartSpec {
  uint32_t carts = 100;
  double adds = 0.4;
  double removes = 0.1;
};

// YCSB core workloads A to F. Scans of E are served as reads of consecutive keys, 1 to 100 of them,
// one after the other, because get/put has no scan; a scan counts as its gets.
// An update puts with the newest context that its process was given for the record, by a read or a
// write, so that versions do not pile up as siblings; a read-modify-write reads first.
struct YcsbSpec {
  enum class Distribution : uint8_t { kZipfian, kLatest, kUniform };
  char workload = 'A';      // 'A'..'F'; 'M' takes the shares below
  uint32_t records = 1000;  // each process puts its share first, even when that outlasts `start`
  uint32_t value_bytes = 1000;
  double read = 0.5, update = 0.5, insert = 0, scan = 0, read_modify_write = 0;
  Distribution distribution = Distribution::kZipfian;
  double theta = 0.99;
  uint32_t scan_max = 100;
};

// Probabilistically bounded staleness: each key is written and, each `ladder` step after the write
// was acknowledged, read; the reads of one key overlap freely. Ends when its share of the
// keys was written and read, whatever `end` says.
struct PbsSpec {
  uint32_t keys = 10'000;
  std::vector<Duration> ladder = {0};  // rising
  uint32_t rungs_per_key =
      0;  // 0: every rung. Otherwise the first, and as many in all, the others by turns.
  uint32_t value_bytes = 100;
  // Each key is written so often, each write after the reads of the one before it, and not read
  // after the first `unread_writes`.
  uint32_t writes_per_key = 1;
  uint32_t unread_writes = 0;
};

// Steps that were written down, each at its own time: one key is one register, as in RegistersSpec.
// Client i of all (from 1) is session (i - 1) / processes of process (i - 1) mod processes.
struct ScriptSpec {
  std::vector<ScriptStep> steps;  // of all processes
  uint32_t value_bytes = 100;
};

// What one client process does. A workload is shared by `processes` of them; this is number
// `process` of them.
struct WorkloadSpec {
  std::variant<RegistersSpec, CartSpec, YcsbSpec, PbsSpec, ScriptSpec> what;
  uint32_t process = 0;
  uint32_t processes = 1;
  uint32_t clients = 10;  // sessions of this process
  // Operations a second of this process, open loop: each is due at its own time whether or not the
  // ones before it were answered, and waits (its lateness counts) while all sessions are busy. 0:
  // closed loop.
  double rate = 0;
  bool poisson = true;  // open loop: Poisson arrivals, or evenly spaced
  Duration think = 0;   // closed loop: between an answer and the next question
  Time start = 0;
  Time end = kNever;  // nothing starts at or after it; what runs ends by the client's own timeout
  uint64_t operations_max = 0;  // of this process; 0: no bound. A read-modify-write counts once.
};

struct FinalReadsSpec {
  uint32_t rounds = 1;
  Time start = 0;
  Time end = kNever;  // a read that fails is tried again until then
  Duration retry_after = 50 * kMillisecond;
  // From one round to the next, so that what it repaired is on disk before anyone reads again.
  Duration between_rounds = 500 * kMillisecond;
  uint32_t clients = 8;  // sessions of this process that read
};

// kInvalid with the reason, before anything runs.
Result<void> check_workload(const WorkloadSpec& spec);

// Every key that this workload may touch from the start (YCSB inserts and PBS keys are found in the
// history too).
std::vector<std::string> workload_keys(const WorkloadSpec& spec);

// The caller keeps host, store and sink alive until the task ends or is destroyed.
Task<void> run_workload(Host& host, Store& store, WorkloadSpec spec, HistorySink& sink);

// This process's share of `keys`, each read `rounds` times, in Phase::kFinal.
Task<void> run_final_reads(Host& host, Store& store, FinalReadsSpec final_reads, WorkloadSpec spec,
                           std::vector<std::string> keys, HistorySink& sink);

}  // namespace ringside
