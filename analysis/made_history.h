// For tests: histories made by hand. Times are plain numbers, keys are "k" unless said, each
// operation has a client of its own unless said.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "workloads/history.h"

namespace ringside {

struct MadeDetails {
  Outcome outcome = Outcome::kOk;
  std::vector<ValueId> ids = {};  // get: siblings (empty: the value); put: covered
  std::string key = "k";
  int client = -1;
  Phase phase = Phase::kMain;
  Action action = Action::kWrite;
  uint64_t item = 0;
  std::vector<uint64_t> items = {};
};

class MadeHistory {
 public:
  // Both return the operation's index.
  uint32_t put(uint64_t id, Time invoked, Time finished, MadeDetails more = {}) {
    Operation op;
    op.id = op.value = id;
    op.kind = OperationKind::kPut;
    op.action = more.action;
    op.item = more.item;
    return add(op, invoked, finished, more);
  }
  uint32_t get(ValueId value, Time invoked, Time finished, MadeDetails more = {}) {
    Operation op;
    op.id = 1'000'000 + history.operations.size();
    op.value = value;
    if (more.ids.empty() && value != kAbsent) more.ids = {value};
    return add(op, invoked, finished, more);
  }

  KeyIndex key(const std::string& name) {
    for (KeyIndex i = 0; i < history.keys.size(); ++i) {
      if (history.keys[i] == name) return i;
    }
    history.keys.push_back(name);
    return static_cast<KeyIndex>(history.keys.size() - 1);
  }

  History history;

 private:
  uint32_t add(Operation op, Time invoked, Time finished, const MadeDetails& more) {
    op.intended = op.invoked = invoked;
    op.finished = finished;
    op.outcome = more.outcome;
    op.phase = more.phase;
    op.key = key(more.key);
    const auto client = static_cast<ClientIndex>(
        more.client >= 0 ? more.client : 100 + static_cast<int>(history.operations.size()));
    while (history.clients.size() <= client) history.clients.push_back({kFirstClient});
    op.client = client;
    op.ids_begin = static_cast<uint32_t>(history.ids.size());
    op.ids_count = static_cast<uint32_t>(more.ids.size());
    op.items_count = static_cast<uint32_t>(more.items.size());
    history.ids.insert(history.ids.end(), more.ids.begin(), more.ids.end());
    history.ids.insert(history.ids.end(), more.items.begin(), more.items.end());
    history.operations.push_back(op);
    return static_cast<uint32_t>(history.operations.size() - 1);
  }
};

}  // namespace ringside
