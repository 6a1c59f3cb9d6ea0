#include "workloads/workload.h"

#include <algorithm>

#include "workloads/kinds.h"

namespace ringside {
namespace {

struct FinalReads {
  Host& host;
  const FinalReadsSpec& spec;
  const std::vector<Key>& keys;
  std::size_t next = 0;
};

Task<void> final_client(FinalReads& all, Session& session) {
  while (all.next < all.keys.size()) {
    const Key& key = all.keys[all.next++];
    while (all.host.clock().now() < all.spec.end) {
      const Reading reading = co_await session.get(key, 0, Phase::kFinal);
      if (reading.outcome == Outcome::kOk) break;
      co_await all.host.clock().sleep(all.spec.retry_after);
    }
  }
}

bool is_share(double x) { return x >= 0 && x <= 1; }

const char* problem_of(const RegistersSpec& what) {
  if (what.keys == 0) return "registers: keys must be more than 0";
  if (!is_share(what.writes)) return "registers: writes must be a share from 0 to 1";
  if (!is_share(what.blind_writes)) return "registers: blind_writes must be a share from 0 to 1";
  if (!is_share(what.deletes)) return "registers: deletes must be a share from 0 to 1";
  if (!is_share(what.expires)) return "registers: expires must be a share from 0 to 1";
  return nullptr;
}
const char* problem_of(const CartSpec& what) {
  if (what.carts == 0) return "shopping cart: carts must be more than 0";
  if (!(what.adds >= 0 && what.removes >= 0 && what.adds + what.removes <= 1)) {
    return "shopping cart: adds and removes must be shares whose sum is at most 1";
  }
  return nullptr;
}
const char* problem_of(const YcsbSpec& what) {
  const bool named = what.workload >= 'A' && what.workload <= 'F';
  if (!named && what.workload != 'M') return "ycsb: the workload must be A, B, C, D, E, F or M";
  if (what.records == 0) return "ycsb: records must be more than 0";
  if (what.scan_max == 0) return "ycsb: scan_max must be more than 0";
  if (!(what.theta >= 0 && what.theta < 4)) return "ycsb: theta must be from 0 to below 4";
  for (double share : {what.read, what.update, what.insert, what.scan, what.read_modify_write}) {
    if (!is_share(share)) return "ycsb: each share must be from 0 to 1";
  }
  if (!(what.read + what.update + what.insert + what.scan + what.read_modify_write > 0)) {
    return "ycsb: the shares must not all be 0";
  }
  return nullptr;
}
const char* problem_of(const PbsSpec& what) {
  if (what.keys == 0) return "pbs: keys must be more than 0";
  if (what.writes_per_key == 0) return "pbs: writes_per_key must be more than 0";
  if (what.unread_writes >= what.writes_per_key)
    return "pbs: unread_writes must be less than writes_per_key";
  if (what.ladder.empty()) return "pbs: at least one t is needed";
  for (std::size_t i = 0; i < what.ladder.size(); ++i) {
    if (what.ladder[i] < 0) return "pbs: no t may be negative";
    if (i > 0 && what.ladder[i] <= what.ladder[i - 1]) return "pbs: the ts must rise";
  }
  return nullptr;
}

const char* problem_of(const ScriptSpec& what) {
  if (what.steps.empty()) return "script: at least one step is needed";
  for (const ScriptStep& step : what.steps) {
    if (step.client == 0) return "script: clients are numbered from 1";
    if (step.at < 0) return "script: no step may be due before the start";
    if (step.key.empty()) return "script: every step needs a key";
  }
  return nullptr;
}

}  // namespace

Result<void> check_workload(const WorkloadSpec& spec) {
  const char* problem = std::visit([](const auto& what) { return problem_of(what); }, spec.what);
  if (problem == nullptr) {
    if (spec.processes == 0 || spec.process >= spec.processes) {
      problem = "the process's number must be below the number of processes";
    } else if (spec.clients == 0) {
      problem = "clients must be more than 0";
    } else if (!(spec.rate >= 0)) {
      problem = "rate must not be negative";
    } else if (spec.end == kNever && spec.operations_max == 0 &&
               !std::holds_alternative<PbsSpec>(spec.what)) {
      problem = "a workload needs an end: a time or a number of operations";
    }
  }
  if (problem != nullptr) return Error{Code::kInvalid, problem};
  return {};
}

std::vector<std::string> workload_keys(const WorkloadSpec& spec) {
  std::vector<std::string> keys;
  if (const auto* registers = std::get_if<RegistersSpec>(&spec.what)) {
    for (uint32_t i = 0; i < registers->keys; ++i) keys.push_back(register_key(i));
  } else if (const auto* cart = std::get_if<CartSpec>(&spec.what)) {
    for (uint32_t i = 0; i < cart->carts; ++i) keys.push_back(cart_key(i));
  } else if (const auto* ycsb = std::get_if<YcsbSpec>(&spec.what)) {
    for (uint32_t i = 0; i < ycsb->records; ++i) keys.push_back(ycsb_key(i));
  } else if (const auto* pbs = std::get_if<PbsSpec>(&spec.what)) {
    for (uint32_t i = 0; i < pbs->keys; ++i) keys.push_back(pbs_key(i));
  } else if (const auto* script = std::get_if<ScriptSpec>(&spec.what)) {
    for (const ScriptStep& step : script->steps) {
      if (std::find(keys.begin(), keys.end(), step.key) == keys.end()) keys.push_back(step.key);
    }
  }
  return keys;
}

Task<void> run_workload(Host& host, Store& store, WorkloadSpec spec, HistorySink& sink) {
  CHECK(check_workload(spec).ok());
  if (std::holds_alternative<RegistersSpec>(spec.what)) {
    co_await run_registers(host, store, spec, sink);
  } else if (std::holds_alternative<CartSpec>(spec.what)) {
    co_await run_cart(host, store, spec, sink);
  } else if (std::holds_alternative<YcsbSpec>(spec.what)) {
    co_await run_ycsb(host, store, spec, sink);
  } else if (std::holds_alternative<ScriptSpec>(spec.what)) {
    co_await run_script(host, store, spec, sink);
  } else {
    co_await run_pbs(host, store, spec, sink);
  }
}

Task<void> run_final_reads(Host& host, Store& store, FinalReadsSpec final_reads, WorkloadSpec spec,
                           std::vector<std::string> keys, HistorySink& sink) {
  if (final_reads.start > host.clock().now()) co_await host.clock().sleep_until(final_reads.start);
  std::vector<Key> share;
  for (std::size_t i = spec.process; i < keys.size(); i += spec.processes) {
    share.push_back({keys[i], sink.intern(keys[i])});
  }
  std::vector<Session> sessions;
  for (uint32_t i = 0; i < final_reads.clients; ++i) {
    sessions.emplace_back(store, sink, content_of(spec));
  }
  for (uint32_t round = 0; round < final_reads.rounds; ++round) {
    if (round > 0) co_await host.clock().sleep(final_reads.between_rounds);
    FinalReads all{host, final_reads, share};
    Scope scope(host.ready());
    for (Session& session : sessions) scope.spawn(final_client(all, session));
    co_await scope.join();
  }
}

}  // namespace ringside
