#include "protocols/rpc.h"

#include <algorithm>

namespace ringside {
namespace {

// A call id: incarnation 16, slot 20, generation 28 bits.
constexpr int kGenerationBits = 28;
constexpr int kSlotBits = 20;
constexpr uint32_t kGenerationMask = (1u << kGenerationBits) - 1;
constexpr uint32_t kSlotMask = (1u << kSlotBits) - 1;
constexpr uint32_t kWaitingRepliesMax = 4096;
constexpr NodeId kDensePeers = 4096;

uint32_t budget_until(Time now, Time deadline) {
  if (deadline == kNever) return ~uint32_t{0};
  const Duration left = std::max<Duration>(deadline - now, 0) / kMicrosecond;
  return static_cast<uint32_t>(std::clamp<Duration>(left, 1, ~uint32_t{0} - 1));
}

Status status_of(Code why) {
  return why == Code::kUnavailable ? Status::kUnavailable : Status::kUnknown;
}

}  // namespace

Fanout::Fanout(Rpc& rpc, std::span<const NodeId> peers)
    : rpc_(rpc),
      call_(rpc.open(*this)),
      gather_(rpc.host().ready(), rpc.host().clock(), static_cast<uint32_t>(peers.size())),
      legs_(peers.size()) {
  for (std::size_t i = 0; i < peers.size(); ++i) {
    legs_[i].peer = peers[i];
    legs_[i].seat = static_cast<uint16_t>(i);
  }
}

Fanout::~Fanout() { rpc_.close(call_); }

void Fanout::send(Kind kind, uint64_t operation, Time deadline, Buffer message) {
  const Time now = rpc_.host_.clock().now();
  Header header;
  header.call = call_;
  header.budget_us = budget_until(now, deadline);
  header.version = rpc_.own_version_;  // one message for all: what all of them understand
  for (const Leg& leg : legs_) {
    if (leg.peer != rpc_.self_)
      header.version = std::min(header.version, rpc_.version_for(leg.peer));
  }
  seal(message, kind, operation, header);
  for (Leg& leg : legs_) {
    if (leg.state == Leg::State::kIdle) send_leg(leg, kind, operation, now, message);
  }
}

void Fanout::send_leg(Leg& leg, Kind kind, uint64_t operation, Time now, const Buffer& message) {
  leg.state = Leg::State::kWaiting;
  leg.asked = now;
  if (leg.peer == rpc_.self_) return;
  ++rpc_.stats_.requests;
  leg.sent = rpc_.next_place();
  if (rpc_.host_.network().send(Frame{kNoNode, leg.peer, number(kind), operation, message})) return;
  ++rpc_.stats_.window_full;
  rpc_.host_.trace().probe("rpc.window_full");
  settle(leg, false, Status::kOverloaded);
}

void Fanout::add(NodeId peer, uint32_t seat, Kind kind, uint64_t operation, Time deadline,
                 Buffer message) {
  for (const Leg& leg : legs_) {
    CHECK(leg.peer != peer);
    shared_ = shared_ || leg.seat == seat;
  }
  const Time now = rpc_.host_.clock().now();
  Header header;
  header.call = call_;
  header.budget_us = budget_until(now, deadline);
  header.version = rpc_.version_for(peer);
  seal(message, kind, operation, header);
  gather_.add_leg();
  Leg& leg = legs_.emplace_back();
  leg.peer = peer;
  leg.seat = static_cast<uint16_t>(seat);
  leg.added = true;
  send_leg(leg, kind, operation, now, message);
}

void Fanout::settle(Leg& leg, bool ok, Status status) {
  leg.state = ok ? Leg::State::kOk : Leg::State::kFailed;
  leg.status = status;
  if (!leg.counts) return;
  if (!ok) return gather_.fail();
  gather_.succeed();
  if (!shared_) return;
  for (Leg& other : legs_) {
    if (other.seat != leg.seat || other.state != Leg::State::kWaiting || !other.counts) continue;
    other.counts = false;
    gather_.withdraw();
  }
}

Rpc::Rpc(Host& host, RpcStats* stats)
    : host_(host),
      self_(host.network().self()),
      incarnation_(1 + host.random("rpc").below(0xffff)),
      slots_(1),
      stats_(stats != nullptr ? *stats : own_stats_),
      scope_(host.ready()) {
  host_.network().attach(this);
}

Rpc::~Rpc() { host_.network().attach(nullptr); }

void Rpc::handle(Kind request, Handler handler) {
  CHECK(is_request(request));
  handlers_[number(request)] = std::move(handler);
}

uint64_t Rpc::open(Fanout& fanout) {
  if (free_ == 0) {
    free_ = static_cast<uint32_t>(slots_.size());
    CHECK(free_ <= kSlotMask);
    slots_.emplace_back();
  }
  const uint32_t index = free_;
  Slot& slot = slots_[index];
  free_ = slot.next_free;
  slot.fanout = &fanout;
  return incarnation_ << (kSlotBits + kGenerationBits) | uint64_t{index} << kGenerationBits |
         slot.generation;
}

void Rpc::close(uint64_t call) {
  const auto index = static_cast<uint32_t>(call >> kGenerationBits) & kSlotMask;
  Slot& slot = slots_[index];
  slot.fanout = nullptr;
  slot.generation = (slot.generation + 1) & kGenerationMask;
  slot.next_free = free_;
  free_ = index;
}

Fanout* Rpc::find(uint64_t call) {
  const auto index = static_cast<uint32_t>(call >> kGenerationBits) & kSlotMask;
  if (call >> (kSlotBits + kGenerationBits) != incarnation_ || index >= slots_.size())
    return nullptr;
  const Slot& slot = slots_[index];
  return slot.generation == (call & kGenerationMask) ? slot.fanout : nullptr;
}

void Rpc::on_frame(const Frame& frame) {
  const std::optional<Header> header = unseal(frame);
  const Kind kind = static_cast<Kind>(frame.kind);
  if (!header || header->version > own_version_ || frame.kind == 0 ||
      frame.kind >= number(Kind::kEnd) || is_request(kind) == ((header->flags & kFlagReply) != 0)) {
    ++stats_.damaged;
    host_.trace().probe("rpc.bad_checksum");
    return;
  }
  note_heard(frame.from);
  if (is_request(kind)) {
    take_request(frame, *header);
  } else {
    take_reply(frame, *header);
  }
}

void Rpc::peer_speaks(NodeId peer, uint16_t most) {
  if (peer >= kDensePeers) return;  // version 1 has all that is said to them
  if (peer >= versions_.size()) versions_.resize(peer + 1, 1);
  versions_[peer] = static_cast<uint8_t>(std::clamp<uint16_t>(most, 1, kWireVersion));
}

void Rpc::note_heard(NodeId peer) {
  if (peer >= kFirstClient) return;
  if (peer >= kDensePeers) {
    heard_beyond_[peer] = next_place();
    return;
  }
  if (peer >= heard_.size()) heard_.resize(peer + 1);
  heard_[peer] = next_place();
}

uint64_t Rpc::last_heard(NodeId peer) const {
  if (peer < kDensePeers) return peer < heard_.size() ? heard_[peer] : 0;
  const auto found = heard_beyond_.find(peer);
  return found == heard_beyond_.end() ? 0 : found->second;
}

void Rpc::take_request(const Frame& frame, const Header& header) {
  const Handler& handler = handlers_[frame.kind];
  if (!handler) {
    ++stats_.unhandled;
    return;
  }
  ++stats_.handled;
  Request request;
  request.from = frame.from;
  request.kind = static_cast<Kind>(frame.kind);
  request.operation = frame.operation;
  request.call = header.call;
  request.deadline = header.budget_us == ~uint32_t{0}
                         ? kNever
                         : host_.clock().now() + Duration{header.budget_us} * kMicrosecond;
  request.bytes = frame.bytes;
  handler(std::move(request));
}

void Rpc::take_reply(const Frame& frame, const Header& header) {
  Fanout* fanout = find(header.call);
  if (fanout == nullptr) {
    ++stats_.late;
    return;
  }
  for (Fanout::Leg& leg : fanout->legs_) {
    // A single leg may have been sent to a stand-in number for a peer whose own was not known.
    if (leg.peer != frame.from && fanout->legs_.size() > 1) continue;
    if (leg.state != Fanout::Leg::State::kWaiting) break;  // doubled
    ++stats_.replies;
    leg.answered_by = frame.from;
    leg.heard = next_place();
    leg.bytes = frame.bytes;
    fanout->settle(leg, header.status == Status::kOk, header.status);
    return;
  }
  ++stats_.late;
}

void Rpc::settle_local(uint64_t call, Status status, Buffer message) {
  Fanout* fanout = find(call);
  if (fanout == nullptr) return;
  for (Fanout::Leg& leg : fanout->legs_) {
    if (leg.peer != self_ || leg.state != Fanout::Leg::State::kWaiting) continue;
    leg.answered_by = self_;
    leg.heard = next_place();
    leg.bytes = std::move(message);
    fanout->settle(leg, status == Status::kOk, status);
    return;
  }
}

void Rpc::reply(NodeId to, Kind request, uint64_t operation, uint64_t call, Status status,
                Buffer message) {
  if (call == 0) return;
  const Kind kind = reply_to(request);
  Header header;
  header.call = call;
  header.flags = kFlagReply;
  header.status = status;
  header.version = version_for(to);
  seal(message, kind, operation, header);
  Frame frame{kNoNode, to, number(kind), operation, std::move(message)};
  Buffer again = frame.bytes;
  if (host_.network().send(std::move(frame))) return;
  ++stats_.window_full;
  host_.trace().probe("rpc.reply_waits_for_window");
  if (waiting_replies_ == kWaitingRepliesMax) return;
  scope_.spawn(send_when_writable(Frame{kNoNode, to, number(kind), operation, std::move(again)}));
}

Task<void> Rpc::send_when_writable(Frame frame) {
  ++waiting_replies_;
  for (bool sent = false; !sent;) {
    co_await host_.network().writable(frame.to);
    sent = host_.network().send(frame);
  }
  --waiting_replies_;
}

void Rpc::send(NodeId to, Kind kind, uint64_t operation, Buffer message) {
  Header header;
  header.version = version_for(to);
  seal(message, kind, operation, header);
  if (!host_.network().send(Frame{kNoNode, to, number(kind), operation, std::move(message)}))
    ++stats_.window_full;
}

void Rpc::on_peer_lost(NodeId peer, Code why) {
  const uint64_t heard = last_heard(peer);
  for (Slot& slot : slots_) {
    if (slot.fanout == nullptr) continue;
    for (Fanout::Leg& leg : slot.fanout->legs_) {
      if (leg.peer != peer || leg.state != Fanout::Leg::State::kWaiting || leg.peer == self_)
        continue;
      // A refusal speaks of what was sent since the peer was last heard; of what went before it
      // says nothing.
      const bool surely = why == Code::kUnavailable && leg.sent > heard;
      slot.fanout->settle(leg, false, status_of(surely ? Code::kUnavailable : Code::kReset));
    }
  }
}

}  // namespace ringside
