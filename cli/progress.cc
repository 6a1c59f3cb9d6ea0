#include "cli/progress.h"

#include <unistd.h>

#include <cstdio>

#include "lab/text.h"

namespace ringside::cli {
namespace {

constexpr double kFirstLineAfter = 1;
constexpr double kLineEvery = 5;

std::string minutes(double seconds) {
  const auto whole = static_cast<uint64_t>(seconds + 0.5);
  return whole < 100 ? lab::format("%llu s", static_cast<unsigned long long>(whole))
                     : lab::format("%llu min %02llu s", static_cast<unsigned long long>(whole / 60),
                                   static_cast<unsigned long long>(whole % 60));
}

}  // namespace

ProgressLine::ProgressLine(std::string what)
    : what_(std::move(what)),
      terminal_(isatty(STDERR_FILENO) != 0),
      next_at_(terminal_ ? kFirstLineAfter : kLineEvery) {}

void ProgressLine::show(const lab::Progress& progress) {
  if (progress.elapsed_seconds < next_at_) return;
  std::string line = lab::format("%s: %3.0f %%", what_.c_str(), 100 * progress.share);
  if (progress.all > 1) {
    line += lab::format(", %llu of %llu seeds", static_cast<unsigned long long>(progress.finished),
                        static_cast<unsigned long long>(progress.all));
  }
  line += ", " + minutes(progress.elapsed_seconds);
  if (progress.share > 0.02) {
    line += ", about " + minutes(progress.elapsed_seconds * (1 - progress.share) / progress.share) +
            " left";
  }
  std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", line.c_str());
  std::fflush(stderr);
  drawn_ = terminal_;
  next_at_ = progress.elapsed_seconds + (terminal_ ? 0.2 : kLineEvery);
}

void ProgressLine::clear() {
  if (drawn_) std::fputs("\r\033[K", stderr);
  drawn_ = false;
}

}  // namespace ringside::cli
