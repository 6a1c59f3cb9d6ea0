// One body of tests for both hosts. A Stage holds kPlaces places, from 1 on, where programs run on
// hosts of one kind; what the seam promises is tested through it, and nothing that only one kind of
// host would do. A program is a coroutine; state that the test looks at lives outside it. A stage
// that cannot be had here is skipped, and says why.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "runtime/host.h"

namespace ringside::conformance {

using Program = std::function<Task<void>(Host&)>;

inline constexpr NodeId kPlaces = 16;

struct StageOptions {
  uint64_t disk_bytes = 0;    // that the places' disks hold; 0: plenty
  Duration greet_within = 0;  // when a host gives up one who does not answer; 0: as it comes
};

class Stage {
 public:
  virtual ~Stage() = default;
  // Starts a process on its place, on the files that the place holds from earlier ones. Frames
  // reach those places that the program was told of (`introduce`), and those that sent it
  // something. The process stays after its program returned, until it is killed or aborts.
  virtual void start(NodeId node, Program program) = 0;
  // The process dies as if killed; what it wrote stays.
  virtual void kill(NodeId node) = 0;
  // The process's machine vanishes: nobody answers there any more, and no peer is told. For
  // processes that are connected to and never connected themselves. `start` brings it back.
  virtual void vanish(NodeId node) = 0;
  virtual bool running(NodeId node) = 0;
  // Runs until `done`; false when it gave up.
  virtual bool run_until(const std::function<bool()>& done) = 0;
  // At most so many events, or turns of the loop.
  virtual void run_turns(int turns) = 0;
  // Where the process of a place listens when there is one.
  virtual std::string address(NodeId node) = 0;
  // Whether Network::learn takes any text, as it is documented of the simulator.
  virtual bool takes_any_address() const = 0;
  // Why this stage cannot be had here; empty when it can.
  virtual std::string obstacle() const { return {}; }
};

struct StageKind {
  const char* name;
  std::function<std::unique_ptr<Stage>(const StageOptions&)> make;
};

inline void PrintTo(const StageKind& kind, std::ostream* out) { *out << kind.name; }

std::vector<StageKind> stage_kinds();

class Conformance : public testing::TestWithParam<StageKind> {
 protected:
  explicit Conformance(StageOptions options = {}) : options_(options) {}
  void SetUp() override {
    stage_ = GetParam().make(options_);
    if (!stage_->obstacle().empty()) GTEST_SKIP() << stage_->obstacle();
  }
  Stage& stage() { return *stage_; }
  // Tells `host` where every other place listens.
  void introduce(Host& host) {
    for (NodeId node = 1; node <= kPlaces; ++node) {
      if (node == host.network().self()) continue;
      EXPECT_TRUE(host.network().learn(node, stage_->address(node)).ok());
    }
  }

 private:
  const StageOptions options_;
  std::unique_ptr<Stage> stage_;
};

inline std::string kind_name(const testing::TestParamInfo<StageKind>& info) {
  return info.param.name;
}

#define RINGSIDE_CONFORMANCE(suite) \
  INSTANTIATE_TEST_SUITE_P(, suite, testing::ValuesIn(stage_kinds()), kind_name)

}  // namespace ringside::conformance
