#include "lab/disk_reader.h"

#include "node/inspect.h"
#include "sim/world.h"
#include "workloads/value.h"

namespace ringside::lab {
namespace {

// A batch at a time, so that a run with thousands of restarts needs no world of thousands of
// machines.
constexpr std::size_t kImagesAtOnce = 64;

struct Slot {
  ReadImage* out = nullptr;
  bool done = false;
};

std::vector<ValueId> ids_of(const StoredObject& object) {
  std::vector<ValueId> ids;
  for (const StoredVersion& version : object.siblings)
    ids.push_back(version.tombstone ? version.operation : value_id(version.value));
  return ids;
}

Task<void> read_one(Host& host, EngineOptions options, Slot* slot) {
  Result<StoredRows> rows = co_await read_rows(host, std::move(options));
  ReplicaSnapshot& snapshot = slot->out->snapshot;
  if (!rows.ok()) {
    slot->out->error = rows.error().text();
  } else {
    for (StoredObject& object : rows->objects) {
      for (const StoredVersion& version : object.siblings)
        if (version.tombstone) snapshot.tombstones.insert(version.operation);
      std::vector<ValueId> ids = ids_of(object);
      snapshot.keys.emplace(std::move(object.key), std::move(ids));
    }
    for (const StoredHint& hint : rows->hints) {
      ++slot->out->hints_waiting;
      const std::vector<ValueId> ids = ids_of(hint.object);
      std::vector<ValueId>& kept = snapshot.hints[hint.object.key];
      kept.insert(kept.end(), ids.begin(), ids.end());
    }
  }
  slot->done = true;
}

void read_batch(std::vector<TakenImage>& images, std::size_t begin, std::size_t end,
                const EngineOptions& options, std::vector<ReadImage>& out) {
  sim::WorldSpec spec;
  const sim::PlaceId region = *spec.topology.add_region("bench");
  const sim::PlaceId zone = *spec.topology.add_zone(region, "bench-a");
  const sim::PlaceId rack = *spec.topology.add_rack(zone, "bench-a-rack");
  for (std::size_t i = begin; i < end; ++i) {
    CHECK(spec.topology.add_machine(rack, "reader-" + std::to_string(i)).ok());
    spec.machines.emplace_back().clock.offset = images[i].at;  // what had expired then is not there
  }
  sim::World world(std::move(spec));
  std::vector<Slot> slots(end - begin);
  for (std::size_t i = begin; i < end; ++i) {
    const NodeId node = static_cast<NodeId>(i - begin + 1);
    Slot* slot = &slots[i - begin];
    slot->out = &out[i];
    world.place(node, node - 1,
                [options, slot](Host& host) { return read_one(host, options, slot); });
    world.set_image(node, std::move(images[i].image));
    world.start(node);
  }
  const auto all_done = [&] {
    for (const Slot& slot : slots) {
      if (!slot.done) return false;
    }
    return true;
  };
  while (!all_done() && world.step()) {
  }
  for (Slot& slot : slots) {
    if (!slot.done && slot.out->error.empty())
      slot.out->error = "the engine gave up while it opened the image";
  }
}

}  // namespace

std::vector<ReadImage> read_images(std::vector<TakenImage> images, const EngineOptions& options) {
  std::vector<ReadImage> out(images.size());
  for (std::size_t i = 0; i < images.size(); ++i) {
    out[i].snapshot.replica = images[i].node;
    out[i].snapshot.at = images[i].at;
    out[i].snapshot.when = images[i].when;
  }
  for (std::size_t begin = 0; begin < images.size(); begin += kImagesAtOnce) {
    read_batch(images, begin, std::min(images.size(), begin + kImagesAtOnce), options, out);
  }
  return out;
}

}  // namespace ringside::lab
