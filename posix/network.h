// RealNetwork: frames over TCP. A connection to a peer is made at the first frame for it; a peer
// that connected to us is answered over its own connection, so clients need not listen. The first
// message each way is a hello that says who speaks and where it listens. A peer that refused is not
// tried again for a while: frames for it are dropped and reported as refused. One that did not
// answer at all is not tried for a while either, and nothing is reported. Strangers and their bytes
// cost bounded memory and are dropped at the first thing that is wrong.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "posix/connection.h"
#include "runtime/event.h"
#include "runtime/network.h"
#include "runtime/random.h"
#include "runtime/task.h"

namespace ringside::posix {

class RealNetwork final : public Network, private Connection::Owner {
 public:
  // `listener` is a listening descriptor that this owns from here on, or -1.
  RealNetwork(Process& process, Random& random, NodeId self, int listener, std::string address,
              uint64_t window_bytes, Duration greet_within);
  ~RealNetwork() override;

  NodeId self() const override { return self_; }
  void attach(FrameHandler* handler) override { handler_ = handler; }
  bool send(Frame frame) override;
  void when_writable(NodeId peer, Waiter& waiter) override;
  Result<void> learn(NodeId peer, std::string_view address) override;
  std::string address() const override { return address_; }

  // Connects to whoever listens there; kNoNode's hello. The answer comes when it has said who it
  // is.
  Task<Result<NodeId>> meet(std::string address);
  std::string address_of(NodeId peer) const;

 private:
  struct Peer {
    explicit Peer(NodeId node) : id(node) {}
    NodeId id;
    std::string address;
    Connection* connection = nullptr;  // the one that we send over
    Time retry_at = 0;                 // not tried until then
    bool silent = false;               // because it did not answer; otherwise it refused
    Duration backoff = 0;
    uint64_t refused_bytes = 0;  // of the last frame that found no room
    List<Waiter> waiters;
  };
  struct Meeting {
    explicit Meeting(ReadyList& ready) : done(ready) {}
    Event done;
    Connection* connection = nullptr;
    Result<NodeId> who = Error{Code::kUnavailable, "no answer"};
  };

  void on_message(Connection& connection, Message message) override;
  void on_sent(Connection& connection) override;
  void on_closed(Connection& connection, int error) override;

  void on_acceptable();
  void on_hello(Connection& connection, const Message& message);
  void greet(Connection& connection, NodeId to);
  void drop(Connection& connection, int error);
  void forget(Connection& connection);
  Connection& make_connection(NodeId peer, bool accepted);
  void begin(Connection& connection, const std::string& address);
  void connect_peer(Peer& peer);
  Peer& peer_of(NodeId id);
  void forget_if_idle(NodeId id);
  uint64_t queued_bytes(const Peer& peer) const;
  bool has_room(const Peer& peer) const;
  void wake(Peer& peer);
  void lost(NodeId peer, Code why);
  void lost_soon(NodeId peer, Code why);
  void send_to_self(Frame frame);
  void sweep();
  void sweep_soon();

  Process& process_;
  Random& random_;
  NodeId self_;
  int listener_;
  std::string address_;
  uint64_t window_bytes_;
  Duration greet_within_;  // connect, and hear the hello
  FrameHandler* handler_ = nullptr;
  std::unique_ptr<Watch> acceptable_;
  Alarm accept_again_;
  Alarm sweeper_;
  bool sweeping_ = false;
  std::unordered_map<NodeId, std::unique_ptr<Peer>> peers_;
  std::unordered_map<Connection*, std::unique_ptr<Connection>> connections_;
  std::vector<std::unique_ptr<Connection>>
      graveyard_;  // closed inside their own callbacks; freed at the next turn
  uint64_t next_serial_ = 1;
  std::vector<Meeting*> meetings_;
  std::vector<std::pair<NodeId, Code>> losses_;  // to be reported at the next turn
  std::deque<Frame> to_self_;
  uint64_t to_self_bytes_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace ringside::posix
