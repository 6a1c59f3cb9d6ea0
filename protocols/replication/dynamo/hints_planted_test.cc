// The planted bugs of hinted handoff (RINGSIDE_BUG), each under a history in which it costs what a
// client was promised; with none on, the same histories keep it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "protocols/test_cluster.h"
#include "runtime/bug.h"

namespace ringside {
namespace {

#ifdef RINGSIDE_PLANTED

using test::TestCluster;
using test::values;
using Values = std::vector<std::string>;

class PlantedHints : public testing::TestWithParam<bool> {
 protected:
  void plant(std::string bug) {
    if (GetParam()) set_planted_bugs({std::move(bug)});
  }
  ~PlantedHints() override { set_planted_bugs({}); }

  // A put that one home took, and stand-ins for the two that are cut off; then that home comes back
  // with an empty disk.
  Values after_a_lost_disk(Duration wait) {
    TestCluster cluster(8);
    const auto home = cluster.home("cart");
    for (NodeId id = 1; id <= 8; ++id) {
      cluster.world.cut(id, home[1]);
      cluster.world.cut(id, home[2]);
    }
    EXPECT_EQ(cluster.put("cart", "", "milk").outcome, Outcome::kOk);
    cluster.world.run_for(wait);
    cluster.stop(home[0]);
    cluster.lose_disk(home[0]);
    cluster.world.cuts.clear();
    cluster.start(home[0]);
    cluster.world.run_for(10 * kSecond);
    return values(cluster.get("cart"));
  }
};

TEST_P(PlantedHints, sloppy_quorum_trusted_loses_a_put_with_one_disk) {
  plant("sloppy_quorum_trusted");
  EXPECT_EQ(after_a_lost_disk(10 * kMillisecond), GetParam() ? Values{} : Values{"milk"});
}

TEST_P(PlantedHints, hint_deleted_before_delivered_loses_a_put_with_one_disk) {
  plant("hint_deleted_before_delivered");
  EXPECT_EQ(after_a_lost_disk(5 * kSecond), GetParam() ? Values{} : Values{"milk"});
}

TEST_P(PlantedHints, hint_resurrects_delete_brings_back_what_was_deleted) {
  plant("hint_resurrects_delete");
  TestCluster cluster(8);
  const auto home = cluster.home("cart");
  for (NodeId id = 1; id <= 8; ++id) cluster.world.cut(id, home[2]);
  EXPECT_EQ(cluster.put("cart", "", "milk").outcome, Outcome::kOk);
  cluster.world.run_for(200 * kMillisecond);
  NodeId holder = kNoNode;
  for (NodeId id = 1; id <= 8; ++id) {
    if (cluster.node(id).dynamo.hints().count() > 0) holder = id;
  }
  ASSERT_NE(holder, kNoNode);
  cluster.stop(holder);
  cluster.world.cuts.clear();
  cluster.world.run_for(kSecond);
  const GetResult got = cluster.get("cart");
  EXPECT_EQ(cluster.put("cart", got.context, std::nullopt).outcome, Outcome::kOk);
  cluster.world.run_for(kSecond);
  cluster.start(holder);
  cluster.world.run_for(10 * kSecond);
  EXPECT_EQ(cluster.hints_waiting(), 0u);
  cluster.get("cart");
  cluster.world.run_for(kSecond);
  EXPECT_EQ(values(cluster.get("cart")), GetParam() ? Values{"milk"} : Values{});
}

INSTANTIATE_TEST_SUITE_P(, PlantedHints, testing::Values(false, true),
                         [](const auto& info) { return info.param ? "planted" : "not_planted"; });

#endif

}  // namespace
}  // namespace ringside
