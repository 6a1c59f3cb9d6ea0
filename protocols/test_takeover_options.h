// For tests of this room: what test_takeover.h plays, and the world it plays in.
#pragma once

#include "protocols/replication/dynamo/options.h"
#include "protocols/replication/dynamo/transfer_options.h"
#include "protocols/ring.h"
#include "sim/world_for_test.h"

namespace ringside::test {

struct TakeoverRigOptions {
  uint64_t seed = 1;
  uint32_t nodes = 6;
  uint32_t writers = 2;
  uint32_t readers = 1;
  uint32_t keys = 200;
  uint32_t value_bytes = 40;
  Duration think = 5 * kMillisecond;  // of a client, between two operations
  double loss = 0, duplication = 0;
  double whispers = 0;  // share of puts that reach one home alone
  double crash = 0;     // probability that somebody dies, every 10 ms
  uint64_t memtable_bytes = 64u << 10;
  Duration scrub_every = 0;
  RingOptions ring{.q = 16, .tokens = 4};
  DynamoOptions dynamo;
  TransferOptions transfer{.page_bytes = 1'000,
                           .page_timeout = 100 * kMillisecond,
                           .retry_every = 20 * kMillisecond,
                           .keep_for = 100 * kMillisecond,
                           .look_every = 500 * kMillisecond};
};

inline sim::WorldSpec takeover_world(const TakeoverRigOptions& options) {
  sim::WorldSpec spec = sim::small_world(options.nodes + options.writers + options.readers + 1,
                                         100 * kMicrosecond, options.seed);
  sim::LinkModel link;
  link.latency = *sim::Distribution::uniform(100 * kMicrosecond, 2 * kMillisecond);
  for (std::size_t i = 0; i < sim::kLinkClasses; ++i)
    spec.topology.set_class(static_cast<sim::LinkClass>(i), link);
  for (sim::MachineModel& machine : spec.machines) machine.disk = sim::DiskModel::nvme();
  spec.network.loss = options.loss;
  spec.network.duplication = options.duplication;
  return spec;
}

}  // namespace ringside::test
