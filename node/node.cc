#include "node/node.h"

#include <utility>

#include "node/membership.h"
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
        membership_(rpc_, engine, options_),
        dynamo_(rpc_, engine, membership_.ring(), dynamo_options(options_), status_.dynamo),
        scope_(host.ready()) {}
  ~Node() { status_.serving = false; }

  // Until the engine is poisoned.
  Task<void> serve() {
    const Result<void> loaded = co_await membership_.load();
    if (!loaded.ok()) {
      host_.abort(loaded.error().text());
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
    for (const Kind kind : {Kind::kReplicaGetRequest, Kind::kReplicaPutRequest}) {
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
  static DynamoOptions dynamo_options(const NodeOptions& options) {
    DynamoOptions dynamo;
    dynamo.n = options.n;
    dynamo.r = options.r;
    dynamo.w = options.w;
    dynamo.read_repair = options.read_repair;
    dynamo.read_repair_wait = options.read_repair_wait;
    dynamo.request_timeout = options.request_timeout;
    dynamo.coordinate = options.coordinate;
    dynamo.reserved_key = kReservedKey;
    return dynamo;
  }
  Task<void> join() {
    co_await membership_.join();
    ring_changed();
  }
  void ring_changed() {
    dynamo_.reconfigure(membership_.ring());
    status_.members = static_cast<uint32_t>(membership_.size());
  }

  Host& host_;
  NodeOptions options_;
  Engine& engine_;
  NodeStatus own_status_;
  NodeStatus& status_;
  Rpc rpc_;
  Membership membership_;
  Dynamo dynamo_;
  Scope scope_;
};

}  // namespace

Task<void> run_node(Host& host, NodeOptions options, NodeStatus* status) {
  Result<std::unique_ptr<Engine>> engine = co_await Engine::open(host, options.engine);
  if (!engine.ok()) {
    host.abort(engine.error().text());
    co_return;
  }
  Node node(host, std::move(options), **engine, status);
  co_await node.serve();
}

}  // namespace ringside
