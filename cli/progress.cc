#include "cli/progress.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "cli/cells.h"
#include "lab/text.h"

namespace ringside::cli {
namespace {

constexpr double kFirstLineAfter = 1;
constexpr double kRedrawEvery = 0.2;
// Where nobody watches: the first line, and the most that lies between two. Each is twice as late
// as the one before until then.
constexpr double kFirstPlainLineAfter = 5;
constexpr double kPlainLineEveryMax = 60;
// With less of the work done than this nobody knows how long it takes.
constexpr double kShareToGuess = 0.02;

std::size_t columns_of_stderr() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1u : 79u;
}

}  // namespace

std::string minutes(double seconds) {
  const auto whole = static_cast<unsigned long long>(std::max(0.0, seconds) + 0.5);
  if (whole < 100) return lab::format("%llu s", whole);
  if (whole < 6000) return lab::format("%llu min %02llu s", whole / 60, whole % 60);
  return lab::format("%llu h %02llu min", whole / 3600, whole / 60 % 60);
}

std::string describe_progress(const std::string& what, const lab::Progress& progress) {
  // Rounded down: it is not done before it is done.
  const int percent = static_cast<int>(100 * std::clamp(progress.share, 0.0, 1.0));
  std::string line = lab::format("%s: %3d %%", what.c_str(), percent);
  if (progress.all > 1) lab::append(line, ", ", progress.finished, " of ", progress.all, " seeds");
  lab::append(line, ", ", minutes(progress.elapsed_seconds));
  if (progress.share >= 1) {
    if (progress.finished < progress.all) line += ", the last reads and the verdict";
  } else if (progress.share >= kShareToGuess) {
    const double left = progress.elapsed_seconds * (1 - progress.share) / progress.share;
    lab::append(line, ", about ", minutes(left), " left");
  }
  return line;
}

ProgressLine::ProgressLine(std::string what)
    : what_(std::move(what)),
      terminal_(isatty(STDERR_FILENO) != 0),
      next_at_(terminal_ ? kFirstLineAfter : kFirstPlainLineAfter) {}

void ProgressLine::show(const lab::Progress& progress) {
  if (progress.elapsed_seconds >= next_at_)
    show(progress.elapsed_seconds, describe_progress(what_, progress));
}

void ProgressLine::show(double elapsed_seconds, const std::string& line) {
  if (elapsed_seconds < next_at_) return;
  if (terminal_) {
    std::fprintf(stderr, "\r\033[K%s", fit(line, columns_of_stderr()).c_str());
  } else {
    std::fprintf(stderr, "%s\n", line.c_str());
  }
  std::fflush(stderr);
  drawn_ = terminal_;
  next_at_ =
      elapsed_seconds + (terminal_ ? kRedrawEvery : std::min(elapsed_seconds, kPlainLineEveryMax));
}

void ProgressLine::clear() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

}  // namespace ringside::cli
