// For tests of this room: a handful of processes on one clock and a network that a test can cut,
// slow, damage and double. It is no simulator: nothing costs time but the network's delay.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/host.h"

namespace ringside::test {

class TestWorld;

class TestHost : public Host, public Network, public Disk, public Cpu, public Trace {
 public:
  TestHost(TestWorld& world, NodeId id, uint64_t incarnation)
      : world_(world), id_(id), incarnation_(incarnation), clock_(*this), scope_(ready_) {}

  Clock& clock() override { return clock_; }
  Network& network() override { return *this; }
  Disk& disk() override { return *this; }
  Random& random(std::string_view stream) override {
    auto& random = streams_[std::string(stream)];
    if (!random) random = std::make_unique<Random>(mix(mix(id_, incarnation_), hash_bytes(stream)));
    return *random;
  }
  Cpu& cpu() override { return *this; }
  Trace& trace() override { return *this; }
  ReadyList& ready() override { return ready_; }
  void spawn(Task<void> task) override { scope_.spawn(std::move(task)); }
  void abort(std::string_view why) override {
    ADD_FAILURE() << "node " << id_ << " aborts: " << why;
  }

  NodeId self() const override { return id_; }
  void attach(FrameHandler* handler) override { handler_ = handler; }
  bool send(Frame frame) override;
  void when_writable(NodeId, Waiter& waiter) override;
  Result<void> learn(NodeId peer, std::string_view address) override {
    learned[peer] = std::string(address);
    return {};
  }
  std::string address() const override { return "host-" + std::to_string(id_); }

  void start(DiskCall&) override { FAIL() << "this host has no disk"; }
  void abandon(DiskCall&) override {}

  void charge(uint64_t units) override { charged_ += units; }
  uint64_t charged() const override { return charged_; }

  void probe(std::string_view name) override { ++probes[std::string(name)]; }
  void event(const TraceEvent&) override {}

  std::map<std::string, int> probes;
  std::map<NodeId, std::string> learned;
  bool window_full = false;
  Time room_at = 0;  // when a full window empties
  Duration wall_skew = 0;
  void die() { scope_.cancel(); }

 private:
  friend class TestWorld;
  // The world's, but for the wall time.
  struct HostClock : Clock {
    explicit HostClock(TestHost& host) : of(host) {}
    Time now() override;
    Time wall() override { return now() + of.wall_skew; }
    void start(Timer& timer, Time at) override;
    void cancel(Timer& timer) override;
    TestHost& of;
  };

  TestWorld& world_;
  NodeId id_;
  uint64_t incarnation_;
  HostClock clock_;
  uint64_t charged_ = 0;
  FrameHandler* handler_ = nullptr;
  ReadyList ready_;
  std::map<std::string, std::unique_ptr<Random>> streams_;
  Scope scope_;
};

class TestWorld : public Clock {
 public:
  TestHost& host(NodeId id) {
    std::unique_ptr<TestHost>& host = hosts_[id];
    if (!host) host = std::make_unique<TestHost>(*this, id, ++incarnations_);
    return *host;
  }
  // The process dies: its tasks are destroyed and what is on its way to it is lost.
  void kill(NodeId id) { hosts_.erase(id); }

  Time now() override { return now_; }
  Time wall() override { return now_; }
  void start(Timer& timer, Time at) override {
    timer.slot = next_;
    timers_[{std::max(at, now_), next_++}] = [&timer] {
      timer.slot = Timer::kIdle;
      timer.fire();
    };
    places_[timer.slot] = std::max(at, now_);
  }
  void cancel(Timer& timer) override {
    timers_.erase({places_[timer.slot], timer.slot});
    timer.slot = Timer::kIdle;
  }
  void after(Duration delay, std::function<void()> action) {
    timers_[{now_ + delay, next_++}] = std::move(action);
  }

  void run_for(Duration duration) {
    const Time until = now_ + duration;
    drain();
    while (!timers_.empty() && timers_.begin()->first.first <= until) {
      now_ = timers_.begin()->first.first;
      auto action = std::move(timers_.begin()->second);
      timers_.erase(timers_.begin());
      action();
      drain();
    }
    now_ = until;
  }

  // What the network does to a frame: returns how often it arrives (0: lost). Null: once.
  std::function<int(Frame&)> meddle;
  std::function<Duration(const Frame&)> delay_of = [](const Frame&) { return kMillisecond; };
  std::set<std::pair<NodeId, NodeId>> cuts;     // silent, one way
  std::set<std::pair<NodeId, NodeId>> refused;  // told to the sender
  std::vector<Frame> sent;                      // every frame, in order, when `record`
  bool record = false;
  std::map<NodeId, NodeId> readdress;  // frames to a stand-in number go to the node behind it

  void cut(NodeId a, NodeId b) {
    cuts.insert({a, b});
    cuts.insert({b, a});
  }
  void lose_peer(NodeId at, NodeId peer, Code why) {
    if (hosts_.count(at) && hosts_[at]->handler_ != nullptr)
      hosts_[at]->handler_->on_peer_lost(peer, why);
  }

  void transmit(Frame frame) {
    if (record) sent.push_back(frame);
    if (readdress.count(frame.to)) frame.to = readdress[frame.to];
    if (refused.count({frame.from, frame.to})) {
      after(0,
            [this, from = frame.from, to = frame.to] { lose_peer(from, to, Code::kUnavailable); });
      return;
    }
    if (cuts.count({frame.from, frame.to})) return;
    const int times = meddle ? meddle(frame) : 1;
    for (int i = 0; i < times; ++i) {
      after(delay_of(frame) * (i + 1), [this, frame] {
        const auto host = hosts_.find(frame.to);
        if (host != hosts_.end() && host->second->handler_ != nullptr)
          host->second->handler_->on_frame(frame);
      });
    }
  }

 private:
  void drain() {
    for (bool more = true; more;) {
      more = false;
      for (auto& [id, host] : hosts_) {
        more = more || !host->ready_.empty();
        host->ready_.drain();
      }
    }
  }

  Time now_ = 0;
  uint64_t next_ = 0;
  uint64_t incarnations_ = 0;
  std::map<std::pair<Time, uint64_t>, std::function<void()>> timers_;
  std::map<uint64_t, Time> places_;
  std::map<NodeId, std::unique_ptr<TestHost>> hosts_;
};

inline Time TestHost::HostClock::now() { return of.world_.now(); }
inline void TestHost::HostClock::start(Timer& timer, Time at) { of.world_.start(timer, at); }
inline void TestHost::HostClock::cancel(Timer& timer) { of.world_.cancel(timer); }
// The test frees the window at `room_at`; the waiter is still there then, in these tests.
inline void TestHost::when_writable(NodeId, Waiter& waiter) {
  world_.after(room_at - world_.now(), [this, &waiter] {
    window_full = false;
    ready_.push(waiter);
  });
}
inline bool TestHost::send(Frame frame) {
  if (window_full) return false;
  frame.from = id_;
  world_.transmit(std::move(frame));
  return true;
}

}  // namespace ringside::test
