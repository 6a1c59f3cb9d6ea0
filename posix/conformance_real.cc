// The real hosts' stages: loopback addresses that no other run uses, and a directory of their own.
#include <stdlib.h>
#include <unistd.h>

#include <array>
#include <filesystem>

#include "posix/conformance.h"
#include "posix/conformance_stages.h"
#include "posix/host.h"
#include "posix/tcp.h"

namespace ringside::conformance {
namespace {

class RealStage final : public Stage {
 public:
  explicit RealStage(bool thread_pool) : loop_({.thread_pool_files = thread_pool}) {
    char name[] = "/tmp/ringside-conformance-XXXXXX";
    directory_ = mkdtemp(name);
    const int process = getpid();
    for (NodeId node = 1; node <= 3; ++node) {
      // All of 127/8 is this machine; a host of our own keeps the port free between two processes
      // of a place.
      const std::string host =
          "127.77." + std::to_string(process >> 8 & 255) + "." + std::to_string(process & 255);
      Result<int> listening = posix::listen_at(host + ":0");
      addresses_[node] = posix::local_address(*listening);
      close(*listening);
    }
  }
  ~RealStage() override {
    for (auto& host : hosts_) host.reset();
    std::filesystem::remove_all(directory_);
  }

  void start(NodeId node, Program program) override {
    CHECK(hosts_[node] == nullptr);
    posix::HostOptions options;
    options.id = node;
    options.listen = addresses_[node];
    options.data_directory = directory_ + "/" + std::to_string(node);
    Result<std::unique_ptr<posix::RealHost>> host = posix::RealHost::open(loop_, options);
    ASSERT_TRUE(host.ok()) << host.error().text();
    hosts_[node] = std::move(*host);
    aborted_[node] = false;
    hosts_[node]->on_abort([this, node](std::string_view) { aborted_[node] = true; });
    hosts_[node]->spawn(program(*hosts_[node]));
  }
  void kill(NodeId node) override { hosts_[node].reset(); }
  bool running(NodeId node) override { return hosts_[node] != nullptr && !aborted_[node]; }
  bool run_until(const std::function<bool()>& done) override {
    return loop_.run_until(done, 10 * kSecond);
  }
  void run_turns(int turns) override {
    loop_.run_until([&turns] { return turns-- <= 0; }, kMillisecond);
  }
  std::string address(NodeId node) override { return addresses_[node]; }

 private:
  posix::Loop loop_;
  std::string directory_;
  std::array<std::string, 4> addresses_;
  std::array<bool, 4> aborted_ = {};
  std::array<std::unique_ptr<posix::RealHost>, 4> hosts_;
};

}  // namespace

std::unique_ptr<Stage> real_stage(bool thread_pool) {
  return std::make_unique<RealStage>(thread_pool);
}
bool io_uring_works() { return posix::Loop().uses_io_uring(); }

}  // namespace ringside::conformance
