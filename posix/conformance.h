// One body of tests for both hosts. A Stage holds three places, 1 to 3, where programs run on hosts
// of one kind; what the seam promises is tested through it, and nothing that only one kind of host
// would do. A program is a coroutine; state that the test looks at lives outside it.
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

class Stage {
 public:
  virtual ~Stage() = default;
  // Starts a process on its place, on the files that the place holds from earlier ones. Frames
  // reach those places that the program was told of (`introduce`), and those that sent it
  // something. The process stays after its program returned, until it is killed or aborts.
  virtual void start(NodeId node, Program program) = 0;
  // The process dies as if killed; what it wrote stays.
  virtual void kill(NodeId node) = 0;
  virtual bool running(NodeId node) = 0;
  // Runs until `done`; false when it gave up.
  virtual bool run_until(const std::function<bool()>& done) = 0;
  // At most so many events, or turns of the loop.
  virtual void run_turns(int turns) = 0;
  // Where the process of a place listens when there is one.
  virtual std::string address(NodeId node) = 0;
};

struct StageKind {
  const char* name;
  std::function<std::unique_ptr<Stage>()> make;
};

inline void PrintTo(const StageKind& kind, std::ostream* out) { *out << kind.name; }

std::vector<StageKind> stage_kinds();

class Conformance : public testing::TestWithParam<StageKind> {
 protected:
  void SetUp() override { stage_ = GetParam().make(); }
  Stage& stage() { return *stage_; }
  // Tells `host` where every other place listens.
  void introduce(Host& host) {
    for (NodeId node = 1; node <= 3; ++node) {
      if (node == host.network().self()) continue;
      EXPECT_TRUE(host.network().learn(node, stage_->address(node)).ok());
    }
  }

 private:
  std::unique_ptr<Stage> stage_;
};

inline std::string kind_name(const testing::TestParamInfo<StageKind>& info) {
  return info.param.name;
}

#define RINGSIDE_CONFORMANCE(suite) \
  INSTANTIATE_TEST_SUITE_P(, suite, testing::ValuesIn(stage_kinds()), kind_name)

}  // namespace ringside::conformance
