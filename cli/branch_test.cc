// `ringside branch` as its users meet it.
#include <gtest/gtest.h>

#include <set>

#include "cli/program_for_test.h"

namespace ringside::cli {
namespace {

using lab::concat;
using lab::contains;

// Whether a session reads what it has seen before depends on how long frames take. This seed's run
// holds; some of its futures do not.
constexpr const char* kWeak = R"(name: "weak"
topology {
  region { name: "east" zones: 3 machines_per_zone: 2 }
  between_zones { exponential { mean: "5ms" } }
}
cluster { strategy { dynamo { n: 3 r: 1 w: 1 read_repair: false coordinate: NON_REPLICA } } }
workload { registers { keys: 2 } clients: 6 rate: "160/s" for: "1s" }
expect { evidence { acknowledged_writes: 5 verified_reads: 5 } monotonic_reads: true }
)";

class BranchTest : public ProgramTest {
 protected:
  BranchTest() {
    write("weak.textproto", kWeak);
    EXPECT_EQ(ringside("run weak.textproto --seed 1 --out weak.run").code, 0);
  }
  // The values of every field of that name, in order.
  static std::vector<std::string> fields(const std::string& json, const std::string& name) {
    std::vector<std::string> values;
    const std::string key = concat("\"", name, "\":");
    for (std::size_t at = json.find(key); at != std::string::npos; at = json.find(key, at + 1))
      values.push_back(field(json.substr(at), name));
    return values;
  }
};

TEST_F(BranchTest, futures_differ_and_some_of_them_violate) {
  const Ended branch = ringside("branch weak.run --at 300ms --seeds 30 --json");
  EXPECT_EQ(branch.code, 1) << branch.out << branch.err;
  EXPECT_EQ(field(branch.out, "futures"), "30");
  const int violated = std::stoi(field(branch.out, "violated"));
  EXPECT_GT(violated, 0) << branch.out;
  EXPECT_LT(violated, 30) << branch.out;
  EXPECT_TRUE(contains(branch.out, "\"anomaly\":\"monotonic_reads")) << branch.out;
  const std::string played = branch.out.substr(branch.out.find("\"played\""));
  const std::vector<std::string> fingerprints = fields(played, "fingerprint");
  EXPECT_EQ(std::set<std::string>(fingerprints.begin(), fingerprints.end()).size(), 30u);

  const Ended text = ringside("branch weak.run --at 300ms --seeds 30");
  EXPECT_EQ(text.code, 1);
  EXPECT_TRUE(text.out.starts_with(concat("VIOLATED  from event ", field(branch.out, "event"))));
  EXPECT_TRUE(contains(text.out, concat(violated, " of 30 futures violate"))) << text.out;
}

TEST_F(BranchTest, a_future_is_the_same_whenever_and_however_it_is_asked_for) {
  const Ended one = ringside("branch weak.run --at 300ms --seeds 8 --json --jobs 1");
  EXPECT_EQ(ringside("branch weak.run --at 300ms --seeds 8 --json --jobs 3").out, one.out);
  // By the number of the event at that moment.
  const std::string event = field(one.out, "event");
  const Ended by_event = ringside(concat("branch weak.run --at ", event, " --seeds 8 --json"));
  EXPECT_EQ(by_event.out.substr(by_event.out.find("\"event\"")),
            one.out.substr(one.out.find("\"event\"")));
  // More of them begin with the same ones.
  const Ended more = ringside("branch weak.run --at 300ms --seeds 9 --json");
  const auto few = fields(one.out, "fingerprint"), many = fields(more.out, "fingerprint");
  ASSERT_EQ(few.size(), 9u);  // that of the moment, and the futures'
  ASSERT_EQ(many.size(), 10u);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
  // It branches where `replay` stands at that event.
  const Ended replay = ringside(concat("replay weak.run --json --until ", event));
  EXPECT_EQ(field(replay.out, "fingerprint"), few.front());
}

TEST_F(BranchTest, a_future_is_recorded_and_replays_and_differs_from_where_it_branches) {
  const Ended all = ringside("branch weak.run --at 300ms --seeds 30 --json");
  const std::string played = all.out.substr(all.out.find("\"played\""));
  // The first that violates.
  const std::string list = all.out.substr(all.out.find("\"futures\":["));
  const int number = std::stoi(list.substr(list.find('[') + 1));
  const Ended recorded =
      ringside(concat("branch weak.run --at 300ms --record ", number, " --out future.run --json"));
  EXPECT_EQ(recorded.code, 1) << recorded.err;
  EXPECT_TRUE(recorded.out.starts_with("{") && recorded.out.ends_with("}\n")) << recorded.out;
  EXPECT_EQ(field(recorded.out, "fingerprint"), fields(played, "fingerprint")[number - 1]);
  const Ended replay = ringside("replay future.run");
  EXPECT_EQ(replay.code, 0) << replay.out << replay.err;
  EXPECT_TRUE(replay.out.starts_with("SAME")) << replay.out;

  const Ended diff = ringside("diff weak.run future.run --json");
  EXPECT_EQ(diff.code, 1) << diff.err;
  const uint64_t event = std::stoull(field(all.out, "event"));
  EXPECT_GT(std::stoull(field(diff.out, "first_difference")), event);
  EXPECT_LT(std::stoull(field(diff.out, "first_difference")), event + 100);
  write("commands", concat("to ", event, "\nend\nback 1\nend\n"));
  const Ended walk = ringside("replay future.run --walk <commands");
  EXPECT_EQ(walk.code, 0) << walk.err;
  const std::string end = fields(played, "fingerprint")[number - 1];
  EXPECT_TRUE(contains(walk.out, end.substr(1, end.size() - 2))) << walk.out;

  for (const char* verb :
       {"shrink future.run", "explain future.run", "branch future.run --at 1s"}) {
    const Ended refused = ringside(verb);
    EXPECT_EQ(refused.code, 2) << verb;
    EXPECT_TRUE(contains(refused.err, "is a future of another run")) << refused.err;
  }
  EXPECT_EQ(ringside("log future.run").code, 0);
  EXPECT_EQ(ringside("branch weak.run --at 300ms --record 2").code, 0);
  EXPECT_EQ(ringside("replay weak-future-2.run").code, 0);
}

TEST_F(BranchTest, wrong_use_is_one_clear_line_and_2) {
  write("no.run", "nothing");
  const struct {
    const char* arguments;
    const char* says;
  } cases[] = {
      {"branch weak.run", "--at"},
      {"branch weak.run --at soon", "--at \"soon\" is neither an event's number"},
      {"branch weak.run --at -3", "--at"},
      {"branch weak.run --at 1h", "--at 1h: the run is over before, after event "},
      {"branch weak.run --at 99999999", "the run is over before"},
      {"branch weak.run --at 300ms --seeds 0", "--seeds"},
      {"branch weak.run --at 300ms --seeds 2 --record 2", "--record"},
      {"branch weak.run --at 300ms --out x.run", "--record"},
      {"branch no.run --at 300ms", "no.run: "},
      {"branch nowhere.run --at 300ms", "nowhere.run: cannot be read"},
  };
  for (const auto& one : cases) {
    const Ended ended = ringside(one.arguments);
    EXPECT_EQ(ended.code, 2) << one.arguments << "\n" << ended.out << ended.err;
    EXPECT_TRUE(contains(ended.err, one.says)) << one.arguments << "\n" << ended.err;
  }
}

TEST_F(BranchTest, explains_itself_with_examples) {
  const Ended help = ringside("branch --help");
  EXPECT_EQ(help.code, 0);
  EXPECT_TRUE(contains(help.out, "ringside branch small.run --at 900ms --seeds 200")) << help.out;
}

}  // namespace
}  // namespace ringside::cli
