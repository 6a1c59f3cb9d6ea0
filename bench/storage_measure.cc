#include "bench/storage_measure.h"

#include <sys/stat.h>
#include <time.h>

#include <algorithm>
#include <bit>
#include <cstdio>
#include <filesystem>

#include "bench/rows.h"
#include "runtime/check.h"

namespace ringside::bench {

int64_t now_ns() {
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * int64_t{1'000'000'000} + now.tv_nsec;
}

void Histogram::add(int64_t ns) {
  const auto value = static_cast<uint64_t>(std::max<int64_t>(ns, 0));
  const auto shift = static_cast<uint64_t>(std::max<int>(std::bit_width(value) - 6, 0));
  ++counts_[shift * kParts + (value >> shift)];
  ++total_;
  max_ = std::max(max_, ns);
  if (ns > kStallNs) stalled_ += ns;
}

void Histogram::add(const Histogram& other) {
  for (std::size_t i = 0; i < counts_.size(); ++i) counts_[i] += other.counts_[i];
  total_ += other.total_;
  max_ = std::max(max_, other.max_);
  stalled_ += other.stalled_;
}

double Histogram::microseconds(double quantile) const {
  const auto wanted = static_cast<uint64_t>(quantile * static_cast<double>(total_));
  uint64_t seen = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    seen += counts_[i];
    if (seen <= wanted || counts_[i] == 0) continue;
    // Bucket i holds values whose top six bits are `top`: below 64 there is no shift.
    const uint64_t shift = i < 2 * kParts ? 0 : i / kParts - 1;
    const uint64_t top = i - shift * kParts;
    return std::min(static_cast<double>((top + 1) << shift), static_cast<double>(max_)) / 1e3;
  }
  return max_microseconds();
}

Traffic Traffic::of_process() {
  Traffic counts;
  FILE* file = std::fopen("/proc/self/io", "r");
  if (file == nullptr) return counts;
  char name[32];
  unsigned long long value = 0;
  while (std::fscanf(file, "%31[^:]: %llu\n", name, &value) == 2) {
    if (std::string(name) == "wchar") counts.written_bytes = static_cast<double>(value);
    if (std::string(name) == "rchar") counts.read_bytes = static_cast<double>(value);
  }
  std::fclose(file);
  return counts;
}

double bytes_below(const std::string& directory) {
  double bytes = 0;
  std::error_code gone;  // an engine may remove files meanwhile
  for (std::filesystem::recursive_directory_iterator at(directory, gone), end; at != end;
       at.increment(gone)) {
    struct stat found;
    if (stat(at->path().c_str(), &found) == 0 && S_ISREG(found.st_mode))
      bytes += static_cast<double>(found.st_blocks) * 512;
  }
  return bytes;
}

std::array<double, Measured::kNumbers> Measured::numbers() const {
  return {operations, seconds, cpu_seconds,   p50,       p99,        p999,
          max,        stalled, written_bytes, put_bytes, read_bytes, directory_bytes,
          live_bytes};
}

Measured Measured::from(const double* n) {
  return {n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10], n[11], n[12]};
}

Meter::Meter(const Setup& setup, const Step& step) : step_(step), cpu_(cpu_seconds()) {
  start_ = last_ = now_ns();
  deadline_ = start_ + static_cast<int64_t>(step.seconds * 1e9);
}

void Meter::add(const Meter& other) {
  latencies_.add(other.latencies_);
  last_ = std::max(last_, other.last_);
  done_ += other.done_;
  put_bytes_ += other.put_bytes_;
}

Measured Meter::result(const Setup& setup, uint64_t live, const Traffic& traffic) const {
  Measured measured;
  measured.operations = static_cast<double>(done_);
  measured.seconds = static_cast<double>(last_ - start_) / 1e9;
  measured.cpu_seconds = cpu_seconds() - cpu_;
  measured.p50 = latencies_.microseconds(0.5);
  measured.p99 = latencies_.microseconds(0.99);
  measured.p999 = latencies_.microseconds(0.999);
  measured.max = latencies_.max_microseconds();
  measured.stalled = latencies_.stalled_seconds();
  measured.written_bytes = traffic.written_bytes;
  measured.read_bytes = traffic.read_bytes;
  measured.put_bytes = static_cast<double>(put_bytes_);
  measured.directory_bytes = bytes_below(setup.directory);
  measured.live_bytes = static_cast<double>(live * (kKeyBytes + setup.value_bytes));
  return measured;
}

}  // namespace ringside::bench
