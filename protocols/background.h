// Background: admission of work that nobody waits for (Dynamo, section 6.5). A controller watches
// how long foreground reads of the disk took lately. While their 99th percentile is above the
// target, every step halves what background work may move a second, down to a floor; otherwise the
// rate opens up again. Tasks are served in the order in which they ask, and pay in bytes:
//
//   co_await background.admit(bytes);   // before the work, or after it: what was used is owed
//
// Time is the host's and steps are taken when somebody asks, so that an idle node does nothing.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include "runtime/host.h"
#include "runtime/semaphore.h"
#include "runtime/task.h"

namespace ringside {

struct BackgroundOptions {
  Duration target = 50 * kMillisecond;         // of the 99th percentile of foreground reads
  Duration window = 60 * kSecond;              // that is looked back upon
  uint64_t bytes_per_second = 32u << 20;       // when the foreground is well
  uint64_t bytes_per_second_min = 256u << 10;  // when it is not
};

// How long things took, lately: counts by time (a ring of parts of the window) and by length
// (eight classes for every doubling, so that a percentile is at most an eighth too long).
class RecentDurations {
 public:
  static constexpr std::size_t kParts = 60;

  explicit RecentDurations(Duration window)
      : part_(std::max<Duration>(window / static_cast<Duration>(kParts), 1)) {}

  void add(Time now, Duration took) {
    forget(now);
    ++parts_[index_of(now)][class_of(took)];
    ++total_[class_of(took)];
    ++count_;
  }
  uint64_t count(Time now) {
    forget(now);
    return count_;
  }
  // The upper end of the class in which the 99th percentile is; 0 when there was nothing.
  Duration p99(Time now) {
    forget(now);
    uint64_t left = count_ / 100;  // may be longer
    for (std::size_t at = kClasses; at-- > 0;) {
      if (total_[at] > left) return end_of(at);
      left -= total_[at];
    }
    return 0;
  }

 private:
  static constexpr std::size_t kPerDoubling = 8;
  static constexpr std::size_t kClasses = 36 * kPerDoubling;  // of microseconds: up to 19 hours
  using Counts = std::array<uint32_t, kClasses>;

  static std::size_t class_of(Duration took) {
    const uint64_t us = took <= 0 ? 0 : static_cast<uint64_t>(took / kMicrosecond);
    if (us < kPerDoubling) return us;
    const auto doublings = static_cast<std::size_t>(std::bit_width(us)) - 4;  // 8…15: 0
    const std::size_t at = (doublings + 1) * kPerDoubling + (us >> doublings) % kPerDoubling;
    return std::min(at, kClasses - 1);
  }
  static Duration end_of(std::size_t at) {
    if (at < kPerDoubling) return static_cast<Duration>(at + 1) * kMicrosecond;
    const std::size_t doublings = at / kPerDoubling - 1;
    const uint64_t us = (kPerDoubling + at % kPerDoubling + 1) << doublings;
    return static_cast<Duration>(us) * kMicrosecond;
  }
  std::size_t index_of(Time now) const { return static_cast<std::size_t>(now / part_) % kParts; }
  void forget(Time now) {
    const int64_t part = now / part_;
    if (part <= newest_) return;
    const int64_t gone = std::min<int64_t>(part - newest_, kParts);
    for (int64_t i = 0; i < gone; ++i) {
      Counts& old = parts_[static_cast<std::size_t>(part - i) % kParts];
      for (std::size_t at = 0; at < kClasses; ++at) {
        total_[at] -= old[at];
        count_ -= old[at];
        old[at] = 0;
      }
    }
    newest_ = part;
  }

  Duration part_;
  int64_t newest_ = 0;
  uint64_t count_ = 0;
  Counts total_{};
  std::array<Counts, kParts> parts_{};
};

class Background {
 public:
  explicit Background(Host& host, BackgroundOptions options = {})
      : host_(host),
        options_(options),
        recent_(options.window),
        rate_(options.bytes_per_second),
        stepped_(host.clock().now()),
        filled_(stepped_),
        turn_(host.ready(), 1) {
    CHECK(options_.bytes_per_second_min > 0);
    options_.bytes_per_second = std::max(options_.bytes_per_second, options_.bytes_per_second_min);
    credit_ = burst();
  }

  // A foreground read of the disk took this long.
  void note(Duration took) { recent_.add(host_.clock().now(), took); }

  // Waits for its turn, and until what was used before is paid for.
  Task<void> admit(uint64_t bytes) {
    const Permit permit = co_await turn_.acquire();
    while (true) {
      step();
      if (credit_ > 0) break;
      const auto owed = static_cast<uint64_t>(-credit_) + 1;
      const auto wait = static_cast<Duration>(owed * uint64_t{kMillisecond} / (rate_ / 1'000 + 1));
      co_await host_.clock().sleep(std::clamp<Duration>(wait, kMillisecond, kStep));
    }
    credit_ -= static_cast<int64_t>(std::min(bytes, kBytesAtOnceMax));
    admitted_ += bytes;
  }

  uint64_t bytes_per_second() {
    step();
    return rate_;
  }
  Duration foreground_p99() { return recent_.p99(host_.clock().now()); }
  uint64_t admitted() const { return admitted_; }

 private:
  static constexpr Duration kStep = 500 * kMillisecond;
  static constexpr uint64_t kEvidence = 20;  // reads in the window; fewer say nothing
  static constexpr uint64_t kBytesAtOnceMax = 1u << 30;

  int64_t burst() const { return static_cast<int64_t>(rate_ / 10); }

  // Moves the rate by one step for each that has passed, and fills the credit.
  void step() {
    const Time now = host_.clock().now();
    if (now - stepped_ >= kStep) {
      const bool trouble = recent_.count(now) >= kEvidence && recent_.p99(now) > options_.target;
      for (int64_t n = std::min<int64_t>((now - stepped_) / kStep, 64); n > 0; --n) {
        rate_ = trouble ? rate_ / 2 : rate_ + rate_ / 4;
        rate_ = std::clamp(rate_, options_.bytes_per_second_min, options_.bytes_per_second);
      }
      stepped_ = now;
    }
    const auto passed = static_cast<uint64_t>(std::min<Duration>(now - filled_, 10 * kSecond));
    const uint64_t earned = passed / 1'000 * rate_ / 1'000'000;
    if (earned > 0) {
      credit_ = std::min(credit_ + static_cast<int64_t>(earned), burst());
      filled_ = now;
    }
  }

  Host& host_;
  BackgroundOptions options_;
  RecentDurations recent_;
  uint64_t rate_;  // bytes a second
  Time stepped_;
  Time filled_;
  int64_t credit_ = 0;  // bytes; below 0: owed
  uint64_t admitted_ = 0;
  Semaphore turn_;
};

}  // namespace ringside
