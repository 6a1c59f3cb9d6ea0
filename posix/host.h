// RealHost: the Host over sockets, files and clocks. It is opened on a data directory of its own
// (locked, so that a second process on it is refused) and an address to listen at; a client has
// neither. Destroying it is the death of its process: tasks are destroyed, connections closed, and
// disk calls that are in flight are waited for and forgotten.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "posix/loop.h"
#include "runtime/host.h"

namespace ringside::posix {

struct HostOptions {
  NodeId id = kNoNode;
  std::string listen;     // "127.0.0.1:7001"; port 0: any that is free; empty: does not listen
  std::string advertise;  // what peers should learn instead of `listen` (behind a wildcard or a
                          // translation)
  std::string data_directory;           // made when missing; empty: no disk, every disk call fails
  std::string owner;                    // one line: whose data that is; "node ID" when empty
  std::string overlay_directory;        // instead: this directory, shown as `overlay_as` and never
  std::string overlay_as = "data";      // changed; what is written stays in memory (overlay_disk.h)
  uint64_t window_bytes = 4u << 20;     // queued for one peer before send says no
  Duration greet_within = 3 * kSecond;  // a peer that has not said hello by then is given up
  bool trace = false;                   // trace events go to stderr
};

// A generator that nobody can foresee.
Random entropy_random();

class RealHost final : public Host {
 public:
  // kInvalid with one line for people: the port is in use, the directory is locked, not readable or
  // somebody else's.
  static Result<std::unique_ptr<RealHost>> open(Loop& loop, HostOptions options);
  ~RealHost() override;

  Clock& clock() override;
  Network& network() override;
  Disk& disk() override;
  Random& random(std::string_view stream) override;
  Cpu& cpu() override;
  Trace& trace() override;
  ReadyList& ready() override;
  void spawn(Task<void> task) override;
  void abort(std::string_view why) override;

  // Connects to whoever listens at `address`, learns who it is, and can send to it from then on.
  Task<Result<NodeId>> meet(std::string address, Duration at_most);
  // Where a peer listens as far as this host has been told; empty when it has not.
  std::string address_of(NodeId peer) const;

  // Called once, from the loop, after a program that called abort was destroyed. The host may be
  // destroyed from here on, though not inside the call.
  void on_abort(std::function<void(std::string_view why)> action);
  bool aborted() const;
  uint64_t probe_count(std::string_view name) const;

 private:
  class Impl;
  explicit RealHost(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace ringside::posix
