#include "posix/network.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>

#include "posix/tcp.h"

namespace ringside::posix {
namespace {

constexpr Duration kBackoffMin = 20 * kMillisecond;
constexpr Duration kBackoffMax = 500 * kMillisecond;
constexpr Duration kSweepEvery = 250 * kMillisecond;
constexpr size_t kConnectionsMax = 4'096;
constexpr size_t kStrangersMax = 256;  // accepted, and nothing said yet

bool real_node(NodeId id) { return id != 0 && id != kNoNode; }

// That nobody answered, or could be asked; the peer itself has said nothing.
bool is_silence(int error) {
  return error == ETIMEDOUT || error == EHOSTUNREACH || error == ENETUNREACH ||
         error == EHOSTDOWN || error == ENETDOWN;
}

}  // namespace

RealNetwork::RealNetwork(Process& process, Random& random, NodeId self, int listener,
                         std::string address, uint64_t window_bytes, Duration greet_within)
    : process_(process),
      random_(random),
      self_(self),
      listener_(listener),
      address_(std::move(address)),
      window_bytes_(window_bytes),
      greet_within_(greet_within),
      accept_again_(process.loop, [this] { acceptable_->want_read(); }),
      sweeper_(process.loop, [this] { sweep(); }) {
  if (listener_ < 0) return;
  acceptable_ =
      std::make_unique<Watch>(process_.loop, listener_, [this] { on_acceptable(); }, [] {});
  acceptable_->want_read();
}

RealNetwork::~RealNetwork() {
  *alive_ = false;
  acceptable_.reset();
  if (listener_ >= 0) close(listener_);
}

// Sending.

bool RealNetwork::send(Frame frame) {
  if (process_.dead) return true;
  CHECK(frame.bytes.size() <= kFrameBytesMax);
  const uint64_t size = kHeaderBytes + frame.bytes.size();
  Peer& peer = peer_of(frame.to);
  const uint64_t queued = queued_bytes(peer);
  if (queued > 0 && queued + size > window_bytes_) {  // one frame always fits
    peer.refused_bytes = size;
    return false;
  }
  frame.from = self_;
  if (frame.to == self_) {
    send_to_self(std::move(frame));
    return true;
  }
  if (peer.connection == nullptr) connect_peer(peer);
  if (peer.connection == nullptr) {
    if (!peer.silent) lost_soon(frame.to, Code::kUnavailable);  // unknown, or refused just now
    return true;
  }
  peer.connection->carried = true;
  peer.connection->send(
      {MessageType::kFrame, self_, frame.kind, frame.operation, std::move(frame.bytes)});
  return true;
}

void RealNetwork::send_to_self(Frame frame) {
  to_self_bytes_ += kHeaderBytes + frame.bytes.size();
  to_self_.push_back(std::move(frame));
  if (to_self_.size() > 1) return;
  process_.post([this] {
    std::deque<Frame> now = std::move(to_self_);
    to_self_.clear();
    to_self_bytes_ = 0;
    if (const auto found = peers_.find(self_); found != peers_.end()) wake(*found->second);
    for (const Frame& frame : now) {
      if (handler_ != nullptr && !process_.dead) handler_->on_frame(frame);
      process_.drain();
    }
  });
}

uint64_t RealNetwork::queued_bytes(const Peer& peer) const {
  if (peer.id == self_) return to_self_bytes_;
  return peer.connection == nullptr || !peer.connection->carried ? 0
                                                                 : peer.connection->queued_bytes();
}

// Room enough to be worth a wake-up, and for the frame that found none: a waiter that were woken
// for less would come back at once.
bool RealNetwork::has_room(const Peer& peer) const {
  const uint64_t queued = queued_bytes(peer);
  return queued == 0 ||
         (queued <= window_bytes_ / 2 && queued + peer.refused_bytes <= window_bytes_);
}

void RealNetwork::when_writable(NodeId id, Waiter& waiter) {
  if (process_.dead) return;
  Peer& peer = peer_of(id);
  peer.waiters.push_back(waiter);
  if (!has_room(peer)) return;
  wake(peer);
  process_.drain_soon();
}

void RealNetwork::wake(Peer& peer) {
  peer.refused_bytes = 0;
  while (Waiter* waiter = peer.waiters.pop_front()) process_.ready.push(*waiter);
}

void RealNetwork::on_sent(Connection& connection) {
  const auto found = peers_.find(connection.peer);
  if (found == peers_.end() || found->second->connection != &connection ||
      !has_room(*found->second))
    return;
  wake(*found->second);
  process_.drain();
}

// Peers and their connections.

RealNetwork::Peer& RealNetwork::peer_of(NodeId id) {
  std::unique_ptr<Peer>& peer = peers_[id];
  if (peer == nullptr) peer = std::make_unique<Peer>(id);
  return *peer;
}

// Clients come and go; one that left and cannot be reached leaves nothing behind.
void RealNetwork::forget_if_idle(NodeId id) {
  const auto found = peers_.find(id);
  if (found == peers_.end()) return;
  const Peer& peer = *found->second;
  if (peer.connection == nullptr && peer.address.empty() && peer.waiters.empty())
    peers_.erase(found);
}

Result<void> RealNetwork::learn(NodeId peer, std::string_view address) {
  const Result<HostPort> parts = split_address(address);
  if (!parts.ok()) return parts.error();
  if (peer == self_ || !real_node(peer)) return {};
  Peer& learnt = peer_of(peer);
  if (learnt.address == address) return {};
  learnt.address = address;
  learnt.retry_at = 0;
  learnt.silent = false;
  return {};
}

std::string RealNetwork::address_of(NodeId peer) const {
  const auto found = peers_.find(peer);
  return found == peers_.end() ? std::string() : found->second->address;
}

Connection& RealNetwork::make_connection(NodeId peer, bool accepted) {
  Connection::Owner& owner = *this;
  auto made = std::make_unique<Connection>(process_, owner);
  Connection& connection = *made;
  connection.peer = peer;
  connection.accepted = accepted;
  connection.serial = next_serial_++;
  connections_[&connection] = std::move(made);
  sweep_soon();
  return connection;
}

void RealNetwork::connect_peer(Peer& peer) {
  if (peer.address.empty() || Loop::monotonic() < peer.retry_at) return;
  peer.connection = &make_connection(peer.id, false);
  begin(*peer.connection, peer.address);
}

void RealNetwork::begin(Connection& connection, const std::string& address) {
  greet(connection, connection.peer);
  const Result<HostPort> parts = split_address(address);
  if (!parts.ok()) return connection.fail_soon(EINVAL);
  const auto answer = [this, alive = alive_, which = &connection, serial = connection.serial](
                          std::string found, std::string error) {
    // It may be gone by now, and another may live at its address.
    if (!*alive || !connections_.contains(which) || which->serial != serial || which->closed())
      return;
    if (found.empty()) which->why_not = error;
    const int fd = found.empty() ? -EADDRNOTAVAIL : connect_to(found);
    if (fd >= 0)
      which->adopt(fd, false);
    else
      drop(*which, -fd);
  };
  process_.loop.resolve(parts->host, parts->port, answer);
}

void RealNetwork::greet(Connection& connection, NodeId to) {
  connection.send({MessageType::kHello, self_, 0, 0, encode_hello({to, address_})});
}

// Accepting.

void RealNetwork::on_acceptable() {
  while (true) {
    const int fd = accept_from(listener_);
    if (fd == -EINTR || fd == -ECONNABORTED) continue;
    if (fd == -EAGAIN || fd == -EWOULDBLOCK) break;
    if (fd < 0) {  // out of descriptors or memory: let some be freed
      accept_again_.set(Loop::monotonic() + 50 * kMillisecond);
      return;
    }
    const auto stranger = [](const auto& entry) {
      return entry.first->accepted && !entry.first->greeted;
    };
    if (connections_.size() >= kConnectionsMax ||
        static_cast<size_t>(std::count_if(connections_.begin(), connections_.end(), stranger)) >=
            kStrangersMax) {
      close(fd);
      continue;
    }
    make_connection(kNoNode, true).adopt(fd, true);
  }
  acceptable_->want_read();
}

// Receiving.

void RealNetwork::on_message(Connection& connection, Message message) {
  if (process_.dead) return;
  if (message.type == MessageType::kHello) return on_hello(connection, message);
  if (message.from != connection.peer) return drop(connection, 0);
  if (handler_ == nullptr) return;
  handler_->on_frame(
      {message.from, self_, message.kind, message.operation, std::move(message.body)});
  process_.drain();
}

void RealNetwork::on_hello(Connection& connection, const Message& message) {
  const std::optional<Hello> hello = decode_hello(message.body.view());
  const bool expected = connection.peer == kNoNode || connection.peer == message.from;
  const bool for_us = hello.has_value() && (hello->to == self_ || hello->to == kNoNode);
  if (connection.greeted || !expected || !for_us || !real_node(message.from) ||
      message.from == self_) {
    return drop(connection, 0);
  }
  connection.peer = message.from;
  connection.allow_frames();
  if (connection.accepted) greet(connection, message.from);
  Peer& peer = peer_of(message.from);
  peer.retry_at = 0;
  peer.backoff = 0;
  peer.silent = false;
  if (!hello->address.empty()) {
    // Behind a wildcard, it can be reached where it comes from.
    const Result<HostPort> parts = split_address(hello->address);
    if (!parts.ok()) return drop(connection, 0);
    const bool anywhere = parts->host == "0.0.0.0" || parts->host == "::";
    (void)learn(message.from,
                anywhere ? connection.remote_host() + ":" + parts->port : hello->address);
  }
  // Our own connection stays; of theirs the newest counts, since an older one may be a dead
  // process's.
  if (peer.connection == nullptr || peer.connection->accepted) peer.connection = &connection;
  for (Meeting* meeting : meetings_) {
    if (meeting->connection != &connection) continue;
    meeting->who = message.from;
    meeting->connection = nullptr;
    meeting->done.set();
  }
  process_.drain();
}

Task<Result<NodeId>> RealNetwork::meet(std::string address) {
  const Result<HostPort> parts = split_address(address);
  if (!parts.ok()) co_return parts.error();
  struct Listed : Meeting {  // stays in the list for as long as this frame lives
    RealNetwork& network;
    explicit Listed(RealNetwork& owner) : Meeting(owner.process_.ready), network(owner) {
      network.meetings_.push_back(this);
    }
    ~Listed() { std::erase(network.meetings_, this); }
  } meeting(*this);
  meeting.connection = &make_connection(kNoNode, false);
  begin(*meeting.connection, address);
  co_await meeting.done.wait();
  if (!meeting.who.ok())
    co_return Error{meeting.who.code(), address + ": " + meeting.who.error().message};
  co_return meeting.who;
}

// The end of connections.

void RealNetwork::drop(Connection& connection, int error) {
  if (connection.closed()) return;
  connection.close();
  on_closed(connection, error);
}

void RealNetwork::on_closed(Connection& connection, int error) {
  const bool was_connected = connection.greeted || connection.connected();
  for (Meeting* meeting : meetings_) {
    if (meeting->connection != &connection) continue;
    meeting->connection = nullptr;
    const char* broken = connection.connected() ? "the connection was closed: not a Ringside node"
                                                : "cannot connect";
    meeting->who = Error{Code::kUnavailable, !connection.why_not.empty() ? connection.why_not
                                             : error != 0                ? strerror(error)
                                                                         : broken};
    meeting->done.set();
  }
  const NodeId id = connection.peer;
  const bool carried = connection.carried;
  if (const auto found = peers_.find(id); found != peers_.end()) {
    Peer& peer = *found->second;
    if (peer.connection == &connection) {
      peer.connection = nullptr;
      wake(peer);
    }
    if (!connection.accepted && !connection.greeted) {
      peer.backoff = std::clamp(2 * peer.backoff, kBackoffMin, kBackoffMax);
      const auto jitter =
          static_cast<Duration>(random_.below(static_cast<uint64_t>(peer.backoff / 4)));
      peer.retry_at = Loop::monotonic() + peer.backoff + jitter;
      peer.silent = is_silence(error);
    }
  }
  forget(connection);
  // What we sent may have arrived; over a connection that never came to be, it surely has not, and
  // is like lost frames when nobody said so.
  if (carried && (was_connected || !is_silence(error)))
    lost(id, was_connected ? Code::kReset : Code::kUnavailable);
  forget_if_idle(id);
  process_.drain();
}

void RealNetwork::forget(Connection& connection) {
  const auto found = connections_.find(&connection);
  if (found == connections_.end()) return;
  graveyard_.push_back(std::move(found->second));
  connections_.erase(found);
  if (graveyard_.size() > 1) return;
  process_.post([this] { graveyard_.clear(); });
}

void RealNetwork::lost(NodeId peer, Code why) {
  if (handler_ != nullptr && !process_.dead) handler_->on_peer_lost(peer, why);
}

void RealNetwork::lost_soon(NodeId peer, Code why) {
  if (std::find(losses_.begin(), losses_.end(), std::pair(peer, why)) != losses_.end()) return;
  losses_.emplace_back(peer, why);
  if (losses_.size() > 1) return;
  process_.post([this] {
    for (const auto& [lost_peer, code] : std::exchange(losses_, {})) {
      lost(lost_peer, code);
      process_.drain();
      forget_if_idle(lost_peer);
    }
  });
}

// Ends connections that do not get as far as a hello.

void RealNetwork::sweep_soon() {
  if (std::exchange(sweeping_, true)) return;
  sweeper_.set(Loop::monotonic() + std::min(kSweepEvery, greet_within_));
}

void RealNetwork::sweep() {
  sweeping_ = false;
  const Time limit = Loop::monotonic() - greet_within_;
  std::vector<Connection*> late;
  bool waiting = false;
  for (const auto& [connection, owned] : connections_) {
    if (connection->greeted) continue;
    if (connection->begun < limit)
      late.push_back(connection);
    else
      waiting = true;
  }
  for (Connection* connection : late) {
    if (connections_.contains(connection)) drop(*connection, ETIMEDOUT);
  }
  if (waiting) sweep_soon();
}

}  // namespace ringside::posix
