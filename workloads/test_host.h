// For tests of this room: the least Host (a clock that is moved by hand, named random streams) and
// a store that keeps its versions as the real one does, answers after a delay, and fails when it is
// told to.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "runtime/host.h"
#include "workloads/store.h"
#include "workloads/value.h"

namespace ringside {

class TestHost final : public Host, private Clock, private Cpu, private Trace {
 public:
  explicit TestHost(uint64_t seed = 1) : seed_(seed) {}
  ~TestHost() override { scope_.cancel(); }

  Clock& clock() override { return *this; }
  Network& network() override { check_failed("no network in a test", __FILE__, __LINE__); }
  Disk& disk() override { check_failed("no disk in a test", __FILE__, __LINE__); }
  Random& random(std::string_view stream) override {
    auto& entry = streams_[std::string(stream)];
    if (entry == nullptr) entry = std::make_unique<Random>(hash_bytes(stream, seed_));
    return *entry;
  }
  Cpu& cpu() override { return *this; }
  Trace& trace() override { return *this; }
  ReadyList& ready() override { return ready_; }
  void spawn(Task<void> task) override { scope_.spawn(std::move(task)); }
  void abort(std::string_view why) override { check_failed("aborted", __FILE__, __LINE__); }

  Time now() override { return now_; }
  void run_until(Time until) {
    ready_.drain();
    while (!timers_.empty() && timers_.begin()->first.first <= until) {
      now_ = timers_.begin()->first.first;
      Timer* timer = timers_.begin()->second;
      timers_.erase(timers_.begin());
      timer->slot = Timer::kIdle;
      timer->fire();
      ready_.drain();
    }
    if (until != kNever) now_ = until;
  }
  bool idle() const { return timers_.empty(); }
  bool done() const { return scope_.empty(); }
  void kill() { scope_.cancel(); }

 private:
  Time wall() override { return 1'000'000 * kSecond + now_; }
  void start(Timer& timer, Time at) override {
    at = std::max(at, now_);
    timer.slot = next_++;
    starts_[timer.slot] = at;
    timers_[{at, timer.slot}] = &timer;
  }
  void cancel(Timer& timer) override {
    timers_.erase({starts_[timer.slot], timer.slot});
    timer.slot = Timer::kIdle;
  }
  void charge(uint64_t) override {}
  uint64_t charged() const override { return 0; }
  void probe(std::string_view) override {}
  void event(const TraceEvent&) override {}

  uint64_t seed_;
  Time now_ = 0;
  uint64_t next_ = 0;
  std::map<std::pair<Time, uint64_t>, Timer*> timers_;
  std::map<uint64_t, Time> starts_;
  std::map<std::string, std::unique_ptr<Random>> streams_;
  ReadyList ready_;
  Scope scope_{ready_};
};

// A context is the text of the operations it covers, "7 12 ".
class TestStore final : public Store {
 public:
  TestStore(Host& host, NodeId self) : host_(host), self_(self) {}

  Duration delay = kMillisecond;
  // What an operation comes to, by whether it is a put and its number; kUnknown puts take effect.
  std::function<Outcome(bool put, uint64_t n)> outcome = [](bool, uint64_t) {
    return Outcome::kOk;
  };

  struct Version {
    uint64_t operation = 0;
    std::string value;
    std::set<uint64_t> covers;
    bool tombstone = false;
  };
  std::map<std::string, std::vector<Version>> versions;
  uint64_t gets = 0, puts = 0, in_flight = 0, in_flight_max = 0;

  NodeId self() const override { return self_; }
  uint64_t next_operation() override { return uint64_t{self_} << 32 | ++operations_; }

  Task<GetResult> get(std::string key, uint64_t operation) override {
    const Outcome end = outcome(false, gets++);
    co_await busy();
    GetResult result;
    result.outcome = end;
    result.coordinator = 1;
    if (end != Outcome::kOk) co_return result;
    for (const Version& version : versions[key]) {
      if (!version.tombstone) result.siblings.push_back({version.value, version.operation});
      for (const uint64_t covered : version.covers) result.context += std::to_string(covered) + ' ';
    }
    co_return result;
  }

  Task<PutResult> put(std::string key, std::string context, std::optional<std::string> value,
                      uint64_t operation, Time) override {
    const Outcome end = outcome(true, puts++);
    co_await busy();
    PutResult result;
    result.outcome = end;
    result.coordinator = 1;
    if (end == Outcome::kFailed) co_return result;
    Version version{operation, value.value_or(""), parse(context), !value.has_value()};
    std::erase_if(versions[key],
                  [&](const Version& old) { return version.covers.contains(old.operation); });
    version.covers.insert(operation);
    for (const uint64_t covered : version.covers) result.context += std::to_string(covered) + ' ';
    versions[key].push_back(std::move(version));
    co_return result;
  }

 private:
  Task<void> busy() {
    in_flight_max = std::max(in_flight_max, ++in_flight);
    co_await host_.clock().sleep(delay);
    --in_flight;
  }
  static std::set<uint64_t> parse(const std::string& context) {
    std::set<uint64_t> covers;
    for (std::size_t at = 0; at < context.size();) {
      std::size_t used = 0;
      covers.insert(std::stoull(context.substr(at), &used));
      at += used + 1;
    }
    return covers;
  }

  Host& host_;
  NodeId self_;
  uint64_t operations_ = 0;
};

}  // namespace ringside
