// The real hosts' stages: loopback addresses that no other run uses, and a directory of their own.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <optional>

#include "posix/conformance.h"
#include "posix/conformance_stages.h"
#include "posix/host.h"
#include "posix/small_disk.h"
#include "posix/tcp.h"

namespace ringside::conformance {
namespace {

class RealStage final : public Stage {
 public:
  RealStage(const posix::LoopOptions& loop, const StageOptions& options)
      : loop_(loop), options_(options) {
    if (!loop.thread_pool_files && !loop_.uses_io_uring())
      obstacle_ = "io_uring cannot be used here";
    char name[] = "/tmp/ringside-conformance-XXXXXX";
    directory_ = mkdtemp(name);
    if (options.disk_bytes != 0 && obstacle_.empty()) {
      small_disk_.emplace(directory_, options.disk_bytes);
      obstacle_ = small_disk_->obstacle();
    }
    const int process = getpid();
    std::vector<int> taken;  // until every place has its own
    for (NodeId node = 1; node <= kPlaces; ++node) {
      // All of 127/8 is this machine; a host of our own keeps the port free between two processes
      // of a place.
      const std::string host =
          "127.77." + std::to_string(process >> 8 & 255) + "." + std::to_string(process & 255);
      Result<int> listening = posix::listen_at(host + ":0");
      addresses_[node] = posix::local_address(*listening);
      taken.push_back(*listening);
    }
    for (const int fd : taken) close(fd);
  }
  ~RealStage() override {
    for (auto& host : hosts_) host.reset();
    for (NodeId node = 1; node <= kPlaces; ++node) reappear(node);
    small_disk_.reset();
    std::filesystem::remove_all(directory_);
  }

  void start(NodeId node, Program program) override {
    CHECK(hosts_[node] == nullptr);
    reappear(node);
    posix::HostOptions options;
    options.id = node;
    options.listen = addresses_[node];
    options.data_directory = directory_ + "/" + std::to_string(node);
    if (options_.greet_within != 0) options.greet_within = options_.greet_within;
    Result<std::unique_ptr<posix::RealHost>> host = posix::RealHost::open(loop_, options);
    ASSERT_TRUE(host.ok()) << host.error().text();
    hosts_[node] = std::move(*host);
    aborted_[node] = false;
    hosts_[node]->on_abort([this, node](std::string_view) { aborted_[node] = true; });
    hosts_[node]->spawn(program(*hosts_[node]));
  }
  void kill(NodeId node) override { hosts_[node].reset(); }
  void vanish(NodeId node) override {
    hold_sockets(node);
    kill(node);
  }
  bool running(NodeId node) override { return hosts_[node] != nullptr && !aborted_[node]; }
  bool run_until(const std::function<bool()>& done) override {
    return loop_.run_until(done, 30 * kSecond);
  }
  void run_turns(int turns) override {
    loop_.run_until([&turns] { return turns-- <= 0; }, kMillisecond);
  }
  std::string address(NodeId node) override { return addresses_[node]; }
  bool takes_any_address() const override { return false; }
  std::string obstacle() const override { return obstacle_; }

 private:
  // While we hold the process's sockets, its death closes none of them: the kernel takes a little
  // more of what comes and then nothing. Nobody is let in any more either: the queue at the door
  // is as short as can be, and somebody stands in it.
  void hold_sockets(NodeId node) {
    const posix::HostPort parts = *posix::split_address(addresses_[node]);
    std::string door;
    loop_.resolve(parts.host, parts.port, [&](std::string found, std::string) { door = found; });
    loop_.run_until([&] { return !door.empty(); }, kSecond);
    std::vector<int> sockets;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
      const int fd = std::stoi(entry.path().filename());
      if (posix::local_address(fd) == addresses_[node]) sockets.push_back(fd);
    }
    std::vector<int>& held = held_[node];
    for (const int fd : sockets) {
      held.push_back(fcntl(fd, F_DUPFD_CLOEXEC, 0));
      int listens = 0;
      socklen_t size = sizeof listens;
      getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size);
      if (listens != 0) listen(fd, 0);
    }
    held.push_back(posix::connect_to(door));
    for (const int fd : held) CHECK(fd >= 0);
  }
  void reappear(NodeId node) {
    for (const int fd : held_[node]) close(fd);
    held_[node].clear();
  }

  posix::Loop loop_;
  const StageOptions options_;
  std::string obstacle_;
  std::string directory_;
  std::optional<SmallDisk> small_disk_;
  std::array<std::string, kPlaces + 1> addresses_;
  std::array<bool, kPlaces + 1> aborted_ = {};
  std::array<std::vector<int>, kPlaces + 1> held_;  // of processes that have vanished
  std::array<std::unique_ptr<posix::RealHost>, kPlaces + 1> hosts_;
};

}  // namespace

std::unique_ptr<Stage> real_stage(const posix::LoopOptions& loop, const StageOptions& options) {
  return std::make_unique<RealStage>(loop, options);
}

}  // namespace ringside::conformance
