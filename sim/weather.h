// LinkWeather: what can be wrong between machines for a while, in one vocabulary. A weather lies on
// every directed pair of machines from `from` to `to`, and on the way back unless it is one way;
// partitions that are not transitive, or that let one direction pass, are just lists. Weathers that
// overlap combine: any cut cuts, factors multiply, times add up, shares are independent chances,
// the smallest bandwidth holds. World::begin_weather puts one on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/result.h"
#include "sim/distribution.h"
#include "sim/topology.h"

namespace ringside::sim {

struct LinkWeather {
  enum class Kind : uint8_t {
    // Frames vanish, those under way too; nobody is told.
    kCut,
    // Frames vanish; the sender is told that the connection was refused or reset.
    kRefuse,
    // Names cannot be resolved: whoever has no connection yet, neither by a frame of its own that
    // arrived nor by one of the peer's, is soon told kUnavailable. Connections that stand go on.
    kLookupFails,
    // Frames are taken, fill the window and arrive only after the end: what was sent meanwhile
    // leaves at the end in the order of sending, each with its own latency; what was under way when
    // it began arrives at the end, in the order in which it would have arrived. Nothing is lost.
    kClog,
    // The other side is gone and the connection does not know: frames are swallowed and fill the
    // window. At the end they are lost, and the sender of any of them is told kReset.
    kHalfOpen,
    // Latency is multiplied by `slower`, then lengthened by `extra`.
    kSlow,
    // Shares of the frames are lost, doubled, damaged.
    kLossy,
    // A cap for each directed pair of machines; frames queue for it. What still queues at the end
    // leaves as if the cap had never been.
    kNarrow,
    // A cut that goes on and off by turns, off at first; all its pairs together.
    kFlap,
    // Connections that stand are reset now and then: what is under way is lost, the sender is told
    // kReset.
    kResetStorm,
  };
  Kind kind = Kind::kCut;
  std::vector<MachineId> from = {};
  std::vector<MachineId> to = {};
  bool both_ways = true;
  // kSlow
  double slower = 1;
  Distribution extra = {};
  // kLossy: chances of a frame. A damaged frame has one to eight of its bits turned.
  double loss = 0;
  double duplication = 0;
  double corruption = 0;
  // kNarrow
  uint64_t bandwidth_bytes_per_second = 0;
  // kFlap: mean times of a turn, exponential
  Duration up_mean = 0;
  Duration down_mean = 0;
  // kResetStorm: mean time between resets of one connection, exponential
  Duration reset_mean = 0;
};

const char* weather_kind_name(LinkWeather::Kind kind);
// "slow (4 times, then 5ms): m1, m2 <-> m3"
// "slow (4 times, then 5ms)"
std::string describe_effect(const LinkWeather& weather);
std::string describe(const LinkWeather& weather, const Topology& topology);
// kInvalid, with what would be right: a machine that there is not, a share that is none, a mean of
// 0. World::begin_weather takes only what passes.
Result<void> validate(const LinkWeather& weather, const Topology& topology);

}  // namespace ringside::sim
