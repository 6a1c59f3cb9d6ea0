#include <gtest/gtest.h>

#include <algorithm>

#include "lab/load.h"
#include "lab/text.h"

namespace ringside::lab {
namespace {

constexpr const char* kGood = R"(name: "good"
topology { region { name: "east" zones: 3 machines_per_zone: 2 disk: NVME } }
cluster { partitions: 64 strategy { dynamo { n: 3 r: 2 w: 2 } } }
workload { shopping_cart { carts: 200 } clients: 20 rate: "500/s" for: "60s" }
fault { at: "10s" for: "15s" partition { isolate: "east-b" } }
fault { on_probe: "wal.torn_tail_cut" power_loss {} restart_after: "5s" }
expect {
  evidence { acknowledged_writes: 100 verified_reads: 100 }
  acknowledged_writes: PRESENT_OR_SUPERSEDED
}
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

// "line:column" of where `part` stands.
std::string place_of(const std::string& text, const std::string& part) {
  const std::size_t at = text.find(part);
  EXPECT_NE(at, std::string::npos) << part;
  const std::string before = text.substr(0, at);
  const std::size_t line_begin =
      before.rfind('\n') == std::string::npos ? 0 : before.rfind('\n') + 1;
  return concat(1 + std::count(before.begin(), before.end(), '\n'), ":", at - line_begin + 1);
}

std::string mistakes_in(const std::string& text) {
  auto scenario = parse_scenario(text, "x.textproto");
  return scenario.ok() ? std::string() : scenario.error().message;
}

TEST(Parse, an_engine_without_a_disk_cannot_be_judged_by_disks) {
  const std::string memory = replaced(kGood, "partitions: 64", "engine { kind: MEMORY }");
  EXPECT_EQ(mistakes_in(memory), "");
  for (const char* asked : {"replicas_keep_acknowledged: true", "converges_within: \"3s\""}) {
    const std::string text = replaced(memory, "acknowledged_writes: PRESENT",
                                      concat(asked, "\n  acknowledged_writes: PRESENT"));
    const std::string said = mistakes_in(text);
    EXPECT_NE(said.find(place_of(text, asked)), std::string::npos) << said;
    EXPECT_NE(said.find("MEMORY leaves nothing there"), std::string::npos) << said;
  }
}

struct Wrong {
  const char* from;
  const char* to;
  const char* points_at;  // the text at the line and column that are told
  std::vector<const char*> says;
};

TEST(Parse, a_good_scenario_has_no_mistakes) { EXPECT_EQ(mistakes_in(kGood), ""); }

TEST(Parse, every_mistake_names_line_column_field_and_what_would_be_right) {
  const std::vector<Wrong> wrongs = {
      {"zones: 3",
       "zonez: 3",
       "zonez",
       {"zonez", "Region has no such field", "did you mean zones?"}},
      {"carts: 200",
       "baskets: 200",
       "baskets",
       {"baskets", "ShoppingCart has no such field", "carts, adds, removes"}},
      {"NVME", "NVMEE", "NVMEE", {"disk", "NVMEE", "FREE, NVME, SSD, HDD"}},
      {"partitions: 64",
       "engine { kind: LEVELDB tables_max: 3 }",
       "tables_max",
       {"tables_max", "LEVELDB has no such thing"}},
      {"partitions: 64",
       "engine { kind: LEVELDB memtable_bytes: 4096 }",
       "memtable_bytes",
       {"no less than 65536, not 4096"}},
      {"partitions: 64",
       "engine { kind: MEMORY memtable_bytes: 65536 }",
       "memtable_bytes",
       {"MEMORY has no such thing"}},
      {"partitions: 64",
       "engine { kind: LEVELDB encrypted: true }",
       "encrypted",
       {"LEVELDB has no such thing"}},
      {"partitions: 64", "engine { level_fanout: 1 }", "level_fanout", {"at least 2, not 1"}},
      {"partitions: 64", "engine { merkle_depth: 21 }", "merkle_depth", {"at most 20, not 21"}},
      {"partitions: 64", "engine { scrub_every: \"0s\" }", "scrub_every", {"more than 0"}},
      {"partitions: 64",
       "engine { compression: GZIP }",
       "GZIP",
       {"compression", "NONE, LZ4, ZSTD"}},
      {"partitions: 64", "engine { kind: ROCKSDB }", "ROCKSDB", {"kind", "LSM, MEMORY, LEVELDB"}},
      {"zones: 3", "zones: \"three\"", "\"three\"", {"zones", "expected integer"}},
      {"zones: 3", "zones: -3", "-3", {"zones"}},
      {"zones: 3", "zones: 0", "zones: 0", {"zones", "more than 0"}},
      {"zones: 3", "zones: 3 zones: 4", "zones: 4", {"zones", "twice"}},
      {"r: 2", "r: 4", "r: 4", {"r: is 4", "more than n (3)"}},
      {"w: 2", "w: 5", "w: 5", {"w: is 5", "more than n (3)"}},
      {"n: 3", "n: 7", "n: 7", {"n: is 7", "only 6 machines"}},
      {"w: 2 }", "}", "dynamo {", {"Dynamo needs w"}},
      {"w: 2 }", "w: 2 coordinate: NON_REPLICA n: 6 }", "n: 6", {"n", "twice"}},
      {"\"500/s\"", "\"500\"", "rate:", {"rate", "500/s"}},
      {"\"60s\"", "\"60 parsecs\"", "for: \"60 p", {"for", "parsecs", "ms, s, min"}},
      {"\"60s\"", "\"60\"", "for: \"60", {"for", "no unit", "60s"}},
      {"at: \"10s\"", "at: \"-10s\"", "at: \"-10s", {"at", "negative"}},
      {"at: \"10s\"", "at: \"70s\"", "at: \"70s", {"at", "after the end", "60s"}},
      {"\"east-b\"",
       "\"east-d\"",
       "isolate",
       {"isolate", "east-d", "did you mean \"east-a\"", "the zones east-a, east-b, east-c"}},
      {"\"east-b\"", "\"mars\"", "isolate", {"mars", "names no region, zone, rack or machine"}},
      {"for: \"15s\" partition", "partition", "partition {", {"partition", "needs for"}},
      {"at: \"10s\" for: \"15s\"", "for: \"15s\"", "fault { for", {"needs one of at, on_probe"}},
      {"on_probe: \"wal.torn_tail_cut\"",
       "at: \"1s\"",
       "power_loss",
       {"power_loss needs one of place, machines"}},
      {"power_loss {}", "power_loss {} crash {}", "power_loss", {"takes one of"}},
      {"name: \"good\"\n", "\n", "", {"Scenario needs name"}},
      {"  evidence { acknowledged_writes: 100 verified_reads: 100 }\n",
       "\n",
       "expect {",
       {"Expect needs evidence"}},
      {"acknowledged_writes: PRESENT_OR_SUPERSEDED",
       "linearizable: true",
       "linearizable",
       {"needs the workload registers"}},
      {"shopping_cart { carts: 200 }",
       "",
       "workload {",
       {"needs one of registers, shopping_cart, ycsb, pbs"}},
      {"shopping_cart { carts: 200 }",
       "registers {} ycsb { workload: \"A\" }",
       "ycsb",
       {"registers is there already"}},
      {"shopping_cart { carts: 200 }",
       "ycsb { workload: \"Z\" }",
       "workload: \"Z",
       {"\"A\" to \"F\""}},
      {"carts: 200", "carts: 200 adds: 1.5", "adds: 1.5", {"adds", "share from 0 to 1"}},
      {"expect {", "expect [", "[", {"expect"}},
  };
  for (const Wrong& wrong : wrongs) {
    const std::string text = replaced(kGood, wrong.from, wrong.to);
    const std::string mistakes = mistakes_in(text);
    EXPECT_NE(mistakes.find(concat("x.textproto:", place_of(text, wrong.points_at), ": ")),
              std::string::npos)
        << wrong.to << "\n"
        << mistakes;
    for (const char* said : wrong.says)
      EXPECT_NE(mistakes.find(said), std::string::npos) << said << "\n" << mistakes;
  }
}

TEST(Parse, several_mistakes_are_all_told_in_the_order_of_the_file) {
  const std::string text =
      replaced(replaced(replaced(kGood, "w: 2", "w: 9"), "\"60s\"", "\"60 x\""), "\"east-b\"",
               "\"nowhere\"");
  const std::string mistakes = mistakes_in(text);
  EXPECT_EQ(std::count(mistakes.begin(), mistakes.end(), '\n'), 2) << mistakes;
  EXPECT_LT(mistakes.find("w: is 9"), mistakes.find("\"x\" is no unit"));
  EXPECT_LT(mistakes.find("\"x\" is no unit"), mistakes.find("nowhere"));
}

TEST(Parse, text_that_is_no_scenario_is_refused) {
  EXPECT_NE(mistakes_in("\x7f\x45\x4c\x46 binary"), "");
  EXPECT_NE(mistakes_in(""), "");
  EXPECT_NE(mistakes_in("{"), "");
}

TEST(Parse, a_file_that_cannot_be_read_is_one_clear_line) {
  for (const char* path : {"/nonexistent/x.textproto", "/"}) {
    auto scenario = load_scenario(path);
    ASSERT_FALSE(scenario.ok());
    EXPECT_EQ(scenario.error().message.find('\n'), std::string::npos);
    EXPECT_NE(scenario.error().message.find(path), std::string::npos);
  }
}

}  // namespace
}  // namespace ringside::lab
