#include "protocols/replication/dynamo/ack_queue.h"

#include <algorithm>

namespace ringside {

void AckQueue::answer(const Ack& ack, Status status, Buffer message) {
  if (ack.call == 0) return;
  if (ack.to == rpc_.self()) {
    rpc_.settle_local(ack.call, status, std::move(message));
  } else {
    rpc_.reply(ack.to, ack.request, ack.operation, ack.call, status, std::move(message));
  }
}

void AckQueue::when_durable(Lsn lsn, const Ack& ack) {
  if (ack.call == 0) return;
  if (lsn <= engine_.last_durable()) {
    answer(ack, Status::kOk, encode_empty());
    return;
  }
  if (pending_.empty() || pending_.back().lsn <= lsn) {
    pending_.push_back({lsn, ack});
  } else {  // a write that changed nothing waits for an older place
    const auto place =
        std::upper_bound(pending_.begin(), pending_.end(), lsn,
                         [](Lsn wanted, const Pending& pending) { return wanted < pending.lsn; });
    pending_.insert(place, Pending{lsn, ack});
  }
  if (!running_) scope_.spawn(let_go());
}

Task<void> AckQueue::let_go() {
  running_ = true;
  while (!pending_.empty()) {
    const Result<void> held = co_await engine_.durable(pending_.front().lsn);
    if (!held.ok()) {
      pending_.clear();
      break;
    }
    while (!pending_.empty() && pending_.front().lsn <= engine_.last_durable()) {
      const Ack ack = pending_.front().ack;
      pending_.pop_front();
      answer(ack, Status::kOk, encode_empty());
    }
  }
  running_ = false;
}

}  // namespace ringside
