// From a recording to its smallest form: the run is played once more to write its workload down,
// resolved, cut down to the one expectation that is violated, and shrunk.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "lab/anomaly.h"
#include "lab/recording.h"
#include "lab/shrink.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {

// A recording and the scenario in it.
struct Recorded {
  std::string file;
  Recording recording;
  std::unique_ptr<scenario::Scenario> scenario;
};
// Refuses what this build cannot play; `verb` is what was to be done with it.
Result<Recorded> load_recorded(const std::string& file, const std::string& verb);

struct ShrinkRequest {
  unsigned jobs = 1;
  double seconds_max = 0;   // 0: without end
  std::string expectation;  // whose violation; empty: the first of the verdict
  PlayAgain play_again;     // where nothing is violated: is it the same run when memory is shaken?
  // What is done, how small it is by now, and the runs and seconds so far.
  std::function<void(const std::string& pass, const ScenarioSize& size, uint64_t played,
                     double seconds)>
      on_progress;
};

struct Shrunk {
  Anomaly anomaly;
  scenario::Scenario scenario;
  ScenarioSize before, after;
  bool cut_short = false;  // its time was up
  uint64_t played = 0;
  double seconds = 0;
};

// kInvalid: there is nothing to shrink. kCorrupt: the run does not fail again.
Result<Shrunk> shrink_recording(const Recorded& recorded, const ShrinkRequest& request);

// What heads a shrunk scenario's file.
std::string shrunk_comment(const Recorded& recorded, const Shrunk& shrunk, const std::string& file);

// "2 faults, 1 client, 4 operations on 1 key, 3 machines, 2 settings, 1.5 s"
std::string size_text(const ScenarioSize& size);

}  // namespace ringside::lab
