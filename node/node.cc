#include "node/node.h"

#include <utility>

#include "node/membership.h"
#include "node/report.h"
#include "protocols/background.h"
#include "protocols/partitions.h"
#include "protocols/replication/dynamo/coordinator.h"
#include "protocols/replication/dynamo/takeover.h"
#include "protocols/replication/dynamo/upkeep.h"
#include "runtime/bug.h"
#ifdef RINGSIDE_PLANTED
#include "node/misbehave.h"
#endif

namespace ringside {
namespace {

constexpr std::size_t kHistoryShown = 100;
constexpr uint32_t kMerkleDepth = 6;  // of a partition, where none is asked for

class Node {
 public:
  Node(Host& host, NodeOptions options, Engine& engine, NodeStatus* status)
      : host_(host),
        options_(std::move(options)),
        engine_(engine),
        status_(status != nullptr ? *status : own_status_),
        rpc_(host, &status_.rpc),
        partitions_(host, engine),
        background_(host, options_.background),
        membership_(rpc_, engine, options_, takeover_),
        dynamo_(rpc_, engine, partitions_, membership_.view(), options_.dynamo, status_.dynamo),
        takeover_(rpc_, engine, partitions_, dynamo_.replica(), options_.dynamo, options_.transfer,
                  status_.transfer, [this] { dynamo_.replica().rows_came_back(); }),
        upkeep_(rpc_, engine, partitions_, dynamo_.replica(), membership_.view(), options_.dynamo.n,
                options_.upkeep, status_.upkeep, background_),
        report_(status_, partitions_, dynamo_.hints()),
        sources_{&membership_, &report_},
        scope_(host.ready()) {
    const auto admit = [this](uint64_t bytes) { return background_.admit(bytes); };
    dynamo_.heed(
        [this](NodeId peer, Time now) { return membership_.detector().suspected(peer, now); },
        [this] { return membership_.detector().may_suspect(); });
    dynamo_.admit_hints_by(admit);
    takeover_.transfer().admit_by(admit);
    upkeep_.on_refill([this](PositionRange range) { takeover_.refill_range(range); });
    upkeep_.hints_waiting(
        [this](PositionRange range) { return dynamo_.hints().waiting_for(range); });
  }
  ~Node() { status_.serving = false; }

  // Until the engine is poisoned.
  Task<void> serve() {
    Result<void> ready = co_await partitions_.load();
    if (ready.ok()) ready = co_await dynamo_.load();
    if (ready.ok()) ready = co_await membership_.load();
    if (ready.ok()) {
      for (const Kind kind : Membership::kRequests) {
        rpc_.handle(kind, [this](Request request) { membership_.message(std::move(request)); });
      }
      co_await membership_.recognise();
      ready = co_await membership_.begin();
    }
    if (ready.ok() && partitions_.fresh()) ready = co_await found();
    if (!ready.ok()) {
      host_.abort(ready.error().text());
      co_return;
    }
    membership_.on_view([this] { ring_changed(); });
    ring_changed();
    takeover_.start(membership_.view());
#ifdef RINGSIDE_PLANTED
    scope_.spawn(misbehave(host_));
#endif
    hear();
    upkeep_.start();
    status_.serving = true;
    scope_.spawn(membership_.run());
    const Result<void> poisoned = co_await engine_.durable(~Lsn{0});
    host_.abort(poisoned.error().text());
  }

 private:
  void hear() {
    for (const Kind kind : {Kind::kClientGetRequest, Kind::kForwardGetRequest}) {
      rpc_.handle(kind, [this](Request request) {
        if (in_ring(request)) dynamo_.read(std::move(request));
      });
    }
    for (const Kind kind : {Kind::kClientPutRequest, Kind::kForwardPutRequest}) {
      rpc_.handle(kind, [this](Request request) {
        if (in_ring(request)) dynamo_.write(std::move(request));
      });
    }
    for (const Kind kind :
         {Kind::kReplicaGetRequest, Kind::kReplicaPutRequest, Kind::kHintedPutRequest}) {
      rpc_.handle(kind, [this](Request request) { dynamo_.message(std::move(request)); });
    }
    for (const Kind kind : {Kind::kOfferRequest, Kind::kPageRequest, Kind::kConfirmRequest}) {
      rpc_.handle(kind, [this](Request request) { takeover_.message(std::move(request)); });
    }
    for (const Kind kind : Upkeep::kKinds) {
      rpc_.handle(kind, [this](Request request) { upkeep_.message(std::move(request)); });
    }
    rpc_.handle(Kind::kStatusRequest,
                [this](Request request) { scope_.spawn(say_status(std::move(request))); });
  }
  // A cluster begins empty, so that everyone's part of the first ring is whole; unless this node
  // was part of it before, and lost it.
  Task<Result<void>> found() {
    if (!membership_.table().in_ring(rpc_.self())) co_return Result<void>();
    const Ring& ring = *membership_.view().now;
    std::vector<PositionRange> home;
    for (const uint32_t partition : ring.partitions_of(rpc_.self(), options_.dynamo.n))
      home.push_back(ring.range(partition));
    const bool refilled = membership_.lost_state() && takeover_.refill(membership_.view());
    co_return co_await partitions_.hold(std::move(home), !refilled);
  }
  // A stranger knows of no change of the ring in time: what it would coordinate could miss quorums.
  bool in_ring(const Request& request) {
    if (membership_.takes_part()) return true;
    host_.trace().probe("node.stranger_asked");
    rpc_.reply(request, Status::kFailed, encode_empty());
    return false;
  }
  void ring_changed() {
    status_.incarnation = membership_.incarnation();
    dynamo_.reconfigure(membership_.view());
    upkeep_.reconfigure(membership_.view());
    status_.members = static_cast<uint32_t>(membership_.size());
    status_.takes_part = membership_.takes_part();
    status_.lost_state = membership_.lost_state();
    status_.ticket = membership_.view().ticket;
  }
  Task<void> say_status(Request request) {
    std::vector<StatusSection> sections;
    for (const StatusSource* source : sources_) source->describe(sections);
    const auto steps = co_await membership_.history(kHistoryShown);
    if (steps.ok()) describe_history(*steps, sections);
    rpc_.reply(request, Status::kOk, encode_status(sections));
  }

  Host& host_;
  NodeOptions options_;
  Engine& engine_;
  NodeStatus own_status_;
  NodeStatus& status_;
  Rpc rpc_;
  Partitions partitions_;
  Background background_;
  Membership membership_;
  Dynamo dynamo_;
  Takeover takeover_;
  Upkeep upkeep_;
  Report report_;
  std::vector<const StatusSource*> sources_;  // of status, in this order
  Scope scope_;
};

}  // namespace

Task<void> run_node(Host& host, NodeOptions options, NodeStatus* status) {
  if (options.engine.kind == EngineKind::kLsm) {
    options.engine.one_tablet = false;  // one a partition
    if (options.upkeep.anti_entropy && options.engine.merkle_depth == 0)
      options.engine.merkle_depth = kMerkleDepth;
  }
  Result<std::unique_ptr<Engine>> engine = co_await Engine::open(host, options.engine);
  if (!engine.ok()) {
    host.abort(engine.error().text());
    co_return;
  }
  Node node(host, std::move(options), **engine, status);
  co_await node.serve();
}

}  // namespace ringside
