// Wrong faults are told with their place, their field and what would be right.
#include "lab/check_fault.h"

#include <gtest/gtest.h>

#include "lab/experiment.h"
#include "lab/text.h"
#include "scenarios/scenario.pb.h"

namespace ringside::lab {
namespace {

// What is said of a scenario whose sixth line is this fault.
std::string mistakes_of(const std::string& fault) {
  const std::string text = concat(R"(name: "wrong"
topology { region { name: "east" zones: 3 } }
cluster { strategy { dynamo { n: 3 r: 2 w: 2 } } }
workload { registers {} for: "8s" }
expect { evidence { acknowledged_writes: 1 } }
)",
                                  fault, "\n");
  const auto scenario = parse_scenario(text, "wrong.textproto");
  return scenario.ok() ? std::string() : scenario.error().message;
}

TEST(CheckFault, every_mistake_names_its_line_its_field_and_what_would_be_right) {
  const struct {
    const char* fault;
    const char* told;
  } cases[] = {
      {R"(fault { at: "1s" crash { machines: 1 } pause { machines: 1 } })",
       "pause: a fault takes one of"},
      {R"(fault { at: "1s" pause { machines: 1 } })", "pause: needs for"},
      {R"(fault { at: "1s" for: "1s" pause {} })", "pause needs one of place, machines"},
      {R"(fault { at: "1s" for: "1s" crash { machines: 1 } })", "comes back by restart_after"},
      {R"(fault { at: "1s" for: "1s" rot { machines: 1 } })", "is done in a moment"},
      {R"(fault { at: "1s" for: "1s" restart_after: "1s" pause { machines: 1 } })", "use for"},
      {R"(fault { on_probe: "wal.torn_tail_cut" for: "1s" pause {} })", "starts at a time; use at"},
      {R"(fault { at: "9s" crash { machines: 1 } })", "after the end of the workload"},
      {R"(fault { at: "1s" for: "1s" partition {} })", "say isolate, or from and to"},
      {R"(fault { at: "1s" for: "1s" partition { isolate: "east-a" to: "east-b" } })",
       "leave out from and to"},
      {R"(fault { at: "1s" for: "1s" links { isolate: "east-a" } })",
       "needs one of slower, longer"},
      {R"(fault { at: "1s" for: "1s" links { isolate: "east-a" clog: true loss: 0.1 } })",
       "clog: one fault does one thing to its links, and loss is there already"},
      {R"(fault { at: "1s" for: "1s" links { isolate: "east-a" flap { up: "0s" down: "1s" } } })",
       "up: must be more than 0"},
      {R"(fault { at: "1s" for: "1s" links { isolate: "east-a" reset_every: "0s" } })",
       "reset_every: must be more than 0"},
      {R"(fault { at: "1s" for: "1s" links { from: "east-a" to: "client-9" loss: 0.1 } })",
       "\"client-9\" names no region, zone, rack or machine, nor a client's"},
      {R"(fault { at: "1s" for: "1s" links { isolate: "east-a" loss: 2 } })", "share from 0 to 1"},
      {R"(fault { at: "1s" for: "1s" clock { machines: 1 } })", "a clock needs one of"},
      {R"(fault { at: "1s" for: "1s" disk { machines: 1 } })",
       "says nothing of what the disk does"},
      {R"(fault { at: "1s" for: "1s" disk { machines: 1 gray { good: "0s" bad: "1s" slower: 2 } } })",
       "good: must be more than 0"},
      {R"(fault { at: "1s" restart_loop { machines: 1 times: 3 every: "500ms" } })",
       "every: must be more than restart_after (1s)"},
      {R"(fault { at: "1s" crash { place: "client-1" } })",
       "names no region, zone, rack or machine"},
  };
  for (const auto& [fault, told] : cases) {
    const std::string mistakes = mistakes_of(fault);
    EXPECT_TRUE(mistakes.starts_with("wrong.textproto:6:")) << fault << "\n" << mistakes;
    EXPECT_TRUE(contains(mistakes, told)) << fault << "\n" << mistakes;
  }
}

TEST(CheckFault, racks_and_clients_are_places_where_links_are) {
  EXPECT_EQ(mistakes_of(R"(fault { at: "1s" crash { place: "east-a-r1" } })"), "");
  EXPECT_EQ(
      mistakes_of(
          R"(fault { at: "1s" for: "1s" links { from: "client-1" to: "east-b" clog: true } })"),
      "");
}

}  // namespace
}  // namespace ringside::lab
