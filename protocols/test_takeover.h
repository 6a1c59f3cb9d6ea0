// For tests of this room: nodes that are an engine, RPC, Dynamo's replica side and a Takeover, in a
// simulated world, while the ring changes under writers and readers that coordinate for themselves.
// The test drives the change, as membership would, and knows what was acknowledged.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "protocols/keys.h"
#include "protocols/replication/dynamo/coordinator.h"
#include "protocols/replication/dynamo/takeover.h"
#include "protocols/replication/dynamo/version.h"
#include "protocols/test_takeover_options.h"
#include "sim/world.h"

namespace ringside::test {

class TakeoverRig {
 public:
  static constexpr Duration kOperationTimeout = 200 * kMillisecond;

  explicit TakeoverRig(TakeoverRigOptions options)
      : options_(options), random_(mix(options.seed, 0x7461)), world_(takeover_world(options)) {
    for (NodeId id = 1; id <= options_.nodes; ++id) {
      world_.place(id, id - 1, [this](Host& host) { return node_program(host, *this); });
    }
    for (uint32_t i = 0; i < clients(); ++i) {
      const bool writes = i < options_.writers;
      world_.place(kFirstClient + i, options_.nodes + i, [this, writes](Host& host) {
        return writes ? writer(host, *this) : reader(host, *this);
      });
    }
  }

  // Starts the cluster of these nodes, and the clients.
  void found(std::vector<NodeId> members) {
    members_ = members;
    ring_ = std::make_shared<const Ring>(ring_of(members));
    tell_all({ring_, nullptr, 0, false}, true, 0);
    for (const NodeId id : members) start(id);
    for (uint32_t i = 0; i < clients(); ++i) world_.start(kFirstClient + i);
    run_for(50 * kMillisecond);
  }
  void start(NodeId id) {
    started_.insert(id);
    world_.start(id);
  }
  // Dies for good: no change asks its word.
  void bury(NodeId id) {
    if (world_.running(id)) world_.crash(id);
    started_.erase(id);
    down_until_.erase(id);
  }
  // Comes back with an empty disk, and is told so.
  void lose_disk(NodeId id) {
    if (world_.running(id)) world_.crash(id);
    down_until_.erase(id);
    world_.set_image(id, sim::DiskImage());
    lost_.insert(id);
    world_.restart(id);
  }

  // A change from beginning to end, as membership drives it. False when it does not end.
  bool change(std::vector<NodeId> members) { return propose(std::move(members)) && complete(); }
  bool propose(std::vector<NodeId> members) {
    next_members_ = std::move(members);
    next_ = std::make_shared<const Ring>(ring_of(next_members_));
    ++ticket_;
    tell_all({ring_, next_, ticket_, false}, false, kSpread);
    if (!run_until([this] { return all_applied(); })) return false;
    run_for(kOperationTimeout);
    tell_all({ring_, next_, ticket_, false}, true, kSpread);
    return true;
  }
  bool complete() {
    if (!run_until([this] { return all_applied() && all_whole(); })) return false;
    tell_all({ring_, next_, ticket_, true}, true, kSpread);
    if (!run_until([this] { return all_applied(); })) return false;
    run_for(kOperationTimeout);
    ring_ = std::exchange(next_, nullptr);
    members_ = next_members_;
    tell_all({ring_, nullptr, 0, false}, true, kSpread);
    return run_until([this] { return all_applied(); });
  }
  bool cancel() {
    next_ = nullptr;
    next_members_ = members_;
    tell_all({ring_, nullptr, 0, false}, true, kSpread);
    return run_until([this] { return all_applied(); });
  }
  bool settled() {
    return run_until([this] {
      for (const NodeId id : started_) {
        if (live_.count(id) == 0 || !live_[id]->takeover.idle()) return false;
      }
      return true;
    });
  }
  // From now on every put goes to all homes.
  void hush() { options_.whispers = 0; }
  // No more faults, and nobody writes; everyone runs.
  void calm() {
    options_.crash = 0;
    stop_ = true;
    for (const auto& [id, until] : down_until_) world_.restart(id);
    down_until_.clear();
    run_for(2 * kOperationTimeout);
  }

  // Every acknowledged put is on W homes, and everyone holds what is home there, whole.
  void audit() {
    for (const NodeId id : started_) {
      ASSERT_EQ(live_.count(id), 1u) << "node " << id;
      std::vector<PositionRange> expected, held;
      for (uint32_t partition = 0; partition < ring_->partitions(); ++partition) {
        if (ring_->find(id) != nullptr &&
            ring_->is_home(ring_->range(partition).begin, id, options_.dynamo.n))
          expected.push_back(ring_->range(partition));
      }
      for (const auto& [begin, part] : live_[id]->partitions.all()) {
        held.push_back(part.range);
        EXPECT_TRUE(part.whole) << "node " << id;
      }
      EXPECT_EQ(held, expected) << "node " << id;
    }
    holders_.clear();
    audited_ = false;
    world_.place(kFirstClient + clients(), options_.nodes + clients(),
                 [this](Host& host) { return auditor(host, *this); });
    world_.start(kFirstClient + clients());
    EXPECT_TRUE(run_until([this] { return audited_; }));
    for (const auto& [key, counters] : acknowledged_) {
      for (const uint64_t counter : counters) {
        const uint32_t holders = holders_[{key, counter}];
        if (holders < options_.dynamo.w) ++lost;
        EXPECT_GE(holders, options_.dynamo.w)
            << "put " << counter << " of " << key << ", seed " << options_.seed;
      }
    }
    for (const auto& [key, counters] : whispered_) {
      for (const uint64_t counter : counters) {
        ++whispers;
        whispers_lost += holders_[{key, counter}] == 0;
      }
    }
  }

  void run_for(Duration duration) {
    const Time until = world_.now() + duration;
    while (world_.now() < until) {
      world_.run_until(std::min(until, world_.now() + 10 * kMillisecond));
      meddle();
    }
  }
  bool run_until(const std::function<bool()>& reached, Duration most = 120 * kSecond) {
    const Time until = world_.now() + most;
    while (!reached()) {
      if (world_.now() >= until) return false;
      world_.run_until(world_.now() + 5 * kMillisecond);
      meddle();
    }
    return true;
  }

  std::size_t acknowledged() const {
    std::size_t count = 0;
    for (const auto& [key, counters] : acknowledged_) count += counters.size();
    return count;
  }
  TransferStats total() const {
    TransferStats all;
    for (const auto& [id, stats] : stats_) {
      all.rows_pulled += stats.rows_pulled;
      all.rows_alike += stats.rows_alike;
      all.rows_pushed += stats.rows_pushed;
      all.bytes_pulled += stats.bytes_pulled;
      all.pages_served += stats.pages_served;
      all.resumed += stats.resumed;
      all.ranges_filled += stats.ranges_filled;
      all.ranges_given_back += stats.ranges_given_back;
      all.ranges_dropped += stats.ranges_dropped;
      all.ranges_renewed += stats.ranges_renewed;
    }
    return all;
  }
  const Partitions& partitions(NodeId id) { return live_.at(id)->partitions; }
  Takeover& takeover(NodeId id) { return live_.at(id)->takeover; }
  bool alive(NodeId id) const { return live_.count(id) > 0; }
  const Ring& ring() const { return *ring_; }
  sim::World& world() { return world_; }

  uint64_t lost = 0;                         // acknowledged puts that fewer than W homes hold
  uint64_t whispers = 0, whispers_lost = 0;  // puts that one home alone got; nobody has them
  uint64_t stale_reads = 0;                  // that missed what was acknowledged before they began
  uint64_t reads = 0, failed_reads = 0, failed_writes = 0;
  uint64_t crashes = 0;
  std::string first_stale;

 private:
  static constexpr NodeId kFirstClient = 1'000;
  static constexpr Duration kSpread = 50 * kMillisecond;

  struct Told {
    RingView view;
    bool may_pull = true;
    uint64_t number = 0;
  };

  struct TestMember {
    TestMember(Host& at, TakeoverRig& rig, Engine& engine)
        : host(at),
          rig(rig),
          id(at.network().self()),
          rpc(at),
          partitions(at, engine),
          view(rig.told_[id].view),
          dynamo(rpc, engine, partitions, view, rig.options_.dynamo, stats),
          takeover(rpc, engine, partitions, dynamo.replica(), rig.options_.dynamo,
                   rig.options_.transfer, rig.stats_[id],
                   [this] { dynamo.replica().rows_came_back(); }),
          scope(at.ready()) {
      rig.live_[id] = this;
    }
    ~TestMember() { rig.live_.erase(id); }

    Task<void> serve() {
      Result<void> done = co_await partitions.load();
      CHECK(done.ok());
      const bool lost = rig.lost_.erase(id) > 0;
      if (partitions.fresh() && !lost) done = co_await found();
      CHECK(done.ok());
      Told told = rig.told_[id];
      view = told.view;
      apply(told);
      if (lost) takeover.refill(view);
      takeover.start(view);
      for (const Kind kind : {Kind::kReplicaGetRequest, Kind::kReplicaPutRequest})
        rpc.handle(kind, [this](Request request) { dynamo.message(std::move(request)); });
      for (const Kind kind : {Kind::kOfferRequest, Kind::kPageRequest, Kind::kConfirmRequest})
        rpc.handle(kind, [this](Request request) { takeover.message(std::move(request)); });
      while (true) {
        if (rig.told_[id].number != told.number) {
          told = rig.told_[id];
          apply(told);
        }
        rig.applied_[id] = told.number;
        if (told.view.changing() && takeover.whole(told.view.ticket))
          rig.whole_[id] = told.view.ticket;
        co_await host.clock().sleep(5 * kMillisecond);
      }
    }
    void apply(const Told& told) {
      view = told.view;
      dynamo.reconfigure(view);
      if (!view.changing()) {
        takeover.settle(view);
      } else if (told.may_pull) {
        takeover.begin(view);
      } else {
        takeover.prepare(view);
      }
    }
    Task<Result<void>> found() {
      std::vector<PositionRange> home;
      for (uint32_t partition = 0; partition < view.now->partitions(); ++partition) {
        const PositionRange range = view.now->range(partition);
        if (view.now->is_home(range.begin, id, rig.options_.dynamo.n)) home.push_back(range);
      }
      co_return co_await partitions.hold(std::move(home), true);
    }

    Host& host;
    TakeoverRig& rig;
    NodeId id;
    Rpc rpc;
    Partitions partitions;
    RingView view;
    DynamoStats stats;
    Dynamo dynamo;
    Takeover takeover;
    Scope scope;
  };

  static Task<void> node_program(Host& host, TakeoverRig& rig) {
    EngineOptions engine_options;
    engine_options.one_tablet = false;
    engine_options.memtable_bytes_max = rig.options_.memtable_bytes;
    engine_options.scrub_every = rig.options_.scrub_every;
    engine_options.log_segment_bytes = 256u << 10;
    engine_options.log_bytes_max = 1u << 20;
    Result<std::unique_ptr<Engine>> engine = co_await Engine::open(host, engine_options);
    CHECK(engine.ok());
    TestMember member(host, rig, **engine);
    co_await member.serve();
  }

  static std::string key_of(uint64_t number) { return "key" + std::to_string(number); }
  static Dot dot_of(std::string_view key, uint64_t counter) { return {hash_bytes(key), counter}; }

  static Task<void> writer(Host& host, TakeoverRig& rig) {
    Rpc rpc(host);
    const NodeId id = host.network().self();
    while (!rig.stop_) {
      co_await host.clock().sleep(rig.options_.think);
      // A key has one writer.
      const uint64_t number =
          rig.random_.below(rig.options_.keys) / rig.options_.writers * rig.options_.writers +
          (id - kFirstClient);
      const std::string key = key_of(number);
      const uint64_t counter = ++rig.written_[key];
      rig.applied_[id] = rig.told_[id].number;
      const RingView view = rig.told_[id].view;
      const std::string value = key + std::string(rig.options_.value_bytes, 'v');
      Object object;
      object.put(Context(), Version{dot_of(key, counter), counter, false, value});
      const Homes homes = view.write_homes(Ring::position_of(key), rig.options_.dynamo.n);
      const std::size_t n = view.read_homes(Ring::position_of(key), rig.options_.dynamo.n).size();
      const auto need = static_cast<uint32_t>(rig.options_.dynamo.w + homes.size() - n);
      const bool whispered = rig.random_.chance(rig.options_.whispers);
      Fanout fanout(rpc, whispered ? std::span<const NodeId>(&homes.back(), 1)
                                   : std::span<const NodeId>(homes));
      const Time deadline = host.clock().now() + kOperationTimeout;
      fanout.send(Kind::kReplicaPutRequest, 1, deadline,
                  ReplicaPutRequest{key, object.encoded()}.encode());
      if (whispered) {
        if (co_await fanout.wait(1, deadline) == Gather::Outcome::kReached)
          rig.whispered_[key].insert(counter);
      } else if (co_await fanout.wait(need, deadline) == Gather::Outcome::kReached) {
        rig.acknowledged_[key].insert(counter);
      } else {
        ++rig.failed_writes;
      }
    }
    rig.applied_[id] = ~uint64_t{0};
  }

  static Task<void> reader(Host& host, TakeoverRig& rig) {
    Rpc rpc(host);
    const NodeId id = host.network().self();
    while (!rig.stop_) {
      co_await host.clock().sleep(rig.options_.think);
      const std::string key = key_of(rig.random_.below(rig.options_.keys));
      const std::set<uint64_t> before = rig.acknowledged_[key];
      rig.applied_[id] = rig.told_[id].number;
      const RingView view = rig.told_[id].view;
      Fanout fanout(rpc, view.read_homes(Ring::position_of(key), rig.options_.dynamo.n));
      const Time deadline = host.clock().now() + kOperationTimeout;
      fanout.send(Kind::kReplicaGetRequest, 1, deadline, GetRequest{key}.encode());
      if (co_await fanout.wait(rig.options_.dynamo.r, deadline) != Gather::Outcome::kReached) {
        ++rig.failed_reads;
        continue;
      }
      Context seen;
      for (const Fanout::Leg& leg : fanout) merge_context(leg, seen);
      ++rig.reads;
      for (const uint64_t counter : before) {
        if (seen.covers(dot_of(key, counter))) continue;
        if (rig.stale_reads++ == 0)
          rig.first_stale = key + " put " + std::to_string(counter) + " at " +
                            std::to_string(rig.world_.now()) +
                            (view.switched     ? " switched"
                             : view.changing() ? " copying"
                                               : "");
      }
    }
    rig.applied_[id] = ~uint64_t{0};
  }

  static void merge_context(const Fanout::Leg& leg, Context& seen) {
    GetReply reply;
    Object object;
    if (leg.state != Fanout::Leg::State::kOk || !reply.parse(leg.body()) || !reply.found) return;
    CHECK(object.decode(reply.object));
    seen.merge(object.context);
  }

  static Task<void> auditor(Host& host, TakeoverRig& rig) {
    Rpc rpc(host);
    auto asked = rig.acknowledged_;
    for (const auto& [key, counters] : rig.whispered_)
      asked[key].insert(counters.begin(), counters.end());
    for (const auto& [key, counters] : asked) {
      const auto list = rig.ring_->preference(key);
      const std::size_t n = std::min<std::size_t>(rig.options_.dynamo.n, list.size());
      const std::vector<NodeId> homes(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(n));
      for (const NodeId home : homes) {
        for (int attempt = 0; attempt < 50; ++attempt) {
          Fanout fanout(rpc, home);
          const Time deadline = host.clock().now() + kOperationTimeout;
          fanout.send(Kind::kReplicaGetRequest, 1, deadline, GetRequest{key}.encode());
          if (co_await fanout.wait(1, deadline) != Gather::Outcome::kReached) continue;
          Context seen;
          merge_context(fanout[0], seen);
          for (const uint64_t counter : counters)
            rig.holders_[{key, counter}] += seen.covers(dot_of(key, counter));
          break;
        }
      }
    }
    rig.audited_ = true;
  }

  uint32_t clients() const { return options_.writers + options_.readers; }

  Ring ring_of(const std::vector<NodeId>& ids) const {
    std::vector<Member> members;
    for (const NodeId id : ids) members.push_back({id, "", "", ""});
    return Ring(members, options_.ring);
  }

  // Everyone hears of it, each after a while of its own; who is down, when it is back.
  void tell_all(RingView view, bool may_pull, Duration spread) {
    const uint64_t number = ++number_;
    const auto hear = [this, view, may_pull, number](NodeId id) {
      if (told_[id].number < number) told_[id] = {view, may_pull, number};
    };
    std::vector<NodeId> everyone;
    for (NodeId id = 1; id <= options_.nodes; ++id) everyone.push_back(id);
    for (uint32_t i = 0; i < clients(); ++i) everyone.push_back(kFirstClient + i);
    for (const NodeId id : everyone) {
      const auto after =
          static_cast<Duration>(spread == 0 ? 0 : random_.below(static_cast<uint64_t>(spread)));
      if (after == 0) {
        hear(id);
      } else {
        world_.at(world_.now() + after, "hear", [hear, id] { hear(id); });
      }
    }
  }
  bool all_applied() {
    for (const NodeId id : started_) {
      if (applied_[id] < number_) return false;
    }
    for (uint32_t i = 0; i < clients(); ++i) {
      if (applied_[kFirstClient + i] < number_) return false;
    }
    return true;
  }
  bool all_whole() {
    for (const NodeId id : started_) {
      if (ring_->find(id) == nullptr && next_->find(id) == nullptr) continue;
      if (whole_[id] != ticket_) return false;
    }
    return true;
  }

  void meddle() {
    for (auto down = down_until_.begin(); down != down_until_.end();) {
      if (down->second > world_.now()) {
        ++down;
        continue;
      }
      world_.restart(down->first);
      down = down_until_.erase(down);
    }
    if (!random_.chance(options_.crash) || started_.empty()) return;
    const auto victim =
        std::next(started_.begin(), static_cast<std::ptrdiff_t>(random_.below(started_.size())));
    if (!world_.running(*victim)) return;
    if (random_.chance(0.5)) {
      world_.crash(*victim);
    } else {
      world_.power_loss(world_.machine_of(*victim));
    }
    ++crashes;
    down_until_[*victim] = world_.now() + static_cast<Duration>(random_.below(300)) * kMillisecond;
  }

  TakeoverRigOptions options_;
  Random random_;
  std::vector<NodeId> members_, next_members_;
  std::shared_ptr<const Ring> ring_, next_;
  uint64_t ticket_ = 0;
  uint64_t number_ = 0;
  bool stop_ = false;
  bool audited_ = false;
  std::set<NodeId> started_;
  std::set<NodeId> lost_;
  std::map<NodeId, Time> down_until_;
  std::map<NodeId, Told> told_;
  std::map<NodeId, uint64_t> applied_;
  std::map<NodeId, uint64_t> whole_;
  std::map<NodeId, TransferStats> stats_;
  std::map<std::string, uint64_t> written_;
  std::map<std::string, std::set<uint64_t>> acknowledged_;
  std::map<std::string, std::set<uint64_t>> whispered_;
  std::map<std::pair<std::string, uint64_t>, uint32_t> holders_;
  std::map<NodeId, TestMember*> live_;
  sim::World world_;  // last: its processes use the rest until they end
};

}  // namespace ringside::test
