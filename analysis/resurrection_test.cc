#include "analysis/resurrection.h"

#include <gtest/gtest.h>

#include "analysis/durability.h"
#include "analysis/made_history.h"

namespace ringside {
namespace {

constexpr Phase kFinal = Phase::kFinal;
constexpr Action kDelete = Action::kDelete;

ResurrectionReport judge_deletes(const MadeHistory& made, ValueId twice = kAbsent) {
  return find_resurrected(made.history, [twice](ValueId value) { return value == twice; });
}

TEST(Resurrection, a_value_that_an_acknowledged_delete_covered_may_not_be_read_again) {
  MadeHistory made;
  made.put(1, 0, 10);
  const uint32_t remove = made.put(2, 20, 30, {.ids = {1}, .action = kDelete});
  const uint32_t read = made.get(1, 100, 110, {.phase = kFinal});
  const ResurrectionReport report = judge_deletes(made);
  ASSERT_EQ(report.resurrected.size(), 1u);
  EXPECT_EQ(report.resurrected[0].read, read);
  EXPECT_EQ(report.resurrected[0].remove, remove);
  EXPECT_EQ(report.resurrected[0].value, 1u);
  EXPECT_EQ(report.deletes, 1u);
  EXPECT_EQ(describe(made.history, report.resurrected[0]).find('\n'), std::string::npos);
}

TEST(Resurrection, what_the_delete_covered_through_others_is_gone_too) {
  MadeHistory made;
  made.put(1, 0, 10);
  made.put(2, 20, 30, {.ids = {1}});
  made.put(3, 40, 50, {.ids = {2}, .action = kDelete});
  made.get(1, 100, 110, {.phase = kFinal});
  EXPECT_EQ(judge_deletes(made).resurrected.size(), 1u);
}

TEST(Resurrection, values_that_the_delete_had_not_seen_may_stay) {
  MadeHistory made;
  made.put(1, 0, 10);
  made.put(5, 0, 15);  // concurrent
  made.put(2, 20, 30, {.ids = {1}, .action = kDelete});
  made.put(6, 40, 50);  // later
  made.get(5, 100, 110, {.ids = {5, 6}, .phase = kFinal});
  const ResurrectionReport report = judge_deletes(made);
  EXPECT_TRUE(report.resurrected.empty());
  EXPECT_EQ(report.deletes, 1u);
}

TEST(Resurrection, a_delete_that_was_not_acknowledged_promised_nothing) {
  MadeHistory made;
  made.put(1, 0, 10);
  made.put(2, 20, 30, {.outcome = Outcome::kUnknown, .ids = {1}, .action = kDelete});
  made.get(1, 100, 110, {.phase = kFinal});
  EXPECT_TRUE(judge_deletes(made).resurrected.empty());
  EXPECT_EQ(judge_deletes(made).deletes, 0u);
}

TEST(Resurrection, a_value_that_was_written_twice_is_excused_and_counted) {
  MadeHistory made;
  made.put(1, 0, 10);
  made.put(2, 20, 30, {.ids = {1}, .action = kDelete});
  made.get(1, 100, 110, {.phase = kFinal});
  EXPECT_TRUE(judge_deletes(made, 1).resurrected.empty());
  EXPECT_EQ(judge_deletes(made, 1).excused, 1u);
}

TEST(Resurrection, a_deleted_write_is_not_lost_and_another_is) {
  MadeHistory made;
  made.put(1, 0, 10);
  made.put(2, 20, 30, {.outcome = Outcome::kUnknown, .ids = {1}, .action = kDelete});
  const uint32_t lost = made.put(3, 20, 30);
  made.get(kAbsent, 100, 110, {.phase = kFinal});
  FinalState final_state(made.history);
  final_state.add_final_reads(made.history);
  const DurabilityReport report = find_lost_writes(made.history, final_state);
  ASSERT_EQ(report.lost.size(), 1u);
  EXPECT_EQ(report.lost[0].operation, lost);
  EXPECT_EQ(report.superseded, 1u);
}

ReplicaSnapshot snapshot_of(NodeId replica, Time at) {
  ReplicaSnapshot snapshot;
  snapshot.replica = replica;
  snapshot.at = at;
  return snapshot;
}

TEST(Hints, a_stand_in_keeps_what_it_acknowledged_until_a_replica_has_it) {
  MadeHistory made;
  made.put(1, 0, 10);
  ReplicaAcks hinted, delivered;
  const ValueId one[] = {1};
  hinted.add(4, 0, 5, one);
  ReplicaSnapshot keeps = snapshot_of(4, 20), lost = snapshot_of(4, 20), later = snapshot_of(4, 40);
  keeps.hints["k"] = {1};
  EXPECT_TRUE(check_hints(made.history, hinted, delivered, {&keeps, 1}).broken.empty());
  EXPECT_EQ(check_hints(made.history, hinted, delivered, {&lost, 1}).broken.size(), 1u);
  delivered.add(2, 0, 30, one);
  EXPECT_EQ(check_hints(made.history, hinted, delivered, {&lost, 1}).broken.size(), 1u);
  EXPECT_TRUE(check_hints(made.history, hinted, delivered, {&later, 1}).broken.empty());
}

TEST(Hints, what_was_reaped_is_owed_no_more) {
  MadeHistory made;
  made.put(1, 0, 10);
  made.put(2, 20, 30, {.ids = {1}, .action = kDelete});
  ReplicaAcks acks;
  const ValueId one[] = {1}, two[] = {2};
  acks.add(4, 0, 5, one);
  acks.add(4, 0, 25, two);
  ReplicaSnapshot tombstone = snapshot_of(4, 50), nothing = snapshot_of(4, 50);
  tombstone.keys["k"] = {2};
  EXPECT_TRUE(check_replicas(made.history, acks, {&tombstone, 1}).broken.empty());
  EXPECT_EQ(check_replicas(made.history, acks, {&nothing, 1}).broken.size(), 2u);
  EXPECT_TRUE(check_replicas(made.history, acks, {&nothing, 1}, true).broken.empty());
}

}  // namespace
}  // namespace ringside
