// Signature: what a failure is, without whom it struck. Two runs that fail alike have one signature
// however their keys, nodes, clients and numbers are called: the scenario, the expectation that is
// violated first, the class of the anomaly in its own words with every number and name taken out,
// and the role of the key that the witness names ("register", "cart").
//
// A failure of several expectations goes by the first in the order of the verdict; too little
// evidence goes last, since it says the least.
#pragma once

#include <string>

#include "lab/experiment.h"
#include "lab/worker.h"

namespace ringside::lab {

struct Signature {
  std::string scenario;
  std::string expectation;  // "crashed" and "deterministic" too
  std::string anomaly;      // "lost", "# of # keys differ between replicas"
  std::string role;         // "a put of a register"; empty: no witness names a key

  // "swarm_dynamo: acknowledged_writes: lost, a put of a register"
  std::string text() const;
  friend auto operator<=>(const Signature&, const Signature&) = default;
};

// Of a run that crashed or does not hold.
Signature signature_of(const std::string& scenario, const WorkerResult& run);
// Of a run that a fresh process does not play alike; `how` says how it differed.
Signature signature_of_replay(const std::string& scenario, const std::string& how);

// Words with numbers, spans and names replaced: `get 1f of "register-3" by client 2 [1 ms, 2 ms]`
// becomes `get # of a register by client #`.
std::string without_names(const std::string& text);

}  // namespace ringside::lab
