#include "sim/swarm_families.h"

#include <algorithm>

#include "runtime/check.h"
#include "sim/math.h"

namespace ringside::sim {
namespace {

// A share between these, more often small.
double share(Draw& draw, double low, double high) { return low * pow(high / low, draw.uniform()); }

void make_disk_errors(Draw& draw, DiskTrouble& disk) {
  const uint64_t which = draw.below(6);
  const double often = share(draw, 0.001, 0.2);
  switch (which) {
    case 0: disk.read_error = often; break;
    case 1: disk.write_error = often; break;
    case 2: disk.sync_error = often; break;
    case 3: disk.short_read = often; break;
    case 4: disk.rot_on_read = often; break;
    default: disk.sync_fails_once = true; break;
  }
}

void make_clock(Draw& draw, Fault& fault) {
  const bool steps = draw.chance(0.5);
  const bool back = draw.chance(0.5);
  const Duration by = log_uniform(draw, kMillisecond, 60 * kSecond);
  const double ppm = share(draw, 10, 5'000);
  if (steps) {
    fault.step = back ? -by : by;
  } else {
    fault.drift_ppm = back ? -ppm : ppm;
  }
}

void make_disk(Family family, Draw& draw, DiskTrouble& disk) {
  switch (family) {
    case Family::kGrayDisk:
      disk.good_mean = log_uniform(draw, 10 * kMillisecond, kSecond);
      disk.bad_mean = log_uniform(draw, 10 * kMillisecond, kSecond);
      disk.bad_slower = share(draw, 2, 100);
      return;
    case Family::kFullDisk: disk.full = true; return;
    case Family::kDeadDisk: disk.dead = true; return;
    case Family::kSyncLies: disk.sync_lies = share(draw, 0.05, 1); return;
    case Family::kMisdirected: {
      const bool write = draw.chance(0.5);
      (write ? disk.misdirected_write : disk.misdirected_read) = share(draw, 0.001, 0.1);
      return;
    }
    default: make_disk_errors(draw, disk); return;
  }
}

}  // namespace

int64_t log_uniform(Draw& draw, int64_t low, int64_t high) {
  const double ratio = static_cast<double>(high) / static_cast<double>(low);
  const double drawn = static_cast<double>(low) * pow(ratio, draw.uniform());
  return std::clamp(static_cast<int64_t>(drawn), low, high);
}

bool strikes_links(Family family) {
  return family == Family::kPartition ||
         (family >= Family::kSlowLinks && family <= Family::kResetStorm);
}

// Everything by which a recovery might take something durable for torn is among them.
bool may_damage(Family family) {
  switch (family) {
    case Family::kDiskErrors:
    case Family::kDeadDisk:
    case Family::kSyncLies:
    case Family::kMisdirected:
    case Family::kRot:
    case Family::kDiskLoss:
    case Family::kOlderDisk: return true;
    default: return false;
  }
}

void make_links(Family family, Draw& draw, LinkWeather& links) {
  using Kind = LinkWeather::Kind;
  switch (family) {
    case Family::kSlowLinks:
      links.kind = Kind::kSlow;
      links.slower = share(draw, 1.5, 50);
      links.extra =
          Distribution::constant(log_uniform(draw, 100 * kMicrosecond, 200 * kMillisecond));
      return;
    case Family::kBadLinks:
      links.kind = Kind::kLossy;
      links.loss = share(draw, 0.001, 0.3);
      links.duplication = share(draw, 0.001, 0.3);
      links.corruption = share(draw, 0.001, 0.1);
      return;
    case Family::kNarrowLinks:
      links.kind = Kind::kNarrow;
      links.bandwidth_bytes_per_second =
          static_cast<uint64_t>(log_uniform(draw, 20'000, 10'000'000));
      return;
    case Family::kClog: links.kind = Kind::kClog; return;
    case Family::kHalfOpen: links.kind = Kind::kHalfOpen; return;
    case Family::kLookupFails: links.kind = Kind::kLookupFails; return;
    case Family::kFlap:
      links.kind = Kind::kFlap;
      links.up_mean = log_uniform(draw, 10 * kMillisecond, kSecond);
      links.down_mean = log_uniform(draw, 10 * kMillisecond, kSecond);
      return;
    case Family::kResetStorm:
      links.kind = Kind::kResetStorm;
      links.reset_mean = log_uniform(draw, 5 * kMillisecond, kSecond);
      return;
    default: CHECK(false);
  }
}

void make_strike(Family family, Draw& draw, Duration down_max, Fault& fault) {
  using Kind = Fault::Kind;
  switch (family) {
    case Family::kCrash: fault.kind = Kind::kCrash; return;
    case Family::kPowerLoss: fault.kind = Kind::kPowerLoss; return;
    case Family::kOutOfMemory: fault.kind = Kind::kOutOfMemory; return;
    case Family::kPause: fault.kind = Kind::kPause; return;
    case Family::kThrottle:
      fault.kind = Kind::kThrottle;
      fault.slower = share(draw, 2, 100);
      return;
    case Family::kClock:
      fault.kind = Kind::kClock;
      make_clock(draw, fault);
      return;
    case Family::kRot:
      fault.kind = Kind::kRot;
      fault.flips = static_cast<uint32_t>(log_uniform(draw, 1, 64));
      fault.duration = 0;
      return;
    case Family::kDiskLoss: fault.kind = Kind::kDiskLoss; return;
    case Family::kOlderDisk:
      fault.kind = Kind::kOlderDisk;
      fault.age = log_uniform(draw, std::min<Duration>(kMillisecond, down_max), down_max);
      return;
    case Family::kGrayDisk:
    case Family::kDiskErrors:
    case Family::kFullDisk:
    case Family::kDeadDisk:
    case Family::kSyncLies:
    case Family::kMisdirected:
      fault.kind = Kind::kDisk;
      make_disk(family, draw, fault.disk);
      return;
    default: CHECK(false);
  }
}

}  // namespace ringside::sim
