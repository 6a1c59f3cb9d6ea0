// Disk images opened by a fresh engine, in a small world of their own with disks that take no time:
// what a node's disk holds, without a word from the node.
#pragma once

#include <string>
#include <vector>

#include "analysis/durability.h"
#include "runtime/network.h"
#include "runtime/time.h"
#include "sim/disk_image.h"
#include "storage/engine.h"

namespace ringside::lab {

struct TakenImage {
  NodeId node = kNoNode;
  Time at = 0;
  std::string when;  // for people: "before the restart at 3.2 s"
  sim::DiskImage image;
};

struct ReadImage {
  ReplicaSnapshot snapshot;
  uint64_t hints_waiting = 0;  // rows
  std::string error;           // not empty: a fresh engine could not open it
};

// In the order given.
std::vector<ReadImage> read_images(std::vector<TakenImage> images, const EngineOptions& options);

}  // namespace ringside::lab
