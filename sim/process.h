// Process: a program that was placed on a machine. It runs in incarnations, each with a host of its
// own; between them there is no host.
#pragma once

#include <memory>
#include <utility>

#include "sim/machine.h"
#include "sim/sim_host.h"
#include "sim/world.h"

namespace ringside::sim {

class Process {
 public:
  Process(uint32_t index, NodeId node, Machine& machine, Program program)
      : index_(index), node_(node), machine_(machine), program_(std::move(program)) {}

  uint32_t index() const { return index_; }
  NodeId node() const { return node_; }
  Machine& machine() { return machine_; }
  Program& program() { return program_; }

  uint64_t incarnation = 0;       // starts so far
  std::unique_ptr<SimHost> host;  // while it runs
  // Whether it may be handed events. Not from the moment on at which a fault struck or it gave up.
  bool alive() const { return host != nullptr && !host->dead(); }

 private:
  const uint32_t index_;
  const NodeId node_;
  Machine& machine_;
  Program program_;
};

}  // namespace ringside::sim
