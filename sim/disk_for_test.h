// A disk without a world, for tests: its events in order of time, and calls made one at a time,
// each to its end.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/disk_device.h"

namespace ringside::sim {

// Calls remember that they were completed.
class Bench : public DiskEvents, public Disk {
 public:
  explicit Bench(DiskModel model, uint64_t key = 7) : device(model, key, *this) {}

  void schedule(Time at, uint64_t id) override {
    EXPECT_GE(at, now);
    events.emplace(at, id);
  }
  void start(DiskCall& call) override { device.submit(now, call); }
  void abandon(DiskCall& call) override { device.abandon(call); }

  // The event is over: the completion reaches its caller, if there is one.
  bool step() {
    if (events.empty()) return false;
    const auto [at, id] = *events.begin();
    events.erase(events.begin());
    now = at;
    if (DiskCall* call = device.complete(id)) {
      call->in_flight = false;
      completed.push_back(call);
    }
    return true;
  }
  void run() {
    while (step()) {
    }
  }

  Time now = 0;
  std::multimap<Time, uint64_t> events;
  std::vector<DiskCall*> completed;
  DiskDevice device;
};

// One call as a coroutine would make it, to its end.
template <class T, class Make>
Result<T> ask(Bench& bench, Make make) {
  DiskAwaiter<T> call = make();
  call.in_flight = true;
  bench.start(call);
  bench.run();
  EXPECT_FALSE(call.in_flight);
  return call.await_resume();
}

inline FileId open(Bench& bench, std::string path, uint8_t flags = Disk::kCreate) {
  return *ask<FileId>(bench, [&] { return bench.open(path, flags); });
}
inline Result<void> write(Bench& bench, FileId file, uint64_t offset, std::string_view bytes) {
  return ask<void>(bench, [&] { return bench.write_at(file, offset, Buffer::copy_of(bytes)); });
}
inline Result<void> sync(Bench& bench, FileId file) {
  return ask<void>(bench, [&] { return bench.sync(file); });
}
inline std::string read(Bench& bench, FileId file, uint64_t offset, uint64_t length) {
  return std::string(
      ask<Buffer>(bench, [&] { return bench.read_at(file, offset, length); })->view());
}

inline constexpr PowerLossRules kDropAll{.page_kept = 0,
                                         .page_garbage = 0,
                                         .page_torn = 0,
                                         .size_kept = 0,
                                         .size_between = 0,
                                         .name_kept = 0};

inline DiskModel constant_model(Duration write, Duration sync) {
  DiskModel model;
  model.write = Distribution::constant(write);
  model.sync = Distribution::constant(sync);
  model.power_loss = kDropAll;
  return model;
}

}  // namespace ringside::sim
