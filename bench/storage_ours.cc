// A session of ours: coroutines on the real host, inside its loop, whose thread is the client's.
#include <algorithm>
#include <utility>

#include "bench/storage.h"
#include "bench/storage_data.h"
#include "bench/storage_measure.h"
#include "bench/storage_profile.h"
#include "bench/storage_settle.h"
#include "posix/host.h"
#include "storage/engine.h"

namespace ringside::bench {
namespace {

template <class T>
T must(Result<T> result) {
  if (!result.ok()) std::fprintf(stderr, "ours: %s\n", result.error().text().c_str());
  CHECK(result.ok());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// co_await turn(loop): everybody else first.
auto turn(posix::Loop& loop) {
  struct Awaiter {
    posix::Loop& loop;
    bool await_ready() const { return false; }
    void await_suspend(std::coroutine_handle<> caller) {
      loop.post([caller] { caller.resume(); });
    }
    void await_resume() {}
  };
  return Awaiter{loop};
}

class OurSession {
 public:
  explicit OurSession(const Setup& setup) : setup_(setup), data_(setup) {
    host_ = must(posix::RealHost::open(loop_, {.id = 1, .data_directory = setup.directory}));
    host_->on_abort([](std::string_view why) {
      std::fprintf(stderr, "ours: %.*s\n", static_cast<int>(why.size()), why.data());
      std::exit(4);
    });
  }

  std::vector<Measured> run(const std::vector<Step>& steps) {
    std::vector<Measured> measured;
    wait_for(open(/*sync=*/steps.front().kind == Kind::kSynced));
    for (const Step& step : steps) measured.push_back(run(step));
    wait_for(close());
    return measured;
  }

 private:
  void wait_for(Task<void> task) {
    host_->spawn(until_done(std::move(task)));
    loop_.run();
  }
  Task<void> until_done(Task<void> task) {
    co_await std::move(task);
    loop_.stop();
  }

  Task<void> open(bool sync) {
    EngineOptions options;
    options.memtable_bytes_max = setup_.memtable_bytes();
    options.log_bytes_max = 8 * setup_.memtable_bytes();  // the memtable is what fills up
    options.block_cache_bytes = setup_.cache_bytes();
    options.sync = sync;
    options.fill_segments = true;
    options.merkle_depth = setup_.merkle_depth;
    engine_ = must(co_await Engine::open(*host_, options));
  }
  Task<void> close() { must(co_await engine_->close()); }

  Measured run(const Step& step) {
    if (!writes(step.kind)) {
      settle([this](double seconds) {
        loop_.run_until([] { return false; }, static_cast<Duration>(seconds * 1e9));
      });
    }
    if (step.kind == Kind::kFillSequential) data_.filled_in_order(true);
    const Profile profile(step.reported ? setup_.profile : "");
    Meter meter(setup_, step);
    const posix::FileTraffic before = loop_.file_traffic();
    wait_for(task_of(meter));
    const posix::FileTraffic after = loop_.file_traffic();
    return meter.result(setup_, data_.filled(),
                        {static_cast<double>(after.read_bytes - before.read_bytes),
                         static_cast<double>(after.written_bytes - before.written_bytes)});
  }

  Task<void> task_of(Meter& meter) {
    switch (meter.step().kind) {
      case Kind::kFillSequential:
      case Kind::kFillRandom: return fill(meter);
      case Kind::kOverwrite: return overwrite(meter);
      case Kind::kReadHit: return read(meter, /*hit=*/true);
      case Kind::kReadMiss: return read(meter, /*hit=*/false);
      case Kind::kScan: return scan(meter);
      case Kind::kReadWhileWriting: return read_while_writing(meter);
      case Kind::kSynced: return synced(meter);
    }
    std::abort();
  }

  Result<Lsn> submit(Meter& meter, uint64_t number) {
    batch_.clear();
    batch_.put(Key(number).view(), data_.value(number));
    Result<Lsn> taken = engine_->submit(batch_);
    if (taken.ok()) {
      meter.put_bytes(kKeyBytes + setup_.value_bytes);
    } else if (taken.code() != Code::kOverloaded) {
      must(std::move(taken));
    }
    return taken;
  }
  // What an unsynced put waits for: room, when there was none, and now and then the loop.
  Task<void> put_later(Meter& meter, uint64_t number) {
    do co_await engine_->room();
    while (!submit(meter, number).ok());
  }

  Task<void> fill(Meter& meter) {
    while (meter.goes_on()) {
      const uint64_t number = data_.number(meter.done());
      if (!submit(meter, number).ok()) co_await put_later(meter, number);
      if (++puts_ % kTurn == 0) co_await turn(loop_);
      meter.ended();
      data_.filled(meter.done());
    }
  }
  Task<void> overwrite(Meter& meter) {
    while (meter.goes_on()) {
      const uint64_t number = data_.any_present();
      if (!submit(meter, number).ok()) co_await put_later(meter, number);
      if (++puts_ % kTurn == 0) co_await turn(loop_);
      meter.ended();
    }
  }

  void check(uint64_t number, bool hit, const std::optional<std::string_view>& value) const {
    CHECK(value.has_value() == hit);
    if (hit) data_.check(number, *value);
  }
  // True when memory alone could tell.
  bool read_in_memory(uint64_t number, bool hit) {
    const MemoryLookup seen = engine_->lookup(Key(number).view(), View::kLatest);
    if (seen.state == MemoryLookup::State::kNotInMemory) return false;
    if (seen.state == MemoryLookup::State::kFound) {
      check(number, hit, seen.value);
    } else {
      check(number, hit, std::nullopt);
    }
    return true;
  }
  Task<void> read_from_disk(uint64_t number, bool hit) {
    std::string key(Key(number).view());
    check(number, hit, must(co_await engine_->get(std::move(key), View::kLatest)));
  }
  Task<void> read(Meter& meter, bool hit) {
    while (meter.goes_on()) {
      const uint64_t number = hit ? data_.any_present() : data_.any_absent();
      if (!read_in_memory(number, hit)) co_await read_from_disk(number, hit);
      meter.ended();
    }
  }
  Task<void> scan(Meter& meter) {
    while (meter.goes_on()) {
      const std::string begin(Key(data_.any_present()).view());
      const ScanLimits limits{.rows_max = kScanRows, .bytes_max = ~uint64_t{0}};
      const Rows rows = must(co_await engine_->scan(begin, "", limits, View::kLatest));
      CHECK(!rows.empty() && rows.front().key == begin);
      meter.ended();
    }
  }
  Task<void> read_while_writing(Meter& meter) {
    while (meter.goes_on()) {
      const uint64_t number = data_.any_present();
      if (!read_in_memory(number, true)) co_await read_from_disk(number, true);
      meter.ended();
      const uint64_t other = data_.any_present();
      if (!submit(meter, other).ok()) co_await put_later(meter, other);
      if (++puts_ % kTurn == 0) co_await turn(loop_);
      meter.began();
    }
  }

  Task<void> synced(Meter& meter) {
    begun_ = 0;
    Scope writers(host_->ready());
    for (uint64_t i = 0; i < meter.step().writers; ++i) writers.spawn(synced_writer(meter));
    co_await writers.join();
    data_.filled(std::max(data_.filled(), std::min(meter.done(), setup_.entries)));
  }
  Task<void> synced_writer(Meter& meter) {
    while (meter.goes_on() && begun_ < meter.step().operations) {
      const uint64_t number = data_.number(begun_++ % setup_.entries);
      const int64_t start = now_ns();
      Result<Lsn> taken = submit(meter, number);
      for (; !taken.ok(); taken = submit(meter, number)) co_await engine_->room();
      must(co_await engine_->durable(*taken));
      const int64_t now = now_ns();
      meter.took(now - start, now);
    }
  }

  const Setup& setup_;
  Data data_;
  posix::Loop loop_;
  std::unique_ptr<posix::RealHost> host_;
  std::unique_ptr<Engine> engine_;
  Batch batch_;
  uint64_t puts_ = 0;
  uint64_t begun_ = 0;  // synced puts of a step
};

}  // namespace

std::vector<Measured> run_ours(const Setup& setup, const std::vector<Step>& steps) {
  return OurSession(setup).run(steps);
}

}  // namespace ringside::bench
