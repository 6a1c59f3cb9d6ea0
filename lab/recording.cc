#include "lab/recording.h"

#include "lab/load.h"
#include "lab/recording.pb.h"
#include "lab/result_message.h"
#include "lab/sealed_file.h"
#include "runtime/bug.h"
#include "runtime/random.h"

namespace ringside::lab {
namespace {

constexpr Seal kRecordingSeal = {{'R', 'I', 'N', 'G', 'S', 'I', 'D', 'E'},
                                 1,
                                 "recording",
                                 "recording of ringside (a .run file that `ringside run` wrote)"};

}  // namespace

Result<void> write_recording(const std::string& path, const Recording& recording) {
  record::Recording message;
  message.set_scenario_file(recording.scenario_file);
  message.set_scenario_text(recording.scenario_text);
  message.set_seed(recording.seed);
  message.set_build(recording.build);
  message.set_planted_build(recording.planted_build);
  message.set_gate(recording.gate);
  message.set_finished(recording.finished);
  if (recording.branch.seed != 0) {
    message.mutable_branch()->set_event(recording.branch.event);
    message.mutable_branch()->set_seed(recording.branch.seed);
  }
  to_message(recording.result, *message.mutable_result());
  message.set_history(recording.result.history);
  return write_sealed(path, kRecordingSeal, message);
}

Result<Recording> read_recording(const std::string& path) {
  record::Recording message;
  if (Result<void> read = read_sealed(path, kRecordingSeal, message); !read.ok())
    return read.error();
  Recording recording;
  recording.scenario_file = message.scenario_file();
  recording.scenario_text = message.scenario_text();
  recording.seed = message.seed();
  recording.build = message.build();
  recording.planted_build = message.planted_build();
  recording.gate = message.gate();
  recording.finished = message.finished();
  recording.branch = {message.branch().event(), message.branch().seed()};
  recording.result = from_message(message.result());
  recording.result.history = message.history();
  return recording;
}

uint64_t build_id() {
  Result<std::string> program = read_text_file("/proc/self/exe");
  return program.ok() ? hash_bytes(*program) : 0;
}

}  // namespace ringside::lab
