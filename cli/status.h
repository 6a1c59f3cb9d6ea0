// `ringside status`: what the nodes of a running cluster say of themselves: who is a member, where,
// with which share of the ring, whom the asked node suspects, the change under way, and whatever
// else each has to tell (hints that wait, repairs). The members are taken from one node; each is
// asked with one request.
#pragma once

#include <string>
#include <vector>

#include "protocols/status.h"
#include "runtime/time.h"

namespace ringside::cli {

struct StatusArguments {
  std::string at;  // HOST:PORT of any node
  bool json = false;
  bool watch = false;
  Duration timeout = 2 * kSecond;
};
// The process's exit code: 0 shown, 1 the node did not answer, 2 bad input.
int run_status(const StatusArguments& arguments);

// What one node said.
struct NodeReport {
  std::string address;
  uint64_t id = 0;      // 0: not known
  std::string trouble;  // why it said nothing; empty: it did
  std::vector<StatusSection> sections;
};
// As text: `reports` begins with the one that was asked for the members.
std::string status_text(const std::vector<NodeReport>& reports);
std::string status_json(const std::vector<NodeReport>& reports);

}  // namespace ringside::cli
