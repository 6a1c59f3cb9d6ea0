// What the tests of the network share: ears that keep what they hear, bytes that tell where they
// belong, and programs that send or listen.
#pragma once

#include <utility>
#include <vector>

#include "posix/conformance.h"

namespace ringside::conformance {

// Keeps what a process hears; outlives the process.
struct Ear : FrameHandler {
  void on_frame(const Frame& frame) override { frames.push_back(frame); }
  void on_peer_lost(NodeId peer, Code why) override { losses.emplace_back(peer, why); }
  bool lost(Code why) const {
    for (const auto& loss : losses) {
      if (loss.second == why) return true;
    }
    return false;
  }
  std::vector<Frame> frames;
  std::vector<std::pair<NodeId, Code>> losses;
};

inline Buffer pattern(size_t size, uint64_t seed) {
  Buffer bytes = Buffer::with_size(size);
  for (size_t i = 0; i < size; ++i)
    bytes.mutable_data()[i] = static_cast<char>((i * 131 + seed * 7 + (i >> 9)) & 0xff);
  return bytes;
}

// Waits for room as often as it must, and counts how often.
inline Task<void> send_all(Host* host, std::vector<Frame> frames, int* refusals) {
  for (Frame& frame : frames) {
    while (!host->network().send(frame)) {
      ++*refusals;
      co_await host->network().writable(frame.to);
    }
  }
}

inline Task<void> until_killed(Host* host) {
  while (true) co_await host->clock().sleep(kSecond);
}

inline Program listener(Ear* ear) {
  return [ear](Host& host) {
    host.network().attach(ear);
    return until_killed(&host);
  };
}

}  // namespace ringside::conformance
