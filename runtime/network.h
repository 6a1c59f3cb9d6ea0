// Network: frames between processes, the unit that replication papers reason about and that faults
// act on. Frames may be delayed, lost, duplicated and damaged, and they overtake each other; no
// protocol may assume otherwise. The checksum of the bytes is the protocol's business, so that both
// hosts hand up damaged frames.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "runtime/buffer.h"
#include "runtime/ready.h"
#include "runtime/result.h"

namespace ringside {

// A process's address for its peers: small numbers for nodes, from kFirstClient for clients.
using NodeId = uint32_t;
inline constexpr NodeId kFirstClient = 1u << 24;
inline constexpr NodeId kNoNode = ~NodeId{0};

// What is said, as the protocols number it (protocols/wire.h). The host sees it because latency,
// faults, draws and metrics are keyed by it.
using FrameKind = uint16_t;

struct Frame {
  NodeId from = kNoNode;  // the host fills it in on send
  NodeId to = kNoNode;
  FrameKind kind = 0;
  uint64_t operation = 0;  // the client operation that caused it; 0 is background
  Buffer bytes;            // the host's from send on; shared with whoever else sends it
};

class FrameHandler {
 public:
  virtual ~FrameHandler() = default;
  virtual void on_frame(const Frame& frame) = 0;
  // `peer` refused a connection (Code::kUnavailable: nothing sent since the last frame heard from
  // it was delivered) or reset it (Code::kReset: what was in flight may have been delivered or
  // not). Silence is never reported as a refusal; a host that gives up a connection that has been
  // silent for long reports the reset that it makes, if anything was sent over it.
  virtual void on_peer_lost(NodeId peer, Code why) = 0;
};

inline constexpr std::size_t kFrameBytesMax = 16u << 20;

class Network {
 public:
  virtual ~Network() = default;

  virtual NodeId self() const = 0;
  // One handler a process; frames that arrive without one are dropped.
  virtual void attach(FrameHandler* handler) = 0;
  // Takes the frame, or says false when the peer's window is full and nothing was taken. Never
  // waits, never calls back into the handler before it returned.
  virtual bool send(Frame frame) = 0;
  // Wakes `waiter` once when the peer's window has room (or the peer was lost).
  virtual void when_writable(NodeId peer, Waiter& waiter) = 0;
  // Tells the host where a peer listens ("127.0.0.1:7001"). kInvalid for what is no HOST:PORT, and
  // nothing changes; a name that does not resolve is a peer that refuses. The simulator knows
  // already and accepts any text.
  virtual Result<void> learn(NodeId peer, std::string_view address) = 0;
  // Where this process listens, as peers should learn it.
  virtual std::string address() const = 0;

  // co_await network.writable(peer)
  auto writable(NodeId peer) {
    struct Awaiter : Waiter {
      Network& network;
      NodeId peer;
      Awaiter(Network& owner, NodeId to) : network(owner), peer(to) {}
      bool await_ready() const { return false; }
      void await_suspend(std::coroutine_handle<> caller) {
        handle = caller;
        network.when_writable(peer, *this);
      }
      void await_resume() {}
    };
    return Awaiter(*this, peer);
  }
};

}  // namespace ringside
