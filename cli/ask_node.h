// AskNode: a command-line process that asks running nodes one question each, over its own host.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "posix/host.h"
#include "protocols/rpc.h"

namespace ringside::cli {

struct Asked {
  std::string address;
  Result<NodeId> who = Error{Code::kTimeout, "no answer"};  // who listens there
  bool answered = false;
  Status status = Status::kUnknown;
  std::string body;
  std::string why() const { return who.ok() ? "no answer from " + address : who.error().text(); }
};

class NodeAsker {
 public:
  // kInvalid: no host could be opened.
  static Result<std::unique_ptr<NodeAsker>> open(Duration timeout);

  // All at once; in the order of the addresses.
  std::vector<Asked> ask(const std::vector<std::string>& addresses, Kind kind,
                         const std::string& body);
  // Waits, or less when the process is told to end.
  void pause(Duration duration);

 private:
  explicit NodeAsker(Duration timeout) : timeout_(timeout) {}
  static Task<void> ask_one(NodeAsker* asker, Kind kind, std::string body, Asked* asked,
                            std::size_t* open);

  Duration timeout_;
  posix::Loop loop_;
  std::unique_ptr<posix::RealHost> host_;
  std::unique_ptr<Rpc> rpc_;
};

}  // namespace ringside::cli
