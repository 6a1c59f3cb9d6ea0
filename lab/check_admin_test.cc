// Orders of administrators, and the options of Dynamo: every mistake at its place.
#include <gtest/gtest.h>

#include <algorithm>

#include "lab/load.h"
#include "lab/text.h"

namespace ringside::lab {
namespace {

constexpr const char* kCluster = R"(name: "good"
topology { region { name: "east" zones: 3 machines_per_zone: 2 } spare: "east-c-2" }
cluster { partitions: 64 strategy { dynamo { n: 3 r: 2 w: 2 } } }
workload { registers {} for: "20s" }
admin { at: "5s" join { machine: "east-c-2" } }
admin { at: "9s" leave { machine: "east-a-1" } }
expect { evidence { acknowledged_writes: 1 } }
)";

struct Slip {
  const char* from;
  const char* to;
  const char* points_at;
  const char* says;
};

std::string with(const Slip& slip) {
  std::string text = kCluster;
  const std::size_t at = text.find(slip.from);
  EXPECT_NE(at, std::string::npos) << slip.from;
  return at == std::string::npos ? text : text.replace(at, std::string(slip.from).size(), slip.to);
}

std::string told(const std::string& text) {
  auto scenario = parse_scenario(text, "x.textproto");
  return scenario.ok() ? std::string() : scenario.error().message;
}

std::string line_and_column(const std::string& text, const std::string& part) {
  const std::size_t at = text.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  const std::string before = text.substr(0, at);
  const std::size_t begin = before.rfind('\n') == std::string::npos ? 0 : before.rfind('\n') + 1;
  return concat(1 + std::count(before.begin(), before.end(), '\n'), ":", at - begin + 1);
}

TEST(CheckAdmin, a_machine_that_stands_by_joins_and_a_member_leaves) {
  EXPECT_EQ(told(kCluster), "");
}

TEST(CheckAdmin, every_order_and_option_that_makes_no_sense_is_told_at_its_place) {
  for (const Slip& slip : {
           Slip{"spare: \"east-c-2\"", "", "machine: \"east-c-2\"", "does not stand by"},
           Slip{"join { machine: \"east-c-2\" }", "join { machine: \"east-c\" }",
                "machine: \"east-c\"", "names no machine"},
           Slip{"leave { machine: \"east-a-1\" }", "leave { machine: \"east-d-1\" }",
                "machine: \"east-d", "names no machine"},
           Slip{"leave { machine: \"east-a-1\" }", "leave {}", "leave {", "One needs machine"},
           Slip{"at: \"9s\" leave { machine: \"east-a-1\" }",
                "at: \"1s\" leave { machine: \"east-c-2\" }", "machine: \"east-c-2\" } }\nexpect",
                "is no member then"},
           Slip{"at: \"9s\"", "at: \"30s\"", "at: \"30s\"", "after the end"},
           Slip{"at: \"5s\" join", "join", "admin { join", "Admin needs at"},
           Slip{"leave { machine: \"east-a-1\" }", "", "admin { at: \"9s\"", "needs one of join"},
           Slip{"leave { machine: \"east-a-1\" }", "cancel { machine: \"east-a-1\" }",
                "machine: \"east-a-1\"", "nothing of"},
           Slip{"leave { machine: \"east-a-1\" }", "upgrade { every: \"1s\" to_wire_version: 99 }",
                "to_wire_version", "newest version"},
           Slip{"leave { machine: \"east-a-1\" }",
                "replace { machine: \"east-a-1\" by: \"east-b-1\" }", "by: ", "does not stand by"},
           Slip{"spare: \"east-c-2\"", "spare: \"east\"", "n: 3", "only 0 machines"},
           Slip{"partitions: 64", "partitions: 64 partitioning: TOKENS", "partitions: 64",
                "leave it out"},
           Slip{"partitions: 64", "wire { place: \"east-a\" version: 99 }", "version: 99",
                "newest version"},
           Slip{"partitions: 64", "capacity { place: \"east-a\" percent: 0 }", "percent",
                "more than 0"},
           Slip{"w: 2 }", "w: 2 clock_entries_max: 4 }", "clock_entries_max", "VECTOR_CLOCK"},
           Slip{"w: 2 }", "w: 2 sloppy: false hint_bytes: 9 }", "hint_bytes", "nobody keeps hints"},
           Slip{"w: 2 }", "w: 2 buffer_objects: 9 }", "buffer_objects", "nothing is buffered"},
           Slip{"w: 2 }", "w: 2 random_quorums: true sloppy: true }", "sloppy", "homes alone"},
           Slip{"w: 2 }", "w: 2 upkeep { anti_entropy: false every: \"1s\" } }", "every",
                "nothing is compared"},
           Slip{"w: 2 }", "w: 2 upkeep { reap: false reap_after: \"1s\" } }", "reap_after",
                "no tombstone goes"},
           Slip{"w: 2 }", "w: 2 gossip { every: \"0s\" } }", "every", "more than 0"},
           Slip{"evidence {", "replicas_keep_acknowledged: true evidence {", "evidence", ""},
           Slip{"registers {}", "registers { deletes: 2 }", "deletes", "share from 0 to 1"},
       }) {
    const std::string text = with(slip);
    const std::string mistakes = told(text);
    if (std::string(slip.says).empty()) {
      EXPECT_EQ(mistakes, "");
      continue;
    }
    EXPECT_NE(mistakes.find(concat("x.textproto:", line_and_column(text, slip.points_at), ": ")),
              std::string::npos)
        << slip.to << "\n"
        << mistakes;
    EXPECT_NE(mistakes.find(slip.says), std::string::npos) << slip.says << "\n" << mistakes;
  }
}

TEST(CheckAdmin, a_buffer_in_memory_cannot_be_judged_by_disks) {
  const Slip slip{"w: 2 }", "w: 2 buffered_writes: true }", "", ""};
  std::string text = with(slip);
  EXPECT_EQ(told(text), "");
  text.replace(text.find("evidence {"), 0, "replicas_keep_acknowledged: true ");
  EXPECT_NE(told(text).find("memory alone"), std::string::npos) << told(text);
}

TEST(CheckAdmin, the_cluster_keeps_n_members) {
  std::string text = kCluster;
  text.replace(text.find("machines_per_zone: 2"), 20, "machines_per_zone: 1");
  text.replace(text.find(" spare: \"east-c-2\""), 18, "");
  text.replace(text.find("admin { at: \"5s\""), 48, "");
  EXPECT_NE(told(text).find("leaves 2 members; n is 3"), std::string::npos) << told(text);
}

}  // namespace
}  // namespace ringside::lab
