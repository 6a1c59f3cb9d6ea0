// The verbs of `ringside` that work on scenarios and recordings. Each takes its arguments as a
// plain struct, prints, and returns the exit code of the process (cli/report.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ringside::cli {

struct RunArguments {
  std::string file;
  uint64_t seed = 1;
  bool seed_given = false;  // false: the scenario's own seed, where it names one
  std::string seeds;        // not empty: many seeds
  unsigned jobs = 0;        // 0: as many as there are cores
  bool json = false;
  std::string faults;  // a recording whose storm is met in place of the scenario's own; empty: none
  bool watch = false;
  double speed = 0;       // of a watched run, simulated seconds a real one; 0: as fast as it goes
  std::string out;        // recording; with many seeds the directory for recordings
  std::string shard;      // "3/8": every eighth of many seeds, and what `merge` needs; empty: all
  bool no_times = false;  // JSON without what the wall clock says
};
int run(const RunArguments& arguments);

struct ReplayArguments {
  std::string file;
  uint64_t until = 0;
  bool stop = false;    // --break: SIGTRAP there
  bool events = false;  // each as it runs
  bool json = false;
  bool shaken = false;            // without the frame pool, and with freed memory overwritten
  std::vector<std::string> seek;  // moments to tell of, in this order
  bool walk = false;              // commands from stdin say where to go
};
int replay(const ReplayArguments& arguments);

struct ShrinkArguments {
  std::string file;
  unsigned jobs = 0;           // 0: as many as there are cores
  std::string time = "10min";  // of real time, at most
  std::string expectation;     // whose violation; empty: the first of the verdict
  std::string out;             // X.run; the scenario goes to X.textproto
  std::string regression;      // a name under scenarios/regressions/; empty: none
  bool json = false;
};
int shrink(const ShrinkArguments& arguments);

struct ExplainArguments {
  std::string file;
  unsigned jobs = 0;
  std::string time = "10min";
  std::string expectation;
  bool json = false;
};
int explain(const ExplainArguments& arguments);

struct DiffArguments {
  std::string a, b;
  bool json = false;
};
int diff(const DiffArguments& arguments);

struct BranchArguments {
  std::string file;
  std::string at;       // a time of the log, or an event's number
  uint64_t seeds = 20;  // futures
  uint64_t record = 0;  // play and record this one alone; 0: none
  std::string out;      // where it is recorded
  unsigned jobs = 0;
  bool json = false;
};
int branch(const BranchArguments& arguments);

struct LogArguments {
  std::string file;
  uint32_t node = 0;  // 0: all
  std::string key;    // empty: all
};
int log(const LogArguments& arguments);

struct TopologyArguments {
  std::string file;
  std::string svg;  // where the drawing goes; empty: nowhere
  bool json = false;
};
int topology(const TopologyArguments& arguments);

struct CheckArguments {
  std::vector<std::string> files;
  bool json = false;
};
int check(const CheckArguments& arguments);

struct JudgeArguments {
  std::string file;             // a recording, a history, or another tool's log
  std::string model;            // empty: what the history suggests
  uint64_t k = 1;               // a read may return one of the last k values: 1 or 2
  uint64_t budget = 2'000'000;  // configurations a search may visit, for each object
  bool json = false;
};
int judge(const JudgeArguments& arguments);
int judge_transactions(const JudgeArguments& arguments);  // of what holds them

struct HuntArguments {
  std::string target;  // a scenario, or a directory of them; empty: `resume` says
  std::string resume;  // directory of a hunt to go on with
  std::string time;    // "10min"; empty: no bound
  uint64_t seeds = 0;  // bound of attempts, all shards together; 0: none
  uint64_t seed = 1;
  uint32_t lanes = 0;  // 0: as many as usual
  std::string shard;
  unsigned jobs = 0;
  std::string out;
  bool unguided = false;
  bool json = false;
  bool no_times = false;
};
int hunt(const HuntArguments& arguments);

struct MergeArguments {
  std::vector<std::string> places;  // directories, or the files themselves
  bool json = false;
};
int merge(const MergeArguments& arguments);

}  // namespace ringside::cli
