// A session of a peer: blocking calls, one thread, or as many as there are writers in flight.
#include <atomic>
#include <chrono>
#include <thread>

#include "bench/rows.h"
#include "bench/storage.h"
#include "bench/storage_data.h"
#include "bench/storage_measure.h"
#include "bench/storage_profile.h"
#include "bench/storage_settle.h"

namespace ringside::bench {
namespace {

class PeerSession {
 public:
  PeerSession(Peer& peer, const Setup& setup) : peer_(peer), setup_(setup), data_(setup) {}

  Measured run(const Step& step) {
    if (!writes(step.kind)) settle([](double s) { sleep_for(s); });
    if (step.kind == Kind::kFillSequential) data_.filled_in_order(true);
    while (step.kind == Kind::kSynced && writers_.size() < step.writers)
      writers_.push_back(std::make_unique<Data>(setup_));
    const Profile profile(step.reported ? setup_.profile : "");
    const Traffic before = Traffic::of_process();
    Meter meter(setup_, step);
    switch (step.kind) {
      case Kind::kFillSequential:
      case Kind::kFillRandom: fill(meter); break;
      case Kind::kOverwrite: overwrite(meter); break;
      case Kind::kReadHit: read_hit(meter); break;
      case Kind::kReadMiss: read_miss(meter); break;
      case Kind::kScan: scan(meter); break;
      case Kind::kReadWhileWriting: read_while_writing(meter); break;
      case Kind::kSynced: synced(meter); break;
    }
    Traffic moved = Traffic::of_process();
    moved.written_bytes -= before.written_bytes;
    moved.read_bytes = peer_.counts_reads() ? moved.read_bytes - before.read_bytes : -1;
    return meter.result(setup_, data_.filled(), moved);
  }

 private:
  static void sleep_for(double seconds) {
    std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
  }

  void put(Meter& meter, uint64_t number) {
    peer_.put(Key(number).view(), data_.value(number), /*sync=*/false);
    meter.put_bytes(kKeyBytes + setup_.value_bytes);
    if (++puts_ % kTurn == 0) peer_.flush_log();
  }
  void get(uint64_t number) {
    CHECK(peer_.get(Key(number).view(), value_));
    data_.check(number, value_);
  }

  void fill(Meter& meter) {
    while (meter.goes_on()) {
      put(meter, data_.number(meter.done()));
      meter.ended();
      data_.filled(meter.done());
    }
  }
  void overwrite(Meter& meter) {
    while (meter.goes_on()) {
      put(meter, data_.any_present());
      meter.ended();
    }
  }
  void read_hit(Meter& meter) {
    while (meter.goes_on()) {
      get(data_.any_present());
      meter.ended();
    }
  }
  void read_miss(Meter& meter) {
    while (meter.goes_on()) {
      const uint64_t number = data_.any_absent();
      CHECK(!peer_.get(Key(number).view(), value_));
      meter.ended();
    }
  }
  void scan(Meter& meter) {
    uint64_t bytes = 0;
    while (meter.goes_on()) {
      const uint64_t rows = peer_.scan(Key(data_.any_present()).view(), kScanRows, bytes);
      CHECK(rows > 0);
      meter.ended();
    }
    CHECK(bytes > 0);
  }
  void read_while_writing(Meter& meter) {
    while (meter.goes_on()) {
      get(data_.any_present());
      meter.ended();
      put(meter, data_.any_present());
      meter.began();
    }
  }

  // The threads take entries off one counter; each measures for itself.
  void synced(Meter& meter) {
    std::atomic<uint64_t> next = 0;
    std::vector<Meter> meters(meter.step().writers, meter);
    std::vector<std::thread> threads;
    for (std::size_t i = 0; i < meters.size(); ++i) {
      threads.emplace_back([&, i] {
        Meter& own = meters[i];
        Data& values = *writers_[i];
        own.began();
        while (own.goes_on()) {
          const uint64_t index = next++;
          if (index >= own.step().operations) break;
          const uint64_t number = values.number(index % setup_.entries);
          peer_.put(Key(number).view(), values.value(number), /*sync=*/true);
          own.ended();
          own.put_bytes(kKeyBytes + setup_.value_bytes);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const Meter& own : meters) meter.add(own);
    data_.filled(std::max(data_.filled(), std::min(meter.done(), setup_.entries)));
  }

  Peer& peer_;
  const Setup& setup_;
  Data data_;
  std::vector<std::unique_ptr<Data>> writers_;  // one a thread
  std::string value_;
  uint64_t puts_ = 0;
};

}  // namespace

std::vector<Measured> run_peer(Peer& peer, const Setup& setup, const std::vector<Step>& steps) {
  PeerSession session(peer, setup);
  std::vector<Measured> measured;
  for (const Step& step : steps) measured.push_back(session.run(step));
  return measured;
}

}  // namespace ringside::bench
