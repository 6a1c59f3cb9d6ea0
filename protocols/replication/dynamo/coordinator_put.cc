// Puts: a version, the homes, the W-th acknowledgement; stand-ins for those that are silent.
#include <algorithm>

#include "protocols/replication/dynamo/coordinator.h"

namespace ringside {
namespace {

std::string dot_text(Dot dot) {
  return "version " + std::to_string(dot.actor % 10'000) + ":" + std::to_string(dot.counter);
}

}  // namespace

// What goes to the homes. It keeps the object's bytes for stand-ins that are asked later.
struct Dynamo::Sending {
  std::string_view key;  // of the client's request
  uint64_t position = 0;
  uint64_t operation = 0;
  Time deadline = 0;
  Buffer message;  // a ReplicaPutRequest

  std::string_view object() const {
    ReplicaPutRequest put;
    CHECK(put.parse(message.view().substr(kHeaderBytes)));
    return put.object;
  }
};

// With buffered writes the last home, whoever that is, writes through its log.
void Dynamo::send_put(Fanout& fanout, const Seats& seats, const Sending& sending, bool here,
                      const Applied& applied) {
  const Ack ack{rpc_.self(), Kind::kReplicaPutRequest, sending.operation, fanout.call()};
  fanout.send(Kind::kReplicaPutRequest, sending.operation, sending.deadline, sending.message);
  const NodeId writes_through = buffer_ ? seats.homes.back() : kNoNode;
  if (buffer_) {
    fanout.add(writes_through, static_cast<uint32_t>(seats.homes.size() - 1),
               Kind::kReplicaPutRequest, sending.operation, sending.deadline,
               ReplicaPutRequest{sending.key, sending.object(), true}.encode());
  }
  if (here && buffer_ && writes_through != rpc_.self()) {
    ++stats_.buffered;
    rpc_.settle_local(fanout.call(), Status::kOk, encode_empty());
  } else if (here) {
    replica_.acknowledge(applied, ack);
  } else if (seats.has(rpc_.self())) {
    rpc_.settle_local(fanout.call(), Status::kFailed, encode_empty());  // not held
  }
}

// Whoever is silent or said no gets a stand-in: every put is to lie on N nodes.
bool Dynamo::hint_stand_ins(Fanout& fanout, const Seats& seats, const Sending& sending,
                            Duration patience) {
  const Time now = host_.clock().now();
  bool asked = false;
  for (uint32_t seat = 0; seat < seats.homes.size(); ++seat) {
    const SeatFill state = seat_fill(fanout, seat, suspects_, now, patience);
    if (state != SeatFill::kSilent && state != SeatFill::kVacant) continue;
    const NodeId peer = next_stand_in(*view_, sending.position, seats, fanout, suspects_, now);
    if (peer == kNoNode) break;
    ++stats_.stand_ins_asked;
    host_.trace().probe("dynamo.stand_in_written");
    const HintedPutRequest hint{sending.key, sending.object(), seats.homes[seat]};
    fanout.add(peer, seat, Kind::kHintedPutRequest, sending.operation, sending.deadline,
               hint.encode());
    if (peer == rpc_.self()) {
      keep_hint(hint, Ack{rpc_.self(), Kind::kHintedPutRequest, sending.operation, fanout.call()});
    }
    asked = true;
  }
  return asked;
}

Task<void> Dynamo::coordinate_put(Request request, bool handed_on) {
  ++stats_.puts;
  PutRequest put;
  CHECK(put.parse(request.body()));
  const Time began = host_.clock().now();
  Sending sending{put.key, Ring::position_of(put.key), request.operation, deadline_of(request), {}};
  Seats seats = seats_to_write(*view_, sending.position, options_.n, options_.w);
  if (options_.random_quorums) keep_random(seats, draws_);
  if (buffer_) std::swap(seats.homes.back(), seats.homes[draws_.below(seats.homes.size())]);
  const bool here = seats.has(rpc_.self()) && partitions_.holds(sending.position);
  const LocalPut local{put.context,
                       put.value,
                       put.tombstone,
                       request.operation,
                       recent_.find(request.operation),
                       static_cast<Time>(put.expires)};
  Applied applied;
  std::string own;
  if (!seats.enough()) {
    applied.status = Status::kUnavailable;
  } else if (!here) {
    applied = replica_.put_elsewhere(local, own);
  } else if (!replica_.put_now(put.key, local, applied)) {
    applied = co_await replica_.put_later(put.key, local);
  }
  if (applied.status != Status::kOk) {
    ++stats_.puts_failed;
    refuse(request, handed_on ? Status::kUnknown : applied.status);
    co_return;
  }
  recent_.remember(request.operation, applied.made);
  log("put.versioned", put.key, request.operation, [&] { return dot_text(applied.made.dot); });

  sending.message = ReplicaPutRequest{put.key, applied.object}.encode();
  Fanout fanout(rpc_,
                std::span<const NodeId>(seats.homes).first(seats.homes.size() - (buffer_ ? 1 : 0)));
  send_put(fanout, seats, sending, here, applied);
  const Duration patience = patience_of(options_, began, sending.deadline);
  if (sloppy() && suspects_.any()) hint_stand_ins(fanout, seats, sending, patience);
  Gather::Outcome outcome = Gather::Outcome::kDeadline;
  for (;;) {
    Time until = sending.deadline;
    if (sloppy()) {
      const auto homes = static_cast<uint32_t>(seats.homes.size());
      until = std::min(until, next_silence(fanout, homes, patience, host_.clock().now()));
    }
    outcome = co_await fanout.wait(seats.needed, until, sloppy() ? fanout.gather().failed() : ~0u);
    if (outcome == Gather::Outcome::kReached || !sloppy()) break;
    note_answers(fanout, patience);
    const bool asked = hint_stand_ins(fanout, seats, sending, patience);
    if (!asked && outcome == Gather::Outcome::kImpossible) break;
    if (host_.clock().now() >= sending.deadline) break;
  }
  log(outcome == Gather::Outcome::kReached ? "put.acknowledged" : "put.unknown", put.key,
      request.operation, [&] { return counted(fanout.gather()); });
  if (outcome == Gather::Outcome::kReached) {
    if (sloppy() && suspects_.any()) note_answers(fanout, patience);
    if (by_stand_ins(fanout, seats)) ++stats_.sloppy_puts;
    const std::string covers = replica_.versions().context_after(put.context, applied.made);
    rpc_.reply(request, Status::kOk, PutReply{covers, rpc_.self()}.encode());
    if (sloppy()) co_await fill_the_rest(fanout, seats, sending, patience);
    co_return;
  }
  note_silence(fanout);
  if (!here && !handed_on && nothing_delivered(fanout)) {
    ++stats_.puts_failed;
    refuse(request, Status::kUnavailable);
  } else {
    ++stats_.puts_unknown;
    host_.trace().probe("dynamo.put_unknown");
    refuse(request, Status::kUnknown);
  }
}

// After the client was answered: the seats beyond the W-th.
Task<void> Dynamo::fill_the_rest(Fanout& fanout, const Seats& seats, const Sending& sending,
                                 Duration patience) {
  const auto homes = static_cast<uint32_t>(seats.homes.size());
  const Gather& gather = fanout.gather();
  bool asked = hint_stand_ins(fanout, seats, sending, patience);
  while (gather.succeeded() < homes && (asked || gather.outstanding() > 0)) {
    const Time now = host_.clock().now();
    if (now >= sending.deadline) break;
    const Time until = std::min(sending.deadline, next_silence(fanout, homes, patience, now));
    // As many as there may still be: a seat that nobody fills must not end every wait at once.
    const uint32_t possible = gather.succeeded() + gather.outstanding();
    co_await fanout.wait(std::min(homes, possible), until, gather.failed());
    note_answers(fanout, patience);
    asked = hint_stand_ins(fanout, seats, sending, patience);
  }
}

}  // namespace ringside
