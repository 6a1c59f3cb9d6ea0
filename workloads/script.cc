#include <algorithm>

#include "workloads/kinds.h"
#include "workloads/registers.h"

namespace ringside {
namespace {

// Gives a step's operations the numbers that are written there.
class NumberedStore final : public Store {
 public:
  explicit NumberedStore(Store& store) : store_(store) {}

  void expect(const std::vector<uint32_t>& numbers) {
    numbers_ = &numbers;
    next_ = 0;
  }

  NodeId self() const override { return store_.self(); }
  uint64_t next_operation() override {
    if (numbers_ == nullptr || next_ >= numbers_->size()) return store_.next_operation();
    return uint64_t{self()} << 32 | (*numbers_)[next_++];
  }
  Task<GetResult> get(std::string key, uint64_t operation) override {
    return store_.get(std::move(key), operation);
  }
  Task<PutResult> put(std::string key, std::string context, std::optional<std::string> value,
                      uint64_t operation, Time expires) override {
    return store_.put(std::move(key), std::move(context), std::move(value), operation, expires);
  }

 private:
  Store& store_;
  const std::vector<uint32_t>* numbers_ = nullptr;
  std::size_t next_ = 0;
};

struct ScriptedClient {
  ScriptedClient(Store& plain, HistorySink& sink)
      : store(plain), session(store, sink, Content::kRegister) {}

  NumberedStore store;
  Session session;                                      // keeps `store` by reference
  std::vector<std::pair<Duration, std::size_t>> steps;  // when each is due, and which it is
};

struct Script {
  Host& host;
  const WorkloadSpec& spec;
  const ScriptSpec& what;
  HistorySink& sink;
};

Task<void> play(Script& all, ScriptedClient& client) {
  for (const auto& [at, index] : client.steps) {
    const ScriptStep* step = &all.what.steps[index];
    const Time due = all.spec.start + at;
    if (due > all.host.clock().now()) co_await all.host.clock().sleep_until(due);
    if (all.host.clock().now() >= all.spec.end) co_return;
    client.store.expect(step->numbers);
    client.session.begin_step(step->what, step->expire_after);
    const Key key{step->key, all.sink.intern(step->key)};
    if (step->what == ScriptStep::What::kRead) {
      co_await client.session.get(key, 0);
    } else {
      const RegisterWrite write{.blind = step->what == ScriptStep::What::kBlindWrite,
                                .deletes = step->what == ScriptStep::What::kDelete,
                                .expire_after = step->expire_after,
                                .value_bytes = all.what.value_bytes};
      co_await write_register(all.host, client.session, key, write, 0);
    }
  }
}

}  // namespace

Task<void> run_script(Host& host, Store& store, const WorkloadSpec& spec, HistorySink& sink) {
  const auto& what = std::get<ScriptSpec>(spec.what);
  Script all{host, spec, what, sink};
  // What counts its own operations, the final reads too, counts on from the greatest number.
  uint32_t greatest = 0;
  std::vector<std::unique_ptr<ScriptedClient>> clients;
  for (uint32_t i = 0; i < spec.clients; ++i)
    clients.push_back(std::make_unique<ScriptedClient>(store, sink));
  for (std::size_t i = 0; i < what.steps.size(); ++i) {
    const ScriptStep& step = what.steps[i];
    const uint32_t index = step.client - 1;
    if (index % spec.processes != spec.process) continue;
    const uint32_t session = index / spec.processes;
    CHECK(session < clients.size());
    clients[session]->steps.emplace_back(step.at, i);
    for (const uint32_t number : step.numbers) greatest = std::max(greatest, number);
  }
  for (uint32_t counted = 0; counted < greatest;)
    counted = static_cast<uint32_t>(store.next_operation());
  Scope scope(host.ready());
  for (auto& client : clients) {
    std::sort(client->steps.begin(), client->steps.end());
    scope.spawn(play(all, *client));
  }
  co_await scope.join();
}

}  // namespace ringside
