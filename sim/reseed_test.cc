// World::reseed: the past stays, and everything that is drawn later is drawn anew.
#include <gtest/gtest.h>

#include "sim/world_for_test.h"

namespace ringside::sim {
namespace {

constexpr Time kMs = kMillisecond;
constexpr Time kReseeded = 50 * kMs;

// Node 1 sends a frame to node 2 each millisecond, draws from a stream that it got at its start,
// and writes to its disk.
struct Life {
  std::vector<Time> arrivals;     // at node 2
  std::vector<uint64_t> drawn;    // by node 1
  std::vector<Time> writes_took;  // at node 1
  uint64_t fingerprint = 0;
};

Task<void> talk(Host* host, Life* life) {
  Random& random = host->random("talk");
  const Result<FileId> file = co_await host->disk().open("f", Disk::kCreate);
  CHECK(file.ok());
  for (int i = 0; i < 100; ++i) {
    co_await host->clock().sleep_until((i + 1) * kMs);
    host->network().send(frame_to(2, "x"));
    life->drawn.push_back(random.next());
    const Time asked = host->clock().now();
    CHECK((co_await host->disk().write_at(*file, 0, Buffer::copy_of("bytes"))).ok());
    life->writes_took.push_back(host->clock().now() - asked);
  }
}

// `seed` 0: not reseeded.
Life live(uint64_t seed) {
  WorldSpec spec = small_world(2);
  LinkModel link;
  link.latency = *Distribution::uniform(100 * kMicrosecond, 900 * kMicrosecond);
  for (std::size_t i = 0; i < kLinkClasses; ++i)
    spec.topology.set_class(static_cast<LinkClass>(i), link);
  spec.machines[0].disk.write = *Distribution::uniform(kMicrosecond, 100 * kMicrosecond);
  World world(std::move(spec));
  Life life;
  world.place(1, 0, [&life](Host& host) { return talk(&host, &life); });
  world.place(2, 1, [&](Host& host) -> Task<void> {
    Listener ears(host);
    ears.frames = [&](const Frame&) { life.arrivals.push_back(world.now()); };
    co_await host.clock().sleep_until(kNever);
  });
  world.start(1);
  world.start(2);
  while (world.step(kReseeded)) {
  }
  EXPECT_LE(world.now(), kReseeded);
  if (seed != 0) world.reseed(seed);
  world.run_until(200 * kMs);
  life.fingerprint = world.fingerprint();
  return life;
}

// How many of the first `n` are alike, and how many of the others.
template <class T>
std::pair<std::size_t, std::size_t> alike(const std::vector<T>& a, const std::vector<T>& b,
                                          std::size_t n) {
  EXPECT_EQ(a.size(), 100u);
  EXPECT_EQ(b.size(), 100u);
  std::pair<std::size_t, std::size_t> count{0, 0};
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i)
    if (a[i] == b[i]) ++(i < n ? count.first : count.second);
  return count;
}

TEST(Reseed, what_was_drawn_stays_and_what_comes_is_drawn_anew) {
  const Life plain = live(0), other = live(77);
  const std::pair<std::size_t, std::size_t> expected{50, 0};
  EXPECT_EQ(alike(plain.arrivals, other.arrivals, 50), expected) << "an open connection";
  EXPECT_EQ(alike(plain.drawn, other.drawn, 50), expected) << "a stream that is held";
  EXPECT_EQ(alike(plain.writes_took, other.writes_took, 50), expected) << "the disk";
  EXPECT_NE(plain.fingerprint, other.fingerprint);
}

TEST(Reseed, one_seed_is_one_future) {
  EXPECT_EQ(live(77).fingerprint, live(77).fingerprint);
  EXPECT_NE(live(77).fingerprint, live(78).fingerprint);
}

}  // namespace
}  // namespace ringside::sim
