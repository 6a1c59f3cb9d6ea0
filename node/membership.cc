#include "node/membership.h"

#include <algorithm>
#include <utility>

#include "node/recognition.h"
#include "runtime/deadline.h"

namespace ringside {
namespace {

constexpr Duration kTendEvery = 100 * kMillisecond;  // while a change is under way
constexpr Duration kForwardTimeout = kSecond;
constexpr std::size_t kPingedMax = 16;

// Clusters whose rings are made by other rules never become one.
uint64_t cluster_of(const NodeOptions& options) {
  const uint64_t strategy = static_cast<uint64_t>(options.ring.strategy);
  return mix(mix(mix(strategy, options.ring.q), options.ring.tokens), options.dynamo.n);
}

}  // namespace

Membership::Membership(Rpc& rpc, Engine& engine, const NodeOptions& options, RangeMover& mover)
    : rpc_(rpc),
      host_(rpc.host()),
      options_(options),
      mover_(mover),
      store_(host_, engine),
      detector_(options.detector),
      gossip_(rpc, table_, options.gossip, options.seeds, cluster_of(options),
              [this](NodeId id, MemberTable::Merged merged) { changed(id, merged); }),
      pinger_(rpc, detector_, options.ping, [this] { return pinged(); }),
      changes_(table_, rpc.self(), options.dynamo.request_timeout),
      work_(host_.ready()),
      deciding_(host_.ready(), 1),
      scope_(host_.ready()) {
  rpc_.speak(options.speak_wire);
  std::vector<Member> members = options.members;
  if (members.empty()) members.push_back(Member{.id = rpc.self()});  // until others are known
  view_ = stable_view(Rings::of(options.rings, std::move(members), options.ring));
}

bool Membership::takes_part() const {
  if (part_of_ != table_.seats_version()) {
    part_of_ = table_.seats_version();
    in_ring_ = table_.in_ring(rpc_.self());
  }
  return in_ring_ || (view_.changing() && view_.next->find(rpc_.self()) != nullptr);
}

// A cluster's first members are all there are, and were never decided upon.
void Membership::found() {
  for (const Member& member : options_.members) {
    const MemberRecord* known = table_.find(member.id);
    if (known != nullptr && known->seat.version != 0) continue;
    MemberRecord record{member.id, {}, {}};
    record.seat.version = 1;
    record.seat.machine = member.machine;
    record.seat.zone = member.zone;
    record.seat.rack = member.rack;
    record.seat.capacity = member.capacity;
    table_.merge(record);
    dirty_.insert(member.id);
  }
}

Task<Result<void>> Membership::load() {
  const Result<std::vector<MemberRecord>> kept = co_await store_.read();
  if (!kept.ok()) co_return kept.error();
  fresh_ = kept->empty();
  for (MemberRecord record : *kept) {
    if (record.id == rpc_.self()) record.life = {};  // it will say anew what it is
    table_.merge(record);
    learn(record);
  }
  found();
  RingView view = table_.view(options_.ring, view_, options_.rings);
  if (view.now != nullptr) show(std::move(view));
  co_return Result<void>();
}

Task<void> Membership::recognise() {
  if (!fresh_ || options_.speak_wire < 2 || !options_.gossip.on) co_return;
  co_await ringside::recognise(host_, gossip_, options_.recognise_within, &heard_incarnation_);
  lost_state_ = heard_incarnation_ > 0;
  if (lost_state_) host_.trace().probe("membership.lost_state");
}

Task<Result<void>> Membership::begin() {
  const Result<uint64_t> incarnation = co_await store_.begin_incarnation(heard_incarnation_ + 1);
  if (!incarnation.ok()) co_return incarnation.error();
  incarnation_ = *incarnation;
  speak(0, {});
  while (co_await tend_once()) {
  }
  co_return Result<void>();
}

Task<void> Membership::run() {
  running_ = true;
  scope_.spawn(tend());
  if (options_.speak_wire >= 2) {
    scope_.spawn(gossip_.run());
    scope_.spawn(pinger_.run());
    if (options_.ask_to_join) scope_.spawn(ask_for_seat());
  }
  scope_.spawn(join_old());
  co_await scope_.join();
}

// Something in a record is new. Called from within merges: it only notes.
void Membership::changed(NodeId id, MemberTable::Merged merged) {
  dirty_.insert(id);
  if (merged.seat) decided_.insert(id);
  const MemberRecord& record = *table_.find(id);
  if (merged.life && id == rpc_.self()) {
    heard_incarnation_ = std::max(heard_incarnation_, record.life.incarnation);
  } else if (merged.life) {
    learn(record);
    push_to_old();
  }
  work_.set();
}

void Membership::learn(const MemberRecord& record) {
  if (record.id == rpc_.self() || !record.life.said()) return;
  rpc_.peer_speaks(record.id, static_cast<uint16_t>(record.life.wire));
  if (record.life.address.empty()) return;
  if (!host_.network().learn(record.id, record.life.address).ok())
    host_.trace().probe("node.bad_address");
}

void Membership::show(RingView view) {
  view_ = std::move(view);
  if (on_view_) on_view_();
}

// Goes by what the table says now.
void Membership::follow() {
  if (seen_seats_ == table_.seats_version()) return;
  seen_seats_ = table_.seats_version();
  RingView view = table_.view(options_.ring, view_, options_.rings);
  if (view.now == nullptr) return;
  const bool same = view.now == view_.now && view.next == view_.next &&
                    view.ticket == view_.ticket && view.switched == view_.switched;
  unsettled_ = unsettled_ || view_.changing() || !same;
  if (!same) show(std::move(view));
  const std::vector<MemberTable::Change> changes = table_.unfinished();
  const MemberTable::Change* change = table_.under_way(changes);
  if (change != nullptr) {
    applied_ = {change->seat.ticket, change->seat.phase};
  } else {
    applied_ = {table_.last_done(), ChangePhase::kDone};
  }
}

// Tells the mover what it was not told yet.
void Membership::tell_mover() {
  if (!view_.changing()) {
    if (unsettled_) mover_.settle(view_);
    unsettled_ = false;
    return;
  }
  if (prepared_ != view_.ticket) mover_.prepare(view_);
  prepared_ = view_.ticket;
  if (applied_.phase < ChangePhase::kFilling || begun_ == view_.ticket) return;
  begun_ = view_.ticket;
  mover_.begin(view_);
}

// Says of this node what is so, where it is not said yet. What it names is durable here.
bool Membership::speak(uint64_t ticket_known, Applied applied) {
  const MemberRecord* known = table_.find(rpc_.self());
  Life life = known == nullptr ? Life{} : known->life;
  if (life.incarnation != incarnation_) life = Life{.incarnation = incarnation_};
  const Life before = life;
  life.address = host_.network().address();
  life.wire = options_.speak_wire;
  life.ticket_known = std::max(life.ticket_known, ticket_known);
  if (applied.ticket != 0) {
    life.applied_ticket = applied.ticket;
    life.applied_phase = applied.phase;
    const bool filling = applied.phase == ChangePhase::kFilling && begun_ == applied.ticket;
    if (filling && life.whole_ticket < applied.ticket && mover_.whole(applied.ticket))
      life.whole_ticket = applied.ticket;
  }
  if (life == before) return false;
  life.version = before.version + 1;
  MemberRecord record{rpc_.self(), {}, life};
  table_.merge(record);
  dirty_.insert(rpc_.self());
  gossip_.news();
  return true;
}

// One round of keeping, following and speaking. True when there may be more to do at once.
Task<bool> Membership::tend_once() {
  work_.reset();
  if (heard_incarnation_ >= incarnation_) {
    // Somebody knows a later start of this node than this one: it was restored from older data, or
    // there are two of it. Whatever it was, it must be heard above it.
    host_.trace().probe("membership.own_life_from_elsewhere");
    const Result<uint64_t> incarnation = co_await store_.begin_incarnation(heard_incarnation_ + 1);
    if (!incarnation.ok()) co_return false;  // the engine is poisoned, and ends the node
    incarnation_ = *incarnation;
  }
  std::vector<MemberRecord> records, decided;
  for (const NodeId id : dirty_) records.push_back(*table_.find(id));
  for (const NodeId id : decided_) decided.push_back(*table_.find(id));
  dirty_.clear();
  decided_.clear();
  const uint64_t ticket_known = table_.ticket_known();
  follow();
  if (running_) tell_mover();
  const Applied applied = applied_;
  const Result<void> kept = co_await store_.keep(std::move(records), std::move(decided));
  if (!kept.ok()) co_return false;
  const bool spoke = speak(ticket_known, applied);
  co_await drive();
  co_return spoke || !dirty_.empty();
}

Task<Result<void>> Membership::wait_for_work() {
  co_await work_.wait();
  co_return Result<void>();
}

Task<void> Membership::tend() {
  while (true) {
    while (co_await tend_once()) {
    }
    if (table_.unfinished().empty()) {
      co_await work_.wait();
    } else {
      const Time until = host_.clock().now() + kTendEvery;
      (void)co_await with_deadline(host_.clock(), until, wait_for_work());
    }
  }
}

Task<Result<void>> Membership::decide_and_keep(std::vector<MemberRecord> seats) {
  std::vector<MemberRecord> records = seats;
  for (MemberRecord& record : records) {
    const MemberRecord* known = table_.find(record.id);
    if (known != nullptr) record.life = known->life;
  }
  const Result<void> kept = co_await store_.keep(std::move(records), seats);
  if (!kept.ok()) co_return kept;
  for (const MemberRecord& seat : seats) table_.merge(seat);
  gossip_.news();
  work_.set();
  co_return Result<void>();
}

Task<void> Membership::drive() {
  if (table_.unfinished().empty()) co_return;
  Permit permit = co_await deciding_.acquire();
  std::vector<MemberRecord> seats = changes_.steps(host_.clock().now());
  if (seats.empty()) co_return;
  host_.trace().probe("membership.step_taken");
  (void)co_await decide_and_keep(std::move(seats));  // an engine that fails ends the node
}

Task<AdminAnswer> Membership::order(AdminOrder order) {
  NodeId ask = 0;
  AdminAnswer answer;
  {
    Permit permit = co_await deciding_.acquire();
    Decision decision = decide(table_, rpc_.self(), order, options_.dynamo.n);
    answer = std::move(decision.answer);
    ask = order.forwarded ? 0 : decision.ask;
    if (!decision.seats.empty()) {
      host_.trace().probe("membership.order_decided");
      const Result<void> kept = co_await decide_and_keep(std::move(decision.seats));
      if (!kept.ok()) co_return AdminAnswer{false, "not kept: " + kept.error().text(), 0};
    }
  }
  if (answer.accepted && !order.address.empty() &&
      !host_.network().learn(order.id, order.address).ok())
    answer.text += "; " + order.address + " is not HOST:PORT";
  if (ask == 0) co_return answer;
  const AdminAnswer forwarded = co_await forward(ask, std::move(order));
  co_return forwarded.text.empty() ? answer : forwarded;
}

Task<AdminAnswer> Membership::forward(NodeId to, AdminOrder order) {
  order.forwarded = true;
  const Time deadline = host_.clock().now() + kForwardTimeout;
  Fanout fanout(rpc_, to);
  fanout.send(Kind::kAdminRequest, 0, deadline, order.encode());
  co_await fanout.wait(1, deadline);
  AdminAnswer answer;
  if (fanout[0].state != Fanout::Leg::State::kOk || !answer.parse(fanout[0].body()))
    co_return AdminAnswer{};
  co_return answer;
}

Task<void> Membership::answer_order(Request request) {
  AdminOrder wanted;
  if (!wanted.parse(request.body())) {
    rpc_.reply(request, Status::kInvalid, encode_empty());
    co_return;
  }
  const AdminAnswer answer = co_await order(std::move(wanted));
  rpc_.reply(request, Status::kOk, answer.encode());
}

void Membership::message(Request request) {
  switch (request.kind) {
    case Kind::kGossipRequest:
    case Kind::kGossipPush: gossip_.message(request); return;
    case Kind::kPingRequest: pinger_.message(request); return;
    case Kind::kAdminRequest: scope_.spawn(answer_order(std::move(request))); return;
    case Kind::kMembersRequest: {
      MembersReply reply;
      for (const Member& member : view_.reads().members()) {
        const MemberRecord* record = table_.find(member.id);
        reply.members.push_back({member, record == nullptr ? "" : record->life.address});
      }
      reply.ring = options_.ring;
      reply.n = options_.dynamo.n;
      reply.ticket = view_.ticket;
      rpc_.reply(request, takes_part() ? Status::kOk : Status::kFailed, reply.encode());
      return;
    }
    default: take_members(request); return;
  }
}

// The members that share ranges with this one matter most to it; here simply those that come next
// by id, and everyone in a small cluster.
std::vector<NodeId> Membership::pinged() const {
  const std::vector<Member>& members = view_.now->members();
  const auto behind =
      std::upper_bound(members.begin(), members.end(), rpc_.self(),
                       [](NodeId self, const Member& member) { return self < member.id; });
  const auto first = static_cast<std::size_t>(behind - members.begin());
  std::vector<NodeId> ids;
  for (std::size_t i = 0; i < members.size() && ids.size() < kPingedMax; ++i) {
    const NodeId id = members[(first + i) % members.size()].id;
    if (id != rpc_.self()) ids.push_back(id);
  }
  return ids;
}

}  // namespace ringside
