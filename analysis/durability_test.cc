#include "analysis/durability.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "analysis/divergence.h"
#include "analysis/made_history.h"
#include "runtime/random.h"

namespace ringside {
namespace {

DurabilityReport judge(const MadeHistory& made) {
  FinalState final_state(made.history);
  final_state.add_final_reads(made.history);
  return find_lost_writes(made.history, final_state);
}

constexpr Phase kFinal = Phase::kFinal;

TEST(LostWrites, none_when_everything_is_present_or_superseded_by_one_who_had_read_it) {
  MadeHistory made;
  made.put(1, 0, 10);
  made.put(2, 20, 30, {.ids = {1}});
  made.put(3, 40, 50,
           {.outcome = Outcome::kUnknown, .ids = {2}});  // a link of the chain may be unknown
  made.put(4, 60, 70, {.ids = {3}});
  made.put(5, 60, 70);
  made.get(4, 100, 110, {.ids = {4, 5}, .phase = kFinal});
  const DurabilityReport report = judge(made);
  EXPECT_EQ(report.acknowledged, 4u);
  EXPECT_EQ(report.judged, 4u);
  EXPECT_EQ(report.present, 2u);
  EXPECT_EQ(report.superseded, 2u);
  EXPECT_TRUE(report.lost.empty());
}

TEST(LostWrites, a_write_replaced_by_one_who_had_not_read_it_is_lost) {
  MadeHistory made;
  made.put(1, 0, 10);
  const uint32_t lost = made.put(2, 20, 30);
  made.put(3, 40, 50, {.ids = {1}});
  made.get(3, 100, 110, {.phase = kFinal});
  const DurabilityReport report = judge(made);
  ASSERT_EQ(report.lost.size(), 1u);
  EXPECT_EQ(report.lost[0].operation, lost);
  EXPECT_EQ(describe(made.history, report.lost[0]),
            "acknowledged and lost: put #0:2 of \"k\" by client 101 [0.000020 ms, 0.000030 ms]");
}

TEST(LostWrites, a_write_superseded_only_by_one_that_is_itself_gone_is_lost_too) {
  MadeHistory made;
  made.put(1, 0, 10);
  made.put(2, 20, 30, {.outcome = Outcome::kUnknown, .ids = {1}});
  made.get(kAbsent, 100, 110, {.phase = kFinal});
  EXPECT_EQ(judge(made).lost.size(), 1u);
}

TEST(LostWrites, judges_only_keys_whose_end_is_known_and_writes_acknowledged_before_it) {
  MadeHistory made;
  made.put(1, 0, 10, {.key = "never read"});
  made.put(2, 0, 105);
  made.put(3, 0, 10, {.outcome = Outcome::kUnknown});
  made.get(kAbsent, 100, 110, {.phase = kFinal});
  const DurabilityReport report = judge(made);
  EXPECT_EQ(report.acknowledged, 2u);
  EXPECT_EQ(report.judged, 0u);
  EXPECT_TRUE(report.lost.empty());
}

TEST(LostWrites, values_from_nowhere_and_values_that_surely_failed_are_named) {
  MadeHistory made;
  made.put(1, 0, 10, {.outcome = Outcome::kFailed});
  made.get(1, 100, 110, {.ids = {1, 9, kDamaged}, .phase = kFinal});
  const DurabilityReport report = judge(made);
  EXPECT_EQ(report.failed_yet_there, std::vector<ValueId>{1});
  EXPECT_EQ(report.nobody_wrote, (std::vector<ValueId>{9, kDamaged}));
}

TEST(LostWrites, a_planted_loss_is_found_wherever_it_is_and_nothing_else) {
  // A store of siblings that forgets one acknowledged write, at random.
  Random random(3);
  for (int round = 0; round < 300; ++round) {
    MadeHistory made;
    std::vector<std::vector<ValueId>> siblings(3);
    const uint64_t victim = 1 + random.below(150);
    bool planted = false;
    for (uint64_t id = 1; id <= 150; ++id) {
      const std::size_t key = random.below(3);
      std::vector<ValueId> covered;
      for (const ValueId value : siblings[key]) {
        if (random.chance(0.8)) covered.push_back(value);
      }
      const auto at = static_cast<Time>(id * 10);
      made.put(id, at, at + 5, {.ids = covered, .key = std::to_string(key)});
      std::erase_if(siblings[key],
                    [&](ValueId v) { return std::ranges::find(covered, v) != covered.end(); });
      if (id == victim)
        planted = true;  // acknowledged, and nowhere: nobody will ever read it
      else
        siblings[key].push_back(id);
    }
    for (std::size_t key = 0; key < 3; ++key) {
      made.get(kAbsent, 5'000, 5'001,
               {.ids = siblings[key], .key = std::to_string(key), .phase = kFinal});
    }
    const DurabilityReport report = judge(made);
    ASSERT_TRUE(planted);
    ASSERT_FALSE(report.lost.empty());
    // What the victim's put had replaced was kept by nobody either: those are lost with it.
    bool found = false;
    for (const LostWrite& lost : report.lost)
      found |= made.history.operations[lost.operation].id == victim;
    ASSERT_TRUE(found);
    const Operation& put = made.history.operations[victim - 1];
    for (const LostWrite& lost : report.lost) {
      const uint64_t id = made.history.operations[lost.operation].id;
      Supersession values(made.history);
      ASSERT_TRUE(id == victim || values.covered(made.history.ids_of(put), id)) << id;
    }
  }
}

TEST(Supersession, marking_and_asking_one_by_one_agree) {
  Random random(8);
  for (int round = 0; round < 200; ++round) {
    MadeHistory made;
    for (uint64_t id = 1; id <= 40; ++id) {
      std::vector<ValueId> covered;
      for (int i = 0; i < 2 && id > 1; ++i) covered.push_back(1 + random.below(id - 1));
      made.put(id * (round % 2 == 0 ? 1 : 1'000'003), static_cast<Time>(id),
               static_cast<Time>(id) + 1);
      made.history.operations.back().ids_begin = static_cast<uint32_t>(made.history.ids.size());
      made.history.operations.back().ids_count = static_cast<uint32_t>(covered.size());
      for (const ValueId value : covered)
        made.history.ids.push_back(value * (round % 2 == 0 ? 1 : 1'000'003));
    }
    Supersession marked(made.history), asked(made.history);
    const std::vector<ValueId> present = {made.history.operations[random.below(40)].id,
                                          made.history.operations[random.below(40)].id};
    marked.mark_covered(present);
    for (const Operation& op : made.history.operations) {
      ASSERT_EQ(marked.is_marked(op.id), asked.covered(present, op.id));
    }
    EXPECT_FALSE(marked.is_marked(7'777'777'777));
  }
}

TEST(LostItems, an_item_is_lost_unless_a_client_that_had_seen_it_removed_it) {
  MadeHistory made;
  const auto add = [&made](uint64_t id, Outcome outcome = Outcome::kOk) {
    return made.put(id, static_cast<Time>(id), static_cast<Time>(id) + 1,
                    {.outcome = outcome, .action = Action::kAdd, .item = id});
  };
  const auto remove = [&made](uint64_t id, uint64_t item, Outcome outcome = Outcome::kOk) {
    made.put(id, static_cast<Time>(id), static_cast<Time>(id) + 1,
             {.outcome = outcome, .action = Action::kRemove, .item = item});
  };
  add(1);
  const uint32_t lost = add(2);
  add(3);
  add(4);
  add(5);
  add(6, Outcome::kUnknown);
  remove(10, 3);
  remove(11, 4, Outcome::kUnknown);
  remove(12, 5);
  made.get(1, 100, 110, {.phase = kFinal, .items = {1, 5}});
  const CartReport report = find_lost_items(made.history);
  EXPECT_EQ(report.adds, 5u);
  EXPECT_EQ(report.removed, 2u);
  EXPECT_EQ(report.resurfaced, 1u);
  ASSERT_EQ(report.lost.size(), 1u);
  EXPECT_EQ(report.lost[0].operation, lost);
}

TEST(Replicas, keep_what_they_acknowledged_or_what_supersedes_it) {
  MadeHistory made;
  const KeyIndex key = made.key("k");
  made.put(1, 0, 10);
  made.put(2, 20, 30, {.ids = {1}});
  made.put(3, 20, 30);
  ReplicaAcks acks;
  const std::vector<ValueId> one = {1}, two = {2}, both = {2, 3};
  acks.add(7, key, 5, one);
  acks.add(7, key, 25, both);
  acks.add(8, key, 6, one);
  acks.add(8, key, 26, two);

  std::vector<ReplicaSnapshot> snapshots = {
      {7, 100, "at the end", {{"k", {2, 3}}}},
      {8, 100, "at the end", {{"k", {2}}}},
  };
  ReplicaReport report = check_replicas(made.history, acks, snapshots);
  EXPECT_EQ(report.acks, 4u);
  EXPECT_EQ(report.checked, 5u);
  EXPECT_TRUE(report.broken.empty());

  snapshots[0].keys["k"] = {2};  // 3 is gone, and 2's client had not read it
  snapshots[1].keys.clear();     // everything is gone
  report = check_replicas(made.history, acks, snapshots);
  ASSERT_EQ(report.broken.size(), 3u);
  EXPECT_EQ(describe(made.history, report.broken[0], snapshots),
            "node 7 acknowledged value #0:3 of \"k\" at 0.000025 ms; its disk does not hold it at "
            "the end");
}

TEST(Replicas, answer_only_for_what_left_them_before_the_snapshot_and_once) {
  MadeHistory made;
  const KeyIndex key = made.key("k");
  made.put(1, 0, 10);
  made.put(2, 20, 30);
  ReplicaAcks acks;
  acks.add(7, key, 5, std::vector<ValueId>{1});
  acks.add(7, key, 50, std::vector<ValueId>{2});
  const std::vector<ReplicaSnapshot> snapshots = {{7, 40, "after the restart", {}},
                                                  {7, 90, "at the end", {{"k", {2}}}}};
  const ReplicaReport report = check_replicas(made.history, acks, snapshots);
  ASSERT_EQ(report.broken.size(), 1u);
  EXPECT_EQ(report.broken[0].value, 1u);
  EXPECT_EQ(report.broken[0].snapshot, 0u);
}

TEST(Divergence, counts_keys_whose_homes_hold_different_values) {
  const std::vector<ReplicaSnapshot> snapshots = {
      {1, 0, "", {{"a", {1, 2}}, {"b", {5}}, {"c", {9}}}},
      {2, 0, "", {{"a", {2, 1}}, {"b", {6}}}},
      {3, 0, "", {{"a", {1, 2}}, {"b", {5}}, {"z", {1}}}},
  };
  const auto homes = [](std::string_view key) -> std::vector<NodeId> {
    return key == "z" ? std::vector<NodeId>{3} : std::vector<NodeId>{1, 2, 3, 4};
  };
  const DivergenceReport report = find_divergence(snapshots, homes);
  EXPECT_EQ(report.keys, 4u);
  EXPECT_EQ(report.keys_differing, 2u);
  EXPECT_EQ(report.pairs_differing, 2u);
  ASSERT_EQ(report.examples.size(), 2u);
  EXPECT_EQ(report.examples[0].key, "b");
  EXPECT_EQ(report.examples[0].behind, std::vector<NodeId>{2});
  EXPECT_EQ(report.examples[1].key, "c");
  EXPECT_EQ(report.examples[1].behind, std::vector<NodeId>{1}) << "absent is what most agree on";
}

}  // namespace
}  // namespace ringside
