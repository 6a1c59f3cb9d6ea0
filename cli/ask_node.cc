#include "cli/ask_node.h"

#include <utility>

#include "posix/tcp.h"
#include "protocols/membership/encode.h"

namespace ringside::cli {

Result<std::unique_ptr<NodeAsker>> NodeAsker::open(Duration timeout) {
  std::unique_ptr<NodeAsker> asker(new NodeAsker(timeout));
  Random random = posix::entropy_random();
  const auto id = static_cast<NodeId>(kFirstClient + random.below(kNoNode - kFirstClient));
  Result<std::unique_ptr<posix::RealHost>> host = posix::RealHost::open(asker->loop_, {.id = id});
  if (!host.ok()) return host.error();
  asker->host_ = std::move(*host);
  asker->rpc_ = std::make_unique<Rpc>(*asker->host_);
  return asker;
}

Task<void> NodeAsker::ask_one(NodeAsker* asker, Kind kind, std::string body, Asked* asked,
                              std::size_t* open) {
  asked->who = co_await asker->host_->meet(asked->address, asker->timeout_);
  if (asked->who.ok()) {
    const Time deadline = asker->host_->clock().now() + asker->timeout_;
    Fanout fanout(*asker->rpc_, *asked->who);
    fanout.send(kind, 0, deadline, message_of(body));
    co_await fanout.wait(1, deadline);
    const Fanout::Leg& leg = fanout[0];
    asked->answered = leg.answered_by != kNoNode;
    asked->status = leg.status;
    asked->body = std::string(leg.body());
  }
  --*open;
}

std::vector<Asked> NodeAsker::ask(const std::vector<std::string>& addresses, Kind kind,
                                  const std::string& body) {
  std::vector<Asked> asked(addresses.size());
  std::size_t open = addresses.size();
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    asked[i].address = addresses[i];
    host_->spawn(ask_one(this, kind, body, &asked[i], &open));
  }
  while (!loop_.run_until([&] { return open == 0; }, kSecond)) {
  }
  return asked;
}

void NodeAsker::pause(Duration duration) {
  (void)loop_.run_until([] { return false; }, duration);
}

}  // namespace ringside::cli
