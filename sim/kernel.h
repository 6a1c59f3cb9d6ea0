// Kernel: what all parts of one world share: time, the queue, the fingerprint, who watches and what
// was counted. World owns it; machines, hosts and the network hold a reference.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "sim/draw.h"
#include "sim/event_queue.h"
#include "sim/fingerprint.h"
#include "sim/world.h"

namespace ringside::sim {

class Process;

// What keyed draws are for. Part of every key: append only.
enum class Purpose : uint64_t {
  kOrder = 1,  // among events at one time
  kLink,
  kLoss,
  kDuplicate,
  kTwin,  // the duplicate itself
  kReport,
  kDisk,
  kDied,
  kPowerLoss,
  kStream,
  kCorrupt,
  kSlow,
  kLookup,
  kFlap,
  kResets,
};

// An event's tag in the queue: a public kind, or one of the world's own that is no event of the
// run.
inline constexpr uint32_t kTagCoreFree = 0x100;
constexpr uint32_t tag_of(EventKind kind) { return static_cast<uint32_t>(kind); }

struct Kernel {
  explicit Kernel(uint64_t the_seed) : seed(the_seed), fingerprint(the_seed) {}

  Draw draw(Purpose purpose, uint64_t a, uint64_t b = 0) const {
    return Draw::of(seed, static_cast<uint64_t>(purpose), a, b);
  }

  uint64_t seed;  // changed by World::reseed alone
  Time now = 0;
  Process* active = nullptr;  // whose code runs
  EventQueue queue;
  Fingerprint fingerprint;
  Counters counters;
  Observer* observer = nullptr;
  bool tracing = false;
};

}  // namespace ringside::sim
