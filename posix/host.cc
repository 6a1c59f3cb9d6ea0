#include "posix/host.h"

#include <stdio.h>
#include <sys/random.h>

#include <optional>

#include "posix/clock.h"
#include "posix/data_directory.h"
#include "posix/disk.h"
#include "posix/network.h"
#include "posix/overlay_disk.h"
#include "posix/tcp.h"
#include "runtime/deadline.h"

namespace ringside::posix {
namespace {

// Nobody may foresee or repeat a process's draws.
uint64_t entropy() {
  uint64_t seed = 0;
  CHECK(getrandom(&seed, sizeof seed, 0) == sizeof seed);
  return seed;
}

class RealCpu final : public Cpu {
 public:
  explicit RealCpu(Process& process) : process_(process) {}
  void charge(uint64_t units) override {
    process_.charged_now += units;
    process_.charged_total += units;
  }
  uint64_t charged() const override { return process_.charged_now; }

 private:
  Process& process_;
};

class RealTrace final : public Trace {
 public:
  RealTrace(NodeId node, bool events) : node_(node) { enabled_ = events; }
  void probe(std::string_view name) override { ++probes_[std::string(name)]; }
  void event(const TraceEvent& event) override {
    if (!enabled_) return;
    const Time now = Loop::monotonic();
    fprintf(stderr, "%lld.%06lld node %u %.*s %.*s operation %llx %s\n",
            static_cast<long long>(now / kSecond),
            static_cast<long long>(now % kSecond / kMicrosecond), node_,
            static_cast<int>(event.name.size()), event.name.data(),
            static_cast<int>(event.key.size()), event.key.data(),
            static_cast<unsigned long long>(event.operation), event.detail.c_str());
  }
  uint64_t count(std::string_view name) const {
    const auto found = probes_.find(name);
    return found == probes_.end() ? 0 : found->second;
  }

 private:
  NodeId node_;
  std::map<std::string, uint64_t, std::less<>> probes_;
};

}  // namespace

Random entropy_random() { return Random(entropy()); }

class RealHost::Impl {
 public:
  Impl(Loop& loop, const HostOptions& options, DataDirectory directory, int listener,
       std::string address)
      : process(loop),
        seed(entropy()),
        jitter(mix(seed, 1)),
        directory(std::move(directory)),
        clock(process),
        network(process, jitter, options.id, listener, std::move(address), options.window_bytes,
                options.greet_within),
        real_disk(process, this->directory.files()),
        cpu(process),
        trace(options.id, options.trace),
        scope(process.ready) {}
  ~Impl() {
    process.die();
    scope.cancel();
  }

  void end() {
    scope.cancel();
    if (on_abort) std::exchange(on_abort, nullptr)(reason);
  }

  Process process;
  uint64_t seed;
  Random jitter;
  std::map<std::string, Random, std::less<>> streams;
  DataDirectory directory;
  RealClock clock;
  RealNetwork network;
  RealDisk real_disk;
  std::unique_ptr<OverlayDisk> overlay;  // in place of the real one
  RealCpu cpu;
  RealTrace trace;
  bool aborted = false;
  std::string reason;
  std::function<void(std::string_view)> on_abort;
  Scope scope;  // last: its tasks use all of the above
};

RealHost::RealHost(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RealHost::~RealHost() = default;

Result<std::unique_ptr<RealHost>> RealHost::open(Loop& loop, HostOptions options) {
  CHECK(options.id != 0 && options.id != kNoNode);
  DataDirectory directory;
  if (!options.data_directory.empty()) {
    Result<DataDirectory> opened = DataDirectory::open(
        options.data_directory,
        options.owner.empty() ? "node " + std::to_string(options.id) : options.owner);
    if (!opened.ok()) return opened.error();
    directory = std::move(*opened);
  }
  int listener = -1;
  std::string address = options.advertise;
  if (!address.empty()) {
    const Result<HostPort> parts = split_address(address);
    if (!parts.ok()) return parts.error();
  }
  if (!options.listen.empty()) {
    const Result<int> listening = listen_at(options.listen);
    if (!listening.ok()) return listening.error();
    listener = *listening;
    if (address.empty()) address = local_address(listener);
  }
  auto impl =
      std::make_unique<Impl>(loop, options, std::move(directory), listener, std::move(address));
  if (!options.overlay_directory.empty()) {
    Result<std::unique_ptr<OverlayDisk>> overlay =
        OverlayDisk::open(impl->process, options.overlay_directory, options.overlay_as);
    if (!overlay.ok()) return overlay.error();
    impl->overlay = *std::move(overlay);
  }
  return std::unique_ptr<RealHost>(new RealHost(std::move(impl)));
}

Clock& RealHost::clock() { return impl_->clock; }
Network& RealHost::network() { return impl_->network; }
Disk& RealHost::disk() {
  if (impl_->overlay != nullptr) return *impl_->overlay;
  return impl_->real_disk;
}
Cpu& RealHost::cpu() { return impl_->cpu; }
Trace& RealHost::trace() { return impl_->trace; }
ReadyList& RealHost::ready() { return impl_->process.ready; }

Random& RealHost::random(std::string_view stream) {
  const auto found = impl_->streams.find(stream);
  if (found != impl_->streams.end()) return found->second;
  return impl_->streams.emplace(stream, Random(mix(impl_->seed, hash_bytes(stream)))).first->second;
}

void RealHost::spawn(Task<void> task) {
  if (impl_->process.dead) return;
  impl_->scope.spawn(std::move(task));
  impl_->process.drain_soon();
}

void RealHost::abort(std::string_view why) {
  if (impl_->process.dead) return;
  impl_->aborted = true;
  impl_->reason = why;
  impl_->process.die();
  impl_->process.post([impl = impl_.get()] { impl->end(); });
}

Task<Result<NodeId>> RealHost::meet(std::string address, Duration at_most) {
  Result<NodeId> who = co_await with_deadline(impl_->clock, impl_->clock.now() + at_most,
                                              impl_->network.meet(address));
  if (!who.ok() && who.code() == Code::kTimeout)
    co_return Error{Code::kTimeout, address + ": no answer"};
  co_return who;
}

std::string RealHost::address_of(NodeId peer) const { return impl_->network.address_of(peer); }
void RealHost::on_abort(std::function<void(std::string_view)> action) {
  impl_->on_abort = std::move(action);
}
bool RealHost::aborted() const { return impl_->aborted; }
uint64_t RealHost::probe_count(std::string_view name) const { return impl_->trace.count(name); }

}  // namespace ringside::posix
