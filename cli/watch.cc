#include "cli/watch.h"

#include <algorithm>
#include <cstdio>
#include <thread>

namespace ringside::cli {
namespace {

constexpr auto kRedrawEvery = std::chrono::milliseconds(100);
constexpr std::size_t kWaitingMax = 16;  // snapshots at hand before the world has to wait
// Shown later than this, the picture goes on from now instead of hurrying after.
constexpr auto kLateMax = std::chrono::milliseconds(200);

double seconds_between(std::chrono::steady_clock::time_point from,
                       std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

Watch::Watch(const scenario::Scenario& scenario, const lab::Plan& plan, uint64_t seed, double speed)
    : model_(scenario, plan, seed), speed_(speed) {
  if (Terminal::usable()) terminal_ = std::make_unique<Terminal>();
  started_ = shown_at_ = drawn_at_ = paced_at_ = WallClock::now();
}

Duration Watch::snapshot_every() const {
  // About ten a real second, and a whole number of them in a simulated one.
  if (speed_ <= 0 || speed_ >= 1) return 100 * kMillisecond;
  for (const Duration every : {50 * kMillisecond, 20 * kMillisecond, 10 * kMillisecond,
                               5 * kMillisecond, 2 * kMillisecond}) {
    if (static_cast<double>(every) <= speed_ * static_cast<double>(100 * kMillisecond))
      return every;
  }
  return kMillisecond;
}

void Watch::take(std::string_view bytes) {
  record::Snapshot snapshot;
  CHECK(snapshot.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
  waiting_.push_back(std::move(snapshot));
  look();
}

bool Watch::due(const record::Snapshot& snapshot) const {
  if (speed_ <= 0) return true;
  const double simulated = static_cast<double>(snapshot.now() - model_.now()) / 1e9;
  return seconds_between(shown_at_, WallClock::now()) * speed_ >= simulated;
}

bool Watch::look() {
  while (!waiting_.empty() && due(waiting_.front())) {
    const record::Snapshot snapshot = std::move(waiting_.front());
    waiting_.pop_front();
    show(snapshot);
  }
  if (terminal_ != nullptr && WallClock::now() - drawn_at_ >= kRedrawEvery) draw();
  return waiting_.size() > kWaitingMax;
}

void Watch::show(const record::Snapshot& snapshot) {
  const WallClock::time_point now = WallClock::now();
  if (speed_ > 0) {
    const double simulated = static_cast<double>(snapshot.now() - model_.now()) / 1e9;
    shown_at_ += std::chrono::duration_cast<WallClock::duration>(
        std::chrono::duration<double>(simulated / speed_));
    if (now - shown_at_ > kLateMax) shown_at_ = now;
  }
  model_.take(snapshot);
  if (terminal_ != nullptr) return;
  const int64_t second = model_.now() / kSecond;
  if (second < next_line_ && !snapshot.last()) return;
  next_line_ = second + 1;
  std::printf("%s\n", watch_line(model_).c_str());
  std::fflush(stdout);
}

Screen Watch::screen() const {
  const Terminal::Size size = Terminal::size();
  return {size.columns, size.rows, Terminal::colour(), seconds_between(started_, WallClock::now()),
          pace_};
}

void Watch::measure_pace() {
  const double seconds = seconds_between(paced_at_, WallClock::now());
  if (seconds < 1) return;
  pace_ = static_cast<double>(model_.now() - paced_from_) / 1e9 / seconds;
  paced_at_ = WallClock::now();
  paced_from_ = model_.now();
}

void Watch::draw() {
  measure_pace();
  terminal_->draw(draw_watch(model_, screen()));
  drawn_at_ = WallClock::now();
}

void Watch::finish() {
  while (!waiting_.empty()) {
    if (look(); waiting_.empty()) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(kLookEveryMs));
  }
  if (terminal_ == nullptr) return;
  const Screen last = screen();
  terminal_.reset();
  for (const std::string& line : draw_watch(model_, last)) std::printf("%s\n", line.c_str());
  std::printf("\n");
}

}  // namespace ringside::cli
