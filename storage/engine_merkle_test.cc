// The Merkle trees of an engine on a simulated disk: what the first hashing after a restart costs,
// and that hashes are the same whoever computed them and whenever.
#include <gtest/gtest.h>

#include <iostream>
#include <memory>
#include <string>

#include "runtime/random.h"
#include "sim/world.h"
#include "sim/world_for_test.h"
#include "storage/engine.h"

namespace ringside {
namespace {

constexpr uint64_t kHashedRows = 20'000;

std::string hashed_key(uint64_t i) {
  std::string key(8, '\0');
  const uint64_t place = mix(i);
  for (int byte = 0; byte < 8; ++byte) key[byte] = static_cast<char>(place >> (56 - 8 * byte));
  return key;
}

EngineOptions hashing_options(uint32_t depth) {
  EngineOptions options;
  options.memtable_bytes_max = 1u << 20;
  options.block_cache_bytes = 64u << 10;  // the disk is asked
  options.merkle_depth = depth;
  return options;
}

struct Hashing {
  MerkleHashes hashes;
  Duration took = 0;
  uint64_t slice_units_max = 0;
  std::string wrong;
};

Task<void> fill(Host& host, EngineOptions options, std::string& wrong) {
  Result<std::unique_ptr<Engine>> opened = co_await Engine::open(host, options);
  if (!opened.ok()) {
    wrong = opened.error().text();
    co_return;
  }
  Engine& engine = **opened;
  for (uint64_t i = 0; i < kHashedRows;) {
    Batch batch;
    for (uint64_t n = 0; n < 100; ++n, ++i) batch.put(hashed_key(i), std::string(150, 'v'));
    Result<Lsn> lsn = engine.submit(batch);
    while (!lsn.ok() && lsn.code() == Code::kOverloaded) {
      co_await engine.room();
      lsn = engine.submit(batch);
    }
    if (!lsn.ok()) wrong = lsn.error().text();
  }
  (void)co_await engine.flush();
  (void)co_await engine.close();
}

Task<void> hash(Host& host, EngineOptions options, Hashing& out) {
  Result<std::unique_ptr<Engine>> opened = co_await Engine::open(host, options);
  if (!opened.ok()) {
    out.wrong = opened.error().text();
    co_return;
  }
  const Time begin = host.clock().now();
  Result<MerkleHashes> hashes = co_await (*opened)->merkle({});
  out.took = host.clock().now() - begin;
  if (!hashes.ok()) {
    out.wrong = hashes.error().text();
    co_return;
  }
  out.hashes = *std::move(hashes);
  out.slice_units_max = (*opened)->stats().slice_units_max;
}

Hashing first_hashing(uint32_t depth) {
  sim::WorldSpec spec = sim::small_world(1);
  spec.machines[0].disk = sim::DiskModel::hdd();
  sim::World world(std::move(spec));
  Hashing out;
  bool filled = false;
  world.place(1, 0, [&](Host& host) {
    return filled ? hash(host, hashing_options(depth), out)
                  : fill(host, hashing_options(depth), out.wrong);
  });
  world.start(1);
  world.run_until(120 * kSecond);
  filled = true;
  world.restart(1);
  world.run_until(400 * kSecond);
  return out;
}

TEST(EngineMerkle, the_first_hashing_after_a_restart_is_one_pass_whatever_the_depth) {
  const Hashing coarse = first_hashing(1);
  const Hashing fine = first_hashing(10);
  ASSERT_EQ(coarse.wrong + fine.wrong, "");
  ASSERT_EQ(fine.hashes.nodes.size(), (1u << 11) - 1);
  std::cout << "first hashing of " << kHashedRows << " rows on an HDD: two leaves "
            << coarse.took / kMillisecond << " ms, 1,024 leaves " << fine.took / kMillisecond
            << " ms, longest slice " << fine.slice_units_max << " units\n";
  EXPECT_LT(fine.took, 2 * coarse.took);
  EXPECT_LT(fine.slice_units_max, 200'000u);
}

}  // namespace
}  // namespace ringside
