// The planted bugs of the storage engine (RINGSIDE_BUG), each switched on under the same rigs that
// prove the engine: random histories (engine_property_test.cc), a crash at every disk call of a
// short history (engine_exhaustive_test.cc), and every disk fault at every part
// (engine_faults_test.cc). Every bug is caught; with none on, the same rigs are silent. Prints the
// table of docs/storage.md. A rig runs in a process of its own: the engine's own assertions count.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <iostream>
#include <string>

#include "runtime/bug.h"
#include "storage/engine_faults.h"
#include "storage/engine_history.h"
#include "storage/engine_swarm.h"

namespace ringside {
namespace {

#ifdef RINGSIDE_PLANTED

// Each returns where it caught something, or nothing.
std::string random_histories() {
  for (uint64_t seed = 1; seed <= 60; ++seed) {
    EngineSwarm swarm(seed);
    const std::string wrong = swarm.run(50);
    if (!wrong.empty()) return "seed " + std::to_string(seed) + ", " + wrong;
  }
  return "";
}

std::string crash_everywhere() {
  const uint64_t calls = history_calls();
  if (calls == 0) return "the history itself";
  RigCounts counts;
  for (uint64_t at = 1; at <= calls; ++at) {
    for (uint64_t outcome = 0; outcome < 4; ++outcome) {
      HistoryCrash crash{.at = at, .power_loss = outcome > 0, .outcome = outcome};
      const std::string wrong = crash_history(crash, counts);
      if (!wrong.empty()) return "seed 1, " + wrong;
    }
  }
  return "";
}

std::string faults_everywhere() {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    for (int f = 0; f < kDiskFaults; ++f) {
      for (int p = 0; p < kFaultParts; ++p) {
        const auto fault = static_cast<DiskFault>(f);
        const auto part = static_cast<FaultPart>(p);
        if (!fault_applies(part, fault)) continue;
        const FaultRun run = run_fault(part, fault, seed);
        const std::string at = "seed " + std::to_string(seed) + ", " + disk_fault_name(fault) +
                               " at the " + fault_part_name(part) + ", ";
        if (!run.wrong.empty()) return at + run.step + ": " + run.wrong;
        if (run.lost && fault_undetectable(part, fault) == nullptr)
          return at + "acknowledged batches are gone without a word";
      }
    }
  }
  return "";
}

struct ProofRig {
  const char* name;
  std::string (*run)();
};
constexpr ProofRig kProofRigs[] = {{"EngineProperty", random_histories},
                                   {"EngineExhaustive", crash_everywhere},
                                   {"EngineFaults", faults_everywhere}};

// In a child process, so that an assertion that fails is seen as well.
std::string run_with(const ProofRig& rig, const std::string& bug) {
  int ends[2];
  if (pipe(ends) != 0) return "no pipe";
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    alarm(120);  // a bug may keep an engine busy for ever
    if (!bug.empty()) set_planted_bugs({bug});
    const std::string caught = rig.run();
    const bool told = write(ends[1], caught.data(), caught.size()) >= 0;
    _exit(told ? 0 : 1);
  }
  close(ends[1]);
  std::string caught;
  char bytes[4096];
  for (ssize_t n; (n = read(ends[0], bytes, sizeof bytes)) > 0;)
    caught.append(bytes, static_cast<std::size_t>(n));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) {
    return WTERMSIG(status) == SIGALRM ? "it never ends" : "an assertion of the engine fails";
  }
  return caught;
}

TEST(EnginePlanted, every_planted_bug_is_caught_by_the_rigs_as_they_are_and_none_without) {
  for (const ProofRig& rig : kProofRigs) EXPECT_EQ(run_with(rig, ""), "") << rig.name;
  std::string table = "| Bug | Caught by | Where |\n|---|---|---|\n";
  for (const char* bug :
       {"manifest_before_table_sync", "rename_without_directory_sync", "tombstone_dropped_early",
        "log_cut_past_proven_group", "log_retries_failed_sync", "table_checksum_without_place",
        "compaction_forgets_snapshot", "log_replays_across_hole", "wal_acknowledges_before_sync",
        "wal_never_syncs", "merkle_blind_to_expiry"}) {
    bool caught = false;
    for (const ProofRig& rig : kProofRigs) {
      const std::string where = run_with(rig, bug);
      if (where.empty()) continue;
      caught = true;
      table += std::string("| `") + bug + "` | " + rig.name + " | " + where + " |\n";
    }
    EXPECT_TRUE(caught) << bug;
  }
  std::cout << table;
}

#endif

}  // namespace
}  // namespace ringside
