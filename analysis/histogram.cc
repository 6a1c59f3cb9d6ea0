#include "analysis/histogram.h"

#include <algorithm>
#include <bit>

#include "analysis/statistics.h"
#include "runtime/check.h"

namespace ringside {
namespace {

// Values below 1024 have a bucket each; above, an octave has 1024.
constexpr int kBits = 10;
constexpr uint64_t kPerOctave = uint64_t{1} << kBits;
constexpr std::size_t kBucketsMax = (64 - kBits) * kPerOctave;

std::size_t bucket_of(uint64_t value) {
  if (value < kPerOctave) return value;
  const int shift = std::bit_width(value) - 1 - kBits;
  return static_cast<std::size_t>(shift) * kPerOctave + (value >> shift);
}
double middle_of(std::size_t bucket) {
  if (bucket < 2 * kPerOctave) return static_cast<double>(bucket);
  const std::size_t shift = bucket / kPerOctave - 1;
  const double low = static_cast<double>((bucket - shift * kPerOctave) << shift);
  return low + static_cast<double>((uint64_t{1} << shift) - 1) / 2;
}

void put_varint(std::string& out, uint64_t number) {
  for (; number >= 0x80; number >>= 7) out.push_back(static_cast<char>(number | 0x80));
  out.push_back(static_cast<char>(number));
}
bool get_varint(std::string_view& bytes, uint64_t& number) {
  number = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    number |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

}  // namespace

void Histogram::add(Duration value, uint64_t times) {
  if (times == 0) return;
  CHECK(value >= 0);
  const std::size_t bucket = bucket_of(static_cast<uint64_t>(value));
  if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
  buckets_[bucket] += times;
  count_ += times;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
  sum_ += static_cast<double>(value) * static_cast<double>(times);
}

void Histogram::merge(const Histogram& other) {
  if (other.buckets_.size() > buckets_.size()) buckets_.resize(other.buckets_.size());
  for (std::size_t i = 0; i < other.buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
  count_ += other.count_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sum_ += other.sum_;
}

double Histogram::mean() const { return count_ == 0 ? 0 : sum_ / static_cast<double>(count_); }

double Histogram::at_rank(uint64_t rank) const {
  if (rank <= 1) return static_cast<double>(min());
  if (rank >= count_) return static_cast<double>(max_);
  uint64_t below = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    below += buckets_[i];
    if (below >= rank) {
      return std::clamp(middle_of(i), static_cast<double>(min_), static_cast<double>(max_));
    }
  }
  return static_cast<double>(max_);
}

double Histogram::quantile(double q) const {
  CHECK(q >= 0 && q <= 1);
  if (count_ == 0) return 0;
  const double rank = q * static_cast<double>(count_);
  auto whole = static_cast<uint64_t>(rank);
  if (static_cast<double>(whole) < rank) ++whole;
  return at_rank(whole);
}

QuantileInterval Histogram::interval(double q, double confidence) const {
  QuantileInterval interval;
  interval.estimate = quantile(q);
  const RankInterval ranks = quantile_ranks(count_, q, confidence);
  interval.open_low = ranks.low == 0;
  interval.open_high = ranks.high > count_;
  interval.low = at_rank(ranks.low);
  interval.high = at_rank(ranks.high);
  return interval;
}

uint64_t Histogram::count_at_most(Duration value) const {
  if (value < 0) return 0;
  const std::size_t last = std::min(bucket_of(static_cast<uint64_t>(value)) + 1, buckets_.size());
  uint64_t sum = 0;
  for (std::size_t i = 0; i < last; ++i) sum += buckets_[i];
  return sum;
}

// Varints: 1 (the format), min, max, sum of the values rounded, then (buckets skipped, count) of
// each bucket in use.
std::string Histogram::serialize() const {
  std::string out;
  put_varint(out, 1);
  put_varint(out, static_cast<uint64_t>(min()));
  put_varint(out, static_cast<uint64_t>(max_));
  put_varint(out, static_cast<uint64_t>(sum_));
  std::size_t next = 0;
  for (std::size_t i = 0; i < buckets_.size(); ++i) {
    if (buckets_[i] == 0) continue;
    put_varint(out, i - next);
    put_varint(out, buckets_[i]);
    next = i + 1;
  }
  return out;
}

Result<Histogram> Histogram::parse(std::string_view bytes) {
  const Error damaged{Code::kCorrupt, "these bytes are no histogram"};
  uint64_t version = 0, min = 0, max = 0, sum = 0;
  if (!get_varint(bytes, version) || version != 1 || !get_varint(bytes, min) ||
      !get_varint(bytes, max) || !get_varint(bytes, sum)) {
    return damaged;
  }
  Histogram histogram;
  std::size_t next = 0;
  while (!bytes.empty()) {
    uint64_t skipped = 0, count = 0;
    if (!get_varint(bytes, skipped) || !get_varint(bytes, count)) return damaged;
    if (skipped > kBucketsMax || next + skipped >= kBucketsMax || count == 0) return damaged;
    next += skipped;
    histogram.buckets_.resize(next + 1);
    histogram.buckets_[next++] = count;
    histogram.count_ += count;
  }
  if (histogram.count_ > 0) {
    histogram.min_ = static_cast<Duration>(min);
    histogram.max_ = static_cast<Duration>(max);
    histogram.sum_ = static_cast<double>(sum);
    if (histogram.min_ < 0 || histogram.max_ < histogram.min_ ||
        bucket_of(max) + 1 != histogram.buckets_.size()) {
      return damaged;
    }
  }
  return histogram;
}

Histogram latencies(const History& history, OperationKind kind, Phase phase) {
  Histogram histogram;
  for (const Operation& op : history.operations) {
    if (op.kind == kind && op.phase == phase && op.ok()) histogram.add(op.finished - op.intended);
  }
  return histogram;
}

}  // namespace ringside
