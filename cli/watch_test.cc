#include "cli/watch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "cli/cells.h"
#include "cli/program_for_test.h"
#include "lab/experiment.h"

namespace ringside::cli {
namespace {

using lab::concat;
using lab::contains;

constexpr const char* kTroubled = R"(name: "troubled"
topology { region { name: "east" zones: 3 } }
cluster { strategy { dynamo { n: 3 r: 2 w: 2 request_timeout: "200ms" } } }
workload { registers { keys: 5 } clients: 3 rate: "200/s" timeout: "400ms" for: "6s" }
fault { at: "1s" for: "2s" partition { isolate: "east-b" } }
fault { at: "4s" power_loss { machines: 1 } restart_after: "1s" }
expect {
  evidence { acknowledged_writes: 5 verified_reads: 5 }
  acknowledged_writes: PRESENT_OR_SUPERSEDED
}
)";

// A model that was told every snapshot up to (not after) a time.
class Seen {
 public:
  explicit Seen(const std::string& text, Time until = kNever) {
    auto scenario = lab::parse_scenario(text, "troubled.textproto");
    EXPECT_TRUE(scenario.ok()) << (scenario.ok() ? "" : scenario.error().message);
    const Result<lab::Plan> plan = lab::make_plan(**scenario, 1, false);
    model_ = std::make_unique<WatchModel>(**scenario, *plan, 1);
    lab::RunOptions options;
    options.on_snapshot = [&](std::string_view bytes) {
      record::Snapshot snapshot;
      EXPECT_TRUE(snapshot.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
      if (snapshot.now() > until) return;
      model_->take(snapshot);
      for (const WatchModel::Fault* fault : model_->active()) struck_.insert(fault->text);
    };
    EXPECT_TRUE(lab::run_scenario(**scenario, 1, options).ok());
  }
  const WatchModel& model() const { return *model_; }
  // Every fault that was active at some snapshot.
  const std::set<std::string>& struck() const { return struck_; }

 private:
  std::set<std::string> struck_;
  std::unique_ptr<WatchModel> model_;
};

TEST(WatchModel, a_zone_that_is_cut_off_is_told_with_what_is_left_of_it) {
  const Seen seen(kTroubled, 2 * kSecond);
  const WatchModel& model = seen.model();
  EXPECT_STREQ(model.phase(), "workload under faults");
  EXPECT_EQ(model.machines()[0].word, "up");
  EXPECT_EQ(model.machines()[1].word, "cut off");
  ASSERT_EQ(model.active().size(), 1u);
  EXPECT_EQ(model.active()[0]->text, "1s cut {east-b} | {the rest}, over after 2s");
  EXPECT_EQ(model.active()[0]->until, 3200 * kMillisecond);
  ASSERT_NE(model.next(), nullptr);
  EXPECT_EQ(model.next()->from, 4200 * kMillisecond);
}

TEST(WatchModel, a_victim_that_the_seed_draws_is_known_from_how_the_fault_was_resolved) {
  const Seen seen(kTroubled, 4800 * kMillisecond);
  const WatchModel& model = seen.model();
  EXPECT_EQ(model.count(MachineState::kDown), 1u);
  ASSERT_EQ(model.active().size(), 1u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(model.active()[0]->machines[i], model.machines()[i].state == MachineState::kDown);
  }
  EXPECT_EQ(model.next(), nullptr);
}

TEST(WatchModel, a_fault_that_hangs_on_a_probe_begins_when_the_probe_is_reached) {
  std::string text = kTroubled;
  const std::size_t at = text.find("fault { at: \"4s\"");
  text.replace(at, text.find('\n', at) - at,
               "fault { on_probe: \"dynamo.read_repair\" crash {} restart_after: \"700ms\" }");
  const std::string hung = "crash on probe dynamo.read_repair";
  const Seen before(text, 900 * kMillisecond);
  EXPECT_EQ(before.model().probes().count("dynamo.read_repair"), before.struck().count(hung));
  const Seen after(text);
  EXPECT_EQ(after.model().probes().count("dynamo.read_repair"), 1u);
  EXPECT_TRUE(after.struck().contains(hung));
  EXPECT_TRUE(after.model().active().empty());
  // Nobody says when it comes.
  EXPECT_EQ(after.model().next(), nullptr);
}

TEST(WatchModel, seconds_add_up_to_what_is_told_so_far) {
  const Seen seen(kTroubled);
  const WatchModel& model = seen.model();
  uint64_t ok = 0, others = 0;
  for (const WatchModel::Second& second : model.seconds()) {
    ok += second.ok;
    others += second.failed + second.unknown;
  }
  // The last second goes on; nothing ends in it but the final reads.
  EXPECT_LE(ok, model.latest().writes_ok() + model.latest().reads_ok());
  EXPECT_GE(ok + 5, model.latest().writes_ok() + model.latest().reads_ok());
  EXPECT_EQ(others, model.latest().failed() + model.latest().unknown());
  EXPECT_STREQ(model.phase(), "at rest");
  EXPECT_FALSE(model.probes().empty());
}

TEST(WatchView, no_screen_is_too_small_and_none_is_overrun) {
  std::string large = kTroubled;
  large.replace(large.find("zones: 3"), 8, "zones: 60 machines_per_zone: 3");
  for (const std::string& text : {std::string(kTroubled), large}) {
    const Seen seen(text, 2 * kSecond);
    for (const std::size_t columns : {1u, 20u, 40u, 80u, 200u}) {
      for (const std::size_t rows : {1u, 10u, 24u, 100u}) {
        const std::vector<std::string> lines =
            draw_watch(seen.model(), {columns, rows, false, 3, 1});
        EXPECT_LE(lines.size(), rows);
        for (const std::string& line : lines) EXPECT_LE(columns_of(line), columns) << line;
      }
    }
    std::string screen;
    for (const std::string& line : draw_watch(seen.model(), {80, 24, false, 3, 1}))
      screen += line + "\n";
    for (const char* part : {"troubled, seed 1", "MACHINES", "1s cut {east-b} | {the rest}",
                             "OPERATIONS", "writes acknowledged", "lost", "PROBES"}) {
      EXPECT_TRUE(contains(screen, part)) << part << "\n" << screen;
    }
  }
}

class WatchVerb : public ProgramTest {};

TEST_F(WatchVerb, a_watched_run_has_the_same_fingerprint_and_a_line_a_second) {
  write("troubled.textproto", kTroubled);
  const Ended alone = ringside("run troubled.textproto --seed 5");
  const Ended watched = ringside("run troubled.textproto --seed 5 --watch");
  EXPECT_EQ(watched.code, 0) << watched.err;
  EXPECT_EQ(watched.err, "");
  const auto fingerprint = [](const std::string& out) {
    return out.substr(out.find("fingerprint "), 28);
  };
  EXPECT_EQ(fingerprint(watched.out), fingerprint(alone.out));
  EXPECT_FALSE(contains(watched.out, "\033"));
  for (int second = 1; second <= 6; ++second)
    EXPECT_TRUE(contains(watched.out, concat("t ", second))) << watched.out;
  EXPECT_TRUE(contains(watched.out, "east-b-1 cut off"));
  EXPECT_TRUE(contains(watched.out, "fault: 1s cut {east-b} | {the rest}"));
  // The verdict comes last, as always.
  const std::size_t verdict = watched.out.find("HOLDS     troubled, seed 5");
  ASSERT_NE(verdict, std::string::npos);
  EXPECT_EQ(watched.out.find("\nt ", verdict), std::string::npos);
}

std::string without_codes(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\033') {
      out += text[i];
      continue;
    }
    while (i < text.size() && !isalpha(static_cast<unsigned char>(text[i]))) ++i;
  }
  return out;
}

TEST_F(WatchVerb, a_terminal_is_drawn_on_within_its_size_and_left_as_it_was) {
  write("troubled.textproto", kTroubled);
  // Half a second for the run.
  const Ended ended = on_terminal("run troubled.textproto --watch --speed 16");
  EXPECT_EQ(ended.code, 0) << ended.out;
  const std::size_t enter = ended.out.find("\033[?25l");
  const std::size_t leave = ended.out.find("\033[?25h");
  ASSERT_NE(enter, std::string::npos);
  ASSERT_NE(leave, std::string::npos);
  EXPECT_LT(enter, leave);
  EXPECT_EQ(ended.out.find("\033[?25l", leave), std::string::npos);
  const std::string screens = ended.out.substr(0, leave);
  std::size_t drawn = 0;
  for (std::size_t at = screens.find("\033[H"); at != std::string::npos;) {
    const std::size_t next = screens.find("\033[H", at + 1);
    const std::vector<std::string> lines = lab::split(
        without_codes(screens.substr(at, next == std::string::npos ? next : next - at)), '\n');
    EXPECT_LE(lines.size(), 24u);
    for (std::string line : lines) {
      while (!line.empty() && line.back() == '\r') line.pop_back();
      EXPECT_LE(columns_of(line), 80u) << line;
    }
    ++drawn;
    at = next;
  }
  EXPECT_GE(drawn, 2u);
  EXPECT_TRUE(contains(ended.out.substr(leave), "HOLDS     troubled, seed 1"));
}

TEST_F(WatchVerb, ctrl_c_ends_it_and_gives_the_cursor_back) {
  std::string text = kTroubled;
  text.replace(text.find("\"6s\""), 4, "\"600s\"");
  write("troubled.textproto", text);
  bool typed = false;
  const Ended ended = on_terminal("run troubled.textproto --watch --speed 1",
                                  [&](const std::string& so_far) -> std::string {
                                    if (typed || !contains(so_far, "MACHINES")) return {};
                                    typed = true;
                                    return "\003";
                                  });
  EXPECT_EQ(ended.code, 128 + 2) << ended.out;
  const std::size_t leave = ended.out.rfind("\033[?25h\033[?1049l");
  ASSERT_NE(leave, std::string::npos);
  EXPECT_FALSE(contains(ended.out.substr(leave), "\033[H"));
}

}  // namespace
}  // namespace ringside::cli
