// Biography: what became of the values that a verdict names: every hop, sync, hint, tombstone and
// repair that concerns them, from the client's question to the moment they were missed, with what
// each happened after. A frame's arrival happens after its sending, and what a process sends after
// what it last learned of the value (Lamport, "Time, Clocks, and the Ordering of Events", CACM
// 1978). It comes from frames on the wire, disk calls and trace events of a replay; it explains a
// verdict and never makes one.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "lab/experiment.h"
#include "workloads/history.h"

namespace ringside::lab {

// Whom a verdict accuses.
struct Subject {
  std::string says;  // the line of the verdict
  std::string key;   // empty: it names none
  std::vector<ValueId> values;
};
// From the line of the violated expectation or its witnesses.
Subject subject_of(const RunResult& result, const std::string& expectation);

struct BiographyLine {
  Time at = 0;
  NodeId node = kNoNode;  // kNoNode: the world
  std::string kind;       // "ask", "answer", "hop", "arrival", "loss", "sync", "node", "probe",
                          // "fault"
  std::string text;
  std::vector<uint32_t> after;  // lines, from 0, that it happened after and that explain it
};

class Biographer {
 public:
  explicit Biographer(Subject subject);

  void see(const LogLine& line);
  // With what clients asked and were told of the key.
  std::vector<BiographyLine> tell(const History& history);

 private:
  struct Seen {
    BiographyLine line;
    LogLine::What what = LogLine::What::kFault;
    NodeId peer = kNoNode;
    uint32_t kind = 0;
    uint64_t operation = 0;
    bool concerns = false;  // it mentions the values
  };
  bool concerns(const LogLine& line) const;
  void add_clients(const History& history);
  void choose();
  void link(std::vector<BiographyLine>& told, const std::vector<const Seen*>& from) const;

  Subject subject_;
  std::vector<Seen> seen_;
};

}  // namespace ringside::lab
