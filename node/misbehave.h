// Misbehaviour on purpose: what the determinism contract forbids, as planted bugs that only the
// planted build knows and only a scenario (or a test of the gate) switches on. Trip-wire and gate
// must catch each: a real clock, an order by pointer, a use of a coroutine frame that is gone. With
// none on this does nothing at all.
#pragma once

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <memory>
#include <vector>

#include "runtime/bug.h"
#include "runtime/host.h"

namespace ringside {

// A coroutine that shows its caller a local of its own and then waits; who looks after it died
// reads a dead frame.
inline Task<void> lend_a_local(Host& host, const uint64_t** lent) {
  uint64_t term = 7;
  *lent = &term;
  co_await host.clock().sleep(kSecond);
  host.cpu().charge(term);
}

inline uint64_t real_clock_noise() {
  timespec now = {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_nsec) % 1000;
}

// Which of sixteen peers comes first, in the order in which a hash table of their addresses would
// hold them.
inline uint64_t first_by_pointer() {
  struct Peer {
    uint64_t index = 0;
  };
  std::vector<std::unique_ptr<Peer>> peers;
  for (uint64_t i = 0; i < 16; ++i) peers.push_back(std::make_unique<Peer>(Peer{i}));
  const auto place = [](const std::unique_ptr<Peer>& peer) {
    return mix(reinterpret_cast<uintptr_t>(peer.get()));
  };
  const auto first =
      std::min_element(peers.begin(), peers.end(),
                       [&](const auto& a, const auto& b) { return place(a) < place(b); });
  return (*first)->index;
}

inline uint64_t freed_frame_noise(Host& host) {
  const uint64_t* lent = nullptr;
  {
    Scope scope(host.ready());
    scope.spawn(lend_a_local(host, &lent));
  }
  return *lent % 1000;
}

// Sleeps in the background, ten milliseconds and a little: how little is what must not be.
inline Task<void> misbehave(Host& host) {
  while (true) {
    uint64_t noise = 0;
    bool any = false;
    if (RINGSIDE_BUG(node_reads_a_real_clock)) any = true, noise += real_clock_noise();
    if (RINGSIDE_BUG(node_orders_by_pointer)) any = true, noise += first_by_pointer();
    if (RINGSIDE_BUG(node_uses_a_freed_frame)) any = true, noise += freed_frame_noise(host);
    if (!any) co_return;
    co_await host.clock().sleep(10 * kMillisecond + static_cast<Duration>(noise));
  }
}

}  // namespace ringside
