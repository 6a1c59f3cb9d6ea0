#include "cli/serve.h"

#include <signal.h>
#include <stdio.h>

#include <algorithm>
#include <deque>
#include <memory>

#include "node/node.h"
#include "posix/host.h"

namespace ringside::cli {
namespace {

constexpr uint32_t kNodesMax = 1'000;
constexpr Duration kMeetTimeout = 2 * kSecond;
constexpr Duration kMeetAgainMax = 5 * kSecond;

int complain(int code, const std::string& line) {
  fprintf(stderr, "ringside serve: %s\n", line.c_str());
  return code;
}

// What is wrong with the options, or nothing.
std::string mistake(const ServeOptions& options) {
  if (options.data.empty()) return "--data names the directory for the nodes' files";
  if (options.nodes == 0 || options.nodes > kNodesMax)
    return "--nodes must be from 1 to " + std::to_string(kNodesMax);
  if (options.n == 0 || options.n > options.nodes)
    return "--n (copies of a key) must be from 1 to --nodes";
  if (options.r == 0 || options.r > options.n)
    return "--r (replies a get waits for) must be from 1 to --n";
  if (options.w == 0 || options.w > options.n)
    return "--w (replies a put waits for) must be from 1 to --n";
  if (options.node_id == 0) {
    if (!options.listen.empty() || !options.join.empty())
      return "--listen and --join go with --node-id";
    if (options.port != 0 && options.port + options.nodes - 1 > 65'535)
      return "--port leaves no room for every node's port";
    return {};
  }
  if (options.node_id > options.nodes && options.join.empty())
    return "--node-id must be from 1 to --nodes";
  if (options.listen.empty()) return "--node-id needs --listen HOST:PORT";
  return {};
}

class Server {
 public:
  explicit Server(const ServeOptions& options)
      : options_(options), loop_({.thread_pool_files = options.thread_pool_files}) {}

  int run() {
    const NodeId last = std::max<NodeId>(options_.nodes, options_.node_id);
    for (NodeId id = 1; id <= last; ++id) {
      if (options_.node_id != 0 && options_.node_id != id) continue;
      const Result<void> opened = open(id);
      if (!opened.ok()) return complain(2, opened.error().message);
    }
    introduce_all();
    for (Node& node : nodes_) start(node);
    bool ended = false;
    loop_.on_signals({SIGINT, SIGTERM}, [&](int) { ended = true; });
    const auto stopped = [&] { return ended || gave_up_ != nullptr; };
    const auto serving = [&] {
      for (const Node& node : nodes_) {
        if (!node.status.serving) return false;
      }
      return true;
    };
    wait([&] { return stopped() || serving(); });
    if (!stopped()) {
      introduce_all();  // the engines may have kept addresses of an earlier start
      announce();
    }
    wait(stopped);
    if (gave_up_ != nullptr)
      return complain(4, "node " + std::to_string(gave_up_->id) + " gave up: " + reason_);
    return 0;
  }

 private:
  struct Node {
    NodeId id = 0;
    NodeStatus status;
    std::unique_ptr<posix::RealHost> host;  // dies before the status that its program writes
  };

  Result<void> open(NodeId id) {
    posix::HostOptions host;
    host.id = id;
    host.data_directory = options_.data + "/node-" + std::to_string(id);
    host.owner = "node " + std::to_string(id) + " of " + std::to_string(options_.nodes) + " with " +
                 std::to_string(options_.n) + " copies of a key";
    host.trace = options_.verbose;
    const uint32_t port = options_.port == 0 ? 0 : options_.port + id - 1;
    host.listen = options_.node_id != 0 ? options_.listen : "127.0.0.1:" + std::to_string(port);
    Result<std::unique_ptr<posix::RealHost>> opened = posix::RealHost::open(loop_, host);
    if (!opened.ok()) return opened.error();
    Node& node = nodes_.emplace_back();
    node.id = id;
    node.host = std::move(*opened);
    return {};
  }

  void introduce_all() {
    for (Node& node : nodes_) {
      for (const Node& other : nodes_) {
        if (node.id != other.id)
          CHECK(node.host->network().learn(other.id, other.host->network().address()).ok());
      }
    }
  }

  void start(Node& node) {
    NodeOptions options;
    options.engine.fill_segments = true;
    options.dynamo.n = options_.n;
    options.dynamo.r = options_.r;
    options.dynamo.w = options_.w;
    // A node beyond the founding ones is a stranger, and asks those for a seat.
    const bool stranger = node.id > options_.nodes;
    for (NodeId id = 1; id <= options_.nodes && !stranger; ++id)
      options.members.push_back({.id = id});
    options.ask_to_join = stranger;
    if (options_.node_id != 0) {
      // It asks them all until one answers; whom it can reach at first is whom it meets below.
      for (NodeId id = 1; id <= options_.nodes; ++id) {
        if (id != node.id) options.seeds.push_back(id);
      }
      for (const std::string& address : options_.join)
        node.host->spawn(meet(node.host.get(), address));
    }
    node.host->on_abort([this, &node](std::string_view why) {
      gave_up_ = &node;
      reason_ = why;
    });
    node.host->spawn(run_node(*node.host, options, &node.status));
  }

  // Until it is there: nodes may be started in any order.
  static Task<void> meet(posix::RealHost* host, std::string address) {
    Duration pause = 250 * kMillisecond;
    bool told = false;
    while (true) {
      const Result<NodeId> who = co_await host->meet(address, kMeetTimeout);
      if (who.ok()) co_return;
      if (!told) fprintf(stderr, "ringside serve: %s; trying again\n", who.error().message.c_str());
      told = true;
      co_await host->clock().sleep(pause);
      pause = std::min(2 * pause, kMeetAgainMax);
    }
  }

  void announce() {
    std::string line = "ready";
    for (const Node& node : nodes_) line += " " + node.host->network().address();
    printf("%s\n", line.c_str());
    fflush(stdout);
  }

  void wait(const std::function<bool()>& done) {
    while (!loop_.run_until(done, kSecond)) {
    }
  }

  const ServeOptions& options_;
  posix::Loop loop_;
  std::deque<Node> nodes_;
  const Node* gave_up_ = nullptr;
  std::string reason_;
};

}  // namespace

int run_serve(const ServeOptions& options) {
  const std::string wrong = mistake(options);
  if (!wrong.empty()) return complain(2, wrong);
  signal(SIGPIPE, SIG_IGN);  // whoever read our ready line may be gone
  return Server(options).run();
}

}  // namespace ringside::cli
