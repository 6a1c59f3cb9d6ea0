// Watch: shows a run as it plays, in the process that alone may read real clocks. On a terminal a
// screen that is redrawn a few times a second; elsewhere a line for each simulated second. With a
// speed it takes each snapshot when it is due, and the world waits: nobody listens to its pipe
// meanwhile.
#pragma once

#include <chrono>
#include <deque>
#include <memory>
#include <string>
#include <string_view>

#include "cli/terminal.h"
#include "cli/watch_model.h"
#include "cli/watch_view.h"

namespace ringside::cli {

class Watch {
 public:
  // `speed`: simulated seconds a real one; 0: as fast as it goes.
  Watch(const scenario::Scenario& scenario, const lab::Plan& plan, uint64_t seed, double speed);

  // How often the world has to tell a snapshot, in virtual time.
  Duration snapshot_every() const;
  static constexpr int kLookEveryMs = 25;

  void take(std::string_view snapshot);
  // Shows what is due. True while more is at hand than can be shown yet.
  bool look();
  // Shows the rest, each when it is due, and leaves the last picture above what comes.
  void finish();

 private:
  using WallClock = std::chrono::steady_clock;

  bool due(const record::Snapshot& snapshot) const;
  void show(const record::Snapshot& snapshot);
  void draw();
  Screen screen() const;
  void measure_pace();

  WatchModel model_;
  double speed_;
  std::unique_ptr<Terminal> terminal_;  // null: lines
  std::deque<record::Snapshot> waiting_;
  WallClock::time_point started_;
  WallClock::time_point shown_at_;  // when the last snapshot was, or was due
  WallClock::time_point drawn_at_;
  // The pace since some moment between one and two seconds ago.
  double pace_ = 0;
  WallClock::time_point paced_at_;
  Time paced_from_ = 0;
  int64_t next_line_ = 1;  // the second whose end is told next
};

}  // namespace ringside::cli
