// Upkeep over real engines on simulated disks: Merkle trees are the engine's, nodes restart, and
// disks lose rows.
#include "protocols/replication/dynamo/upkeep.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <memory>
#include <set>

#include "protocols/partitions.h"
#include "protocols/replication/dynamo/coordinator.h"
#include "protocols/replication/dynamo/version.h"
#include "sim/world.h"
#include "sim/world_for_test.h"

namespace ringside {
namespace {

constexpr uint32_t kUpkeepNodes = 6;

struct UpkeepCluster;

// A node that is no more than an engine, Dynamo and its upkeep.
struct UpkeepNode {
  UpkeepNode(Host& on, UpkeepCluster& cluster, Engine& store);
  Task<void> serve();

  Host& host;
  UpkeepCluster& all;
  Engine& engine;
  Rpc rpc;
  Partitions partitions;
  DynamoStats dynamo_stats;
  Dynamo dynamo;
  Background background;
  Upkeep upkeep;
};

struct UpkeepCluster {
  explicit UpkeepCluster(uint64_t keys_to_hold, sim::DiskModel disk = sim::DiskModel::nvme())
      : keys(keys_to_hold) {
    std::vector<Member> members;
    for (NodeId id = 1; id <= kUpkeepNodes; ++id) members.push_back({id, "", "", ""});
    view = stable_view(Ring(members, {}));
    engine.one_tablet = false;
    engine.merkle_depth = 6;
    engine.memtable_bytes_max = 1u << 20;
    sim::WorldSpec spec = sim::small_world(kUpkeepNodes);
    for (auto& machine : spec.machines) machine.disk = disk;
    world = std::make_unique<sim::World>(std::move(spec));
    for (NodeId id = 1; id <= kUpkeepNodes; ++id) {
      world->place(id, id - 1, [this](Host& host) { return program(host, *this); });
    }
  }
  void start() {
    for (NodeId id = 1; id <= kUpkeepNodes; ++id) world->start(id);
  }
  void run_for(Duration time) { world->run_until(world->now() + time); }
  UpkeepStats total() const {
    UpkeepStats sum;
    for (const auto& [id, one] : stats) {
      sum.rounds += one.rounds;
      sum.ranges_compared += one.ranges_compared;
      sum.ranges_clean += one.ranges_clean;
      sum.unanswered += one.unanswered;
      sum.rows_fetched += one.rows_fetched;
      sum.rows_pushed += one.rows_pushed;
      sum.hash_bytes += one.hash_bytes;
      sum.row_bytes += one.row_bytes;
      sum.suspects += one.suspects;
    }
    return sum;
  }
  static std::string key_of(uint64_t i) { return "key-" + std::to_string(i); }
  bool home(uint64_t key, NodeId id) const {
    return view.is_read_home(Ring::position_of(key_of(key)), id, dynamo.n);
  }
  // How many of the keys each of their homes holds, as the nodes were asked last.
  uint64_t missing() const {
    uint64_t count = 0;
    for (uint64_t key = 0; key < keys; ++key) {
      for (NodeId id = 1; id <= kUpkeepNodes; ++id) {
        count += home(key, id) && !(nodes.contains(id) && holds(*nodes.at(id), key));
      }
    }
    return count;
  }
  static bool holds(UpkeepNode& node, uint64_t key) {
    return node.engine.lookup(ObjectRow(key_of(key)).view(), View::kDurable).state !=
           MemoryLookup::State::kRemoved;
  }
  static Task<void> program(Host& host, UpkeepCluster& cluster);

  uint64_t keys;
  std::set<std::pair<uint64_t, NodeId>> left_out;  // of the first filling
  RingView view;
  DynamoOptions dynamo;
  UpkeepOptions upkeep;
  EngineOptions engine;
  std::map<NodeId, UpkeepStats> stats;  // of the present lives
  std::map<NodeId, UpkeepNode*> nodes;
  std::map<NodeId, std::vector<PositionRange>> refills;
  std::string wrong;
  std::unique_ptr<sim::World> world;  // ends first
};

UpkeepNode::UpkeepNode(Host& on, UpkeepCluster& cluster, Engine& store)
    : host(on),
      all(cluster),
      engine(store),
      rpc(on),
      partitions(on, store),
      dynamo(rpc, engine, partitions, cluster.view, cluster.dynamo, dynamo_stats),
      background(on),
      upkeep(rpc, engine, partitions, dynamo.replica(), cluster.view, cluster.dynamo.n,
             cluster.upkeep, cluster.stats[rpc.self()] = {}, background) {}

Task<void> UpkeepNode::serve() {
  Result<void> ready = co_await partitions.load();
  const bool fresh = partitions.fresh();
  const NodeId self = rpc.self();
  if (ready.ok() && fresh) {
    std::vector<PositionRange> home;
    const Ring& ring = *all.view.now;
    for (uint32_t p = 0; p < ring.partitions(); ++p) {
      if (ring.is_home(ring.range(p).begin, self, all.dynamo.n)) home.push_back(ring.range(p));
    }
    ready = co_await partitions.hold(std::move(home), true);
  }
  if (!ready.ok()) {
    all.wrong = ready.error().text();
    co_return;
  }
  for (uint64_t key = 0; fresh && key < all.keys; ++key) {
    if (!all.home(key, self) || all.left_out.contains({key, self})) continue;
    Object object;
    object.put({}, Version{{key + 1, 1}, key + 1, false, "value"});
    Batch batch;
    batch.put(ObjectRow(UpkeepCluster::key_of(key)).view(), object.encoded());
    Result<Lsn> lsn = engine.submit(batch);
    while (!lsn.ok() && lsn.code() == Code::kOverloaded) {
      co_await engine.room();
      lsn = engine.submit(batch);
    }
    if (!lsn.ok()) all.wrong = lsn.error().text();
  }
  (void)co_await engine.durable(engine.last_submitted());
  all.nodes[self] = this;
  rpc.handle(Kind::kReplicaPutRequest, [this](Request request) { dynamo.message(request); });
  for (const Kind kind : Upkeep::kKinds) {
    rpc.handle(kind, [this](Request request) { upkeep.message(std::move(request)); });
  }
  upkeep.on_refill([this](PositionRange range) { all.refills[rpc.self()].push_back(range); });
  upkeep.start();
  (void)co_await engine.durable(~Lsn{0});
}

Task<void> UpkeepCluster::program(Host& host, UpkeepCluster& cluster) {
  Result<std::unique_ptr<Engine>> engine = co_await Engine::open(host, cluster.engine);
  if (!engine.ok()) {
    cluster.wrong = engine.error().text();
    co_return;
  }
  UpkeepNode node(host, cluster, **engine);
  co_await node.serve();
}

TEST(Upkeep, rows_that_one_home_lacks_are_there_within_two_periods) {
  UpkeepCluster cluster(12'800);
  Random random(1);
  for (int i = 0; i < 300; ++i) {
    const uint64_t key = random.below(cluster.keys);
    const auto homes = cluster.view.read_homes(Ring::position_of(UpkeepCluster::key_of(key)), 3);
    cluster.left_out.insert({key, homes[random.below(3)]});
  }
  const uint64_t lacking = cluster.left_out.size();
  cluster.start();
  cluster.run_for(200 * kMillisecond);
  ASSERT_EQ(cluster.nodes.size(), kUpkeepNodes);
  const uint64_t at_first = cluster.missing();
  EXPECT_GT(at_first, lacking / 2);
  cluster.run_for(2 * cluster.upkeep.every + kSecond);
  EXPECT_EQ(cluster.missing(), 0u);
  EXPECT_EQ(cluster.wrong, "");
  const UpkeepStats total = cluster.total();
  EXPECT_GE(total.rows_fetched + total.rows_pushed, lacking);
  std::cout << lacking << " of 38,400 rows lacking, " << at_first
            << " of them after 200 ms: " << total.hash_bytes << " bytes of hashes, "
            << total.row_bytes << " of objects\n";
}

TEST(Upkeep, a_cluster_that_restarts_as_a_whole_agrees_without_moving_a_row) {
  UpkeepCluster cluster(12'800);
  cluster.start();
  cluster.run_for(6 * kSecond);
  ASSERT_EQ(cluster.missing(), 0u);
  cluster.nodes.clear();
  for (NodeId id = 1; id <= kUpkeepNodes; ++id) cluster.world->crash(id);
  for (NodeId id = 1; id <= kUpkeepNodes; ++id) cluster.world->restart(id);
  cluster.run_for(6 * kSecond);
  EXPECT_EQ(cluster.wrong, "");
  ASSERT_EQ(cluster.nodes.size(), kUpkeepNodes);
  const UpkeepStats total = cluster.total();
  EXPECT_EQ(total.row_bytes, 0u);
  EXPECT_EQ(total.ranges_clean + total.unanswered, total.ranges_compared);
  EXPECT_GE(total.ranges_clean, 2u * 64 * 3) << "every range of every node, twice";
  std::cout << total.ranges_clean << " ranges compared, " << total.hash_bytes
            << " bytes of hashes, " << total.row_bytes << " of objects\n";
}

TEST(Upkeep, a_range_whose_disk_went_bad_is_given_up_and_asked_for_anew) {
  UpkeepCluster cluster(12'800);
  cluster.engine.memtable_bytes_max = 128u << 10;  // tables
  cluster.engine.block_cache_bytes = 64u << 10;
  cluster.start();
  cluster.run_for(6 * kSecond);
  ASSERT_EQ(cluster.wrong, "");
  cluster.nodes.clear();
  for (NodeId id = 1; id <= kUpkeepNodes; ++id) cluster.world->crash(id);
  for (const sim::MachineId machine : {0, 1}) {
    ASSERT_GT(cluster.world->rot(machine, "table", 8), 0u);
  }
  for (NodeId id = 1; id <= kUpkeepNodes; ++id) cluster.world->restart(id);
  cluster.run_for(10 * kSecond);
  uint64_t given_up = 0;
  for (const NodeId id : {1, 2}) {
    if (!cluster.nodes.contains(id)) continue;  // what was hit are its own rows
    UpkeepNode& damaged = *cluster.nodes.at(id);
    EXPECT_EQ(cluster.refills[id].size(), cluster.stats[id].suspects);
    given_up += cluster.refills[id].size();
    for (const PositionRange& range : cluster.refills[id]) {
      EXPECT_FALSE(damaged.partitions.whole(range.begin));
    }
    for (const auto& [begin, held] : damaged.partitions.all()) {
      const bool told =
          std::count(cluster.refills[id].begin(), cluster.refills[id].end(), held.range) == 1;
      EXPECT_NE(held.whole, told);
    }
  }
  EXPECT_GT(given_up, 0u);
  for (NodeId id = 3; id <= kUpkeepNodes; ++id) EXPECT_TRUE(cluster.refills[id].empty());
}

}  // namespace
}  // namespace ringside
