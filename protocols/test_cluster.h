// For tests of this room: nodes that are no more than RPC, Dynamo and an engine in memory, and a
// client, on a TestWorld.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "protocols/client.h"
#include "protocols/keys.h"
#include "protocols/replication/dynamo/coordinator.h"
#include "protocols/test_engine.h"
#include "protocols/test_host.h"

namespace ringside::test {

struct TestNode {
  TestNode(TestHost& host, const RingView& view, DynamoOptions options,
           const std::map<std::string, std::string>& disk = {})
      : engine(host, kMillisecond / 10),
        rpc(host),
        partitions(host, engine),
        dynamo(rpc, engine, partitions, view, options, stats) {
    partitions.assume({});  // everything
    engine.adopt(disk);
    for (const Kind kind : {Kind::kClientGetRequest, Kind::kForwardGetRequest}) {
      rpc.handle(kind, [this](Request request) { dynamo.read(std::move(request)); });
    }
    for (const Kind kind : {Kind::kClientPutRequest, Kind::kForwardPutRequest}) {
      rpc.handle(kind, [this](Request request) { dynamo.write(std::move(request)); });
    }
    for (const Kind kind :
         {Kind::kReplicaGetRequest, Kind::kReplicaPutRequest, Kind::kHintedPutRequest}) {
      rpc.handle(kind, [this](Request request) { dynamo.message(std::move(request)); });
    }
    host.spawn(load(dynamo));
  }
  static Task<void> load(Dynamo& dynamo) {
    const Result<void> loaded = co_await dynamo.load();
    EXPECT_TRUE(loaded.ok());
  }

  TestEngine engine;
  Rpc rpc;
  Partitions partitions;
  DynamoStats stats;
  Dynamo dynamo;
};

class TestCluster {
 public:
  explicit TestCluster(uint32_t size = 6, DynamoOptions options = {},
                       Routing routing = Routing::kCoordinator) {
    for (NodeId id = 1; id <= size; ++id)
      members_.push_back({id, "", "z" + std::to_string(id % 3), ""});
    view_ = stable_view(Ring(members_, {}));
    options_ = options;
    for (NodeId id = 1; id <= size; ++id)
      nodes_[id] = std::make_unique<TestNode>(world.host(id), view_, options_);
    client_options.members = members_;
    client_options.routing = routing;
    client_options.n = options.n;
  }

  Client& client(uint32_t number = 0) {
    std::unique_ptr<Client>& client = clients_[number];
    if (!client)
      client = std::make_unique<Client>(world.host(kFirstClient + number), client_options);
    return *client;
  }
  TestNode& node(NodeId id) { return *nodes_[id]; }
  // The process dies with what its log did not hold; `start` begins a new one on its disk.
  void stop(NodeId id) {
    disks_[id] = node(id).engine.durable_rows();
    nodes_.erase(id);
    world.kill(id);
  }
  void start(NodeId id) {
    nodes_[id] = std::make_unique<TestNode>(world.host(id), view_, options_, disks_[id]);
  }
  void lose_disk(NodeId id) { disks_[id].clear(); }
  // Everyone sees the ring like this from now on.
  void see(RingView view) {
    view_ = std::move(view);
    for (auto& [id, node] : nodes_) node->dynamo.reconfigure(view_);
  }
  const RingView& view() const { return view_; }
  const std::vector<Member>& members() const { return members_; }
  // How often the probe was reached, on all nodes together.
  int reached(const std::string& probe) {
    int times = 0;
    for (auto& [id, node] : nodes_) times += world.host(id).probes[probe];
    return times;
  }
  uint64_t hints_waiting() {
    uint64_t hints = 0;
    for (auto& [id, node] : nodes_) hints += node->dynamo.hints().count();
    return hints;
  }
  const Ring& ring() const { return *view_.now; }
  std::vector<NodeId> home(std::string_view key, uint32_t n = 3) const {
    const auto list = ring().preference(key);
    return {list.begin(), list.begin() + n};
  }
  // The sibling values that the node holds durably, in their order.
  std::vector<std::string> stored(NodeId id, std::string_view key) {
    const MemoryLookup found = node(id).engine.lookup(ObjectRow(key).view(), View::kDurable);
    std::vector<std::string> values;
    VersionViews siblings;
    if (found.state != MemoryLookup::State::kFound || !read_object(found.value, siblings))
      return values;
    for (const VersionView& version : siblings) values.emplace_back(version.value);
    return values;
  }

  // Runs one operation to its end.
  GetResult get(std::string key, uint32_t number = 0) {
    GetResult result;
    run(
        number,
        [](Client& from, std::string of, GetResult& out, bool& done) -> Task<void> {
          const uint64_t operation = from.next_operation();
          out = co_await from.get(of, operation);
          done = true;
        },
        std::move(key), result);
    return result;
  }
  PutResult put(std::string key, std::string context, std::optional<std::string> value,
                uint64_t operation = 0, uint32_t number = 0) {
    PutResult result;
    if (operation == 0) operation = client(number).next_operation();
    bool done = false;
    world.host(kFirstClient + number)
        .spawn([](Client& from, std::string of, std::string seen, std::optional<std::string> what,
                  uint64_t id, PutResult& out, bool& finished) -> Task<void> {
          out = co_await from.put(of, seen, what, id);
          finished = true;
        }(client(number), std::move(key), std::move(context), std::move(value), operation, result,
                                                               done));
    for (int i = 0; i < 5000 && !done; ++i) world.run_for(kMillisecond);
    EXPECT_TRUE(done);
    return result;
  }

  TestWorld world;
  ClientOptions client_options;

 private:
  template <class Body, class Out>
  void run(uint32_t number, Body body, std::string key, Out& out) {
    bool done = false;
    world.host(kFirstClient + number).spawn(body(client(number), std::move(key), out, done));
    for (int i = 0; i < 5000 && !done; ++i) world.run_for(kMillisecond);
    EXPECT_TRUE(done);
  }

  std::vector<Member> members_;
  DynamoOptions options_;
  RingView view_;
  std::map<NodeId, std::map<std::string, std::string>> disks_;
  std::map<NodeId, std::unique_ptr<TestNode>> nodes_;
  std::map<uint32_t, std::unique_ptr<Client>> clients_;
};

inline std::vector<std::string> values(const GetResult& result) {
  std::vector<std::string> list;
  for (const Sibling& sibling : result.siblings) list.push_back(sibling.value);
  return list;
}

}  // namespace ringside::test
