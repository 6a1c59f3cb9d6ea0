// Members of a simulated cluster, over real engines and the simulated network: founding, joins,
// leaves, replacements, crashes in the middle, lost disks, old releases.
#include "node/membership.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "sim/world.h"

namespace ringside {
namespace {

using testing::ElementsAre;

constexpr NodeId kFounders = 4;
constexpr NodeId kSpares = 3;
constexpr NodeId kAdmin = kFirstClient;

sim::WorldSpec places(uint64_t seed) {
  sim::WorldSpec spec;
  spec.seed = seed;
  const sim::PlaceId region = *spec.topology.add_region("east");
  const sim::PlaceId rack = *spec.topology.add_rack(*spec.topology.add_zone(region, "a"), "r");
  for (uint32_t i = 0; i <= kFounders + kSpares; ++i) {
    CHECK(spec.topology.add_machine(rack, "m" + std::to_string(i + 1)).ok());
    spec.machines.emplace_back();
  }
  return spec;
}

// Is whole a while after it was told to begin, and notes what it was told.
class SlowMover : public RangeMover {
 public:
  explicit SlowMover(Host& host, std::vector<std::string>& told) : host_(host), told_(told) {}
  void prepare(const RingView& view) override { note("prepare", view); }
  void begin(const RingView& view) override {
    note("begin", view);
    begun_at_[view.ticket] = host_.clock().now();
  }
  bool whole(uint64_t ticket) override {
    const auto begun = begun_at_.find(ticket);
    return begun != begun_at_.end() && host_.clock().now() >= begun->second + 500 * kMillisecond;
  }
  void settle(const RingView& view) override { note("settle", view); }

 private:
  void note(const std::string& what, const RingView& view) {
    told_.push_back(what + (view.changing() ? "+" : ""));
  }
  Host& host_;
  std::vector<std::string>& told_;
  std::map<uint64_t, Time> begun_at_;
};

// A member as the world sees it: nothing but membership over an engine.
struct Seen {
  const Membership* membership = nullptr;
  std::vector<std::string> told;
};

Task<void> run_member(Host& host, NodeOptions options, Seen* seen) {
  Result<std::unique_ptr<Engine>> engine = co_await Engine::open(host, options.engine);
  CHECK(engine.ok());
  Rpc rpc(host);
  SlowMover mover(host, seen->told);
  Membership membership(rpc, **engine, options, mover);
  CHECK((co_await membership.load()).ok());
  for (const Kind kind : Membership::kRequests)
    rpc.handle(kind, [&membership](Request request) { membership.message(std::move(request)); });
  co_await membership.recognise();
  struct Shown {
    Seen* seen;
    ~Shown() { seen->membership = nullptr; }
  } shown{seen};
  if (!(co_await membership.begin()).ok()) co_return;
  seen->membership = &membership;
  Scope scope(host.ready());
  scope.spawn(membership.run());
  (void)co_await (*engine)->durable(~Lsn{0});
}

Task<void> give_order(Host& host, NodeId at, AdminOrder order, AdminAnswer* answer) {
  Rpc rpc(host);
  Fanout fanout(rpc, at);
  const Time deadline = host.clock().now() + 3 * kSecond;
  fanout.send(Kind::kAdminRequest, 0, deadline, order.encode());
  co_await fanout.wait(1, deadline);
  if (fanout[0].state == Fanout::Leg::State::kOk) CHECK(answer->parse(fanout[0].body()));
}

class Members {
 public:
  explicit Members(uint64_t seed = 1, NodeOptions options = {}) : world(places(seed)) {
    for (NodeId id = 1; id <= kFounders; ++id)
      options.members.push_back({id, "m" + std::to_string(id), "", ""});
    for (NodeId id = 1; id <= kFounders + kSpares; ++id) {
      NodeOptions own = options;
      if (id > kFounders) {
        own.members.clear();
        own.seeds = {1, 2};
      }
      options_[id] = own;
      world.place(id, id - 1,
                  [this, id](Host& host) { return run_member(host, options_[id], &seen[id]); });
      world.start(id);
    }
    world.place(kAdmin, kFounders + kSpares,
                [this](Host& host) { return give_order(host, asked_, order_, &answer_); });
    run(2 * kSecond);
  }

  void run(Duration duration) { world.run_until(world.now() + duration); }
  AdminAnswer order(NodeId at, AdminOrder::Verb verb, NodeId id, NodeId replaces = 0) {
    asked_ = at;
    order_ = {};
    order_.verb = verb;
    order_.id = id;
    order_.replaces = replaces;
    answer_ = {};
    world.restart(kAdmin);
    run(3 * kSecond);
    return answer_;
  }
  std::vector<NodeId> ring(NodeId at) {
    std::vector<NodeId> ids;
    if (seen[at].membership == nullptr) return ids;
    for (const Member& member : seen[at].membership->view().now->members())
      ids.push_back(member.id);
    return ids;
  }
  bool changing(NodeId at) { return !seen[at].membership->table().unfinished().empty(); }
  // For a minute at most; everyone who runs agrees and nothing is under way.
  void expect_ring(const std::vector<NodeId>& ids) {
    const Time until = world.now() + 60 * kSecond;
    const auto there = [&] {
      for (const NodeId id : ids) {
        if (seen[id].membership == nullptr || ring(id) != ids || changing(id)) return false;
      }
      return true;
    };
    while (!there() && world.now() < until) {
      check_steps();
      run(20 * kMillisecond);
    }
    for (const NodeId id : ids) {
      EXPECT_EQ(ring(id), ids) << "at " << id;
      ASSERT_NE(seen[id].membership, nullptr);
      EXPECT_FALSE(changing(id)) << "at " << id;
    }
  }
  // Whatever any two members go by at one time differs by one step at most.
  void check_steps() {
    std::map<uint64_t, std::pair<int, int>> steps;  // of each ticket, the least and the greatest
    bool any = false;
    uint64_t ticket = 0;
    for (const auto& [id, at] : seen) {
      if (at.membership == nullptr || !at.membership->view().changing()) continue;
      any = true;
      EXPECT_TRUE(ticket == 0 || ticket == at.membership->view().ticket) << "two changes at once";
      ticket = at.membership->view().ticket;
    }
    if (!any) return;
    int least = 2, greatest = 0;
    for (const auto& [id, at] : seen) {
      if (at.membership == nullptr || !at.membership->takes_part()) continue;
      const RingView& view = at.membership->view();
      const MemberTable& table = at.membership->table();
      int step = 0;  // stable, before
      if (view.changing()) {
        step = view.switched ? 2 : 1;
      } else if (table.ticket_known() >= ticket && finished(table, ticket)) {
        step = 3;
      }
      least = std::min(least, step);
      greatest = std::max(greatest, step);
    }
    ++checked;
    EXPECT_LE(greatest - least, 1) << "at " << world.now();
  }
  static bool finished(const MemberTable& table, uint64_t ticket) {
    for (const auto& [id, record] : table.all()) {
      if (record.seat.ticket == ticket) return !record.seat.unfinished();
    }
    return false;
  }

  NodeOptions& options(NodeId id) { return options_[id]; }  // of its next start

  std::map<NodeId, Seen> seen;  // before the world: its processes write here until they end
  sim::World world;
  int checked = 0;

 private:
  std::map<NodeId, NodeOptions> options_;
  NodeId asked_ = 0;
  AdminOrder order_;
  AdminAnswer answer_;
};

using Verb = AdminOrder::Verb;

TEST(Membership, a_node_joins_by_an_order_to_anyone_and_everyone_steps_together) {
  Members members;
  EXPECT_FALSE(members.seen[5].membership->takes_part());
  const AdminAnswer answer = members.order(3, Verb::kJoin, 5);
  EXPECT_TRUE(answer.accepted) << answer.text;
  members.expect_ring({1, 2, 3, 4, 5});
  EXPECT_GT(members.checked, 50);
  EXPECT_TRUE(members.seen[5].membership->takes_part());
  EXPECT_THAT(members.seen[5].told, ElementsAre("settle", "prepare+", "begin+", "settle"));
  EXPECT_THAT(members.seen[1].told, ElementsAre("settle", "prepare+", "begin+", "settle"));
}

TEST(Membership, two_joins_at_once_queue_up) {
  Members members;
  EXPECT_TRUE(members.order(1, Verb::kJoin, 5).accepted);
  EXPECT_TRUE(members.order(4, Verb::kJoin, 6).accepted);
  members.expect_ring({1, 2, 3, 4, 5, 6});
}

TEST(Membership, a_node_leaves_and_its_place_is_forgotten_by_nobody) {
  Members members;
  EXPECT_TRUE(members.order(1, Verb::kLeave, 4).accepted);
  members.expect_ring({1, 2, 3});
  EXPECT_FALSE(members.seen[4].membership->takes_part());
  EXPECT_FALSE(members.order(1, Verb::kLeave, 3).accepted) << "three copies need three members";
  members.world.at(members.world.now(), "restart", [&] { members.world.restart(4); });
  members.run(3 * kSecond);
  EXPECT_FALSE(members.seen[4].membership->takes_part()) << "it remembers that it left";
  EXPECT_TRUE(members.order(2, Verb::kJoin, 4).accepted) << "and may come again";
  members.expect_ring({1, 2, 3, 4});
}

TEST(Membership, a_dead_node_is_replaced_without_its_word) {
  Members members;
  members.world.at(members.world.now(), "crash", [&] { members.world.crash(2); });
  EXPECT_TRUE(members.order(1, Verb::kReplace, 6, 2).accepted);
  members.expect_ring({1, 3, 4, 6});
  members.world.at(members.world.now(), "restart", [&] { members.world.restart(2); });
  members.run(5 * kSecond);
  EXPECT_FALSE(members.seen[2].membership->takes_part()) << "who was given up stays out";
}

TEST(Membership, a_change_waits_for_a_silent_member_and_goes_on_when_it_is_back) {
  Members members;
  members.world.at(members.world.now(), "crash", [&] { members.world.crash(2); });
  EXPECT_TRUE(members.order(1, Verb::kJoin, 5).accepted);
  members.run(20 * kSecond);
  EXPECT_THAT(members.ring(1), ElementsAre(1, 2, 3, 4));
  EXPECT_TRUE(members.changing(1));
  std::vector<StatusSection> status;
  members.seen[1].membership->describe(status);
  bool told = false;
  for (const StatusSection& section : status)
    told = told || (section.name == "change/5" && section.find("waits_for") == "2");
  EXPECT_TRUE(told);
  members.world.at(members.world.now(), "restart", [&] { members.world.restart(2); });
  members.expect_ring({1, 2, 3, 4, 5});
}

TEST(Membership, a_dead_joiner_is_removed_and_its_change_undone) {
  Members members;
  EXPECT_TRUE(members.order(1, Verb::kJoin, 5).accepted);
  members.world.at(members.world.now(), "crash", [&] { members.world.crash(5); });
  members.run(10 * kSecond);
  if (members.ring(1).size() == 4) EXPECT_TRUE(members.changing(1));
  EXPECT_TRUE(members.order(2, Verb::kRemove, 5).accepted);
  members.expect_ring({1, 2, 3, 4});
}

TEST(Membership, a_cancelled_join_leaves_the_ring_as_it_was) {
  Members members;
  members.world.at(members.world.now(), "crash", [&] { members.world.crash(3); });
  EXPECT_TRUE(members.order(1, Verb::kJoin, 5).accepted);
  const AdminAnswer answer = members.order(2, Verb::kCancel, 5);
  EXPECT_TRUE(answer.accepted) << answer.text;
  members.world.at(members.world.now(), "restart", [&] { members.world.restart(3); });
  members.expect_ring({1, 2, 3, 4});
  EXPECT_EQ(members.seen[5].membership->table().find(5)->seat.state, SeatState::kGone);
}

TEST(Membership, crashes_of_everyone_in_the_middle_of_changes_only_delay_them) {
  for (uint64_t seed = 1; seed <= 12; ++seed) {
    Members members(seed);
    Random random(seed);
    members.world.at(members.world.now(), "crash", [&] { members.world.crash(4); });
    EXPECT_TRUE(members.order(1, Verb::kJoin, 5).accepted);
    EXPECT_TRUE(members.order(2, Verb::kReplace, 6, 4).accepted);
    const Time start = members.world.now();
    for (int i = 0; i < 12; ++i) {
      auto victim = static_cast<NodeId>(1 + random.below(5));
      if (victim >= 4) ++victim;  // the fourth stays dead
      const Time at = start + static_cast<Duration>(random.below(8'000)) * kMillisecond;
      members.world.at(at, "crash", [&, victim] { members.world.crash(victim); });
      members.world.at(at + kSecond / 2, "restart", [&, victim] { members.world.restart(victim); });
    }
    members.expect_ring({1, 2, 3, 5, 6});
    EXPECT_GT(members.checked, 20) << seed;
  }
}

TEST(Membership, a_node_that_comes_back_without_its_disk_is_recognised) {
  Members members;
  const uint64_t before = members.seen[2].membership->incarnation();
  EXPECT_FALSE(members.seen[2].membership->lost_state()) << "its first start";
  members.world.at(members.world.now(), "crash", [&] { members.world.crash(2); });
  members.run(kSecond);
  members.world.at(members.world.now(), "restart", [&] {
    members.world.set_image(2, {});
    members.world.restart(2);
  });
  members.run(3 * kSecond);
  ASSERT_NE(members.seen[2].membership, nullptr);
  EXPECT_TRUE(members.seen[2].membership->lost_state());
  EXPECT_GT(members.seen[2].membership->incarnation(), before);
  members.world.at(members.world.now(), "restart", [&] { members.world.restart(3); });
  members.run(3 * kSecond);
  EXPECT_FALSE(members.seen[3].membership->lost_state()) << "it kept its disk";
}

TEST(Membership, a_node_that_dies_in_its_first_second_has_learnt_where_the_others_are) {
  Members members;
  members.world.at(members.world.now(), "restart", [&] { members.world.restart(1); });
  members.run(200 * kMillisecond);
  ASSERT_NE(members.seen[1].membership, nullptr);
  for (NodeId id = 2; id <= kFounders; ++id)
    EXPECT_TRUE(members.seen[1].membership->table().find(id)->life.said()) << id;
}

TEST(Membership, a_rolling_upgrade_goes_through_a_ring_of_two_releases) {
  Members members;
  // A young cluster whose nodes know one seed each; the first two are of the older release.
  for (NodeId id = 1; id <= kFounders; ++id) {
    NodeOptions& options = members.options(id);
    options.members = {{id, "m" + std::to_string(id), "", ""}};
    options.seeds = {id == 1 ? 2u : 1u};
    options.speak_wire = id <= 2 ? 1 : 2;
    members.world.at(members.world.now(), "crash", [&, id] { members.world.crash(id); });
  }
  members.run(kSecond);
  for (NodeId id = 1; id <= kFounders; ++id) {
    members.world.at(members.world.now(), "start", [&, id] {
      members.world.set_image(id, {});
      members.world.restart(id);
    });
  }
  members.expect_ring({1, 2, 3, 4});
  const AdminAnswer early = members.order(3, Verb::kJoin, 5);
  EXPECT_FALSE(early.accepted) << "who speaks version 1 could not follow";
  for (const NodeId id : {1u, 2u}) {
    members.options(id).speak_wire = kWireVersion;
    members.world.at(members.world.now(), "upgrade", [&, id] { members.world.restart(id); });
    members.run(5 * kSecond);
    members.expect_ring({1, 2, 3, 4});
  }
  const AdminAnswer late = members.order(3, Verb::kJoin, 5);
  EXPECT_TRUE(late.accepted) << late.text;
  members.expect_ring({1, 2, 3, 4, 5});
}

TEST(Membership, a_client_is_told_the_members_of_the_ring) {
  Members members;
  EXPECT_TRUE(members.order(1, Verb::kJoin, 5).accepted);
  members.expect_ring({1, 2, 3, 4, 5});
  members.run(2 * kSecond);
  std::vector<StatusSection> told;
  members.world.place(kAdmin + 1, kFounders + kSpares, [&told](Host& host) -> Task<void> {
    return [](Host& at, std::vector<StatusSection>& out) -> Task<void> {
      Rpc rpc(at);
      Fanout fanout(rpc, 3);
      const Time deadline = at.clock().now() + kSecond;
      fanout.send(Kind::kMembersRequest, 0, deadline, encode_empty());
      co_await fanout.wait(1, deadline);
      MembersReply reply;
      CHECK(reply.parse(fanout[0].body()));
      StatusSection section{"members", {}};
      for (const KnownMember& known : reply.members)
        section.add(std::to_string(known.member.id), known.address);
      out.push_back(section);
    }(host, told);
  });
  members.world.start(kAdmin + 1);
  members.run(2 * kSecond);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].rows.size(), 5u);
}

}  // namespace
}  // namespace ringside
