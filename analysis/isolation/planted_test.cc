// A history for every class of anomaly, with what it must be found to be, and nothing worse.
#include <gtest/gtest.h>

#include <initializer_list>

#include "analysis/isolation/test_histories.h"
#include "analysis/isolation/verify.h"

namespace ringside::isolation {
namespace {

constexpr ObjectId kX = 0, kY = 1;

// Transactions at times of their own choice; by default all at once, each a process of its own.
class Planted {
 public:
  Planted() { history.objects = {"x", "y", "z"}; }
  Planted& at(int64_t begin, int64_t end, uint32_t process = 100) {
    history.add(process == 100 ? next_++ : process, begin, end);
    return *this;
  }
  Planted& together() { return at(0, 1000); }
  Planted& outcome(Outcome outcome) {
    history.transactions.back().outcome = outcome;
    return *this;
  }
  Planted& append(ObjectId object, Value value) {
    history.append(object, value);
    return *this;
  }
  Planted& read(ObjectId object, std::initializer_list<Value> list) {
    history.read_list(object, std::vector<Value>(list));
    return *this;
  }
  Planted& write(ObjectId object, Value value, Value replaced = kUnrecorded) {
    history.write(object, value, replaced);
    return *this;
  }
  Planted& get(ObjectId object, Value value) {
    history.read(object, value);
    return *this;
  }
  TransactionHistory history;

 private:
  uint32_t next_ = 1000;
};

// The anomalies that must be there, and no others; a cycle's length; the weakest level it rules
// out.
struct Expected {
  AnomalyKind kind;
  std::size_t length = 0;  // of a cycle
};
void expect_exactly(const Planted& planted, std::initializer_list<Expected> expected,
                    std::initializer_list<Level> out, std::initializer_list<Level> not_out) {
  const IsolationReport report = judge(planted.history);
  const std::string text = describe(planted.history, report);
  uint32_t wanted = 0, found = 0;
  for (const Expected& one : expected) wanted |= 1u << static_cast<int>(one.kind);
  for (const Anomaly& anomaly : report.anomalies) {
    found |= 1u << static_cast<int>(anomaly.kind);
    EXPECT_TRUE(verify_anomaly(planted.history, anomaly).ok()) << text;
    for (const Expected& one : expected) {
      if (one.kind == anomaly.kind && is_cycle(one.kind)) {
        EXPECT_EQ(anomaly.transactions.size(), one.length) << text;
      }
    }
  }
  EXPECT_EQ(wanted, found) << text;
  for (const Level level : out) EXPECT_EQ(report.level(level), LevelVerdict::kRuledOut) << text;
  for (const Level level : not_out) EXPECT_NE(report.level(level), LevelVerdict::kRuledOut) << text;
}

using enum AnomalyKind;
using enum Level;

TEST(PlantedAnomalies, g0_two_transactions_overwrite_each_other) {
  Planted p;
  p.together().append(kX, 1).append(kY, 1);
  p.together().append(kX, 2).append(kY, 2);
  p.together().read(kX, {1, 2});
  p.together().read(kY, {2, 1});
  expect_exactly(p, {{kG0, 2}}, {kReadUncommitted, kSerializable}, {});
}

TEST(PlantedAnomalies, g1a_a_failed_write_is_read) {
  Planted p;
  p.together().append(kX, 1).outcome(Outcome::kFailed);
  p.together().read(kX, {1});
  expect_exactly(p, {{kG1a}}, {kReadCommitted}, {kReadUncommitted});
  Planted r;
  r.together().write(kX, 1).outcome(Outcome::kFailed);
  r.together().get(kX, 1);
  expect_exactly(r, {{kG1a}}, {kReadCommitted}, {kReadUncommitted});
}

TEST(PlantedAnomalies, g1b_a_write_that_was_replaced_within_its_transaction_is_read) {
  Planted p;
  p.together().append(kX, 1).append(kX, 2);
  p.together().read(kX, {1});
  p.together().read(kX, {1, 2});
  expect_exactly(p, {{kG1b}, {kGSingle, 2}}, {kReadCommitted}, {kReadUncommitted});
  Planted r;
  r.together().write(kX, 1).write(kX, 2);
  r.together().get(kX, 1);
  expect_exactly(r, {{kG1b}, {kGSingle, 2}}, {kReadCommitted}, {kReadUncommitted});
}

TEST(PlantedAnomalies, g1c_two_transactions_see_each_other) {
  Planted p;
  p.together().append(kX, 1).read(kY, {1});
  p.together().append(kY, 1).read(kX, {1});
  expect_exactly(p, {{kG1c, 2}}, {kReadCommitted}, {kReadUncommitted});
  Planted r;
  r.together().write(kX, 1).get(kY, 1);
  r.together().write(kY, 1).get(kX, 1);
  expect_exactly(r, {{kG1c, 2}}, {kReadCommitted}, {kReadUncommitted});
}

TEST(PlantedAnomalies, g_single_a_read_skew) {
  Planted p;
  p.together().append(kX, 1).append(kY, 1);
  p.together().read(kX, {1}).read(kY, {});
  expect_exactly(p, {{kGSingle, 2}}, {kConsistentView, kSnapshotIsolation}, {kReadCommitted});
}

TEST(PlantedAnomalies, g_single_of_five_transactions) {
  Planted p;
  p.together().append(kX, 1);
  p.together().read(kX, {1}).append(kX, 2);
  p.together().read(kX, {1, 2}).append(kY, 1);
  p.together().read(kY, {1}).append(2, 1);
  p.together().read(2, {1}).read(kX, {});
  expect_exactly(p, {{kGSingle, 5}}, {kConsistentView}, {kReadCommitted});
}

TEST(PlantedAnomalies, lost_update_two_replace_what_both_read) {
  Planted p;
  p.together().read(kX, {}).append(kX, 1);
  p.together().read(kX, {}).append(kX, 2);
  p.together().read(kX, {1, 2});
  expect_exactly(p, {{kLostUpdate}, {kGSingle, 2}}, {kSnapshotIsolation, kRepeatableRead},
                 {kReadCommitted});
  Planted r;
  r.together().get(kX, kInitialValue).write(kX, 1);
  r.together().get(kX, kInitialValue).write(kX, 2);
  expect_exactly(r, {{kLostUpdate}, {kG2Item, 2}}, {kSnapshotIsolation, kRepeatableRead},
                 {kReadCommitted, kConsistentView});
}

// Two writers, and two readers that see them in different orders: a long fork.
TEST(PlantedAnomalies, g_nonadjacent_a_long_fork) {
  Planted p;
  p.together().append(kX, 1);
  p.together().append(kY, 1);
  p.together().read(kX, {1}).read(kY, {});
  p.together().read(kX, {}).read(kY, {1});
  expect_exactly(p, {{kGNonadjacent, 4}}, {kSnapshotIsolation, kSerializable, kRepeatableRead},
                 {kReadCommitted, kConsistentView});
}

TEST(PlantedAnomalies, g2_item_a_write_skew) {
  Planted p;
  p.together().read(kX, {}).append(kY, 1);
  p.together().read(kY, {}).append(kX, 1);
  p.together().read(kX, {1}).read(kY, {1});
  expect_exactly(p, {{kG2Item, 2}}, {kSerializable, kRepeatableRead}, {kSnapshotIsolation});
  Planted r;
  r.together().get(kX, kInitialValue).write(kY, 1);
  r.together().get(kY, kInitialValue).write(kX, 1);
  expect_exactly(r, {{kG2Item, 2}}, {kSerializable, kRepeatableRead}, {kSnapshotIsolation});
}

TEST(PlantedAnomalies, internal_a_transaction_misses_its_own_write) {
  Planted p;
  p.together().append(kX, 1).read(kX, {});
  expect_exactly(p, {{kInternal}}, {kConsistentView}, {kReadCommitted});
  Planted r;
  r.together().write(kX, 1);
  r.together().write(kX, 2).get(kX, 1);
  expect_exactly(r, {{kInternal}}, {kConsistentView}, {kReadCommitted});
}

TEST(PlantedAnomalies, dirty_update_a_failed_write_is_built_upon) {
  Planted p;
  p.together().append(kX, 1).outcome(Outcome::kFailed);
  p.together().append(kX, 2);
  p.together().read(kX, {1, 2});
  expect_exactly(p, {{kDirtyUpdate}, {kG1a}}, {kReadCommitted}, {kReadUncommitted});
  Planted r;
  r.together().write(kX, 1).outcome(Outcome::kFailed);
  r.together().write(kX, 2, 1);
  expect_exactly(r, {{kDirtyUpdate}}, {kReadCommitted}, {kReadUncommitted});
}

TEST(PlantedAnomalies, duplicate_elements_an_append_was_done_twice) {
  Planted p;
  p.together().append(kX, 1);
  p.together().read(kX, {1, 1});
  expect_exactly(p, {{kDuplicateElements}}, {kReadUncommitted}, {});
}

TEST(PlantedAnomalies, incompatible_orders_no_read_is_a_prefix_of_the_other) {
  Planted p;
  p.together().append(kX, 1);
  p.together().append(kX, 2);
  p.together().read(kX, {1, 2});
  p.together().read(kX, {2});
  expect_exactly(p, {{kIncompatibleOrder}}, {kReadUncommitted}, {});
  Planted r;
  r.together().write(kX, 1, kInitialValue);
  r.together().write(kX, 2, kInitialValue);
  expect_exactly(r, {{kIncompatibleOrder}}, {kReadUncommitted}, {});
}

TEST(PlantedAnomalies, cyclic_versions_each_write_follows_a_read_of_the_other) {
  Planted p;
  p.together().get(kX, 2).write(kX, 1);
  p.together().get(kX, 1).write(kX, 2);
  expect_exactly(p, {{kCyclicVersions}, {kG1c, 2}}, {kReadUncommitted}, {});
}

TEST(PlantedAnomalies, garbage_read_of_what_nobody_wrote) {
  Planted p;
  p.together().read(kX, {7});
  expect_exactly(p, {{kGarbageRead}}, {kReadCommitted}, {kReadUncommitted});
  Planted r;
  r.together().get(kX, 7);
  expect_exactly(r, {{kGarbageRead}}, {kReadCommitted}, {kReadUncommitted});
}

// The same with an order of processes. All overlap in real time: what a process makes later merely
// begins later.
TEST(PlantedAnomalies, of_every_class_with_a_process) {
  Planted g0;  // a process appends 1 and then 2, in the other order
  g0.at(0, 1000, 1).append(kX, 1);
  g0.at(1, 1000, 1).append(kX, 2);
  g0.together().read(kX, {2, 1});
  expect_exactly(g0, {{kG0Process, 2}}, {kStrongSessionReadUncommitted}, {kSerializable});

  Planted g1c;  // a process reads what it writes later
  g1c.at(0, 1000, 1).read(kX, {1});
  g1c.at(1, 1000, 1).append(kX, 1);
  expect_exactly(g1c, {{kG1cProcess, 2}}, {kStrongSessionReadCommitted},
                 {kSerializable, kStrongSessionReadUncommitted});

  Planted single;  // a process does not read what it wrote
  single.at(0, 1000, 1).append(kX, 1);
  single.at(1, 1000, 1).read(kX, {});
  expect_exactly(single, {{kGSingleProcess, 2}}, {kStrongSessionSnapshotIsolation},
                 {kSerializable, kStrongSessionReadCommitted});

  Planted apart;  // a long fork between two processes
  apart.at(0, 1000, 1).append(kX, 1);
  apart.at(0, 1000, 2).append(kY, 1);
  apart.at(1, 1000, 1).read(kY, {});
  apart.at(1, 1000, 2).read(kX, {});
  expect_exactly(apart, {{kGNonadjacentProcess, 4}}, {kStrongSessionSnapshotIsolation},
                 {kSerializable, kStrongSessionReadCommitted});

  Planted item;  // a read-only transaction that shows a write skew which its process rules out
  item.at(0, 1000, 1).append(2, 1);
  item.at(1, 1000, 1).read(kX, {}).append(kY, 1);
  item.together().read(kY, {}).read(2, {}).append(kX, 1);
  item.together().read(kX, {1}).read(kY, {1});
  const IsolationReport report = judge(item.history);
  EXPECT_TRUE(report.shows(kG2Item));
}

TEST(PlantedAnomalies, g2_item_process_alone) {
  Planted p;  // T0 misses T1's write, which misses the write of T2, which T0's process made before
  p.at(0, 1000, 1).append(kX, 1);
  p.at(1, 1000, 1).read(kY, {});
  p.together().append(kY, 1).read(kX, {});
  p.together().read(kX, {1}).read(kY, {1});
  expect_exactly(p, {{kG2ItemProcess, 3}}, {kStrongSessionSerializable},
                 {kSerializable, kStrongSessionSnapshotIsolation});
}

TEST(PlantedAnomalies, of_every_class_in_real_time) {
  Planted g0;
  g0.at(0, 10).append(kX, 1);
  g0.at(20, 30).append(kX, 2);
  g0.at(0, 30).read(kX, {2, 1});
  expect_exactly(g0, {{kG0RealTime, 2}}, {kStrongReadUncommitted},
                 {kSerializable, kStrongSessionSerializable});

  Planted g1c;
  g1c.at(0, 10).read(kX, {1});
  g1c.at(20, 30).append(kX, 1);
  expect_exactly(g1c, {{kG1cRealTime, 2}}, {kStrongReadCommitted},
                 {kStrongSessionSerializable, kStrongReadUncommitted});

  Planted single;  // a stale read
  single.at(0, 10).append(kX, 1);
  single.at(20, 30).read(kX, {});
  expect_exactly(single, {{kGSingleRealTime, 2}}, {kStrongSnapshotIsolation},
                 {kStrongSessionSerializable, kStrongReadCommitted});

  Planted apart;  // two stale reads, of which neither alone is one
  apart.at(0, 10, 1).append(kX, 1);
  apart.at(5, 15, 2).append(kY, 1);
  apart.at(11, 30, 3).read(kY, {}).append(2, 1);
  apart.at(20, 30, 4).read(2, {1}).read(kX, {});
  const IsolationReport report = judge(apart.history);
  EXPECT_TRUE(report.shows(kGSingleRealTime));

  Planted item;
  item.at(0, 10).append(kX, 1);
  item.at(20, 1000).read(kY, {});
  item.at(0, 1000).append(kY, 1).read(kX, {});
  item.at(0, 1000).read(kX, {1}).read(kY, {1});
  expect_exactly(item, {{kG2ItemRealTime, 3}}, {kStrictSerializable},
                 {kStrongSessionSerializable, kStrongSnapshotIsolation});
}

TEST(PlantedAnomalies, a_clean_history_is_strictly_serializable) {
  Planted p;
  p.at(0, 10).append(kX, 1);
  p.at(20, 30).read(kX, {1}).append(kX, 2);
  p.at(25, 40).read(kX, {1}).read(kY, {});
  const IsolationReport report = judge(p.history);
  EXPECT_TRUE(report.anomalies.empty());
  EXPECT_EQ(report.level(kStrictSerializable), LevelVerdict::kHolds);
  EXPECT_EQ(report.order, (std::vector<TransactionId>{0, 2, 1}));
  for (const WeakVerdict& weak : report.weak) EXPECT_EQ(weak.kind, WeakVerdict::Kind::kHolds);
}

TEST(PlantedAnomalies, what_may_have_happened_counts_once_it_was_seen) {
  Planted p;
  p.at(0, 10).append(kX, 1).append(kY, 1).outcome(Outcome::kUnknown);
  p.at(20, 30).read(kX, {1});
  p.at(20, 30).read(kY, {});
  const IsolationReport report = judge(p.history);
  EXPECT_EQ(report.committed, 3u);
  EXPECT_EQ(report.level(kStrictSerializable), LevelVerdict::kHolds);  // its end is unknown
}

}  // namespace
}  // namespace ringside::isolation
