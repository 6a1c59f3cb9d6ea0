// AckQueue: answers that wait for the log. Whoever changed the engine leaves its answer with the
// change's place in the log; one coroutine waits for the front and lets a whole group go at once.
// After a poisoning nothing is answered any more: whoever asked will see the silence as unknown,
// which is the truth.
#pragma once

#include <deque>

#include "protocols/rpc.h"
#include "storage/engine.h"

namespace ringside {

// Whom to answer: a peer's request, or the leg of a call that is this process itself.
struct Ack {
  NodeId to = kNoNode;
  Kind request = Kind::kNone;
  uint64_t operation = 0;
  uint64_t call = 0;  // 0: nobody waits
};

class AckQueue {
 public:
  AckQueue(Rpc& rpc, Engine& engine) : rpc_(rpc), engine_(engine), scope_(rpc.host().ready()) {}

  // Answers ok, without a body, as soon as the log holds `lsn`.
  void when_durable(Lsn lsn, const Ack& ack);
  void answer(const Ack& ack, Status status, Buffer message);

 private:
  Task<void> let_go();

  struct Pending {
    Lsn lsn;
    Ack ack;
  };

  Rpc& rpc_;
  Engine& engine_;
  std::deque<Pending> pending_;  // by lsn
  bool running_ = false;
  Scope scope_;
};

}  // namespace ringside
