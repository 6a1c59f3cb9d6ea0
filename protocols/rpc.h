// Rpc: requests and replies between processes, over frames that get lost, doubled, damaged and
// late. One Rpc a process. It never retries. A leg of a call ends in one of four ways: a reply;
// surely not delivered (kUnavailable, kOverloaded); not known (kReset); or not at all, and then the
// caller's deadline says kTimeout, which is not known either. One call id serves a fan-out: the
// message is encoded once and the legs are told apart by who answers. A handler sends its reply
// itself, because work goes on after it. Late and doubled replies find their call's generation gone
// and are dropped. A peer is spoken to in version 1 of the wire until it is known to speak more.
//
//   rpc.handle(Kind::kReplicaPutRequest, [this](Request request) { … rpc.reply(request,
//   Status::kOk, encode_empty()); });
//
//   Fanout fanout(rpc, peers);
//   fanout.send(Kind::kReplicaGetRequest, operation, deadline, GetRequest{key}.encode());
//   Gather::Outcome outcome = co_await fanout.wait(r, deadline);
//
// A call under way may get more legs. A leg fills a *seat*; those that are sent at first have one
// each, and one that is added may share one: the first of them to say ok fills it, and the others
// do not count any more.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "protocols/wire.h"
#include "runtime/gather.h"
#include "runtime/host.h"

namespace ringside {

class Rpc;

// A request as its handler gets it. Copies share the bytes; `body` is a view of them.
struct Request {
  NodeId from = kNoNode;
  Kind kind = Kind::kNone;
  uint64_t operation = 0;
  uint64_t call = 0;  // 0: no reply is wanted
  Time deadline = 0;  // on this machine's clock
  Buffer bytes;
  std::string_view body() const { return bytes.view().substr(kHeaderBytes); }
};

using Handler = std::function<void(Request)>;

struct RpcStats {
  uint64_t requests = 0, replies = 0, handled = 0;
  uint64_t damaged = 0, late = 0, unhandled = 0, expired = 0, window_full = 0;
};

// One request to one or more peers. Destroying it ends the interest in what has not arrived yet.
class Fanout {
 public:
  struct Leg {
    enum class State : uint8_t { kIdle, kWaiting, kOk, kFailed } state = State::kIdle;
    NodeId peer = kNoNode;
    NodeId answered_by = kNoNode;
    Status status = Status::kUnknown;  // kFailed: what the peer, or the lack of one, says
    uint64_t sent = 0;                 // the place of the send in the order of this process
    uint64_t heard = 0;                // and of the reply
    Time asked = 0;                    // when it was sent
    uint16_t seat = 0;
    bool added = false;  // after the first ones
    bool counts = true;  // false: another leg filled the seat
    Buffer bytes;        // of the reply; keeps `body` alive
    std::string_view body() const {
      return bytes.size() < kHeaderBytes ? std::string_view() : bytes.view().substr(kHeaderBytes);
    }
  };

  Fanout(Rpc& rpc, std::span<const NodeId> peers);
  Fanout(Rpc& rpc, NodeId peer) : Fanout(rpc, std::span<const NodeId>(&peer, 1)) {}
  Fanout(const Fanout&) = delete;
  Fanout& operator=(const Fanout&) = delete;
  ~Fanout();

  uint64_t call() const { return call_; }
  // Sends to every leg but the one that is this process itself, which someone settles with
  // Rpc::settle_local.
  void send(Kind kind, uint64_t operation, Time deadline, Buffer message);

  // One leg more, to a peer that has none yet, with a message of its own.
  void add(NodeId peer, uint32_t seat, Kind kind, uint64_t operation, Time deadline,
           Buffer message);

  // Until `need` seats are filled, or more than `failed_max` legs have failed. May be awaited again
  // with another need.
  auto wait(uint32_t need, Time deadline, uint32_t failed_max = ~0u) {
    return gather_.wait(need, deadline, failed_max);
  }
  const Gather& gather() const { return gather_; }

  std::size_t size() const { return legs_.size(); }
  const Leg& operator[](std::size_t i) const { return legs_[i]; }
  auto begin() const { return legs_.begin(); }
  auto end() const { return legs_.end(); }

 private:
  friend class Rpc;
  void settle(Leg& leg, bool ok, Status status);
  void send_leg(Leg& leg, Kind kind, uint64_t operation, Time now, const Buffer& message);

  Rpc& rpc_;
  uint64_t call_;
  Gather gather_;
  bool shared_ = false;  // some seat has two legs
  absl::InlinedVector<Leg, 3> legs_;
};

class Rpc : public FrameHandler {
 public:
  // `stats`, when given, is counted in instead of its own, and outlives it.
  explicit Rpc(Host& host, RpcStats* stats = nullptr);
  ~Rpc() override;
  Rpc(const Rpc&) = delete;
  Rpc& operator=(const Rpc&) = delete;

  void handle(Kind request, Handler handler);
  // Answers a request. Nothing is sent when no reply was wanted. A full window makes the reply
  // wait.
  void reply(const Request& request, Status status, Buffer message) {
    reply(request.from, request.kind, request.operation, request.call, status, std::move(message));
  }
  void reply(NodeId to, Kind request, uint64_t operation, uint64_t call, Status status,
             Buffer message);
  // A message that nobody answers.
  void send(NodeId to, Kind kind, uint64_t operation, Buffer message);
  // Ends the leg of `call` that is this process itself, as if it had answered itself. Nothing when
  // the call is over.
  void settle_local(uint64_t call, Status status, Buffer message);

  // The highest wire version that this process speaks and understands; kWireVersion to begin with.
  // A node of an older release, for rolling upgrades in tests.
  void speak(uint16_t most) { own_version_ = most; }
  uint16_t spoken() const { return own_version_; }
  // What a peer says that it speaks.
  void peer_speaks(NodeId peer, uint16_t most);
  uint16_t version_for(NodeId peer) const {
    return peer < versions_.size() ? std::min<uint16_t>(versions_[peer], own_version_) : 1;
  }

  NodeId self() const { return self_; }
  Host& host() { return host_; }
  const RpcStats& stats() const { return stats_; }

  void on_frame(const Frame& frame) override;
  void on_peer_lost(NodeId peer, Code why) override;

 private:
  friend class Fanout;
  struct Slot {
    Fanout* fanout = nullptr;
    uint32_t generation = 1;
    uint32_t next_free = 0;
  };

  uint64_t open(Fanout& fanout);
  void close(uint64_t call);
  Fanout* find(uint64_t call);
  void take_request(const Frame& frame, const Header& header);
  void take_reply(const Frame& frame, const Header& header);
  uint64_t next_place() { return ++place_; }
  void note_heard(NodeId peer);
  uint64_t last_heard(NodeId peer) const;
  Task<void> send_when_writable(Frame frame);

  Host& host_;
  NodeId self_;
  uint64_t incarnation_;  // 16 bits, not 0
  std::vector<Slot> slots_;
  uint32_t free_ = 0;  // slot 0 is never used
  uint64_t place_ = 0;
  // The place of the last frame from a peer; clients are left out, since nobody asks them anything.
  std::vector<uint64_t> heard_;  // of the first kDensePeers numbers
  absl::flat_hash_map<NodeId, uint64_t> heard_beyond_;
  uint16_t own_version_ = kWireVersion;
  std::vector<uint8_t> versions_;  // what the first kDensePeers speak
  std::array<Handler, static_cast<std::size_t>(Kind::kEnd)> handlers_;
  RpcStats own_stats_;
  RpcStats& stats_;
  uint32_t waiting_replies_ = 0;
  Scope scope_;  // replies that wait for a window
};

}  // namespace ringside
