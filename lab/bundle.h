// Bundle: a failure, ready to be handed over. A directory that is there whole or not at all:
//
//   NAME.run             the recording, for replay, log, shrink, explain; of a run that crashed,
//                        what is needed to play it up to there
//   scenario.textproto   as it was played; with the seed it is the whole failure
//   storm.textproto      the faults that it met, resolved
//   verdict.txt          as a person reads it
//   verdict.json         the same for programs, with witnesses
//   bundle.json          seed, build, signature, overrides, checkpoints of the fingerprint
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "runtime/result.h"

namespace ringside::lab {

struct Bundle {
  std::string name;
  std::string recording;                                   // path of a file that is moved into it
  std::vector<std::pair<std::string, std::string>> texts;  // file name, text
};

// Replaces a bundle of the same name. Its path.
Result<std::string> write_bundle(const std::string& directory, const Bundle& bundle);

}  // namespace ringside::lab
