// OnlineJudge: stands between clients and their recorder, passes everything on, and follows each
// key by the online test of registers (analysis/online_register.h), so that a run can end at the
// very call that leaves a key no linearizable register. Up to there the history has an order, with
// that call it has none: the same that the zone test says of it afterwards.
#pragma once

#include <map>

#include "analysis/online_register.h"
#include "workloads/history.h"

namespace ringside::lab {

class OnlineJudge final : public HistorySink {
 public:
  // `history`: what the recorder behind `next` keeps. Both must outlive this.
  OnlineJudge(HistorySink& next, const History& history) : next_(next), history_(history) {}

  bool holds() const { return breaking_ == kNoOperation; }
  // The operation whose end broke it; kNoOperation as long as it holds.
  uint32_t breaking() const { return breaking_; }

  KeyIndex intern(std::string_view key) override { return next_.intern(key); }
  ClientIndex add_client(NodeId process) override { return next_.add_client(process); }
  Handle invoked(const Invocation& invocation) override;
  void finished(Handle operation, const Completion& completion) override;
  void step_begins(ClientIndex client, ScriptStep::What what, Duration expire_after) override {
    next_.step_begins(client, what, expire_after);
  }

 private:
  HistorySink& next_;
  const History& history_;
  std::map<KeyIndex, OnlineRegister> registers_;
  uint32_t breaking_ = kNoOperation;
};

}  // namespace ringside::lab
