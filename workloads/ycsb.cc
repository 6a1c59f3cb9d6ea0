// YCSB's core workloads over get and put. An update must hand a context to the put that replaces a
// version, or versions pile up as siblings: it uses the newest context that this process was given
// for the record, by a read or a write.
#include <algorithm>
#include <cstdio>

#include "workloads/kinds.h"
#include "workloads/value.h"

namespace ringside {

std::string ycsb_key(uint64_t number) {
  char text[32];
  std::snprintf(text, sizeof text, "user%012llu", static_cast<unsigned long long>(number));
  return text;
}

namespace {

constexpr Duration kLoadRetry = 50 * kMillisecond;

enum class Step : uint8_t { kRead, kUpdate, kInsert, kScan, kReadModifyWrite };

struct Record {
  Key key;
  std::string context;  // the newest that this process was given
  ValueIds covered;
};

struct Ycsb {
  Host& host;
  const WorkloadSpec& spec;
  const YcsbSpec what;
  HistorySink& sink;
  Pacer pacer;
  Zipfian zipfian;
  std::vector<Record> records;  // those that were loaded, then those that this process inserted
  uint32_t next_to_load;

  void add_record(uint64_t number) {
    Record& record = records.emplace_back();
    record.key.name = ycsb_key(number);
    record.key.index = sink.intern(record.key.name);
  }
};

YcsbSpec with_shares(YcsbSpec what) {
  using D = YcsbSpec::Distribution;
  auto set = [&what](double read, double update, double insert, double scan, double modify, D d) {
    what.read = read;
    what.update = update;
    what.insert = insert;
    what.scan = scan;
    what.read_modify_write = modify;
    what.distribution = d;
  };
  switch (what.workload) {
    case 'A': set(0.5, 0.5, 0, 0, 0, D::kZipfian); break;
    case 'B': set(0.95, 0.05, 0, 0, 0, D::kZipfian); break;
    case 'C': set(1, 0, 0, 0, 0, D::kZipfian); break;
    case 'D': set(0.95, 0, 0.05, 0, 0, D::kLatest); break;
    case 'E': set(0, 0, 0.05, 0.95, 0, D::kZipfian); break;
    case 'F': set(0.5, 0, 0, 0, 0.5, D::kZipfian); break;
    default: break;
  }
  return what;
}

std::size_t choose_record(const Ycsb& all, Random& random) {
  const uint64_t count = all.records.size();
  switch (all.what.distribution) {
    case YcsbSpec::Distribution::kUniform: return random.below(count);
    case YcsbSpec::Distribution::kLatest: return count - 1 - all.zipfian.sample(count, random);
    case YcsbSpec::Distribution::kZipfian: break;
  }
  // Scrambled: the popular ones are spread over the key space.
  return mix(all.zipfian.sample(count, random)) % count;
}

Step choose_step(const YcsbSpec& what, Random& random) {
  double at = random.uniform() *
              (what.read + what.update + what.insert + what.scan + what.read_modify_write);
  if ((at -= what.read) < 0) return Step::kRead;
  if ((at -= what.update) < 0) return Step::kUpdate;
  if ((at -= what.insert) < 0) return Step::kInsert;
  if ((at -= what.scan) < 0) return Step::kScan;
  return Step::kReadModifyWrite;
}

Task<Reading> read(Ycsb& all, Session& session, std::size_t at, Duration late) {
  const Key key = all.records[at].key;  // `records` may grow meanwhile
  Reading reading = co_await session.get(key, late);
  if (reading.outcome == Outcome::kOk) {
    Record& record = all.records[at];
    record.context = reading.context;
    record.covered = reading.ids;
  }
  co_return reading;
}

Task<Outcome> write(Ycsb& all, Session& session, std::size_t at, Phase phase, Duration late) {
  const Key key = all.records[at].key;
  Writing writing;
  writing.id = session.next_operation();
  writing.value = make_record(writing.id, all.what.value_bytes);
  writing.context = all.records[at].context;
  writing.covered = all.records[at].covered;
  writing.phase = phase;
  writing.late = late;
  const uint64_t id = writing.id;
  Written written = co_await session.put(key, std::move(writing));
  if (written.outcome == Outcome::kOk) {
    Record& record = all.records[at];
    record.context = std::move(written.context);
    record.covered.assign(1, id);
  }
  co_return written.outcome;
}

Task<void> operate(Ycsb& all, Session& session, Step step, std::size_t at, uint32_t scan,
                   Duration late) {
  switch (step) {
    case Step::kRead: co_await read(all, session, at, late); break;
    case Step::kUpdate: co_await write(all, session, at, Phase::kMain, late); break;
    case Step::kInsert: {
      const std::size_t inserted = all.records.size() - all.what.records;
      all.add_record(all.what.records + inserted * all.spec.processes + all.spec.process);
      co_await write(all, session, all.records.size() - 1, Phase::kMain, late);
      break;
    }
    case Step::kScan:
      for (uint32_t i = 0; i < scan && at + i < all.records.size(); ++i) {
        co_await read(all, session, at + i, i == 0 ? late : 0);
      }
      break;
    case Step::kReadModifyWrite: {
      const Reading reading = co_await read(all, session, at, late);
      if (reading.outcome == Outcome::kOk) co_await write(all, session, at, Phase::kMain, 0);
      break;
    }
  }
}

Task<void> client(Ycsb& all, Session& session, uint64_t seed) {
  Random random(seed);
  bool first = true;
  while (const std::optional<Turn> turn = all.pacer.next(std::exchange(first, false))) {
    const Step step = choose_step(all.what, random);
    const std::size_t at = choose_record(all, random);
    const auto scan = static_cast<uint32_t>(1 + random.below(all.what.scan_max));
    if (turn->due > all.host.clock().now()) co_await all.host.clock().sleep_until(turn->due);
    const Duration late = all.pacer.late(*turn);
    if (!all.pacer.over()) {
      co_await operate(all, session, step, at, scan, late);
    } else {
      const bool puts = step == Step::kUpdate || step == Step::kInsert;
      session.skip(all.records[at].key, puts ? OperationKind::kPut : OperationKind::kGet, late);
    }
  }
}

// Every record is there before the measurement: each process puts its share until it is
// acknowledged.
Task<void> load(Ycsb& all, Session& session) {
  while (all.next_to_load < all.what.records) {
    const uint32_t number = all.next_to_load;
    all.next_to_load += all.spec.processes;
    while (all.host.clock().now() < all.spec.end) {
      if (co_await write(all, session, number, Phase::kLoad, 0) == Outcome::kOk) break;
      co_await all.host.clock().sleep(kLoadRetry);
    }
  }
}

}  // namespace

Task<void> run_ycsb(Host& host, Store& store, const WorkloadSpec& spec, HistorySink& sink) {
  const YcsbSpec what = with_shares(std::get<YcsbSpec>(spec.what));
  std::vector<Session> sessions;
  for (uint32_t i = 0; i < spec.clients; ++i) {
    sessions.emplace_back(store, sink, Content::kRecord);
  }
  Ycsb all{host, spec, what, sink, Pacer(host, spec), Zipfian(what.theta), {}, spec.process};
  for (uint32_t i = 0; i < what.records; ++i) all.add_record(i);
  {
    Scope loading(host.ready());
    for (Session& session : sessions) loading.spawn(load(all, session));
    co_await loading.join();
  }
  all.pacer.start_now_or_later();  // the load may have outlasted `start`
  Random& seeds = host.random("workload.clients");
  Scope scope(host.ready());
  for (Session& session : sessions) scope.spawn(client(all, session, seeds.next()));
  co_await scope.join();
}

}  // namespace ringside
