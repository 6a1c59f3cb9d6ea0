#include "workloads/registers.h"

#include <algorithm>

#include "workloads/kinds.h"
#include "workloads/value.h"

namespace ringside {

std::string register_key(uint32_t number) { return "register-" + std::to_string(number); }

namespace {

struct Registers {
  Host& host;
  const RegistersSpec& spec;
  Pacer pacer;
  std::vector<Key> keys;
};

ScriptStep::What what_of(const RegisterWrite& write) {
  if (write.blind) return ScriptStep::What::kBlindWrite;
  return write.deletes ? ScriptStep::What::kDelete : ScriptStep::What::kWrite;
}

Task<void> client(Registers& all, Session& session, uint64_t seed) {
  Random random(seed);
  bool first = true;
  while (const std::optional<Turn> turn = all.pacer.next(std::exchange(first, false))) {
    const Key& key = all.keys[random.below(all.keys.size())];
    const bool writes = random.chance(all.spec.writes);
    RegisterWrite write{.blind = random.chance(all.spec.blind_writes)};
    if (all.spec.deletes > 0) write.deletes = random.chance(all.spec.deletes);
    if (all.spec.expires > 0 && random.chance(all.spec.expires))
      write.expire_after = all.spec.expire_after;
    write.value_bytes = all.spec.value_bytes;
    if (turn->due > all.host.clock().now()) co_await all.host.clock().sleep_until(turn->due);
    const Duration late = all.pacer.late(*turn);
    if (all.pacer.over()) {
      session.skip(key, writes ? OperationKind::kPut : OperationKind::kGet, late);
    } else if (writes) {
      session.begin_step(what_of(write), write.expire_after);
      co_await write_register(all.host, session, key, write, late);
    } else {
      session.begin_step(ScriptStep::What::kRead, 0);
      co_await session.get(key, late);
    }
  }
}

}  // namespace

// A writer's timestamp is its own clock, but always beyond what it has read: its value must win
// over those that it saw.
Task<void> write_register(Host& host, Session& session, const Key& key, RegisterWrite write,
                          Duration late) {
  Reading seen;
  if (!write.blind) {
    seen = co_await session.get(key, late);
    if (seen.outcome != Outcome::kOk) co_return;
    late = 0;
  }
  RegisterValue content;
  Writing writing;
  writing.id = content.id = session.next_operation();
  if (write.deletes && !seen.ids.empty()) writing.action = Action::kDelete;
  if (write.expire_after > 0) writing.expires = host.clock().wall() + write.expire_after;
  content.timestamp = std::max(host.clock().wall(), seen.timestamp + 1);
  content.actor = session.client();
  writing.value = make_register(content, write.value_bytes);
  writing.context = std::move(seen.context);
  writing.covered = std::move(seen.ids);
  writing.late = late;
  co_await session.put(key, std::move(writing));
}

Task<void> run_registers(Host& host, Store& store, const WorkloadSpec& spec, HistorySink& sink) {
  const auto& what = std::get<RegistersSpec>(spec.what);
  Registers all{host, what, Pacer(host, spec), {}};
  for (uint32_t i = 0; i < what.keys; ++i) {
    std::string name = register_key(i);
    const KeyIndex index = sink.intern(name);
    all.keys.push_back({std::move(name), index});
  }
  std::vector<Session> sessions;
  for (uint32_t i = 0; i < spec.clients; ++i) {
    sessions.emplace_back(store, sink, Content::kRegister);
  }
  Random& seeds = host.random("workload.clients");
  Scope scope(host.ready());
  for (Session& session : sessions) scope.spawn(client(all, session, seeds.next()));
  co_await scope.join();
}

}  // namespace ringside
