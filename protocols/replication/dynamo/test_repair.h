// For tests of this folder: nodes with Dynamo and its upkeep over engines in memory, on a
// TestWorld. A node can die and come back with what it held durably.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "protocols/client.h"
#include "protocols/replication/dynamo/coordinator.h"
#include "protocols/replication/dynamo/upkeep.h"
#include "protocols/replication/dynamo/version.h"
#include "protocols/test_host.h"
#include "storage/memory_engine.h"

namespace ringside::test {

using HeldRows = std::map<std::string, std::string>;

struct RepairNode {
  RepairNode(TestHost& on, const RingView& view, const DynamoOptions& dynamo_options,
             const UpkeepOptions& options, const HeldRows& rows)
      : host(on),
        engine(on, {}),
        rpc(on),
        partitions(on, engine),
        dynamo(rpc, engine, partitions, view, dynamo_options, dynamo_stats),
        background(on),
        upkeep(rpc, engine, partitions, dynamo.replica(), view, dynamo_options.n, options, stats,
               background) {
    for (const auto& [name, value] : rows) put_row(name, value);
    const Ring& ring = *view.now;
    for (uint32_t p = 0; p < ring.partitions(); ++p) {
      const PositionRange range = ring.range(p);
      if (ring.is_home(range.begin, on.self(), dynamo_options.n)) partitions.assume(range);
    }
    for (const Kind kind : {Kind::kClientGetRequest, Kind::kForwardGetRequest}) {
      rpc.handle(kind, [this](Request request) { dynamo.read(std::move(request)); });
    }
    for (const Kind kind : {Kind::kClientPutRequest, Kind::kForwardPutRequest}) {
      rpc.handle(kind, [this](Request request) { dynamo.write(std::move(request)); });
    }
    for (const Kind kind : {Kind::kReplicaGetRequest, Kind::kReplicaPutRequest}) {
      rpc.handle(kind, [this](Request request) { dynamo.message(std::move(request)); });
    }
    for (const Kind kind : Upkeep::kKinds) {
      rpc.handle(kind, [this](Request request) { upkeep.message(std::move(request)); });
    }
    upkeep.hints_waiting([this](PositionRange) { return hint_waits; });
  }

  void put_row(std::string_view name, std::string_view value) {
    Batch batch;
    batch.put(name, value);
    CHECK(engine.submit(batch).ok());
  }
  void put_object(std::string_view key, std::string_view object) {
    put_row(ObjectRow(key).view(), object);
  }
  // What is durable.
  HeldRows rows() const {
    HeldRows found;
    const std::string* key = engine.versions().key_from("");
    for (; key != nullptr; key = engine.versions().key_from(*key + '\0')) {
      const std::optional<StoredEntry> entry = engine.versions().find(*key, engine.last_durable());
      if (entry && !entry->removed) found[*key] = std::string(entry->value);
    }
    return found;
  }

  TestHost& host;
  MemoryEngine engine;
  Rpc rpc;
  Partitions partitions;
  DynamoStats dynamo_stats;
  Dynamo dynamo;
  UpkeepStats stats;
  Background background;
  bool hint_waits = false;
  Upkeep upkeep;
};

struct RepairClusterOptions {
  uint32_t nodes = 3;
  uint32_t partitions = 4;
  DynamoOptions dynamo;
  UpkeepOptions upkeep;
};

class RepairCluster {
 public:
  explicit RepairCluster(RepairClusterOptions options = {}) : options_(options) {
    for (NodeId id = 1; id <= options_.nodes; ++id) members_.push_back({id, "", "", ""});
    view_ = stable_view(Ring(members_, {.q = options_.partitions}));
    for (NodeId id = 1; id <= options_.nodes; ++id) start(id, {});
  }
  ~RepairCluster() {
    client_.reset();
    nodes_.clear();
  }

  RepairNode& node(NodeId id) { return *nodes_.at(id); }
  bool up(NodeId id) const { return nodes_.contains(id); }
  const Ring& ring() const { return *view_.now; }
  RingView& view() { return view_; }
  std::vector<NodeId> homes(std::string_view key) const {
    const auto list = ring().preference(key);
    return {list.begin(), list.begin() + options_.dynamo.n};
  }
  void start_upkeep() {
    upkeep_started_ = true;
    for (auto& [id, node] : nodes_) node->upkeep.start();
  }
  void kill(NodeId id) {
    kept_[id] = nodes_.at(id)->rows();
    nodes_.erase(id);
    world.kill(id);
  }
  void restart(NodeId id) {
    start(id, kept_[id]);
    if (upkeep_started_) nodes_.at(id)->upkeep.start();
  }

  // Runs a task of a node to its end; false when it has not ended after `most`.
  bool run(NodeId id, Task<void> task, Duration most = 100 * kSecond) {
    auto done = std::make_shared<bool>(false);
    node(id).host.spawn([](Task<void> inner, std::shared_ptr<bool> ended) -> Task<void> {
      co_await std::move(inner);
      *ended = true;
    }(std::move(task), done));
    for (Duration passed = 0; passed < most && !*done; passed += kMillisecond) {
      world.run_for(kMillisecond);
    }
    return *done;
  }
  void round(NodeId id) { EXPECT_TRUE(run(id, node(id).upkeep.anti_entropy().round())); }
  void reap(NodeId id) { EXPECT_TRUE(run(id, node(id).upkeep.reaper().pass())); }

  GetResult get(std::string key) {
    auto out = std::make_shared<std::optional<GetResult>>();
    spawn_client([](Client& from, std::string of,
                    std::shared_ptr<std::optional<GetResult>> result) -> Task<void> {
      const uint64_t operation = from.next_operation();
      GetResult got = co_await from.get(of, operation);
      *result = std::move(got);
    }(client(), std::move(key), out));
    while (!*out) world.run_for(kMillisecond);
    return **out;
  }
  PutResult put(std::string key, std::string context, std::optional<std::string> value) {
    auto out = std::make_shared<std::optional<PutResult>>();
    spawn_client([](Client& from, std::string of, std::string seen, std::optional<std::string> what,
                    std::shared_ptr<std::optional<PutResult>> result) -> Task<void> {
      const uint64_t operation = from.next_operation();
      PutResult put = co_await from.put(of, seen, what, operation);
      *result = std::move(put);
    }(client(), std::move(key), std::move(context), std::move(value), out));
    while (!*out) world.run_for(kMillisecond);
    return **out;
  }

  TestWorld world;

 private:
  void start(NodeId id, const HeldRows& rows) {
    nodes_[id] =
        std::make_unique<RepairNode>(world.host(id), view_, options_.dynamo, options_.upkeep, rows);
  }
  Client& client() {
    if (!client_) {
      ClientOptions options;
      options.members = members_;
      options.ring = {.q = options_.partitions};
      options.n = options_.dynamo.n;
      options.put_attempts = 1;  // another attempt may make another version
      client_ = std::make_unique<Client>(world.host(kFirstClient), options);
    }
    return *client_;
  }
  void spawn_client(Task<void> task) { world.host(kFirstClient).spawn(std::move(task)); }

  RepairClusterOptions options_;
  std::vector<Member> members_;
  RingView view_;
  bool upkeep_started_ = false;
  std::map<NodeId, std::unique_ptr<RepairNode>> nodes_;
  std::map<NodeId, HeldRows> kept_;
  std::unique_ptr<Client> client_;
};

inline std::string object_by(uint64_t actor, std::string_view value, bool tombstone = false) {
  Object object;
  object.put({}, Version{{actor, 1}, actor, tombstone, value});
  return object.encoded();
}
inline std::string merged_objects(const std::string& a, const std::string& b) {
  Object one, other;
  CHECK(one.decode(a) && other.decode(b));
  one.merge(other);
  return one.encoded();
}
inline std::string numbered(uint64_t i) { return "key-" + std::to_string(i); }

}  // namespace ringside::test
