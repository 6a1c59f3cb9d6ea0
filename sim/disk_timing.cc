// When a call is done: it waits for a place of the queue and for a stall to end, its bytes pass one
// after the other, and it takes its time, longer on a disk in trouble.
#include <algorithm>
#include <functional>

#include "runtime/random.h"
#include "sim/disk_device.h"

namespace ringside::sim {

using Kind = DiskCall::Kind;

namespace {

uint64_t bytes_moved(Kind kind, uint64_t length, uint64_t written) {
  if (kind == Kind::kRead) return length;
  return kind == Kind::kWrite ? written : 0;
}

Duration time_of(uint64_t bytes, uint64_t bytes_per_second) {
  return static_cast<Duration>(static_cast<unsigned __int128>(bytes) * kSecond / bytes_per_second);
}

Duration longer(Duration duration, double factor) {
  return static_cast<Duration>(static_cast<double>(duration) * factor);
}

bool meets_stalls(Kind kind) {
  return kind == Kind::kWrite || kind == Kind::kSync || kind == Kind::kTruncate ||
         kind == Kind::kSyncDirectory;
}

bool stalls(const DiskModel& model, bool by_time) {
  return by_time || model.stalls.bytes_between > 0;
}

}  // namespace

Duration DiskDevice::latency(const Slot& slot) const {
  const Distribution* law = &model_.metadata;
  switch (slot.kind) {
    case Kind::kRead: law = &model_.read; break;
    case Kind::kWrite: law = &model_.write; break;
    case Kind::kSync:
    case Kind::kSyncDirectory: law = &model_.sync; break;
    default: break;
  }
  Draw draw = Draw::of(key_, slot.asked_at, static_cast<uint64_t>(slot.kind), slot.nth);
  return law->sample(draw);
}

Time DiskDevice::completion_time(Time now, Slot& slot) {
  if (now != drawn_at_) {
    drawn_at_ = now;
    drawn_nth_ = 0;
  }
  slot.asked_at = now;
  slot.nth = drawn_nth_++;
  Time start = now;
  if (model_.queue_depth > 0) {
    while (!channels_.empty() && channels_.front() <= now) {
      std::pop_heap(channels_.begin(), channels_.end(), std::greater<>());
      channels_.pop_back();
    }
    if (channels_.size() >= model_.queue_depth) {
      start = channels_.front();
      std::pop_heap(channels_.begin(), channels_.end(), std::greater<>());
      channels_.pop_back();
    }
  }
  if (stalls(model_, stalls_by_time_) && meets_stalls(slot.kind))
    start = after_stalls(start, slot.data.size());
  const uint64_t moved = bytes_moved(slot.kind, slot.length, slot.data.size());
  Duration transfer = 0;
  if (model_.bandwidth_bytes_per_second > 0 && moved > 0)
    transfer = time_of(moved, model_.bandwidth_bytes_per_second);
  Duration takes = latency(slot);
  if (model_.flush_bytes_per_second > 0 && slot.kind == Kind::kSync) {
    if (const InodeId file = opened(slot.file); file != kNoInode)
      takes += time_of(image_.dirty_bytes(file), model_.flush_bytes_per_second);
  }
  if (troubles_.any()) [[unlikely]] {
    if (const double factor = troubles_.factor(now); factor != 1) {
      transfer = longer(transfer, factor);
      takes = longer(takes, factor);
      ++counters_.injected.slowed;
    }
  }
  Time passed = start;
  if (model_.bandwidth_bytes_per_second > 0 && moved > 0) {
    pipe_free_ = std::max(pipe_free_, start) + transfer;
    passed = pipe_free_;
  }
  const Time done = passed + takes;
  if (model_.queue_depth > 0) {
    channels_.push_back(done);
    std::push_heap(channels_.begin(), channels_.end(), std::greater<>());
  }
  return done;
}

// When a call that changes the medium can start.
Time DiskDevice::after_stalls(Time start, uint64_t bytes_written) {
  const DiskStalls& stalls = model_.stalls;
  const uint64_t key = mix(key_, hash_bytes("stalls"));
  const Time asked = start;
  if (stalls.bytes_between > 0) {
    for (; bytes_written >= bytes_to_stall_; bytes_to_stall_ = stalls.bytes_between) {
      bytes_written -= bytes_to_stall_;
      Draw draw = Draw::of(key, uint64_t{1}, stalls_by_bytes_++);
      stalled_until_ = std::max(stalled_until_, start) + stalls.length.sample(draw);
    }
    bytes_to_stall_ -= bytes_written;
    start = std::max(start, stalled_until_);
  }
  if (stalls_by_time_) {
    while (window_end_ <= start) {
      Draw draw = Draw::of(key, uint64_t{2}, stall_windows_++);
      const Duration between = stalls.between.sample(draw);
      const Duration length = stalls.length.sample(draw);
      window_begin_ = window_end_ + std::max<Duration>(between, 1);
      window_end_ = window_begin_ + length;
    }
    if (start >= window_begin_) start = window_end_;
  }
  if (start > asked) {
    ++counters_.stalled;
    counters_.stalled_for += start - asked;
  }
  return start;
}

}  // namespace ringside::sim
