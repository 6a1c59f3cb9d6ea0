#include <algorithm>

#include "workloads/kinds.h"
#include "workloads/value.h"

namespace ringside {

std::string pbs_key(uint32_t number) { return "pbs-" + std::to_string(number); }

namespace {

struct Probe {
  Host& host;
  const WorkloadSpec& spec;
  const PbsSpec& what;
  HistorySink& sink;
  Pacer pacer;
  uint32_t next_key;

  std::size_t rungs() const {
    const std::size_t all = what.ladder.size();
    return what.rungs_per_key == 0 ? all : std::min<std::size_t>(what.rungs_per_key, all);
  }
  // The first rung always; the others by turns, evenly over the writes that are read.
  Duration rung(uint32_t key, uint32_t write, std::size_t n) const {
    if (n == 0 || what.rungs_per_key == 0) return what.ladder[n];
    const std::size_t others = what.ladder.size() - 1;
    const uint64_t read_writes = what.writes_per_key - what.unread_writes;
    const uint64_t nth = (key / spec.processes) * read_writes + (write - what.unread_writes);
    return what.ladder[1 + (nth * (rungs() - 1) + (n - 1)) % others];
  }
};

Task<void> read_at(Probe& all, Session& session, const Key& key, Time at) {
  if (at > all.host.clock().now()) co_await all.host.clock().sleep_until(at);
  co_await session.get(key, 0);
}

// All writes of a key, each with the context of the one before it, and their reads. The reads of
// one write overlap, so each rung has a session of its own beside the writer's.
Task<void> write_and_read(Probe& all, std::vector<Session>& sessions, Key key, uint32_t number,
                          Duration late) {
  std::string context;
  ValueIds covered;
  for (uint32_t write = 0; write < all.what.writes_per_key; ++write) {
    Writing writing;
    writing.id = sessions[0].next_operation();
    writing.value = make_record(writing.id, all.what.value_bytes);
    writing.context = std::move(context);
    writing.covered = std::move(covered);
    writing.late = std::exchange(late, 0);
    covered = {writing.id};
    Written written = co_await sessions[0].put(key, std::move(writing));
    if (written.outcome != Outcome::kOk) co_return;
    context = std::move(written.context);
    const Time committed = all.host.clock().now();
    if (write < all.what.unread_writes) {
      // A write that begins at the very moment at which another ended is not surely the newer one.
      co_await all.host.clock().sleep_until(committed +
                                            std::max<Duration>(1, all.what.ladder.front()));
      continue;
    }
    Scope reads(all.host.ready());
    for (std::size_t n = 0; n < all.rungs(); ++n) {
      reads.spawn(read_at(all, sessions[1 + n], key, committed + all.rung(number, write, n)));
    }
    co_await reads.join();
  }
}

Task<void> writer(Probe& all, std::vector<Session>& sessions) {
  bool first = true;
  while (const std::optional<Turn> turn = all.pacer.next(std::exchange(first, false))) {
    if (all.next_key >= all.what.keys) co_return;
    const uint32_t number = all.next_key;
    all.next_key += all.spec.processes;
    Key key;
    key.name = pbs_key(number);
    key.index = all.sink.intern(key.name);
    if (turn->due > all.host.clock().now()) co_await all.host.clock().sleep_until(turn->due);

    co_await write_and_read(all, sessions, std::move(key), number, all.pacer.late(*turn));
  }
}

}  // namespace

Task<void> run_pbs(Host& host, Store& store, const WorkloadSpec& spec, HistorySink& sink) {
  WorkloadSpec pace = spec;
  pace.end = kNever;  // ends with its keys
  pace.operations_max = 0;
  Probe all{host, spec, std::get<PbsSpec>(spec.what), sink, Pacer(host, pace), spec.process};
  std::vector<std::vector<Session>> sessions(spec.clients);
  for (std::vector<Session>& one : sessions) {
    for (std::size_t i = 0; i < 1 + all.rungs(); ++i) {
      one.emplace_back(store, sink, Content::kRecord);
    }
  }
  Scope scope(host.ready());
  for (std::vector<Session>& one : sessions) scope.spawn(writer(all, one));
  co_await scope.join();
}

}  // namespace ringside
