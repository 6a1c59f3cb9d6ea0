// What one step takes: a Meter is started before it, told of every operation, and read after it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "bench/storage.h"

namespace ringside::bench {

int64_t now_ns();

// Nanoseconds in buckets of a thirty-second of their size; the maximum exactly.
class Histogram {
 public:
  Histogram() : counts_(64 * kParts) {}
  void add(int64_t ns);
  void add(const Histogram& other);
  double microseconds(double quantile) const;  // the bucket's upper end, at most the maximum
  double max_microseconds() const { return static_cast<double>(max_) / 1e3; }
  uint64_t count() const { return total_; }
  double stalled_seconds() const { return static_cast<double>(stalled_) / 1e9; }

 private:
  static constexpr uint64_t kParts = 32;
  std::vector<uint64_t> counts_;
  uint64_t total_ = 0;
  int64_t max_ = 0;
  int64_t stalled_ = 0;
};

// Bytes that read and write calls moved, since this process began.
struct Traffic {
  double read_bytes = 0, written_bytes = 0;
  // rchar and wchar, of all threads. What an io_uring moves is not among them.
  static Traffic of_process();
};

// Of all files in and below it, as they lie on the disk.
double bytes_below(const std::string& directory);

class Meter {
 public:
  Meter(const Setup& setup, const Step& step);

  const Step& step() const { return step_; }
  // Ends at its count or its time, which is looked at together with the latencies.
  bool goes_on() const { return done_ < step_.operations && last_ < deadline_; }
  uint64_t done() const { return done_; }
  // One operation began when the one before it ended.
  void ended() {
    const int64_t now = now_ns();
    took(now - last_, now);
  }
  void began() { last_ = now_ns(); }
  // For operations in flight beside each other.
  void took(int64_t ns, int64_t now) {
    latencies_.add(ns);
    last_ = now;
    ++done_;
  }
  void put_bytes(uint64_t bytes) { put_bytes_ += bytes; }
  void add(const Meter& other);  // of a thread of the same step

  // `live`: entries that the engine now holds. `traffic`: its reads and writes in this step.
  Measured result(const Setup& setup, uint64_t live, const Traffic& traffic) const;

 private:
  Step step_;
  Histogram latencies_;
  double cpu_ = 0;
  int64_t start_ = 0, last_ = 0, deadline_ = 0;
  uint64_t done_ = 0;
  uint64_t put_bytes_ = 0;
};

}  // namespace ringside::bench
