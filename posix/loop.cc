#include "posix/loop.h"

#include <time.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>

#include "posix/file_backend.h"
#include "posix/watch.h"

namespace ringside::posix {

namespace asio = boost::asio;
using boost::system::error_code;

class Loop::Impl {
 public:
  Impl() : context(1), signals(context), resolver(context) {}

  void await_signal() {
    signals.async_wait([this](error_code error, int signal) {
      if (error) return;
      on_signal(signal);
      await_signal();
    });
  }

  asio::io_context context;
  asio::signal_set signals;
  asio::ip::tcp::resolver resolver;
  std::function<void(int)> on_signal;
  bool stopped = false;
  std::unique_ptr<FileBackend> files;
};

Loop::Loop(LoopOptions options) : impl_(std::make_unique<Impl>()) {
  impl_->files = std::make_unique<FileBackend>(*this, options);
}

Loop::~Loop() { impl_->files.reset(); }

void Loop::run() {
  impl_->stopped = false;
  impl_->context.restart();
  const auto guard = asio::make_work_guard(impl_->context);
  while (!impl_->stopped) impl_->context.run_one();
}

void Loop::stop() {
  impl_->stopped = true;
  post([] {});
}

bool Loop::run_until(const std::function<bool()>& done, Duration at_most) {
  impl_->context.restart();
  const auto guard = asio::make_work_guard(impl_->context);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::nanoseconds(at_most);
  while (!done()) {
    if (impl_->context.run_one_until(deadline) == 0) return done();
  }
  return true;
}

void Loop::post(std::function<void()> action) { asio::post(impl_->context, std::move(action)); }

void Loop::on_signals(std::vector<int> signals, std::function<void(int)> action) {
  impl_->on_signal = std::move(action);
  for (const int signal : signals) impl_->signals.add(signal);
  impl_->await_signal();
}

void Loop::resolve(const std::string& host, const std::string& port,
                   std::function<void(std::string, std::string)> answer) {
  using Tcp = asio::ip::tcp;
  const auto bytes_of = [](const Tcp::endpoint& endpoint) {
    return std::string(reinterpret_cast<const char*>(endpoint.data()), endpoint.size());
  };
  error_code not_numeric;
  const asio::ip::address numeric = asio::ip::make_address(host, not_numeric);
  if (!not_numeric) {
    const auto number = static_cast<unsigned short>(std::stoi(port));
    post([answer = std::move(answer), found = bytes_of({numeric, number})] { answer(found, {}); });
    return;
  }
  impl_->resolver.async_resolve(
      host, port,
      [answer = std::move(answer), bytes_of](error_code error, Tcp::resolver::results_type found) {
        if (error == asio::error::operation_aborted) return;
        if (error || found.empty()) return answer({}, error ? error.message() : "no such address");
        answer(bytes_of(found.begin()->endpoint()), {});
      });
}

bool Loop::uses_io_uring() const { return impl_->files->uses_io_uring(); }

FileTraffic Loop::file_traffic() const { return impl_->files->traffic(); }

FileBackend& Loop::files() { return *impl_->files; }

Time Loop::monotonic() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * kSecond + now.tv_nsec;
}

// Handlers share the state, so that one that Asio still holds finds the Watch gone instead of
// freed.
struct Watch::State {
  State(Loop& loop, int fd) : descriptor(loop.impl().context, fd) {}
  asio::posix::stream_descriptor descriptor;
  std::function<void()> readable, writable;
  bool alive = true;
  bool reading = false, writing = false;
};

Watch::Watch(Loop& loop, int fd, std::function<void()> readable, std::function<void()> writable)
    : state_(std::make_shared<State>(loop, fd)) {
  state_->readable = std::move(readable);
  state_->writable = std::move(writable);
}

Watch::~Watch() {
  state_->alive = false;
  state_->descriptor.release();  // cancels, and leaves the descriptor open for its owner
}

void Watch::want_read() {
  if (std::exchange(state_->reading, true)) return;
  state_->descriptor.async_wait(asio::posix::descriptor_base::wait_read,
                                [state = state_](error_code error) {
                                  if (!state->alive) return;
                                  state->reading = false;
                                  if (error != asio::error::operation_aborted) state->readable();
                                });
}

void Watch::want_write() {
  if (std::exchange(state_->writing, true)) return;
  state_->descriptor.async_wait(asio::posix::descriptor_base::wait_write,
                                [state = state_](error_code error) {
                                  if (!state->alive) return;
                                  state->writing = false;
                                  if (error != asio::error::operation_aborted) state->writable();
                                });
}

struct Alarm::State {
  explicit State(Loop& loop) : timer(loop.impl().context) {}
  asio::steady_timer timer;
  std::function<void()> ring;
  uint64_t generation = 0;  // a handler of an earlier time may be on its way already
};

Alarm::Alarm(Loop& loop, std::function<void()> ring) : state_(std::make_shared<State>(loop)) {
  state_->ring = std::move(ring);
}

Alarm::~Alarm() { cancel(); }

void Alarm::cancel() {
  ++state_->generation;
  state_->timer.cancel();
}

void Alarm::set(Time at) {
  const uint64_t generation = ++state_->generation;
  using Steady = std::chrono::steady_clock;  // CLOCK_MONOTONIC, as Loop::monotonic
  state_->timer.expires_at(Steady::time_point(std::chrono::nanoseconds(at)));
  state_->timer.async_wait([state = state_, generation](error_code error) {
    if (!error && state->generation == generation) state->ring();
  });
}

}  // namespace ringside::posix
