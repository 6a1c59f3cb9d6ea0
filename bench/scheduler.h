// The scheduler benchmark's parts: the same two workloads for every simulator. Timers: `pending`
// timers, each set anew for a random delay whenever it fires. Ping-pong: `pending` messages in
// flight between ten processes, each sent back to where it came from, after a random latency, the
// payload shared and never copied. Delays are whole microseconds, uniform over 1 us .. 2 ms, so
// that many events are due at one instant and the tie-break works. Each answers events per CPU
// second.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace ringside::bench {

enum class Pattern : uint8_t { kTimers, kPingPong };

inline constexpr int64_t kDelayMax = 2'000;  // microseconds
inline constexpr uint32_t kProcesses = 10;

// Our world as users meet it: coroutines on Host::clock, frames on Host::network, the seeded
// tie-break and the fingerprint.
double ours(Pattern pattern, uint32_t pending, uint64_t events);

// ns-3's own names for the event queues that it offers.
const std::vector<std::string>& ns3_schedulers();
double ns3(const std::string& scheduler, Pattern pattern, uint32_t pending, uint64_t events);

}  // namespace ringside::bench
