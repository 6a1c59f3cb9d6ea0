#include "node/node.h"

#include <utility>

#include "node/membership.h"
#include "protocols/partitions.h"
#include "protocols/replication/dynamo/coordinator.h"
#include "runtime/bug.h"
#ifdef RINGSIDE_PLANTED
#include "node/misbehave.h"
#endif

namespace ringside {
namespace {

class Node {
 public:
  Node(Host& host, NodeOptions options, Engine& engine, NodeStatus* status)
      : host_(host),
        options_(std::move(options)),
        engine_(engine),
        status_(status != nullptr ? *status : own_status_),
        rpc_(host, &status_.rpc),
        partitions_(host, engine),
        membership_(rpc_, engine, options_),
        dynamo_(rpc_, engine, partitions_, membership_.view(), options_.dynamo, status_.dynamo),
        scope_(host.ready()) {}
  ~Node() { status_.serving = false; }

  // Until the engine is poisoned.
  Task<void> serve() {
    Result<void> ready = co_await partitions_.load();
    if (ready.ok()) ready = co_await membership_.load();
    if (ready.ok() && partitions_.fresh()) ready = co_await found();
    if (ready.ok()) ready = co_await dynamo_.load();
    if (!ready.ok()) {
      host_.abort(ready.error().text());
      co_return;
    }
    ring_changed();
#ifdef RINGSIDE_PLANTED
    scope_.spawn(misbehave(host_));
#endif
    for (const Kind kind : {Kind::kClientGetRequest, Kind::kForwardGetRequest}) {
      rpc_.handle(kind, [this](Request request) { dynamo_.read(std::move(request)); });
    }
    for (const Kind kind : {Kind::kClientPutRequest, Kind::kForwardPutRequest}) {
      rpc_.handle(kind, [this](Request request) { dynamo_.write(std::move(request)); });
    }
    for (const Kind kind :
         {Kind::kReplicaGetRequest, Kind::kReplicaPutRequest, Kind::kHintedPutRequest}) {
      rpc_.handle(kind, [this](Request request) { dynamo_.message(std::move(request)); });
    }
    for (const Kind kind : {Kind::kJoinRequest, Kind::kMembersPush}) {
      rpc_.handle(kind, [this](Request request) {
        if (membership_.message(request)) ring_changed();
      });
    }
    status_.serving = true;
    scope_.spawn(join());
    const Result<void> poisoned = co_await engine_.durable(~Lsn{0});
    host_.abort(poisoned.error().text());
  }

 private:
  // A cluster begins empty, so that everyone's part of the first ring is whole.
  Task<Result<void>> found() {
    const Ring& ring = *membership_.view().now;
    std::vector<PositionRange> home;
    for (uint32_t partition = 0; partition < ring.partitions(); ++partition) {
      const PositionRange range = ring.range(partition);
      if (ring.is_home(range.begin, rpc_.self(), options_.dynamo.n)) home.push_back(range);
    }
    co_return co_await partitions_.hold(std::move(home), true);
  }
  Task<void> join() {
    co_await membership_.join();
    ring_changed();
  }
  void ring_changed() {
    dynamo_.reconfigure(membership_.view());
    status_.members = static_cast<uint32_t>(membership_.size());
  }

  Host& host_;
  NodeOptions options_;
  Engine& engine_;
  NodeStatus own_status_;
  NodeStatus& status_;
  Rpc rpc_;
  Partitions partitions_;
  Membership membership_;
  Dynamo dynamo_;
  Scope scope_;
};

}  // namespace

Task<void> run_node(Host& host, NodeOptions options, NodeStatus* status) {
  // A tablet a partition, where the engine has them.
  options.engine.one_tablet = options.engine.kind != EngineKind::kLsm;
  Result<std::unique_ptr<Engine>> engine = co_await Engine::open(host, options.engine);
  if (!engine.ok()) {
    host.abort(engine.error().text());
    co_return;
  }
  Node node(host, std::move(options), **engine, status);
  co_await node.serve();
}

}  // namespace ringside
