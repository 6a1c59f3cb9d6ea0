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

// A writer's timestamp is its own clock, but always beyond what it has read: its value must win
// over those that it saw.
struct WriteKind {
  bool blind = false;
  bool deletes = false;
  bool expires = false;
};

// A delete takes away what was read; where nothing was, there is nothing to delete.
Task<void> write(Registers& all, Session& session, const Key& key, WriteKind kind, Duration late) {
  Reading seen;
  if (!kind.blind) {
    seen = co_await session.get(key, late);
    if (seen.outcome != Outcome::kOk) co_return;
    late = 0;
  }
  RegisterValue content;
  Writing writing;
  writing.id = content.id = session.next_operation();
  if (kind.deletes && !seen.ids.empty()) writing.action = Action::kDelete;
  if (kind.expires) writing.expires = all.host.clock().wall() + all.spec.expire_after;
  content.timestamp = std::max(all.host.clock().wall(), seen.timestamp + 1);
  content.actor = session.client();
  writing.value = make_register(content, all.spec.value_bytes);
  writing.context = std::move(seen.context);
  writing.covered = std::move(seen.ids);
  writing.late = late;
  co_await session.put(key, std::move(writing));
}

Task<void> client(Registers& all, Session& session, uint64_t seed) {
  Random random(seed);
  bool first = true;
  while (const std::optional<Turn> turn = all.pacer.next(std::exchange(first, false))) {
    const Key& key = all.keys[random.below(all.keys.size())];
    const bool writes = random.chance(all.spec.writes);
    WriteKind kind{.blind = random.chance(all.spec.blind_writes)};
    if (all.spec.deletes > 0) kind.deletes = random.chance(all.spec.deletes);
    if (all.spec.expires > 0) kind.expires = random.chance(all.spec.expires);
    if (turn->due > all.host.clock().now()) co_await all.host.clock().sleep_until(turn->due);
    const Duration late = all.pacer.late(*turn);
    if (all.pacer.over()) {
      session.skip(key, writes ? OperationKind::kPut : OperationKind::kGet, late);
    } else if (writes) {
      co_await write(all, session, key, kind, late);
    } else {
      co_await session.get(key, late);
    }
  }
}

}  // namespace

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
